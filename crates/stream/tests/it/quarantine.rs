//! A record on which the fold panics is taken out of every fold to come, and nothing else is affected.

use std::sync::Arc;

use engine::{Output, Shard};
use model::{Input, Time};
use stream::SetClock;
use stream::log::local::LocalLog;

use crate::events;
use crate::house::{House, back_test, difference, read};

/// Panics on one event of the shop, as a fault of the fold would.
fn faulty(shard: &mut Shard, batch: &[Input], out: &mut Vec<Output>) {
    for input in batch {
        if let Input::Event(event) = input {
            assert_ne!(event.event_id, "e77", "cannot fold {}", event.event_id);
        }
        shard.step(std::slice::from_ref(input), out);
    }
}

#[test]
fn a_record_that_panics_the_fold_is_quarantined() {
    let clock = Arc::new(SetClock::new(Time::from_secs(1_800_000_000)));
    let sent = events::shop(9, 200);
    let mut without: Vec<_> = events::records(&"alerts".into(), 3, &sent);
    let run = |records, step| {
        let settings = stream::Settings { step, ..back_test() };
        let log = LocalLog::memory(clock.clone());
        let mut house = House::new(settings, Arc::new(log), clock.clone());
        house.append(records);
        house.run();
        house
    };
    let mut house = run(without.clone(), faulty as stream::Step);
    assert_eq!(house.counters.quarantined_inputs.get(), 1);
    let letters = read(house.log.as_ref(), &house.settings.topics.deadletter);
    let letter = &letters[&0][0];
    assert_eq!(letter.header("stage"), Some("fold"));
    assert!(
        letter
            .header("reason")
            .is_some_and(|reason| reason.contains("cannot fold e77")),
        "{letter:?}"
    );

    // A successor restores from before the record and does not see it again.
    house.correlate.iter_mut().for_each(stream::Correlate::reset);
    house.run();
    assert_eq!(house.counters.quarantined_inputs.get(), 1);

    // A tombstone in its place keeps the positions of all others.
    without[77].value = None;
    let calm = run(without, Shard::step as stream::Step);
    assert_eq!(
        difference(&house.published().changes, &calm.published().changes),
        None
    );
}
