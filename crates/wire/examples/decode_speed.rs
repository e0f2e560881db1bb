//! How fast bodies are decoded, beside the bare parse of the same bytes in the same run.
//!
//! `cargo run --release -p wire --example decode_speed [RUNS] [MIXED]` prints things per second of CPU time. Of the single
//! forms the best run counts, because whatever else the machine does only adds; then MIXED things (a million unless said
//! otherwise) are read once from the payloads of all sources in turn.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement reads a clock and its arguments"
)]

use std::{hint::black_box, time::Instant};

use serde_json::Value;

/// The command's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let runs = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(5);
    let native: Vec<String> = (0..2_000).map(native).collect();
    let keyless: Vec<String> = (0..2_000).map(|i| native_line(i, "")).collect();
    let webhooks: Vec<String> = (0..200).map(|i| webhook(i, 10)).collect();
    println!("{:34} {:>12} {:>12}", "form", "decode/s", "parse/s");
    for (name, bodies, each) in [
        ("native event with its key", &native, 1),
        ("native event without a key", &keyless, 1),
        ("alertmanager, 10 alerts", &webhooks, 10),
    ] {
        let decode = best(runs, || {
            let decoder = wire::Decoder::default();
            let mut out = Vec::new();
            for body in bodies {
                out.clear();
                decoder.decode(&wire::Raw::of_file(body.as_bytes(), "f", 1), &mut out);
                assert_eq!(out.len(), each);
                black_box(&out);
            }
        });
        let parse = best(runs, || {
            for body in bodies {
                black_box(serde_json::from_str::<serde_json::Value>(body).expect("own bodies are JSON"));
            }
        });
        let things = (bodies.len() * each) as f64;
        println!("{name:34} {:>12.0} {:>12.0}", things / decode, things / parse);
    }
    let mixed = std::env::args()
        .nth(2)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    all_sources(mixed);
}

/// Reads the payloads of all sources in turn until so many things are found, and parses the same bytes.
fn all_sources(things: usize) {
    let bodies = payloads();
    let decoder = wire::Decoder::default();
    let (mut out, mut found, mut read) = (Vec::new(), 0, 0);
    let decode = cpu(|| {
        while found < things {
            let body = &bodies[read % bodies.len()];
            out.clear();
            decoder.decode(&wire::Raw::of_file(body, "f", 1), &mut out);
            found += out.len();
            read += 1;
            black_box(&out);
        }
    });
    let parse = cpu(|| {
        for n in 0..read {
            // Those that are no JSON end a parse early; they are few.
            black_box(serde_json::from_slice::<Value>(&bodies[n % bodies.len()]).ok());
        }
    });
    let name = format!("{} payloads in turn, {found} things", bodies.len());
    println!(
        "{name:34} {:>12.0} {:>12.0}",
        found as f64 / decode,
        found as f64 / parse
    );
}

/// The bodies of every scenario of `testdata/payloads`.
fn payloads() -> Vec<Vec<u8>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/payloads");
    let entries = |path: &std::path::Path| {
        let list = std::fs::read_dir(path).expect("the repository holds its payloads");
        let mut list: Vec<_> = list.map(|e| e.expect("it can be read").path()).collect();
        list.sort();
        list
    };
    let mut bodies = Vec::new();
    for file in entries(root.as_ref()).iter().flat_map(|source| entries(source)) {
        let text = std::fs::read(&file).expect("it can be read");
        let scenario: Value = serde_json::from_slice(&text).expect("a scenario is JSON");
        for body in scenario["bodies"].as_array().expect("a scenario has bodies") {
            bodies.push(match body {
                Value::String(text) => text.clone().into_bytes(),
                other => other.to_string().into_bytes(),
            });
        }
    }
    bodies
}

/// Seconds of CPU that a piece of work takes; of the clock where the system does not say.
fn cpu(work: impl FnOnce()) -> f64 {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    let (before, start) = (spent(), Instant::now());
    work();
    match (before, spent()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => start.elapsed().as_secs_f64(),
    }
}

/// Seconds of the fastest of several runs, each long enough to be measured.
fn best(runs: usize, mut work: impl FnMut()) -> f64 {
    let once = |work: &mut dyn FnMut()| cpu(|| (0..20).for_each(|_| work())) / 20.0;
    (0..runs).map(|_| once(&mut work)).fold(f64::INFINITY, f64::min)
}

fn native(i: usize) -> String {
    native_line(i, &format!("\"dedup_key\":\"queue-{}\",", i % 50))
}

fn native_line(i: usize, key: &str) -> String {
    format!(
        "{{\"event_id\":\"e{i:08}\",\"ts\":\"2026-05-04T08:{:02}:{:02}.120Z\",{key}\"source\":\"watcher\",\"title\":\"queue grows: /orders/{}\",\
         \"text\":\"queue of orders-{} holds {i} letters, limit 500\",\"severity\":\"warning\",\"service\":\"orders\",\"host\":\"host-{}\",\
         \"status\":\"firing\",\"labels\":{{\"caller\":\"front\",\"callee\":\"orders-{}\",\"operation\":\"/orders\"}}}}",
        i / 60 % 60,
        i % 60,
        i % 9,
        i % 7,
        i % 5,
        i % 7
    )
}

fn webhook(i: usize, alerts: usize) -> String {
    let alert = |n: usize| {
        let id = i * alerts + n;
        format!(
            "{{\"status\":\"firing\",\"labels\":{{\"alertname\":\"QueueTooLong\",\"cluster\":\"eu-1\",\"instance\":\"10.0.{n}.5:8080\",\"namespace\":\"mail\",\
             \"pod\":\"outbox-{n}\",\"service\":\"outbox\",\"severity\":\"warning\"}},\"annotations\":{{\"summary\":\"Outbox {n} holds more than 500 letters\",\
             \"runbook_url\":\"https://runbooks.example.com/outbox\"}},\"startsAt\":\"2026-05-04T08:00:00.123456789Z\",\"endsAt\":\"0001-01-01T00:00:00Z\",\
             \"generatorURL\":\"https://prometheus.example.com/graph?g0.expr=queue\",\"fingerprint\":\"{id:016x}\"}}"
        )
    };
    let list: Vec<String> = (0..alerts).map(alert).collect();
    format!(
        "{{\"receiver\":\"fold\",\"status\":\"firing\",\"alerts\":[{}],\"groupLabels\":{{\"alertname\":\"QueueTooLong\"}},\"commonLabels\":{{}},\
         \"commonAnnotations\":{{}},\"externalURL\":\"https://alerts.example.com\",\"version\":\"4\",\"groupKey\":\"{{}}:{{}}\",\"truncatedAlerts\":0}}",
        list.join(",")
    )
}
