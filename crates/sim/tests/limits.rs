//! What happens at the limits of a domain: nothing grows beyond them, what is mildest goes first, what is critical always
//! gets through, and other domains notice nothing.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;

use engine::{Output, Settings, Shard};
use model::{ChangeKind, Event, IncidentStatus, Input, Severity, Span, Status, Text, Time};

/// What a Kafka broker takes by default is a little more than a million bytes.
const RECORD_BYTES_MAX: usize = 1_000_000;

fn start() -> Time {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn event(key: &str, at: Time, severity: Severity, service: Option<&str>) -> Event {
    Event {
        event_id: format!("{key}@{}", at.nanos()).into(),
        source: "probe".into(),
        dedup_key: key.into(),
        severity,
        title: format!("{key} is wrong").into(),
        service: service.map(Text::from),
        ..Event::bare(Status::Firing, at)
    }
}

fn fold(shard: &mut Shard, events: impl IntoIterator<Item = Event>) -> Vec<Output> {
    let mut out = Vec::new();
    for event in events {
        shard.step(&[Input::Event(Box::new(event))], &mut out);
    }
    out
}

fn changes(out: &[Output], kind: ChangeKind) -> usize {
    out.iter()
        .filter(|o| matches!(o, Output::Change(c) if c.change == kind))
        .count()
}

/// An incident of a hundred thousand alerts (ten thousand in a debug build) with words as long as a source may send: its records and its state row stay
/// within what a broker takes, and all is counted.
#[test]
fn a_huge_incident_stays_within_a_record() {
    // Unoptimised builds are a dozen times slower.
    const ALERTS: usize = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let mut shard = Shard::new(Settings::default());
    let (long, longer) = ("x".repeat(1000), "y".repeat(2000));
    let mut largest = 0;
    let mut record = None;
    for part in 0..100 {
        let from = part * ALERTS / 100;
        let events: Vec<Event> = (from..from + ALERTS / 100)
            .map(|i| {
                let at = start() + Span::from_nanos(5_000_000 * i as i64);
                let mut event = event(
                    &format!("{i}-{}", &long[..240]),
                    at,
                    Severity::Error,
                    Some("checkout"),
                );
                event.title = format!("{i} {long}").into();
                event.text = longer.as_str().into();
                event.host = Some(format!("host-{i}.{}", &long[..200]).into());
                event
            })
            .collect();
        let out = fold(&mut shard, events);
        for output in &out {
            let bytes = match output {
                Output::Incident(incident) => {
                    record = Some(incident.clone());
                    wire::record::incident(incident).len()
                }
                Output::Change(change) => wire::record::change(change).len(),
                _ => 0,
            };
            largest = largest.max(bytes);
        }
    }
    shard.progress(start() + Span::from_secs(600), &mut Vec::new());
    assert!(largest > 50_000 && largest <= RECORD_BYTES_MAX, "{largest} bytes");
    let row = shard
        .dirty_rows()
        .iter()
        .filter_map(|row| Some((row.key.clone(), row.value.as_ref()?.len())))
        .max_by_key(|(_, bytes)| *bytes)
        .unwrap();
    assert!(row.1 <= RECORD_BYTES_MAX, "{row:?}");
    let record = record.unwrap();
    assert!(record.alerts_truncated && record.alerts.len() == 64);
    let incidents = shard.incidents();
    let alerts: u64 = incidents.iter().map(|i| i.counts.alerts).sum();
    assert_eq!(alerts, ALERTS as u64);
    assert!(incidents.len() <= 3, "{}", incidents.len());
}

/// At its limit a domain forgets what is over, then sheds the mildest; critical alerts take the room of milder ones and
/// pass by where all is critical. Each is counted, and an alert of our own says so and recovers.
#[test]
fn what_is_mildest_is_shed_and_what_is_critical_always_pages() {
    const LIMIT: usize = 500;
    let mut settings = Settings::default();
    settings.limits.alerts_max = LIMIT;
    let mut shard = Shard::new(settings);
    let second = |i: usize| start() + Span::from_secs(i as i64);
    let name = |i: usize| format!("service-{i}");
    let mut out = Vec::new();
    for i in 0..600 {
        let severity = if i % 2 == 0 {
            Severity::Info
        } else {
            Severity::Error
        };
        out.extend(fold(
            &mut shard,
            [event(&format!("mild-{i}"), second(i), severity, Some(&name(i)))],
        ));
    }
    let books = shard.books();
    assert!(books.shed > 80 && books.displaced == 0, "{books:?}");
    let before = changes(&out, ChangeKind::PageDue);
    let mut critical = Vec::new();
    for i in 600..2000 {
        critical.extend(fold(
            &mut shard,
            [event(
                &format!("bad-{i}"),
                second(i),
                Severity::Critical,
                Some(&name(i)),
            )],
        ));
        assert!(shard.alerts() <= LIMIT + 1, "{} alerts are kept", shard.alerts());
    }
    shard.progress(second(2000) + Span::from_secs(60), &mut critical);
    let books = shard.books();
    assert!(books.displaced > 300 && books.passed > 800, "{books:?}");
    let paged: BTreeSet<_> = critical
        .iter()
        .filter_map(|o| match o {
            Output::Change(c) if c.change == ChangeKind::PageDue => Some(c.incident_id),
            _ => None,
        })
        .collect();
    assert!(
        before > 0 && paged.len() >= 1400,
        "{} of 1400 critical alerts paged",
        paged.len()
    );
    let ours = |out: &[Output], kind| {
        out.iter()
            .any(|o| matches!(o, Output::Incident(i) if i.title.contains("limit") && i.status == kind))
    };
    assert!(
        ours(&out, IncidentStatus::Open),
        "nobody said that alerts are shed"
    );
    let mut later = Vec::new();
    shard.progress(second(2000) + Span::from_secs(3600), &mut later);
    assert!(
        ours(&later, IncidentStatus::Resolved),
        "nobody said that it is over"
    );
    let parts =
        books.new + books.repeats + books.resolved + books.redelivered + books.superseded + books.dropped;
    assert_eq!(
        books.events,
        parts + books.other + books.shed + books.passed,
        "{books:?}"
    );
}

/// With as many incidents open as there may be, milder alerts wait without one; critical ones open theirs.
#[test]
fn open_incidents_are_limited_but_for_critical_alerts() {
    let mut settings = Settings::default();
    settings.limits.open_incidents_max = 20;
    let mut shard = Shard::new(settings);
    let at = |i: i64| start() + Span::from_secs(i);
    let mut out = fold(
        &mut shard,
        (0..50).map(|i| {
            event(
                &format!("e{i}"),
                at(i),
                Severity::Error,
                Some(&format!("service-{i}")),
            )
        }),
    );
    shard.progress(at(120), &mut out);
    // Ours is beyond the limit, too.
    assert!(
        (20..=21).contains(&shard.open_incidents()),
        "{}",
        shard.open_incidents()
    );
    assert!(shard.books().suppressed >= 29, "{:?}", shard.books());
    let mut out = fold(
        &mut shard,
        [event("bad", at(130), Severity::Critical, Some("till"))],
    );
    shard.progress(at(200), &mut out);
    assert_eq!(changes(&out, ChangeKind::PageDue), 1);
}

/// A flood in one domain that is at its limit changes nothing for another in the same partition.
#[test]
fn a_hot_domain_is_nobody_elses() {
    let settings = || {
        let mut settings = Settings::default();
        settings.limits.alerts_max = 100;
        settings
    };
    let at = |i: i64| start() + Span::from_secs(i);
    let calm = || (0..40).map(|i| event(&format!("calm-{i}"), at(i * 30), Severity::Error, Some("web")));
    let alone = {
        let mut shard = Shard::new(settings());
        let mut out = fold(&mut shard, calm());
        shard.progress(at(2000), &mut out);
        out
    };
    let mut shard = Shard::new(settings());
    let mut out = Vec::new();
    for (i, event) in calm().enumerate() {
        out.extend(fold(&mut shard, [event]));
        let flood = (0..200).map(|k| {
            let mut hot = self::event(
                &format!("hot-{i}-{k}"),
                at(i as i64 * 30),
                Severity::Warning,
                Some(&format!("s{k}")),
            );
            hot.tenant = Some("hot".into());
            hot
        });
        out.extend(fold(&mut shard, flood));
    }
    shard.progress(at(2000), &mut out);
    let ours = |out: &[Output]| -> Vec<Vec<u8>> {
        out.iter()
            .filter_map(|o| match o {
                Output::Change(c) if !c.domain.as_str().contains("hot") => Some(wire::record::change(c)),
                Output::Incident(i) if !i.domain.as_str().contains("hot") => Some(wire::record::incident(i)),
                _ => None,
            })
            .collect()
    };
    assert!(shard.books().shed > 1000, "{:?}", shard.books());
    assert_eq!(ours(&alone), ours(&out));
}

/// What was not heard for the time that alerts are remembered is forgotten, with all that was kept of its like.
#[test]
fn what_is_never_heard_again_is_forgotten() {
    let mut settings = Settings::default();
    settings.limits.alert_memory_days = 2;
    let mut shard = Shard::new(settings);
    let hour = |i: i64| start() + Span::from_hours(i);
    let mut most = 0;
    for i in 0..24 * 12 {
        let noise = (0..20).map(|k| event(&format!("once-{i}-{k}"), hour(i), Severity::Info, None));
        fold(&mut shard, noise);
        most = most.max(shard.alerts());
    }
    // Three days of them at most, and the day until the next sweep.
    assert!(most <= 20 * 24 * 4, "{most} alerts were kept");
}

/// A shard in which web and till, which nothing connects, broke out together on each of some days, and mail alone.
fn together_for(days: i64) -> Shard {
    let topology = r#"{"nodes": [{"id": "web"}, {"id": "till"}, {"id": "mail"}], "edges": []}"#;
    let parts = wire::topology_parts(topology).unwrap();
    let mut shard = Shard::new(Settings::default());
    let inputs: Vec<Input> = parts.into_iter().map(Input::TopologyPart).collect();
    shard.step(&inputs, &mut Vec::new());
    let at = |i: i64| start() + Span::from_secs(i);
    for day in 0..days {
        let from = day * 86_400;
        let mut out = fold(
            &mut shard,
            [
                event("w", at(from), Severity::Error, Some("web")),
                event("t", at(from + 20), Severity::Error, Some("till")),
                event(
                    "m",
                    at(from + 20_000 + 5_000 * day),
                    Severity::Error,
                    Some("mail"),
                ),
            ],
        );
        shard.progress(at(from + 40_000), &mut out);
        assert_eq!(
            changes(&out, ChangeKind::Opened),
            3,
            "each opens its own incident"
        );
    }
    shard
}

/// What keeps breaking out together although the topology does not connect it is suggested, and nothing is grouped by it.
#[test]
fn what_keeps_breaking_out_together_is_suggested_and_not_assumed() {
    let found = together_for(4).suggestions();
    assert_eq!(found.len(), 1, "{found:?}");
    let only = &found[0];
    assert_eq!((only.a.as_str(), only.b.as_str()), ("till", "web"));
    assert_eq!((only.together, only.of, only.known), (4, 4, (true, true)));
}

/// What was not heard for as long as alerts are remembered is forgotten with them, though the domain lives on.
#[test]
fn a_suggestion_that_is_not_seen_any_more_is_forgotten() {
    let mut shard = together_for(4);
    let days = i64::from(Settings::default().limits.alert_memory_days);
    let on = |day: i64| {
        event(
            "m",
            start() + Span::from_secs(day * 86_400),
            Severity::Error,
            Some("mail"),
        )
    };
    fold(&mut shard, (5..days).map(on));
    assert_eq!(shard.suggestions().len(), 1, "a quiet while is no end");
    fold(&mut shard, (days..days + 7).map(on));
    assert!(shard.suggestions().is_empty());
}

/// Rows of a table, as keys and values.
fn rows(shard: &mut Shard, table: &str) -> Vec<(String, Vec<u8>)> {
    let table = format!("/{table}/");
    let rows = shard.dirty_rows().into_iter();
    rows.filter_map(|row| Some((row.key.contains(&table).then_some(row.key)?, row.value?)))
        .collect()
}

fn is_said(shard: &Shard) -> bool {
    shard
        .incidents()
        .iter()
        .any(|incident| incident.title.contains("limit"))
}

/// Of the ids of events the newest are remembered; a copy of one that was forgotten is a repeat, and that is said.
#[test]
fn ids_of_events_are_limited() {
    const MAX: usize = 1000;
    let mut settings = Settings::default();
    settings.limits.seen_max = MAX;
    let mut shard = Shard::new(settings);
    let at = |i: i64| start() + Span::from_nanos(i * 20_000_000);
    let heard = |i: i64| event("same", at(i), Severity::Warning, Some("web"));
    fold(&mut shard, (0..MAX as i64).map(heard));
    assert_eq!(shard.books().forgotten_early, 0);
    assert!(!is_said(&shard));
    fold(&mut shard, (MAX as i64..5000).map(heard));
    let before = shard.books();
    assert!(before.forgotten_early >= 4000, "{before:?}");
    assert_eq!(before.redelivered, 0);
    let copy = |i: i64| Event {
        received_at: at(5000),
        ..heard(i)
    };
    fold(&mut shard, (4800..5000).map(copy));
    assert_eq!(shard.books().redelivered, 200, "the newest are known");
    // From the newest on, each that is not known makes one forgotten that would come later.
    fold(&mut shard, (0..4800).rev().map(copy));
    let known = shard.books().redelivered as usize;
    assert!((MAX / 4..=MAX).contains(&known), "{known} were known");
    shard.progress(at(5000) + Span::from_secs(60), &mut Vec::new());
    assert!(is_said(&shard));
}

/// What is learned of classes and sources is limited; what was heard last stays.
#[test]
fn classes_and_sources_are_limited() {
    const MAX: usize = 50;
    let mut settings = Settings::default();
    settings.limits.classes_max = MAX;
    let mut shard = Shard::new(settings);
    for i in 0..500 {
        let at = start() + Span::from_secs(i * 20);
        let title = |i: i64| format!("trouble {}", ["one", "two", "six"][i as usize % 3]);
        let firing = Event {
            title: title(i).into(),
            source: format!("tool-{i}").into(),
            ..event(&format!("k{i}"), at, Severity::Warning, Some(&format!("s{i}")))
        };
        let over = Event {
            event_id: format!("over-{i}").into(),
            status: Status::Resolved,
            ts: at + Span::from_secs(5),
            received_at: at + Span::from_secs(5),
            ..firing.clone()
        };
        fold(&mut shard, [firing, over]);
    }
    let all = shard.dirty_rows();
    for table in ["/endings/", "/usual/", "/source/"] {
        let kept = all
            .iter()
            .filter(|row| row.key.contains(table) && row.value.is_some());
        let kept = kept.count();
        assert!((MAX / 2..=MAX).contains(&kept), "{kept} rows in {table}");
    }
    let last = |name: &str| {
        all.iter()
            .any(|row| row.key.ends_with(name) && row.value.is_some())
    };
    assert!(last("/source/tool-499") && !last("/source/tool-3"));
    assert!(shard.books().forgotten_early > 1000, "{:?}", shard.books());
    assert!(is_said(&shard));
}

/// A threshold that has no room to count lets pass, and counts again once there is.
#[test]
fn tallies_are_limited_and_what_is_not_counted_passes() {
    const MAX: usize = 10;
    let mut settings = Settings::default();
    settings.limits.tallies_max = MAX;
    let rule = r#"{"name": "twice", "matchers": "severity=\"error\", host=~\"host-.*\"", "per": ["host"], "count": 2, "window_s": 300}"#;
    settings.suppress.thresholds = vec![serde_json::from_str(rule).unwrap()];
    let mut shard = Shard::new(settings);
    let heard = |i: i64, at: Time| Event {
        host: Some(format!("host-{i}").into()),
        ..event(&format!("k{i}"), at, Severity::Error, None)
    };
    let mut out = fold(
        &mut shard,
        (0..100).map(|i| heard(i, start() + Span::from_secs(i))),
    );
    shard.progress(start() + Span::from_secs(160), &mut out);
    let books = shard.books();
    assert_eq!(books.uncounted, 90, "{books:?}");
    let waits = |shard: &mut Shard| rows(shard, "tally").len();
    assert_eq!(waits(&mut shard), MAX);
    let alerts: u64 = shard.incidents().iter().map(|i| i.counts.alerts).sum();
    assert!(
        (90..=92).contains(&alerts),
        "{alerts} alerts have an incident, ours among them"
    );
    assert!(is_said(&shard));
    // An hour later nothing counts any more.
    let later = start() + Span::from_secs(3600);
    fold(&mut shard, [heard(200, later)]);
    assert_eq!(shard.books().uncounted, 90);
    assert!(
        shard.books().suppressed > books.suppressed,
        "it waits for its second"
    );
}

/// Incidents that are over are forgotten before their time where there are too many, the oldest first, and none that may
/// still go on.
#[test]
fn ended_incidents_are_limited() {
    const MAX: usize = 20;
    let mut settings = Settings::default();
    settings.limits.ended_incidents_max = MAX;
    let mut shard = Shard::new(settings);
    let (mut out, mut most) = (Vec::new(), 0);
    for i in 0..200 {
        let at = start() + Span::from_secs(i * 600);
        let firing = event(&format!("k{i}"), at, Severity::Error, Some(&format!("s{i}")));
        let over = Event {
            event_id: format!("over-{i}").into(),
            status: Status::Resolved,
            ts: at + Span::from_secs(60),
            received_at: at + Span::from_secs(60),
            ..firing.clone()
        };
        out.extend(fold(&mut shard, [firing, over]));
        most = most.max(shard.incidents().len());
    }
    // Within the forty minutes in which they may go on a handful is beyond the limit.
    assert!(
        (MAX..=MAX + 8).contains(&most),
        "{most} incidents were remembered"
    );
    let forgotten = out.iter().filter(|o| matches!(o, Output::Forget(_))).count();
    assert!(forgotten >= 170, "{forgotten} were forgotten");
    assert!(shard.books().forgotten_early >= forgotten as u64);
    let first = out.iter().find_map(|o| match o {
        Output::Incident(incident) => Some(incident.incident_id),
        _ => None,
    });
    assert!(shard.incident(first.unwrap()).is_none());
}

/// At all of these limits a shard that is restored goes on as the one that was not: what goes first is decided by state.
#[test]
fn limits_are_decided_by_state_alone() {
    let settings = || {
        let mut settings = Settings::default();
        let limits = &mut settings.limits;
        (limits.seen_max, limits.classes_max, limits.tallies_max) = (60, 20, 5);
        (limits.ended_incidents_max, limits.alerts_max) = (10, 150);
        let rule = r#"{"name": "twice", "matchers": "severity=\"info\"", "per": ["host"], "count": 2, "window_s": 300}"#;
        settings.suppress.thresholds = vec![serde_json::from_str(rule).unwrap()];
        settings
    };
    let events: Vec<Event> = (0..1200i64)
        .map(|i| {
            let at = start() + Span::from_secs(i * 30);
            let n = i / 2;
            let severity = if n % 3 == 0 {
                Severity::Info
            } else {
                Severity::Error
            };
            let firing = Event {
                source: format!("tool-{}", n % 37).into(),
                host: Some(format!("host-{}", n % 90).into()),
                ..event(&format!("k{}", n % 400), at, severity, None)
            };
            match i % 2 {
                0 => firing,
                _ => Event {
                    status: Status::Resolved,
                    ..firing
                },
            }
        })
        .collect();
    let mut whole = Shard::new(settings());
    let expected = fold(&mut whole, events.iter().cloned());
    let books = whole.books();
    assert!(books.forgotten_early > 500 && books.uncounted > 50, "{books:?}");
    let (mut found, mut kept) = (Vec::new(), std::collections::BTreeMap::new());
    let mut shard = Shard::new(settings());
    for some in events.chunks(70) {
        found.extend(fold(&mut shard, some.iter().cloned()));
        for row in shard.dirty_rows() {
            match row.value {
                Some(_) => kept.insert(row.key.clone(), row),
                None => kept.remove(&row.key),
            };
        }
        shard = Shard::restore(settings(), kept.values().cloned()).unwrap();
    }
    assert_eq!(found, expected);
    assert_eq!(shard.books(), books);
}

fn of_tenant(tenant: &str, event: Event) -> Event {
    Event {
        tenant: Some(tenant.into()),
        ..event
    }
}

/// Domains that rest are forgotten for others. Where something goes on in all, what is mild is shed and what is critical
/// passes by, in its own domain; and it is said, and decided by state alone.
#[test]
fn domains_are_limited() {
    const MAX: usize = 4;
    let settings = || {
        let mut settings = Settings::default();
        settings.limits.domains_max = MAX;
        settings
    };
    let late = start() + Span::from_hours(5);
    let at = |s: i64| start() + Span::from_secs(s);
    let mut events = Vec::new();
    // Four come; the first two are over soon, the others burn on.
    for (n, tenant) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let firing = event("k", at(n as i64), Severity::Error, Some("s"));
        events.push(of_tenant(tenant, firing.clone()));
        if n < 2 {
            let over = Event {
                status: Status::Resolved,
                event_id: format!("over-{n}").into(),
                ts: at(60),
                received_at: at(60 + n as i64),
                ..firing
            };
            events.push(of_tenant(tenant, over));
        }
    }
    events.sort_by_key(|event| event.received_at);
    // Hours later two more come and take their room; then there is none, until somebody rests.
    let from = |s: i64| late + Span::from_secs(s);
    events.push(of_tenant("e", event("k", late, Severity::Critical, Some("s"))));
    for (key, s, tenant, severity) in [
        ("k", 70, "f", Severity::Critical),
        ("k", 140, "g", Severity::Warning),
        ("k", 141, "g", Severity::Critical),
        ("k2", 142, "g", Severity::Critical),
        ("k", 220, "a", Severity::Critical),
    ] {
        events.push(of_tenant(tenant, event(key, from(s), severity, Some("s"))));
    }
    let mut whole = Shard::new(settings());
    let mut expected = fold(&mut whole, events.iter().cloned());
    whole.progress(from(400), &mut expected);
    let books = whole.books();
    assert_eq!(
        (books.domains_forgotten, books.domains_refused),
        (2, 4),
        "{books:?}"
    );
    assert_eq!((books.shed, books.passed), (1, 3), "{books:?}");
    let balance = books.new
        + books.repeats
        + books.resolved
        + books.redelivered
        + books.superseded
        + books.dropped
        + books.other
        + books.shed
        + books.passed;
    assert_eq!(books.events, balance, "{books:?}");
    assert_eq!(whole.alerts(), MAX + 1, "one of each that is kept, and our own");
    assert!(is_said(&whole));
    // What ended with its domain is forgotten outside too.
    let forgotten = expected.iter().filter(|o| matches!(o, Output::Forget(_))).count();
    assert_eq!(forgotten, 2);
    let mut seqs = std::collections::BTreeMap::new();
    for output in &expected {
        let Output::Change(change) = output else { continue };
        let last = seqs.insert(change.domain.clone(), change.seq);
        assert!(last < Some(change.seq), "{change:?} after {last:?}");
    }
    let opened = |tenant: &str| {
        expected
            .iter()
            .filter(|output| {
                matches!(output, Output::Change(c) if c.change == ChangeKind::Opened && c.domain.as_str().starts_with(tenant))
            })
            .count()
    };
    assert_eq!(
        (opened("g"), opened("a")),
        (2, 2),
        "each passed by in its own domain"
    );

    let (mut found, mut kept) = (Vec::new(), std::collections::BTreeMap::new());
    let mut shard = Shard::new(settings());
    let tables = |rows: &std::collections::BTreeMap<String, engine::StateRow>| -> BTreeSet<String> {
        let tags = rows.keys().filter_map(|key| key.split_once('/'));
        tags.map(|(tag, _)| tag.to_owned()).collect()
    };
    for some in events.chunks(1) {
        found.extend(fold(&mut shard, some.iter().cloned()));
        for row in shard.dirty_rows() {
            match row.value {
                Some(_) => kept.insert(row.key.clone(), row),
                None => kept.remove(&row.key),
            };
        }
        assert!(tables(&kept).len() <= MAX, "no row of a domain that is not kept");
        shard = Shard::restore(settings(), kept.values().cloned()).unwrap();
    }
    shard.progress(from(400), &mut found);
    assert_eq!(found, expected);
    assert_eq!(shard.books(), books);
}

