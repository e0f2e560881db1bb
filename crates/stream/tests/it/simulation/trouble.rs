//! Which faults strike, and how often: drawn from the seed, so that some runs are hit by much of one kind.

use std::collections::BTreeMap;

use sim::Dice;
use stream::log::faults::{Plan, Point};

/// Faults at their rates.
pub(super) struct Trouble {
    dice: Dice,
    /// Per thousand chances.
    rates: BTreeMap<Point, u64>,
    pub(super) struck: BTreeMap<Point, u64>,
    pub(super) over: bool,
}

impl Trouble {
    /// What the seed says.
    pub(super) fn drawn(seed: u64) -> Trouble {
        let mut dice = Dice::new(seed ^ 0x7472_6f75_626c_6500);
        let mut rate = |_| *dice.pick(&[0, 0, 0, 10, 30, 100]);
        let rates = Point::ALL.map(|point| (point, rate(point)));
        Trouble::new(dice, rates)
    }

    /// Much of some, and nothing else.
    pub(super) fn of(seed: u64, points: &[Point]) -> Trouble {
        let rates = points.iter().map(|point| (*point, 120));
        Trouble::new(Dice::new(seed ^ 0x7472_6f75_626c_6500), rates)
    }

    fn new(dice: Dice, rates: impl IntoIterator<Item = (Point, u64)>) -> Trouble {
        Trouble {
            dice,
            rates: rates.into_iter().collect(),
            struck: BTreeMap::new(),
            over: false,
        }
    }
}

impl Plan for Trouble {
    fn strike(&mut self, possible: &[Point]) -> Option<Point> {
        if self.over {
            return None;
        }
        // One die for each, so that a rate means the same however many kinds can strike at a step.
        let strikes = |point: &&Point| {
            let rate = self.rates.get(point).copied().unwrap_or(0);
            rate > 0 && self.dice.below(1_000) < rate
        };
        let point = *possible.iter().find(strikes)?;
        *self.struck.entry(point).or_default() += 1;
        Some(point)
    }
}
