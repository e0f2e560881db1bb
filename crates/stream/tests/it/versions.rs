//! Another version of the fold: it goes on where nothing was folded behind the last checkpoint, refuses a tail that it did
//! not fold itself, and the remedy that it names is one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::Time;
use stream::log::LogErrorKind;
use stream::log::local::LocalLog;
use stream::{Correlate, SetClock, Settings};

use crate::events;
use crate::house::{House, back_test, published, read, replayed};

const FORMER: u32 = 1_000;
const LATER: u32 = 1_001;

impl House {
    /// All correlate workers are killed and started as builds of a version of the fold.
    fn crash_into(&mut self, fold_version: u32) {
        let mut settings = Settings::clone(&self.settings);
        settings.fold_version = fold_version;
        let settings = Arc::new(settings);
        for (number, worker) in (0..).zip(&mut self.correlate) {
            let (log, clock, counters) = (&self.log, &self.clock, &self.counters);
            *worker = Correlate::new(
                settings.clone(),
                log.clone(),
                clock.clone(),
                counters.clone(),
                number,
            );
        }
    }

    /// Correlate alone takes turns; the first refusal.
    fn correlates(&mut self, turns: usize) -> Option<String> {
        for turn in 0..turns {
            let worker = turn % self.correlate.len();
            if let Err(error) = self.correlate[worker].turn(Duration::ZERO) {
                assert_eq!(error.kind(), LogErrorKind::Setup, "{error}");
                self.correlate[worker].reset();
                return Some(error.to_string());
            }
        }
        None
    }

    /// How many positions of all partitions lie behind their checkpoints, and whether there is a partition without one.
    fn tail(&self) -> (u64, bool) {
        let (mut tail, mut bare) = (0, false);
        for records in read(self.log.as_ref(), &self.settings.topics.state).values() {
            let mut positions: BTreeMap<&[u8], u64> = BTreeMap::new();
            for record in records {
                let (Some(key), Some(value)) = (&record.key, &record.value) else {
                    continue;
                };
                if key == b"!position" || key == b"!checkpoint" {
                    // Format, version and checksum stand before the document.
                    let document: serde_json::Value = serde_json::from_slice(&value[13..]).unwrap();
                    positions.insert(key, document["position"].as_u64().unwrap());
                }
            }
            let checkpoint = positions.get(b"!checkpoint".as_slice());
            bare |= checkpoint.is_none();
            tail += positions[b"!position".as_slice()] - checkpoint.copied().unwrap_or(0);
        }
        (tail, bare)
    }
}

/// The former version crashes after some turns; another comes, and where that refuses, the remedy that it names. Gives how
/// many positions the tail had and whether a partition had no checkpoint yet.
fn upgraded(turns: usize) -> (u64, bool) {
    let clock = Arc::new(SetClock::new(Time::from_secs(1_800_000_000)));
    let settings = Settings {
        fold_version: FORMER,
        checkpoint_inputs: 40,
        ..back_test()
    };
    let mut house = House::new(settings, Arc::new(LocalLog::memory(clock.clone())), clock);
    let sent = events::shop(turns as u64, 300);
    let (early, late) = sent.split_at(200);
    house.append(events::records(&"alerts".into(), 3, early));
    while !house.ingest.iter().all(stream::Ingest::is_caught_up) {
        for worker in &mut house.ingest {
            worker.turn(Duration::ZERO).unwrap();
        }
        let now = stream::Clock::now(house.clock.as_ref());
        house.clock.set(now + model::Span::from_millis(500));
    }
    assert_eq!(house.correlates(turns), None);

    let (tail, bare) = house.tail();
    let before = house.published();
    house.crash_into(LATER);
    let refusal = house.correlates(8);
    assert_eq!(
        refusal.is_some(),
        tail > 0,
        "{tail} positions behind the checkpoints: {refusal:?}"
    );
    if let Some(refusal) = refusal {
        for said in [
            "folded by fold version 1000",
            "fold version 1001",
            "start the former version once and stop it cleanly",
        ] {
            assert!(refusal.contains(said), "{refusal}");
        }
        assert_eq!(house.published(), before, "nothing is published on the way");
        house.crash_into(FORMER);
        assert_eq!(house.correlates(8), None);
        for worker in &mut house.correlate {
            worker.leave().unwrap();
        }
        assert_eq!(house.tail().0, 0, "a clean stop leaves no tail");
        house.crash_into(LATER);
    }

    // What the later one folds is its own from the first position on, although its checkpoint is the former's still.
    house.append(events::records(&"alerts".into(), 3, late));
    house.run();
    house.crash_into(LATER);
    assert_eq!(house.correlates(8), None, "its own tail");
    let (tail, _) = house.tail();
    house.crash_into(FORMER);
    assert_eq!(
        house.correlates(8).is_some(),
        tail > 0,
        "the former version at a tail of {tail} of the later one"
    );
    house.crash_into(LATER);
    house.run();
    let found = published(house.log.as_ref(), &house.settings);
    let expected = replayed(house.log.as_ref(), &house.settings);
    assert_eq!(found.difference(&expected), None);
    (tail, bare)
}

#[test]
fn a_tail_of_another_version_is_refused_until_the_former_one_has_stopped_cleanly() {
    let (mut tails, mut bare) = (0, 0);
    for turns in (1..40).step_by(4) {
        let (tail, no_checkpoint) = upgraded(turns);
        tails += u32::from(tail > 0);
        bare += u32::from(no_checkpoint);
    }
    assert!(tails > 2, "{tails} tails of the later version");
    assert!(bare > 0, "{bare} crashes before the first checkpoint");
}
