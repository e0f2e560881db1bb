//! How fast bodies are decoded, beside the bare parse of the same bytes in the same run.
//!
//! `cargo run --release -p wire --example decode_speed [RUNS]` prints things per second of one core; the best of the
//! runs counts, because whatever else the machine does only adds.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement reads a clock and its arguments"
)]

use std::{hint::black_box, time::Instant};

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
}

/// Seconds of the fastest of several runs, each long enough to be measured.
fn best(runs: usize, mut work: impl FnMut()) -> f64 {
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..20 {
            work();
        }
        start.elapsed().as_secs_f64() / 20.0
    };
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
