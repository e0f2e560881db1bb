//! What is remembered of a source: its rhythm, its habit to repeat, and what its severities are worth.

use std::collections::BTreeMap;

use model::{Severity, Time};
use serde::{Deserialize, Serialize};

/// One source of alerts (a tool).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Source {
    pub alerts: u64,
    /// Alerts that came within 90 s of the same alert.
    pub repeats: u64,
    /// Alerts that are errors or critical.
    pub high: u64,
    /// Recoveries.
    pub resolves: u64,
    pub last: Option<Time>,
    /// Stream time of its newest alert.
    pub heard_at: Time,
    /// How often it spoke after a pause, as far as that matters.
    #[serde(default)]
    pauses: u32,
    /// Times between two words on one alert in whole seconds, rounded; at most [`GAPS_MAX`] different ones.
    gaps: BTreeMap<u32, u32>,
    /// Whether these are times between changes; of a tool that says no end they are times between firings.
    #[serde(default)]
    changes: bool,
    /// Seconds between two looks of it at what it watches, as far as that shows. 0: it does not. `None`: it said too little.
    pub interval_s: Option<f64>,
    /// Firings, without those that say by a key of its own that what fired still does: of these an end could be said. `None`:
    /// counted from now on, and so far all of its alerts.
    #[serde(default)]
    pub firings: Option<u64>,
}

/// Pauses longer than so many seconds after which a tool has said enough to have shown a rhythm.
const PAUSES_MIN: u32 = 8;
const PAUSE_S: f64 = 5.0;
/// Gaps from which on a rhythm is believed, and the share of them that must be multiples of it.
const GAPS_MIN: u32 = 8;
const GAPS_SHARE: f64 = 0.8;
/// Longer gaps are multiples of too much.
const GAP_MAX_S: f64 = 600.0;
const GAPS_MAX: usize = 64;
/// No tool looks oftener and gives whole seconds by which it could be seen.
const INTERVAL_MIN_S: u32 = 10;

impl Default for Source {
    fn default() -> Self {
        Source {
            alerts: 0,
            repeats: 0,
            high: 0,
            resolves: 0,
            last: None,
            heard_at: Time::MIN,
            pauses: 0,
            gaps: BTreeMap::new(),
            changes: false,
            interval_s: None,
            firings: Some(0),
        }
    }
}

impl Source {
    /// Notes the next time stamp.
    pub(crate) fn tick(&mut self, t: Time) {
        let pause_s = self.last.map_or(0.0, |last| t.since(last).as_secs_f64());
        if self.pauses < PAUSES_MIN && pause_s > PAUSE_S {
            self.pauses += 1;
            if self.pauses == PAUSES_MIN {
                self.interval_s.get_or_insert(0.0);
            }
        }
        self.last = Some(self.last.map_or(t, |last| last.max(t)));
    }

    /// Learns the rhythm from the time between two words on one alert; `change`: its state is another one.
    ///
    /// Each rule is evaluated at a phase of its own, so times between alerts of two rules say nothing. How long one alert
    /// held, or was gone, is a multiple of the interval whatever the phase.
    pub(crate) fn note_gap(&mut self, gap_s: f64, change: bool, max_s: f64) {
        if gap_s <= PAUSE_S || gap_s > GAP_MAX_S || (self.changes && !change) {
            // What is said again while nothing changes comes in the rhythm of the repeats, not of the evaluation.
            return;
        }
        if change && !self.changes {
            self.gaps.clear();
            self.changes = true;
        }
        let gap = libm::round(gap_s) as u32;
        if self.gaps.len() < GAPS_MAX || self.gaps.contains_key(&gap) {
            *self.gaps.entry(gap).or_default() += 1;
            let total: u32 = self.gaps.values().sum();
            // What many gaps showed is not looked at again for each few more.
            if total.is_multiple_of(GAPS_MIN.max(total.next_power_of_two() / 16)) {
                self.interval_s = Some(f64::from(rhythm(&self.gaps)).min(max_s));
            }
        }
    }

    /// The share of its alerts that repeat, with a prior of one in ten.
    pub(crate) fn repeat_share(&self) -> f64 {
        (self.repeats as f64 + 1.0) / (self.alerts as f64 + 10.0)
    }

    /// Whether it is known not to say when conditions end. Two alerts that are repeated every five minutes say nothing of
    /// it for hours.
    pub(crate) fn never_resolves(&self) -> bool {
        let firings = self.firings.unwrap_or(self.alerts);
        firings >= 20 && (self.resolves as f64) < 0.1 * firings as f64
    }

    /// 0 info, 1 warning, 2 error and critical. A source that calls nearly everything an error says nothing by it, so
    /// its errors weigh as warnings. `None` where the sender gave no severity.
    pub(crate) fn weight(&self, severity: Severity) -> Option<u8> {
        match severity {
            Severity::Unknown => None,
            Severity::Info | Severity::Notice => Some(0),
            Severity::Warning => Some(1),
            Severity::Error | Severity::Critical => Some(
                if self.alerts >= 20 && self.high as f64 >= 0.9 * self.alerts as f64 {
                    1
                } else {
                    2
                },
            ),
        }
    }
}

/// The longest of the gaps of which nearly all are multiples, to a second or two; 0: none.
fn rhythm(gaps: &BTreeMap<u32, u32>) -> u32 {
    let total: u32 = gaps.values().sum();
    let explains = |interval: u32| {
        let slack = if interval < 40 { 1 } else { 2 };
        let multiple = |gap: u32| {
            let rest = gap % interval;
            gap + slack >= interval && rest.min(interval - rest) <= slack
        };
        let explained: u32 = gaps
            .iter()
            .filter(|(gap, _)| multiple(**gap))
            .map(|(_, n)| n)
            .sum();
        f64::from(explained) >= GAPS_SHARE * f64::from(total)
    };
    let mut candidates = gaps.keys().rev().copied();
    candidates
        .find(|gap| *gap >= INTERVAL_MIN_S && explains(*gap))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(gaps: &[u32]) -> u32 {
        let mut counted = BTreeMap::new();
        for gap in gaps {
            *counted.entry(*gap).or_default() += 1;
        }
        rhythm(&counted)
    }

    #[test]
    fn a_rhythm_is_what_nearly_all_gaps_are_multiples_of() {
        assert_eq!(of(&[300, 300, 600, 300, 600, 300, 300, 300]), 300);
        assert_eq!(of(&[59, 60, 121, 180, 60, 240, 119, 61, 7]), 60);
        assert_eq!(of(&[120, 120, 240, 180, 120, 180, 60, 300]), 60);
        assert_eq!(of(&[13, 29, 47, 71, 101, 163, 211, 307]), 0);
    }

    #[test]
    fn repeats_say_nothing_of_a_tool_that_says_ends() {
        let mut source = Source::default();
        for _ in 0..8 {
            source.note_gap(300.0, false, 300.0);
        }
        assert_eq!(source.interval_s, Some(300.0));
        for _ in 0..8 {
            source.note_gap(60.0, true, 300.0);
            source.note_gap(300.0, false, 300.0);
        }
        assert_eq!(source.interval_s, Some(60.0));
    }
}
