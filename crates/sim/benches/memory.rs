//! What an active alert costs in memory and in state rows, and what a restore of it costs in time.
//!
//! `cargo bench -p sim --bench memory` measures 100,000 alerts (`-- --alerts N`); `cargo test -p sim --bench memory` runs
//! the same on a few, so that the measurement itself cannot rot. Bytes are those asked of the allocator, so they are the
//! same wherever it runs; what a process holds is about a sixth more.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement reads the clock"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Instant,
};

use cap::Cap;
use engine::{Restoring, Settings, Shard, StateRow};
use model::{Event, EventKind, Input, Labels, Severity, Span, Status, Time};

#[global_allocator]
static ALLOCATED: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

/// Alerts of one service.
const OF_SERVICE: usize = 10;
/// Checkpoints while they come: of a million, as many as a live worker writes.
const CHECKPOINTS: usize = 12;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let alerts = args
        .iter()
        .position(|arg| arg == "--alerts")
        .and_then(|at| args.get(at + 1)?.parse().ok());
    let measure = args.iter().any(|arg| arg == "--bench");
    let alerts = alerts.unwrap_or(if measure { 100_000 } else { 1_000 });
    for (shape, of_domain) in [("domains of 100 alerts", 100), ("one domain", alerts)] {
        println!("{alerts} active alerts, {shape}, {OF_SERVICE} a service");
        let before = ALLOCATED.allocated();
        let mut shard = fold(alerts, of_domain);
        say("grown", ALLOCATED.allocated() - before, alerts);
        let rows = shard.dirty_rows();
        drop(shard);
        say_rows(&rows, alerts);
        say_written(alerts, of_domain);
        say_tables(&rows, alerts);
        let before = ALLOCATED.allocated();
        let began = Instant::now();
        let shard = Shard::restore(Settings::default(), rows.iter().cloned()).expect("rows of this version");
        let took = began.elapsed().as_secs_f64();
        say("restored", ALLOCATED.allocated() - before, alerts);
        println!(
            "  {:10} {took:6.2} s on one core, {:.1} us an alert",
            "restore",
            took * 1e6 / alerts as f64
        );
        assert_eq!(shard.alerts(), alerts, "every alert is restored");
    }
}

fn say(what: &str, bytes: usize, alerts: usize) {
    println!("  {what:10} {:6} bytes an alert", bytes / alerts);
}

/// The rows by table.
fn say_rows(rows: &[StateRow], alerts: usize) {
    let mut tables: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for row in rows {
        let table = row.key.split('/').nth(1).unwrap_or(&row.key);
        let sums = tables.entry(table).or_default();
        let value = row.value.as_ref().map_or(0, Vec::len);
        for (sum, more) in sums.iter_mut().zip([1, row.key.len(), value]) {
            *sum += more;
        }
    }
    for (table, [rows, keys, values]) in &tables {
        println!(
            "  row {table:10} {:6.3} an alert, {:4} + {:4} bytes a row, {:5} bytes an alert",
            *rows as f64 / alerts as f64,
            keys / rows,
            values / rows,
            (keys + values) / alerts
        );
    }
    let bytes: usize = tables.values().map(|[_, keys, values]| keys + values).sum();
    println!(
        "  {:10} {:6.3} and {} bytes an alert",
        "rows",
        rows.len() as f64 / alerts as f64,
        bytes / alerts
    );
}

/// The rows that checkpoints on the way write, by table, and how many of them are replaced or gone by the end: what a
/// restore reads in vain until the log is compacted.
fn say_written(alerts: usize, of_domain: usize) {
    let mut shard = Shard::new(Settings::default());
    let mut tables: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut take = |rows: Vec<StateRow>| {
        for StateRow { key, value } in rows {
            let sums = tables
                .entry(key.split('/').nth(1).unwrap_or(&key).to_owned())
                .or_default();
            sums[0] += 1;
            match value {
                Some(_) => sums[1] += usize::from(!kept.insert(key)),
                // The tombstone is read in vain, and so is what it ends.
                None => sums[1] += 1 + usize::from(kept.remove(&key)),
            }
        }
    };
    let every = alerts.div_ceil(CHECKPOINTS);
    for first in (0..alerts).step_by(every) {
        grow(
            &mut shard,
            first..alerts.min(first + every),
            alerts.div_ceil(of_domain),
        );
        take(shard.dirty_rows());
    }
    shard.progress(shard.stream_time() + Span::from_secs(60), &mut Vec::new());
    take(shard.dirty_rows());
    for (table, [written, vain]) in &tables {
        println!(
            "  written {table:10} {:6.3} rows an alert, {:6.3} of them in vain",
            *written as f64 / alerts as f64,
            *vain as f64 / alerts as f64
        );
    }
}

