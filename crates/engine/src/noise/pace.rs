//! How densely one run of an alert comes. A line of a log that a fault writes comes in floods, chatter in twos and threes;
//! and a flood may take a minute to swell. So every half minute of a run is looked at, and what was counted as coming
//! alone by how it began is taken back when it swells later.

use model::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::state::alert::Habit;

/// Seconds of a part of a run.
const PART_S: f64 = 30.0;
/// What is rated and comes more than this often in one of them is no chatter: it is not alone. On a public stream the
/// densest half minute of a line that a fault wrote holds 7 in the median, of noise 4, and 5 at the upper quartile.
const PART_MAX: u32 = 6;

/// The latest half minutes of which events are counted: what arrives later than that is not placed any more.
const PARTS: usize = 4;

/// The present run of an alert, by half minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pace {
    /// Its first event that was heard; half minutes are counted from there, those before it below 0.
    from: Option<Time>,
    /// The latest half minute, and events in it and in those before it.
    part: i64,
    counts: [u32; PARTS],
    /// Whether any half minute of it was dense.
    pub dense: bool,
    /// Whether it was counted as coming alone, and was rated.
    pub alone: bool,
}

impl Habit {
    /// Notes an event of the present run, whichever came first.
    pub(crate) fn note_pace(&mut self, t: Time) {
        let pace = &mut self.pace;
        let from = *pace.from.get_or_insert(t);
        let part = libm::floor(t.since(from).as_secs_f64() / PART_S) as i64;
        let later = (part - pace.part).clamp(0, PARTS as i64);
        pace.counts.rotate_right(later as usize % PARTS);
        pace.counts[..later as usize].fill(0);
        pace.part = pace.part.max(part);
        let Some(count) = pace.counts.get_mut((pace.part - part) as usize) else {
            return;
        };
        *count += 1;
        pace.dense |= *count > PART_MAX;
        if pace.dense && std::mem::take(&mut pace.alone) {
            self.take_back_alone(t);
        }
    }

    /// An event of the present run came after a later one of it: the run is as dense as it was, in whatever order that
    /// arrives. Gives when the run was taken to begin, if it began before.
    pub(crate) fn note_older(&mut self, t: Time, episode: Span) -> Option<Time> {
        let start = self.start.filter(|start| start.since(t) <= episode)?;
        self.note_pace(t);
        self.start = Some(start.min(t));
        (t < start).then_some(start)
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

    #[test]
    fn a_run_is_as_dense_in_whatever_order_it_arrives() {
        assert!(run(&[29, 25, 21, 17, 13, 9, 5, 0]).pace.dense, "backwards");
        assert!(
            !run(&[100, 140, 0, 40, 80, 20, 60, 120]).pace.dense,
            "long and thin, out of order"
        );
    }
}
