//! Stream time as a whole pipeline makes it: progress, backlogs, an ingest that stood still, topics made anew, clocks that
//! are wrong, and history.

use std::sync::Arc;

use model::{ChangeKind, Input, Span, Time};
use stream::log::local::LocalLog;
use stream::log::{Member, Outgoing, Share, Transaction};
use stream::{Clock, RawTopic, SetClock, Settings, TopicTime};

use crate::house::{House, back_test, read};

const MONDAY: i64 = 1_700_000_000;

fn at(seconds: i64) -> Time {
    Time::from_secs(MONDAY + seconds)
}

/// A house whose raw topic is live, at the beginning of Monday.
fn live() -> House {
    let raw = RawTopic {
        name: "alerts".into(),
        source: None,
        time: TopicTime::Present,
    };
    let settings = Settings {
        raw: vec![raw],
        ..back_test()
    };
    let clock = Arc::new(SetClock::new(at(0)));
    House::new(settings, Arc::new(LocalLog::memory(clock.clone())), clock)
}

/// An alert of one service as it stands in a partition of the raw topic, received at `received`.
fn alert(partition: u32, received: Time, service: &str, status: &str) -> Outgoing {
    alert_of(partition, received, received, service, status)
}

fn alert_of(partition: u32, received: Time, ts: Time, service: &str, status: &str) -> Outgoing {
    let json = serde_json::json!({
        "event_id": format!("{service}-{status}-{}", ts.nanos()), "source": "probe", "dedup_key": service,
        "status": status, "severity": "critical", "title": service, "service": service, "ts": ts,
    });
    Outgoing {
        topic: "alerts".into(),
        partition: Some(partition),
        timestamp: Some(received),
        key: None,
        value: Some(json.to_string().into_bytes()),
        headers: Vec::new(),
    }
}

impl House {
    /// Lets the pipeline work for a while, by the clock.
    fn work(&mut self, span: Span) {
        let until = self.clock.now() + span;
        while self.clock.now() < until {
            self.round();
        }
    }

    /// Pages that became due: when, and for which service.
    fn pages(&self) -> Vec<(Time, String)> {
        let mut opened = std::collections::BTreeMap::new();
        let mut pages = Vec::new();
        for record in read(self.log.as_ref(), &self.settings.topics.changes)
            .values()
            .flatten()
        {
            let change = wire::record::read_change(record.value.as_deref().unwrap()).unwrap();
            match change.change {
                ChangeKind::Opened => {
                    let event = change.event_id.unwrap();
                    let (service, _) = event.split_once("-firing").unwrap();
                    opened.insert(change.incident_id, service.to_owned());
                }
                ChangeKind::PageDue => pages.push((change.at, opened[&change.incident_id].clone())),
                _ => {}
            }
        }
        pages.sort();
        pages
    }

    /// Stream time of each journal partition, and the latest lag that any of its progress records tells of.
    fn times(&self) -> Vec<(Time, Span)> {
        let journal = read(self.log.as_ref(), &self.settings.topics.journal);
        let times = journal.values().map(|records| {
            let (mut time, mut lag) = (Time::MIN, Span::ZERO);
            for record in records {
                match wire::journal::decode(record.value.as_deref().unwrap()).unwrap() {
                    Input::Event(event) => time = time.max(event.received_at),
                    Input::Progress(progress) => {
                        time = time.max(progress.to);
                        lag = progress.present.map_or(lag, |present| present.since(progress.to));
                    }
                    _ => {}
                }
            }
            (time, lag)
        });
        times.collect()
    }

    fn stops(&mut self) {
        self.ingest.iter_mut().for_each(stream::Ingest::leave);
    }
}

#[test]
fn progress_lets_a_page_come_in_time_though_nothing_else_does() {
    let mut house = live();
    house.append(vec![alert(0, at(0), "shop", "firing")]);
    house.work(Span::from_secs(9));
    assert_eq!(house.pages(), [], "no page before its incident has settled");
    house.work(Span::from_secs(5));
    let pages = house.pages();
    assert_eq!(pages.len(), 1);
    let waited = pages[0].0.since(at(0));
    assert!(
        (Span::from_secs(10)..=Span::from_secs(11)).contains(&waited),
        "{waited:?}"
    );
}

