//! How densely one run of an alert comes. A line of a log that a fault writes comes in floods, chatter in twos and threes;
//! and a flood may take a minute to swell. So every half minute of a run is looked at, and what was counted as coming
//! alone by how it began is taken back when it swells later.

use model::Time;
use serde::{Deserialize, Serialize};

use crate::state::alert::Habit;

/// Seconds of a part of a run.
pub(crate) const PART_S: i64 = 30;
/// What is rated and comes more than this often in one of them is no chatter: it is not alone. On a public stream the
/// densest half minute of a line that a fault wrote holds 7 in the median, of noise 4, and 5 at the upper quartile.
const PART_MAX: u32 = 6;

/// The present run of an alert, by half minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// Which half minute of the run, and events in it.
    part: u32,
    count: u32,
    /// Whether any half minute of it was dense.
    pub dense: bool,
    /// Whether it was counted as coming alone, and was rated.
    pub alone: bool,
}

impl Habit {
    /// Notes an event of the present run.
    pub(crate) fn note_pace(&mut self, t: Time) {
        let into_s = self.start.map_or(0, |start| t.since(start).as_secs_f64() as i64);
        let part = into_s.div_euclid(PART_S).max(0) as u32;
        let pace = &mut self.pace;
        if part > pace.part {
            (pace.part, pace.count) = (part, 0);
        }
        // What arrives late counts where the run is by now.
        pace.count += 1;
        pace.dense |= pace.count > PART_MAX;
        if pace.dense && std::mem::take(&mut pace.alone) {
            self.take_back_alone(t);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: &[i64]) -> Habit {
        let start = Time::from_secs(1_000);
        let mut habit = Habit {
            start: Some(start),
            ..Habit::default()
        };
        for s in seconds {
            habit.note_pace(start + model::Span::from_secs(*s));
        }
        habit
    }

    #[test]
    fn a_run_is_dense_by_any_half_minute_of_it() {
        assert!(!run(&[0, 5, 10, 15, 20, 25]).pace.dense, "six");
        assert!(run(&[0, 5, 10, 15, 20, 25, 29]).pace.dense, "seven");
        assert!(
            !run(&[0, 20, 40, 60, 80, 100, 120, 140]).pace.dense,
            "long, but thin"
        );
        assert!(
            run(&[0, 40, 62, 65, 70, 75, 80, 85, 88]).pace.dense,
            "swells later"
        );
    }
}
