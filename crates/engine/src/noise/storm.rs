//! Storm mode: when alerts come at a rate that the domain's own past does not explain, every incident of the storm is
//! published every ten seconds instead of every second, and that its alerts recover or fire again is said together then.
//! Nothing is dropped and nothing decided otherwise: each alert that joins is said, and each is counted. The mode is said
//! on each incident that it concerns, and said again when it is left.
//!
//! The rate is the number of fresh alerts of a minute. It is a storm when that is at least `alerts_min`, more than
//! `ratio` times the median minute of the last two hours, and less likely than one in a million under a Poisson law with
//! their mean. Two minutes in a row under a quarter of what it took end it. Minutes of storms are not remembered.

use std::collections::VecDeque;

use model::{ChangeKind, Evidence, EvidenceKind, IncidentId, Span, Time};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Engine, Timer, What},
    fold::Fold,
};

/// Minutes that make up the past.
const MINUTES_MAX: usize = 120;
/// How unlikely a minute must be, as a natural logarithm: one in a million.
const LN_TAIL: f64 = -13.8;
/// Minutes under a quarter that end a storm.
const CALM_MINUTES: u32 = 2;

/// How many alerts come in a minute.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rate {
    minute: i64,
    count: u32,
    past: VecDeque<u32>,
    /// What it took, while a storm lasts.
    storm: Option<u32>,
    calm: u32,
    pub due: Option<Time>,
}

impl Rate {
    pub(crate) fn is_storm(&self) -> bool {
        self.storm.is_some()
    }

    /// How many within a minute it took, while it lasts.
    pub(crate) fn took(&self) -> Option<u32> {
        self.storm
    }

    /// Counts one; begins and ends by itself.
    pub(crate) fn count(&mut self, t: Time, alerts_min: u32, ratio: f64) {
        self.roll(t);
        self.count += 1;
        if self.begins(alerts_min, ratio) {
            self.storm = Some(self.count);
        }
    }

    /// Goes on to the minute of `t`; says whether a storm ended.
    pub(crate) fn roll(&mut self, t: Time) -> bool {
        let minute = t.secs().div_euclid(60);
        if self.minute == 0 {
            self.minute = minute;
        }
        let mut ended = false;
        let mut left = (minute - self.minute).clamp(0, MINUTES_MAX as i64 + i64::from(CALM_MINUTES));
        while left > 0 {
            left -= 1;
            let count = std::mem::take(&mut self.count);
            match self.storm {
                Some(took) => {
                    self.calm = if count < took.div_ceil(4) {
                        self.calm + 1
                    } else {
                        0
                    };
                    if self.calm >= CALM_MINUTES {
                        (self.storm, self.calm, ended) = (None, 0, true);
                    }
                }
                None => {
                    if self.past.len() == MINUTES_MAX {
                        self.past.pop_front();
                    }
                    self.past.push_back(count);
                }
            }
        }
        self.minute = self.minute.max(minute);
        ended
    }

    /// Whether the running minute is beyond everything usual.
    fn begins(&self, alerts_min: u32, ratio: f64) -> bool {
        if self.storm.is_some() || self.count < alerts_min.max(1) {
            return false;
        }
        let mut sorted: Vec<u32> = self.past.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        let sum: u32 = sorted.iter().sum();
        let mean = (f64::from(sum) + 1.0) / (sorted.len() as f64 + 1.0);
        f64::from(self.count) > ratio * f64::from(median) && ln_tail(f64::from(self.count), mean) < LN_TAIL
    }
}

/// An upper bound of the logarithm of P(N >= n) for a Poisson N with this mean (Chernoff).
fn ln_tail(n: f64, mean: f64) -> f64 {
    if n <= mean {
        return 0.0;
    }
    n - mean - n * libm::log(n / mean)
}