#[test]
fn the_backlog_of_one_partition_holds_up_nobody_and_is_not_forgotten() {
    let mut house = live();
    // Partition 0 is an hour behind, with more than is read at once; partition 1 is live.
    let backlog = (0..200).map(|n| alert(0, at(n * 10 - 3_600), &format!("old-{}", n % 7), "firing"));
    house.append(backlog.collect());
    house.append(vec![alert(1, at(0), "shop", "firing")]);
    house.work(Span::from_secs(30));
    let pages = house.pages();
    let shop = pages
        .iter()
        .find(|(_, service)| service == "shop")
        .expect("a page for the live alert");
    assert!(shop.0 < at(20), "{pages:?}");
    assert!(
        pages.iter().any(|(_, service)| service.starts_with("old-")),
        "{pages:?}"
    );
    for (time, lag) in house.times() {
        assert!(time <= house.clock.now() && lag == Span::ZERO, "{time} {lag:?}");
    }
}

#[test]
fn while_all_are_behind_progress_says_by_how_much() {
    let mut house = live();
    for partition in 0..3 {
        let backlog = (0..400).map(|n| {
            let service = format!("old-{partition}-{}", n % 7);
            alert(
                partition,
                at(n * 60 - 48 * 3_600),
                &service,
                if n % 2 == 0 { "firing" } else { "resolved" },
            )
        });
        house.append(backlog.collect());
    }
    let mut behind = Span::ZERO;
    for _ in 0..60 {
        house.work(Span::from_millis(200));
        for (time, lag) in house.times() {
            if time > Time::MIN {
                behind = behind.max(lag);
                assert!(time <= house.clock.now());
            }
        }
    }
    // The fold knows that it catches up, because the journal says so.
    assert!(behind > Span::from_hours(12), "{behind:?}");
    house.work(Span::from_secs(10));
    for (time, lag) in house.times() {
        assert!(
            house.clock.now().since(time) < Span::from_secs(3) && lag == Span::ZERO,
            "{time} {lag:?}"
        );
    }
}

#[test]
fn an_ingest_that_stood_still_goes_on_and_time_with_it() {
    let mut house = live();
    house.append(vec![alert(0, at(0), "shop", "firing")]);
    house.work(Span::from_secs(5));
    house.stops();
    let stood = house.times();
    house.clock.set(at(3_600));
    house.append(vec![alert(1, at(1_800), "bank", "firing")]);
    for worker in &mut house.correlate {
        let _ = worker.turn(std::time::Duration::ZERO);
    }
    assert_eq!(house.times(), stood, "nobody else moves time");
    assert_eq!(house.pages(), []);
    house.work(Span::from_secs(30));
    let pages = house.pages();
    // Whatever was not paged before it stood still is held until time is no more than a quarter of an hour behind the
    // present, for it may have ended meanwhile; and what still fires then is told of with one page.
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert!((at(2_700)..at(2_701)).contains(&pages[0].0), "{pages:?}");
}

#[test]
fn a_backlog_is_known_as_one_before_its_first_record_is_judged() {
    let mut house = live();
    // A weekend of it, read in one go: what broke on Saturday was well an hour later.
    let saturday = at(-40 * 3_600);
    house.append(vec![
        alert(0, saturday, "shop", "firing"),
        alert(0, saturday + Span::from_hours(1), "shop", "resolved"),
        alert(1, saturday + Span::from_hours(2), "bank", "firing"),
        alert(1, saturday + Span::from_hours(3), "bank", "resolved"),
        alert(2, saturday + Span::from_hours(4), "search", "firing"),
        alert(2, saturday + Span::from_hours(5), "search", "resolved"),
        alert(2, at(-1_800), "mail", "firing"),
    ]);
    house.work(Span::from_secs(20));
    let pages = house.pages();
    let services: Vec<&str> = pages.iter().map(|(_, service)| service.as_str()).collect();
    assert_eq!(services, ["mail"], "{pages:?}");
}

