//! The log on disk: a process that ends anywhere goes on where it was.

use std::path::Path;
use std::sync::Arc;

use model::Time;
use stream::SetClock;
use stream::log::local::LocalLog;

use crate::events;
use crate::house::{House, back_test, published};

fn open(file: &Path, clock: &Arc<SetClock>) -> House {
    let log = LocalLog::open(file, clock.clone()).unwrap();
    House::new(back_test(), Arc::new(log), clock.clone())
}

#[test]
fn restarts_change_nothing_and_incidents_are_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SetClock::new(Time::from_secs(1_800_000_000)));
    let sent = events::records(&"alerts".into(), 3, &events::shop(5, 200));

    let memory = LocalLog::memory(clock.clone());
    let mut calm = House::new(back_test(), Arc::new(memory), clock.clone());
    calm.append(sent.clone());
    calm.run();
    let expected = calm.published();

    let file = folder.path().join("log.redb");
    open(&file, &clock).append(sent);
    for restart in 0..20 {
        let mut house = open(&file, &clock);
        for _ in 0..restart {
            house.round();
        }
    }
    let mut house = open(&file, &clock);
    house.run();
    assert!(house.counters.restores.get() > 0);
    let found = published(house.log.as_ref(), &house.settings);
    assert_eq!(found.changes, expected.changes);
    for (partition, records) in &found.incidents {
        let mut newest = std::collections::BTreeMap::new();
        for (key, value) in &expected.incidents[partition] {
            newest.insert(key.clone(), value.clone());
        }
        assert_eq!(
            records
                .iter()
                .cloned()
                .collect::<std::collections::BTreeMap<_, _>>(),
            newest
        );
        assert_eq!(records.len(), newest.len(), "one record for each incident");
    }
}

#[test]
fn a_file_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SetClock::new(Time::from_secs(0)));
    let file = folder.path().join("log.redb");
    let first = LocalLog::open(&file, clock.clone()).unwrap();
    assert!(LocalLog::open(&file, clock.clone()).is_err());
    drop(first);
    assert!(LocalLog::open(&file, clock).is_ok());
}
