//! Other settings after a crash: what was published of the tail was decided under the former ones, so it is folded again
//! under those. A page that becomes real at that moment must be heard of.

use std::sync::Arc;
use std::time::Duration;

use model::{PageMode, Time};
use stream::log::Outgoing;
use stream::log::local::LocalLog;
use stream::{Correlate, SetClock, Settings};

use crate::house::{House, back_test};

const START: i64 = 1_800_000_000;

fn event(second: i64, status: &str) -> Outgoing {
    let ts = Time::from_secs(START + second);
    let value = serde_json::json!({
        "event_id": format!("{status}-{second}"), "dedup_key": format!("key-{}", second / 1_000), "status": status,
        "title": "DiskFull", "severity": "critical", "service": "db", "ts": ts,
    });
    let mut record = Outgoing::to(&"alerts".into(), 0, "", Some(value.to_string().into_bytes()));
    record.timestamp = Some(ts);
    record
}

/// `page_due` changes as they were published, with their modes.
fn pages(house: &House) -> Vec<String> {
    let changes = house.published().changes.into_values().flatten();
    let changes = changes.filter_map(|(_, value)| serde_json::from_str(&value?).ok());
    let pages = changes.filter(|c: &serde_json::Value| c["change"] == "page_due");
    pages
        .map(|c| c["mode"].as_str().unwrap_or("none").to_owned())
        .collect()
}

/// Each change of a domain has the next number, and each of an incident the next revision.
fn assert_gapless(house: &House) {
    let mut revisions = std::collections::BTreeMap::new();
    for changes in house.published().changes.values() {
        for (n, (_, value)) in (1..).zip(changes) {
            let change: serde_json::Value = serde_json::from_str(value.as_ref().unwrap()).unwrap();
            assert_eq!(change["seq"], n);
            let revision: &mut u64 = revisions.entry(change["incident_id"].to_string()).or_default();
            *revision += 1;
            assert_eq!(change["revision"], *revision, "{change}");
        }
    }
}

impl House {
    fn crash_into_mode(&mut self, mode: PageMode) {
        let mut settings = Settings::clone(&self.settings);
        settings.fold.page.mode = mode;
        self.settings = Arc::new(settings);
        for (number, worker) in (0..).zip(&mut self.correlate) {
            let (log, clock, counters) = (&self.log, &self.clock, &self.counters);
            *worker = Correlate::new(
                self.settings.clone(),
                log.clone(),
                clock.clone(),
                counters.clone(),
                number,
            );
        }
    }
}

/// An alert fires at second 0 and is paged for in `observe`; then a crash, and `live`. `checkpoints`: after how many inputs
/// there is one, so that the page is before the last checkpoint, or behind it.
fn goes_live(checkpoints: u64, crashes: usize) {
    let clock = Arc::new(SetClock::new(Time::from_secs(START)));
    let settings = Settings {
        partitions: 1,
        checkpoint_inputs: checkpoints,
        checkpoint_interval: model::Span::from_hours(1_000),
        ..back_test()
    };
    let mut house = House::new(settings, Arc::new(LocalLog::memory(clock.clone())), clock);
    let repeats = |from: i64, to: i64| (from..to).map(|n| event(n * 10, "firing")).collect();
    house.append(repeats(0, 12));
    house.run();
    assert_eq!(pages(&house), ["observe"]);
    house.crash_into_mode(PageMode::Live);
    house.run();
    house.append(repeats(12, 14));
    house.run();
    for _ in 0..crashes {
        house.crash_into_mode(PageMode::Live);
        house.run();
    }
    house.append(repeats(14, 20));
    house.run();
    assert_eq!(pages(&house), ["observe", "live"], "{checkpoints} {crashes}");
    assert_gapless(&house);
    let named = format!("{:?}", house.settings.fold.page.mode);
    assert_eq!(named, "Live");
}

#[test]
fn a_crash_on_the_way_to_live_pages_swallows_none() {
    for checkpoints in [1, 3, 5, 7, 1_000] {
        for crashes in 0..3 {
            goes_live(checkpoints, crashes);
        }
    }
}

#[test]
fn back_to_observe_after_a_crash_pages_nobody_again() {
    let clock = Arc::new(SetClock::new(Time::from_secs(START)));
    let mut settings = Settings {
        partitions: 1,
        checkpoint_inputs: 1_000,
        ..back_test()
    };
    settings.checkpoint_interval = model::Span::from_hours(1_000);
    settings.fold.page.mode = PageMode::Live;
    let mut house = House::new(settings, Arc::new(LocalLog::memory(clock.clone())), clock);
    house.append((0..12).map(|n| event(n * 10, "firing")).collect());
    house.run();
    house.crash_into_mode(PageMode::Observe);
    house.append((12..20).map(|n| event(n * 10, "firing")).collect());
    house.run();
    assert_eq!(pages(&house), ["live"]);
    assert_gapless(&house);
}

#[test]
fn a_turn_without_work_writes_nothing_of_settings() {
    let clock = Arc::new(SetClock::new(Time::from_secs(START)));
    let settings = Settings {
        partitions: 1,
        ..back_test()
    };
    let mut house = House::new(settings, Arc::new(LocalLog::memory(clock.clone())), clock);
    for worker in &mut house.correlate {
        worker.turn(Duration::ZERO).unwrap();
    }
    let state = crate::house::read(house.log.as_ref(), &house.settings.topics.state);
    assert!(state.values().all(Vec::is_empty));
}
