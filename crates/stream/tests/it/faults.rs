//! Crashes at every step of a commit, aborted and late commits, lost answers, fenced writers: the same bytes come out.

use std::sync::{Arc, Mutex};

use model::Time;
use stream::SetClock;
use stream::log::faults::{Epochs, FaultyLog, Plan, Point};
use stream::log::local::LocalLog;

use crate::events;
use crate::house::{House, Published, back_test, published};

struct Calm;

impl Plan for Calm {
    fn strike(&mut self, _: &[Point]) -> Option<Point> {
        None
    }
}

/// Strikes with one fault at the `nth` step at which it can.
struct Once {
    point: Point,
    nth: usize,
}

impl Plan for Once {
    fn strike(&mut self, possible: &[Point]) -> Option<Point> {
        if !possible.contains(&self.point) {
            return None;
        }
        self.nth = self.nth.wrapping_sub(1);
        (self.nth == usize::MAX).then_some(self.point)
    }
}

/// Everything published and how often a worker had to start over.
fn outcome(plan: impl Plan + 'static, seed: u64) -> (Published, usize) {
    let clock = Arc::new(SetClock::new(Time::from_secs(1_800_000_000)));
    let inner = LocalLog::memory(clock.clone());
    let log = FaultyLog::new(inner.clone(), Arc::new(Mutex::new(plan)), Epochs::Heeded);
    let mut house = House::new(back_test(), Arc::new(log.clone()), clock);
    house.append(events::records(&"alerts".into(), 3, &events::shop(seed, 200)));
    let mut restarts = 0;
    for round in 0..100_000 {
        let sound = house.round();
        restarts += usize::from(!sound);
        if round % 7 == 0 {
            log.settle().unwrap();
        }
        let ingested = house.ingest.iter().all(stream::Ingest::is_caught_up);
        if sound && ingested && house.correlate.iter().all(stream::Correlate::is_caught_up) {
            log.settle().unwrap();
            return (published(&inner, &house.settings), restarts);
        }
    }
    panic!("seed {seed}: the backlog does not drain");
}

#[test]
fn every_fault_at_every_step_changes_nothing() {
    let (expected, restarts) = outcome(Calm, 1);
    assert_eq!(restarts, 0);
    assert!(
        expected.changes.values().map(Vec::len).sum::<usize>() > 100,
        "the shop fails too little"
    );
    assert!(expected.changes.len() > 1, "the domains do not spread");
    for point in Point::ALL {
        // A calm run joins once and restores nothing.
        if matches!(point, Point::Join | Point::Read) {
            continue;
        }
        for nth in 0..12 {
            let (found, restarts) = outcome(Once { point, nth }, 1);
            let ends = usize::from(!matches!(point, Point::Slow | Point::Again));
            assert_eq!(restarts, ends, "{point:?} at step {nth}");
            assert_eq!(found.difference(&expected), None, "{point:?} at step {nth}");
        }
    }
}