#[test]
fn a_position_beyond_the_end_is_said_and_the_topic_is_read_again() {
    let mut house = live();
    house.append(vec![
        alert(0, at(0), "shop", "firing"),
        alert(1, at(1), "bank", "firing"),
    ]);
    house.work(Span::from_secs(20));
    let (pages, times) = (house.pages(), house.times());
    house.stops();
    // What a group knows of a topic that was deleted and made anew: positions that are not there.
    let member = Member {
        group: house.settings.topics.group("ingest"),
        name: "another".to_owned(),
        topics: vec!["alerts".into()],
        share: Share::Partitions,
    };
    let mut worker = house.log.join(&member).unwrap();
    worker
        .poll(std::time::Duration::ZERO, 1, &mut Vec::new())
        .unwrap();
    let positions = worker.assignment().iter().map(|at| (at.clone(), 1_000)).collect();
    let records = Vec::new();
    worker.commit(&Transaction { records, positions }).unwrap();
    worker.leave();
    house.work(Span::from_secs(20));
    // Once for each partition, and again at each rebalance until something is committed there.
    assert!(house.counters.recreated_topics.get() >= 3);
    // The copies are redeliveries: nobody is paged twice, and time runs on.
    assert_eq!(house.pages(), pages);
    assert!(
        house
            .times()
            .iter()
            .zip(&times)
            .all(|(now, before)| now.0 > before.0)
    );
    let books = house.correlate.iter().flat_map(stream::Correlate::books);
    assert_eq!(books.map(|books| books.redelivered).sum::<u64>(), 2);
}

/// Positions of the correlate group that somebody set before anything was published take nothing away.
#[test]
fn a_group_that_is_set_by_hand_before_the_first_start_loses_nothing() {
    let mut house = live();
    let services = ["shop", "bank", "post", "taxi", "mill", "farm"];
    house.append(
        (0..)
            .zip(services)
            .map(|(n, s)| alert(n % 3, at(0), s, "firing"))
            .collect(),
    );
    for _ in 0..10 {
        for worker in &mut house.ingest {
            worker.turn(std::time::Duration::ZERO).unwrap();
        }
    }
    let member = Member {
        group: house.settings.topics.group("correlate"),
        name: "another".to_owned(),
        topics: vec![house.settings.topics.journal.clone()],
        share: Share::Partitions,
    };
    let mut worker = house.log.join(&member).unwrap();
    worker
        .poll(std::time::Duration::ZERO, 1, &mut Vec::new())
        .unwrap();
    let end = |at: &stream::log::TopicPartition| house.log.bounds(at).unwrap().end;
    let positions: Vec<_> = worker
        .assignment()
        .iter()
        .map(|at| (at.clone(), end(at)))
        .collect();
    assert!(
        positions.iter().any(|(_, end)| *end > 0),
        "there is something to be lost"
    );
    let records = Vec::new();
    worker.commit(&Transaction { records, positions }).unwrap();
    worker.leave();
    house.work(Span::from_secs(20));
    house.stops();
    let expected = crate::house::replayed(house.log.as_ref(), &house.settings);
    assert_eq!(house.published().difference(&expected), None);
    assert_eq!(house.pages().len(), services.len());
}

#[test]
fn no_sender_and_no_producer_moves_time_beyond_the_clock() {
    let mut house = live();
    let day = Span::from_hours(24);
    house.append(vec![
        alert_of(0, at(0), at(0) + day, "ahead", "firing"),
        alert_of(1, at(0), at(0) - day - day, "behind", "firing"),
        alert_of(2, at(0) + day, at(0), "producer", "firing"),
    ]);
    house.work(Span::from_secs(30));
    for (time, _) in house.times() {
        assert!(time <= house.clock.now(), "{time}");
    }
    let pages = house.pages();
    assert_eq!(pages.len(), 3, "{pages:?}");
    assert!(
        pages.iter().all(|(time, _)| (at(10)..at(20)).contains(time)),
        "{pages:?}"
    );
}

#[test]
fn the_time_of_a_history_is_that_of_its_records_alone() {
    let clock = Arc::new(SetClock::new(at(0)));
    let log = LocalLog::memory(clock.clone());
    let mut house = House::new(back_test(), Arc::new(log), clock);
    let year = Span::from_hours(24 * 365);
    house.append(vec![alert(0, at(0) - year, "shop", "firing")]);
    house.run();
    house.work(Span::from_secs(60));
    assert!(
        house.times().iter().all(|(time, _)| *time <= at(0) - year),
        "{:?}",
        house.times()
    );
    assert_eq!(house.pages(), [], "its settlement has not come");
    house.append(vec![alert(1, at(60) - year, "bank", "firing")]);
    house.run();
    let pages = house.pages();
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert!(pages[0].0 < at(12) - year, "{pages:?}");
}
