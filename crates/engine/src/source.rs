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
    /// Gaps between its time stamps in whole seconds, rounded; at most 64 different ones.
    gaps: BTreeMap<u32, u32>,
    /// The commonest gap, if one is common enough: its evaluation interval. 0: there is none.
    pub interval_s: Option<f64>,
}

impl Default for Source {
    fn default() -> Self {
        Source {
            alerts: 0,
            repeats: 0,
            high: 0,
            resolves: 0,
            last: None,
            heard_at: Time::MIN,
            gaps: BTreeMap::new(),
            interval_s: None,
        }
    }
}

impl Source {
    /// Learns the rhythm from the next time stamp. `max_s`: longest interval believed.
    pub(crate) fn tick(&mut self, t: Time, max_s: f64) {
        if let Some(last) = self.last {
            let gap = t.since(last).as_secs_f64();
            if gap > 5.0 {
                let gap = libm::round(gap).min(f64::from(u32::MAX)) as u32;
                if self.gaps.len() < 64 || self.gaps.contains_key(&gap) {
                    *self.gaps.entry(gap).or_default() += 1;
                }
                let total: u32 = self.gaps.values().sum();
                if total >= 8 {
                    // The commonest gap; of equally common ones the shortest.
                    let (gap, times) =
                        self.gaps.iter().fold(
                            (0, 0),
                            |best, (gap, times)| if *times > best.1 { (*gap, *times) } else { best },
                        );
                    let regular = f64::from(times) >= 0.25 * f64::from(total) && gap >= 10;
                    self.interval_s = Some(if regular { f64::from(gap).min(max_s) } else { 0.0 });
                }
            }
        }
        self.last = Some(self.last.map_or(t, |last| last.max(t)));
    }

    /// The share of its alerts that repeat, with a prior of one in ten.
    pub(crate) fn repeat_share(&self) -> f64 {
        (self.repeats as f64 + 1.0) / (self.alerts as f64 + 10.0)
    }

    /// Whether it is known not to say when conditions end.
    pub(crate) fn never_resolves(&self) -> bool {
        self.alerts >= 20 && (self.resolves as f64) < 0.1 * self.alerts as f64
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
