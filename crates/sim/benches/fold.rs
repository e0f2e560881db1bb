//! What the fold costs: events a second and bytes of state, on worlds from a seed; and that an alert costs the same
//! however many incidents are open.
//!
//! `cargo bench -p sim` measures; `cargo test -p sim --bench fold` runs the same once on a small world, so that the
//! measurement itself cannot rot. `cargo bench -p sim -- flat` measures the last alone.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement reads the clock"
)]

use std::time::{Duration, Instant};

use engine::{Output, Settings, Shard};
use model::{Event, Input, Severity, Span, Status, Time};
use sim::world::{Form, Size, Stream, event_line, topology_json};

/// The allocator of `stormfold`, so that what is measured is what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of a measurement; the median counts.
const RUNS: usize = 5;

fn main() {
    let measure = std::env::args().any(|arg| arg == "--bench");
    if std::env::args().any(|arg| arg == "flat") {
        return flat(measure);
    }
    let (size, runs) = match measure {
        true => (
            Size {
                services: 200,
                faults: 2_000,
                ..Size::default()
            },
            RUNS,
        ),
        false => (Size::small(), 1),
    };
    let stream = Stream::new(&size, 1);
    let mut inputs: Vec<Input> = wire::topology_parts(&topology_json(&stream.estate().topology()))
        .expect("a world writes a valid topology")
        .into_iter()
        .map(Input::TopologyPart)
        .collect();
    let mut lines = Vec::new();
    for told in stream {
        lines.push(event_line(&told, Form::Native));
        inputs.push(Input::Event(Box::new(told.event)));
    }
    let events = lines.len();
    assert!(events > 50, "a world of {events} events measures nothing");
    println!("{events} events of {} services, median of {runs}", size.services);

    report("decode", events, runs, || decode(&lines));
    report("journal", events, runs, || journal(&inputs));
    report("fold", events, runs, || fold(&inputs).1.len());
    let (mut shard, _) = fold(&inputs);
    let rows = shard.dirty_rows();
    let bytes: usize = rows
        .iter()
        .filter_map(|row| row.value.as_ref())
        .map(Vec::len)
        .sum();
    println!("{:10} {} rows, {bytes} bytes", "state", rows.len());
    report("restore", events, runs, || {
        Shard::restore(Settings::default(), rows.iter().cloned())
            .expect("rows of this version are readable")
            .alerts()
    });
    flat(measure);
}

/// Incidents open, few and many.
const FEW: usize = 100;
const MANY: usize = 100_000;
/// How much more an alert may cost with many open than with few.
const RATIO_MAX: f64 = 1.5;
/// In the small run there are fewer, and nothing is asked of the times: nothing is optimised, and others use the machine.
const MANY_SMALL: usize = 2_000;

/// The cost of an alert with few and with many incidents open. One alert joins each incident, so both grow alike; the
/// small shard is made anew until as many alerts were taken. Both are measured in turns, and the best turn counts.
fn flat(measure: bool) {
    let many = if measure { MANY } else { MANY_SMALL };
    let turns = 10;
    let alerts = (many / turns).min(2_000);
    let mut large = crowd(many);
    let mut best = [f64::INFINITY; 2];
    for turn in 0..turns {
        let mut small = Duration::ZERO;
        for _ in 0..alerts.div_ceil(FEW) {
            small += join(&mut crowd(FEW), 0..FEW, FEW);
        }
        let few = small.as_secs_f64() / (alerts.div_ceil(FEW) * FEW) as f64;
        let many = join(&mut large, turn * alerts..(turn + 1) * alerts, many).as_secs_f64() / alerts as f64;
        best = [best[0].min(few), best[1].min(many)];
    }
    assert!(large.open_incidents() >= many, "the incidents stay open");
    let ratio = best[1] / best[0];
    println!(
        "{:10} {:7.2} us an alert with {FEW} incidents open, {:.2} us with {many}: {ratio:.2} times",
        "flat",
        best[0] * 1e6,
        best[1] * 1e6
    );
    assert!(
        !measure || ratio <= RATIO_MAX,
        "the cost of an alert grows with the number of open incidents"
    );
}