/// A recovery that means a firing alert by its words alone needs no room; what is delivered again is of that alert.
#[test]
fn a_recovery_in_other_words_needs_no_room() {
    const LIMIT: usize = 50;
    let mut settings = Settings::default();
    settings.limits.alerts_max = LIMIT;
    settings.placements = true;
    let mut shard = Shard::new(settings);
    let second = |i: i64| start() + Span::from_secs(i);
    let load = |title: &str, status, at| {
        let mut event = Event {
            status,
            title: title.into(),
            host: Some("nas".into()),
            ..event(title, at, Severity::Error, None)
        };
        event.dedup_key = model::dedup_key(&event);
        event
    };
    let placed = |out: &[Output]| {
        out.iter().find_map(|o| match o {
            Output::Event { episode, .. } => Some(*episode),
            _ => None,
        })
    };
    let fired = fold(&mut shard, [load("Load high", Status::Firing, second(0))]);
    for i in 1..60 {
        fold(
            &mut shard,
            [event(
                &format!("e{i}"),
                second(i),
                Severity::Error,
                Some(&format!("s{i}")),
            )],
        );
    }
    assert!(shard.books().shed > 0, "there is room");
    let shed = shard.books().shed;
    let normal = load("Load normal", Status::Resolved, second(100));
    let ended = fold(&mut shard, [normal.clone()]);
    let again = fold(&mut shard, [normal]);
    let books = shard.books();
    assert_eq!(
        (books.shed, books.resolved, books.redelivered),
        (shed, 1, 1),
        "{books:?}"
    );
    assert!(placed(&fired).flatten().is_some());
    assert_eq!(placed(&ended), placed(&fired));
    assert_eq!(placed(&again), placed(&fired));
}

