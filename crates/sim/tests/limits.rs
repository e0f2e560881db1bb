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

/// What keeps breaking out together although the topology does not connect it is suggested, and nothing is grouped by it.
#[test]
fn what_keeps_breaking_out_together_is_suggested_and_not_assumed() {
    let topology = r#"{"nodes": [{"id": "web"}, {"id": "till"}, {"id": "mail"}], "edges": []}"#;
    let parts = wire::topology_parts(topology).unwrap();
    let mut shard = Shard::new(Settings::default());
    let inputs: Vec<Input> = parts.into_iter().map(Input::TopologyPart).collect();
    shard.step(&inputs, &mut Vec::new());
    let at = |i: i64| start() + Span::from_secs(i);
    for day in 0..4 {
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
    let found = shard.suggestions();
    assert_eq!(found.len(), 1, "{found:?}");
    let only = &found[0];
    assert_eq!((only.a.as_str(), only.b.as_str()), ("till", "web"));
    assert_eq!((only.together, only.of, only.known), (4, 4, (true, true)));
}