impl Engine {
    /// A fresh alert came.
    pub(crate) fn count_rate(&mut self, fold: &mut Fold<'_>) {
        if self.meta.rate.roll(fold.time) {
            self.end_storm(fold);
        }
        let rate = &mut self.meta.rate;
        rate.count += 1;
        let settings = &fold.settings.storm;
        if !rate.begins(settings.alerts_min, settings.ratio) {
            return;
        }
        rate.storm = Some(rate.count);
        self.schedule_storm(fold);
        // Those that grew within this minute are in it; others when something joins them.
        let growing: Vec<IncidentId> = self
            .open
            .iter()
            .copied()
            .filter(|id| {
                self.incidents
                    .get(id)
                    .is_some_and(|state| fold.time.since(state.joined_at) <= Span::from_secs(60))
            })
            .collect();
        for id in growing {
            self.enter_storm(id, fold);
        }
    }

    /// Something joined an incident: while a storm lasts it is part of it.
    pub(crate) fn enter_storm(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(took) = self.meta.rate.storm else { return };
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if state.storm || state.background {
            return;
        }
        state.storm = true;
        let text = format!(
            "{took} alerts within a minute; it is published every {} s",
            fold.settings.storm.publish_s
        );
        let because = vec![Evidence::new(EvidenceKind::Activity, f64::from(took), text)];
        self.change(
            id,
            What::new(ChangeKind::Storm).from("off").to("on"),
            because,
            fold,
        );
    }

    /// Says at once how many alerts of an incident fired again or recovered, of which nothing was said one by one.
    pub(crate) fn say_coalesced(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if state.unsaid == [0; 2] {
            return;
        }
        let [recovered, again] = std::mem::take(&mut state.unsaid);
        let text = format!("{recovered} times one of its alerts recovered, {again} times one fired again");
        let because = vec![Evidence::new(EvidenceKind::Resolved, recovered as f64, text)];
        self.change(id, What::new(ChangeKind::Note), because, fold);
    }

    /// The timer of a storm: a minute is over.
    pub(crate) fn look_storm(&mut self, fold: &mut Fold<'_>) {
        self.meta.rate.due = None;
        if self.meta.rate.roll(fold.time) {
            self.end_storm(fold);
        } else if self.meta.rate.is_storm() {
            self.schedule_storm(fold);
        }
    }

    fn schedule_storm(&mut self, fold: &Fold<'_>) {
        let next = Time::from_secs((fold.time.secs().div_euclid(60) + 1) * 60);
        if let Some(before) = self.meta.rate.due.replace(next) {
            self.timers.remove(&(before, Timer::Storm));
        }
        self.timers.insert((next, Timer::Storm));
    }

    fn end_storm(&mut self, fold: &mut Fold<'_>) {
        if let Some(due) = self.meta.rate.due.take() {
            self.timers.remove(&(due, Timer::Storm));
        }
        for id in self.open.clone() {
            let Some(state) = self.incidents.get_mut(&id) else {
                continue;
            };
            if !std::mem::take(&mut state.storm) {
                continue;
            }
            self.say_coalesced(id, fold);
            let text = format!("{CALM_MINUTES} minutes under a quarter of what it took");
            let because = vec![Evidence::new(
                EvidenceKind::Quiet,
                f64::from(CALM_MINUTES) * 60.0,
                text,
            )];
            self.change(
                id,
                What::new(ChangeKind::Storm).from("on").to("off"),
                because,
                fold,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_what_the_past_does_not_explain() {
        let at = |s: i64| Time::from_secs(1_000_000_020 + s);
        let mut rate = Rate::default();
        for minute in 0..60 {
            assert!(!rate.roll(at(60 * minute)));
            rate.count = 90;
        }
        rate.roll(at(3600));
        rate.count = 1000;
        assert!(!rate.begins(100, 20.0), "eleven times the usual");
        rate.count = 1900;
        assert!(rate.begins(100, 20.0), "twenty-one times the usual");
        rate.storm = Some(1900);
        assert!(!rate.roll(at(3660)));
        assert!(!rate.roll(at(3720)), "one calm minute");
        assert!(rate.roll(at(3780)), "two");
        assert!(ln_tail(100.0, 50.0) < ln_tail(60.0, 50.0));
        assert_eq!(ln_tail(10.0, 50.0), 0.0);
    }
}
