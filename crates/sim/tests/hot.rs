//! Nine tenths of the input are of one service: it takes its share of the work and no more, and all others are placed as
//! soon as if it were calm.
//!
//! `cargo xtask hot --events N` measures the same on N events: what an event costs, and what one of the others waits for.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is asked for by name is measured by the clock"
)]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use engine::{Books, Output, Settings, Shard};
use model::{ChangeKind, Event, Input, Severity, Span, Status, Text, Time};
use sim::Dice;

const SERVICES: u64 = 500;
/// Alerts that a service can have; the hot one as many as nine tenths of all others have.
const ALERTS: u64 = 8;
const HOT_ALERTS: u64 = SERVICES * ALERTS * 9;
/// Events a second.
const RATE: i64 = 500;

/// What of the input is of the hot service, in tenths.
#[derive(Clone, Copy)]
struct Hot(u64);

fn events(count: usize, hot: Hot) -> Vec<Event> {
    let mut dice = Dice::new(19);
    let start: Time = "2026-03-02T10:00:00Z".parse().unwrap();
    let event = |n: usize| {
        let is_hot = dice.below(10) < hot.0;
        let (service, alert) = match is_hot {
            true => (0, dice.below(HOT_ALERTS)),
            false => (1 + dice.below(SERVICES), dice.below(ALERTS)),
        };
        let at = start + Span::from_nanos(n as i64 * 1_000_000_000 / RATE);
        let firing = !dice.chance(0.3);
        Event {
            event_id: format!("e{n}").into(),
            source: "probe".into(),
            dedup_key: format!("{service}/{alert}").into(),
            severity: Severity::Error,
            title: format!("trouble {}", alert % ALERTS).into(),
            service: Some(format!("service-{service}").into()),
            host: Some(format!("host-{service}-{alert}").into()),
            ..Event::bare(if firing { Status::Firing } else { Status::Resolved }, at)
        }
    };
    (0..count).map(event).collect()
}

/// What a fold did.
struct Folded {
    books: Books,
    took: Duration,
    /// Of the events of other services: how long each step took, and how long each waited in stream time for its place.
    steps: Vec<Duration>,
    placed: Vec<Span>,
    /// The largest record, in bytes.
    largest: usize,
}

fn fold(events: Vec<Event>) -> Folded {
    let mut shard = Shard::new(Settings::default());
    let (mut steps, mut placed, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut sent: BTreeMap<Text, Time> = BTreeMap::new();
    let (mut took, mut largest) = (Duration::ZERO, 0);
    for event in events {
        let other = event.service.as_deref() != Some("service-0");
        if other {
            sent.insert(event.event_id.clone(), event.received_at);
        }
        let input = [Input::Event(Box::new(event))];
        let began = Instant::now();
        shard.step(&input, &mut out);
        let step = began.elapsed();
        took += step;
        if other {
            steps.push(step);
        }
        for output in out.drain(..) {
            match output {
                Output::Change(change) => {
                    let says = matches!(change.change, ChangeKind::Opened | ChangeKind::Joined);
                    let id = change.event_id.as_ref().filter(|_| says);
                    placed.extend(id.and_then(|id| Some(change.at.since(sent.remove(id)?))));
                }
                Output::Incident(incident) => largest = largest.max(wire::record::incident(&incident).len()),
                _ => {}
            }
        }
    }
    steps.sort_unstable();
    placed.sort_unstable();
    Folded {
        books: shard.books(),
        took,
        steps,
        placed,
        largest,
    }
}

fn p99<T: Copy>(sorted: &[T]) -> T {
    sorted[sorted.len() * 99 / 100]
}

#[test]
fn a_hot_service_is_nobody_elses() {
    let asked = std::env::var("STORMFOLD_HOT_EVENTS").ok();
    let count = asked.as_ref().map_or(20_000, |count| count.parse().unwrap());
    let (calm, hot) = (fold(events(count, Hot(0))), fold(events(count, Hot(9))));
    // What the others send is sparser than all of it spread evenly, so how soon they are placed is compared with what they
    // wait for when they are alone.
    let mut others = events(count, Hot(9));
    others.retain(|event| event.service.as_deref() != Some("service-0"));
    let alone = fold(others);
    for (name, one) in [("uniform", &calm), ("hot", &hot)] {
        let Folded { books, .. } = one;
        assert_eq!(
            books.shed + books.displaced + books.passed,
            0,
            "{name}: {books:?}"
        );
        let known = books.new + books.repeats + books.resolved + books.superseded;
        assert_eq!(known, count as u64, "{name}: {books:?}");
        assert!(
            one.largest <= 1_000_000,
            "{name}: a record of {} bytes",
            one.largest
        );
        println!(
            "{name:8} {count} events, {:.0} a second; a step of another service p99 {:?}; placed after p99 {} of {}; largest record {} bytes",
            count as f64 / one.took.as_secs_f64(),
            p99(&one.steps),
            p99(&one.placed),
            one.placed.len(),
            one.largest
        );
    }
    assert!(
        hot.placed.len() > count / 100,
        "{} of the others are placed",
        hot.placed.len()
    );
    let late = |folded: &Folded| {
        let second = Span::from_secs(1);
        let late = folded.placed.iter().filter(|took| **took > second).count();
        late as f64 / folded.placed.len() as f64
    };
    println!(
        "others alone: placed after p99 {} of {}, {:.4} later than a second; beside the hot service {:.4}",
        p99(&alone.placed),
        alone.placed.len(),
        late(&alone),
        late(&hot)
    );
    assert!(
        p99(&hot.placed) <= p99(&alone.placed) * 2 && late(&hot) <= late(&alone) * 2.0,
        "others are placed after {} beside a hot service, alone after {}",
        p99(&hot.placed),
        p99(&alone.placed)
    );
    if asked.is_some() {
        let throughput = calm.took.as_secs_f64() / hot.took.as_secs_f64();
        let slower = p99(&hot.steps).as_secs_f64() / p99(&calm.steps).as_secs_f64();
        println!(
            "throughput {throughput:.2} of uniform (.40 asked), others' step p99 {slower:.2} times (2 asked)"
        );
        assert!(throughput >= 0.4 && slower <= 2.0);
    }
}