/// What the rows of each table cost by themselves: those of that table and what must come first.
fn say_tables(rows: &[StateRow], alerts: usize) {
    let first = |row: &StateRow| row.key == "shard" || Restoring::comes_first(&row.key);
    let table = |row: &StateRow| row.key.split('/').nth(1).map(str::to_owned);
    let tables: BTreeSet<String> = rows.iter().filter(|row| !first(row)).filter_map(table).collect();
    let (mut bytes_of_first, mut s_of_first) = (0, 0.0);
    for name in std::iter::once(None).chain(tables.into_iter().map(Some)) {
        let of = |row: &&StateRow| first(row) || name.is_some() && table(row) == name;
        let own: Vec<StateRow> = rows.iter().filter(of).cloned().collect();
        let before = ALLOCATED.allocated();
        let began = Instant::now();
        let shard = Shard::restore(Settings::default(), own.iter().cloned()).expect("rows of this version");
        let took = began.elapsed().as_secs_f64();
        let bytes = ALLOCATED.allocated() - before;
        drop(shard);
        match name {
            None => {
                (bytes_of_first, s_of_first) = (bytes, took);
                println!(
                    "  domains    {:5} bytes an alert, {:.2} us",
                    bytes / alerts,
                    took * 1e6 / alerts as f64
                );
            }
            Some(name) => println!(
                "  table {name:10} {:5} bytes an alert, {:.2} us",
                (bytes - bytes_of_first) / alerts,
                (took - s_of_first) * 1e6 / alerts as f64
            ),
        }
    }
}

/// So many alerts that all fire and are settled, `of_domain` a domain.
fn fold(alerts: usize, of_domain: usize) -> Shard {
    let mut shard = Shard::new(Settings::default());
    grow(&mut shard, 0..alerts, alerts.div_ceil(of_domain));
    shard.progress(shard.stream_time() + Span::from_secs(60), &mut Vec::new());
    shard
}

/// Lets the alerts with these numbers come.
fn grow(shard: &mut Shard, numbers: Range<usize>, domains: usize) {
    let mut out = Vec::new();
    for first in numbers.clone().step_by(1_000) {
        let batch: Vec<Input> = (first..numbers.end.min(first + 1_000))
            .map(|n| alert(n, domains))
            .collect();
        shard.step(&batch, &mut out);
        out.clear();
    }
}

fn alert(n: usize, domains: usize) -> Input {
    let (domain, number) = (n % domains, n / domains);
    let (service, symptom) = (number / OF_SERVICE, number % OF_SERVICE);
    let at = Time::from_secs(1_772_409_600) + Span::from_millis(n as i64 * 10);
    let labels = [
        ("alertname", format!("Symptom{symptom}")),
        ("region", "eu-1".to_owned()),
        ("job", "api".to_owned()),
    ];
    Input::Event(Box::new(Event {
        event_id: format!("e{n}").into(),
        origin: None,
        kind: EventKind::Alert,
        source: "prometheus".into(),
        dedup_key: format!("{domain}-{number}").into(),
        status: Status::Firing,
        severity: [Severity::Critical, Severity::Error, Severity::Warning][n % 3],
        severity_original: None,
        title: format!("Symptom{symptom} of service-{service}").into(),
        text: "the share of failed requests was above five per cent for two minutes".into(),
        ts: at,
        starts_at: None,
        ends_at: None,
        received_at: at,
        service: Some(format!("service-{service}").into()),
        host: None,
        entities: Labels::new(),
        environment: None,
        tenant: Some(format!("t{domain}").into()),
        labels: labels.into_iter().collect(),
        links: Vec::new(),
        runbook: None,
        skewed: false,
    }))
}
