//! How long alerts are on their way, and how far that varies: what begins together arrives spread by as much.
//!
//! A settlement looks at what happened within ten seconds of an alert, and can see only what has arrived. Where alerts
//! arrive spread, it waits for the rest, by as much as delays were seen to vary: mean and mean deviation, as TCP estimates
//! round trips (RFC 6298), above the least of late. A delay that all share spreads nothing, and a domain whose alerts
//! come in order waits for nothing. No page may be late for it, so it waits for no more than the page of a critical alert
//! does.

use model::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::{engine::Engine, fold::Fold, settings::secs};

/// Delays of a domain's fresh alerts, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delay {
    seen: u32,
    least_s: f64,
    mean_s: f64,
    stray_s: f64,
}

/// Alerts over which the delay is averaged, and over which the least one is forgotten.
const MEMORY: f64 = 32.0;
const LEAST_MEMORY: f64 = 512.0;
/// Delays that must have been seen before anything waits for them.
const SEEN_MIN: u32 = 16;
/// A delay longer than this is a backlog or a wrong clock, and no way that alerts usually take.
const BELIEVED_S: f64 = 60.0;

impl Delay {
    fn add(&mut self, delay_s: f64) {
        if !(0.0..=BELIEVED_S).contains(&delay_s) {
            return;
        }
        self.seen = self.seen.saturating_add(1);
        if self.seen == 1 {
            (self.least_s, self.mean_s) = (delay_s, delay_s);
            return;
        }
        let memory = MEMORY.min(f64::from(self.seen));
        self.stray_s += (libm::fabs(delay_s - self.mean_s) - self.stray_s) / memory;
        self.mean_s += (delay_s - self.mean_s) / memory;
        self.least_s = delay_s.min(self.least_s + (self.mean_s - self.least_s) / LEAST_MEMORY);
    }

    /// By how many seconds what happens together arrives apart.
    fn spread_s(&self) -> f64 {
        match self.seen {
            0..SEEN_MIN => 0.0,
            _ => self.mean_s - self.least_s + 2.0 * self.stray_s,
        }
    }
}

impl Engine {
    /// An alert of `t` came.
    pub(crate) fn note_delay(&mut self, t: Time, fold: &Fold<'_>) {
        self.meta.delay.add(fold.time.since(t).as_secs_f64());
    }

    /// How long an alert that comes waits for its settlement.
    pub(crate) fn settle_wait(&self, fold: &Fold<'_>) -> Span {
        let settle_s = fold.settings.grouping.settle_s;
        let room_s = (fold.settings.page.critical_wait_s - settle_s).max(0.0);
        // In whole seconds, so that crumbs of rounding decide nothing.
        secs(settle_s + libm::floor(self.meta.delay.spread_s()).min(room_s))
    }

    /// Whether alerts come in the order of their time, or nearly.
    pub(crate) fn arrives_in_order(&self, fold: &Fold<'_>) -> bool {
        self.settle_wait(fold) == secs(fold.settings.grouping.settle_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread_s(delays_s: impl IntoIterator<Item = f64>) -> f64 {
        let mut delay = Delay::default();
        delays_s.into_iter().for_each(|s| delay.add(s));
        delay.spread_s()
    }

    #[test]
    fn spread_is_how_far_delays_vary() {
        assert_eq!(spread_s(vec![0.0; 100]), 0.0);
        assert_eq!(
            spread_s(vec![20.0; 100]),
            0.0,
            "a delay that all share spreads nothing"
        );
        let even = spread_s((0..300).map(|i| f64::from(i * 7 % 31)));
        assert!((25.0..35.0).contains(&even), "from 0 to 30 s: {even}");
        let mut backlog = vec![1.0; 100];
        backlog.extend(vec![4000.0; 100]);
        assert_eq!(spread_s(backlog), 0.0);
    }
}