/// A shard with an incident open on each of so many services that nothing connects.
fn crowd(incidents: usize) -> Shard {
    let mut settings = Settings::default();
    // A storm changes how often records are written, and would come with many only.
    settings.storm.alerts_min = u32::MAX;
    let mut shard = Shard::new(settings);
    let inputs: Vec<Input> = (0..incidents).map(|i| alert(i, "Down", i as i64)).collect();
    let mut out = Vec::new();
    for batch in inputs.chunks(1_000) {
        shard.step(batch, &mut out);
        out.clear();
    }
    shard.progress(shard.stream_time() + Span::from_secs(20), &mut out);
    assert_eq!(shard.open_incidents(), incidents);
    shard
}

/// Lets one alert join each of the incidents with these numbers, spread over all, and settle; gives the time it took.
fn join(shard: &mut Shard, numbers: std::ops::Range<usize>, of: usize) -> Duration {
    let now = shard.stream_time().nanos() / 1_000_000;
    let inputs: Vec<Input> = numbers
        .map(|i| alert(i * 7_919 % of, "Slow", now + i as i64 % 1_000))
        .collect();
    let mut out = Vec::new();
    let began = Instant::now();
    shard.step(&inputs, &mut out);
    shard.progress(shard.stream_time() + Span::from_secs(12), &mut out);
    let took = began.elapsed();
    assert!(out.len() >= inputs.len(), "every alert has a place");
    took
}

fn alert(service: usize, title: &str, at_ms: i64) -> Input {
    let at = Time::from_nanos(at_ms * 1_000_000);
    let service = format!("service-{service}");
    Input::Event(Box::new(Event {
        event_id: format!("{service}-{title}-{at_ms}").into(),
        source: "probe".into(),
        dedup_key: format!("{service}:{title}").into(),
        severity: Severity::Error,
        title: title.into(),
        service: Some(service.into()),
        ..Event::bare(Status::Firing, at)
    }))
}

/// Runs `work` and says how many events a second that is. What it gives back is compared over the runs.
fn report(name: &str, events: usize, runs: usize, mut work: impl FnMut() -> usize) {
    let mut times: Vec<Duration> = Vec::new();
    let mut first = None;
    for _ in 0..runs {
        let began = Instant::now();
        let given = std::hint::black_box(work());
        times.push(began.elapsed());
        assert!(given > 0, "{name} gave nothing");
        assert_eq!(
            *first.get_or_insert(given),
            given,
            "{name} differs from run to run"
        );
    }
    times.sort_unstable();
    let median = times[times.len() / 2].as_secs_f64().max(1e-9);
    println!(
        "{name:10} {:9.0} events/s  {:7.2} us an event",
        events as f64 / median,
        median * 1e6 / events as f64
    );
}

fn decode(lines: &[String]) -> usize {
    let decoder = wire::Decoder::new(wire::DecodeSettings::default());
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        decoder.decode(
            &wire::Raw::of_file(line.as_bytes(), "events.jsonl", i as u64 + 1),
            &mut found,
        );
    }
    found.len()
}

fn journal(inputs: &[Input]) -> usize {
    let mut bytes = Vec::new();
    let mut read = 0;
    for input in inputs {
        bytes.clear();
        wire::journal::encode(input, &mut bytes);
        read += usize::from(wire::journal::decode(&bytes).is_ok());
    }
    read
}

fn fold(inputs: &[Input]) -> (Shard, Vec<Output>) {
    let mut shard = Shard::new(Settings::default());
    let mut out = Vec::new();
    for batch in inputs.chunks(1_000) {
        shard.step(batch, &mut out);
    }
    (shard, out)
}