/// What overtakes its alert is bounded in number and length; the books count what is lost.
#[test]
fn what_comes_ahead_is_bounded_and_counted() {
    let mut shard = Shard::new(Settings::default());
    let second = |i: i64| start() + Span::from_secs(i);
    let ack = |key: &str, n: i64, actor: &str| {
        let mut ack = Event {
            kind: model::EventKind::Ack,
            event_id: format!("ack-{key}-{n}").into(),
            // Of what one source says the last word is done alone.
            source: format!("pager-{n}").into(),
            text: "z".repeat(16_000).into(),
            ..event(key, second(n), Severity::Error, None)
        };
        ack.labels.set("actor", actor);
        ack
    };
    fold(&mut shard, [ack("long", 0, &"a".repeat(4000))]);
    assert_eq!(shard.books().ahead_lost, 1);
    fold(&mut shard, (0..70).map(|n| ack("k", n, "ann")));
    assert_eq!(shard.books().ahead_lost, 1 + 6);
    // Eight of the 64 are done.
    let mut out = fold(&mut shard, [event("k", second(1), Severity::Error, Some("web"))]);
    assert_eq!(shard.books().ahead_lost, 1 + 6 + 56);
    shard.progress(second(200), &mut out);
    assert_eq!(changes(&out, ChangeKind::Acknowledged), 8);
}
