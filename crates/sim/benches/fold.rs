//! What the fold costs: events a second and bytes of state, on worlds from a seed.
//!
//! `cargo bench -p sim` measures; `cargo test -p sim --bench fold` runs the same once on a small world, so that the
//! measurement itself cannot rot.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement reads the clock"
)]

use std::time::{Duration, Instant};

use engine::{Output, Settings, Shard};
use model::Input;
use sim::world::{Form, Size, Stream, event_line, topology_json};

/// Runs of a measurement; the median counts.
const RUNS: usize = 5;

fn main() {
    let measure = std::env::args().any(|arg| arg == "--bench");
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
