//! How long a restore takes, and how much memory an active alert needs.

use std::{
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use model::Time;
use stream::{Pipeline, Settings, Stages, SystemClock, TopicTime};

use super::{cpu, numbers, pass::connect, resident, written};
use crate::{
    broker::Broker,
    events::outgoing,
    ledger,
    place::{PARTITIONS, Place, said},
    worker::Workers,
};

/// The command: `restore [--alerts N] [--times N]`.
pub(crate) const COMMAND: &str = "restore";

/// Alerts of one tenant, and of one service.
const OF_TENANT: u64 = 100;
const OF_SERVICE: u64 = 10;
const BATCH: u64 = 2_000;

/// Measures.
pub(crate) fn run(args: &[String], stormfold: &Path) -> Result<ExitCode, String> {
    let [alerts, times] = numbers(args, [("--alerts", 300_000), ("--times", 5)])?;
    let broker = Broker::start(&[], 0)?;
    let place = Place::as_users_have_it(&broker, "restore", TopicTime::Records)?;
    fill(&place, stormfold, alerts)?;
    println!("{}", written(&place, alerts)?);
    let (mut rows, mut bytes) = (0_u64, 0_u64);
    for partition in 0..PARTITIONS {
        let mut newest = std::collections::HashMap::new();
        ledger::each(
            place.log.as_ref(),
            &place.settings.topics.state,
            partition,
            |record| {
                let size = record.value.map(|value| value.len());
                newest.insert(record.key.unwrap_or_default(), size);
                Ok(())
            },
        )?;
        rows += newest.values().flatten().count() as u64;
        bytes += newest
            .iter()
            .filter_map(|(key, size)| Some(key.len() + (*size)?))
            .sum::<usize>() as u64;
    }
    println!(
        "{alerts} active alerts: {rows} rows, {} bytes an alert",
        bytes / alerts.max(1)
    );
    for _ in 0..times {
        let log = connect(&broker.address)?;
        let settings = Settings {
            instance: "restored".to_owned(),
            stages: Stages::Correlate,
            ..place.settings.clone()
        };
        let (before, used, began) = (resident()?, cpu(std::process::id())?, Instant::now());
        let handle = Pipeline::start(settings, log, Arc::new(SystemClock)).map_err(said)?;
        while !handle.health().ready || handle.counters().restores.get() < u64::from(PARTITIONS) {
            if let Some(failure) = handle.failure() {
                return Err(failure);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let took = began.elapsed();
        let used = cpu(std::process::id())? - used;
        let restoring = Duration::from_nanos(handle.counters().restore_nanos.get());
        let read = handle.counters().restored_rows.get();
        let held = resident()?.saturating_sub(before);
        println!(
            "ready after {:.2} s, {:.2} s of them restoring {read} records, {used:.2} s of CPU; {} bytes of memory an alert",
            took.as_secs_f64(),
            restoring.as_secs_f64(),
            held / alerts.max(1)
        );
        handle.stop();
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets so many alerts fire, and a clean stop write what is known of them.
fn fill(place: &Place<'_>, stormfold: &Path, alerts: u64) -> Result<(), String> {
    let raw = &place.settings.raw[1].name;
    let appender = place.log.appender().map_err(said)?;
    let start = Time::from_secs(1_772_409_600);
    for first in (0..alerts).step_by(BATCH as usize) {
        let event = |n: u64| {
            // All within an hour or so, in an order that mixes tenants.
            let (tenants, at) = (
                alerts.div_ceil(OF_TENANT),
                start + model::Span::from_millis(n as i64 * 10),
            );
            let (tenant, number) = (n % tenants, n / tenants);
            let service = number / OF_SERVICE;
            let severity = ["critical", "error", "warning"][(n % 3) as usize];
            let json = serde_json::json!({
                "event_id": format!("e{n}"), "source": "prometheus", "dedup_key": format!("{tenant}-{number}"),
                "status": "firing", "severity": severity, "ts": at,
                "title": format!("Symptom{} of service-{service}", number % OF_SERVICE),
                "text": "the share of failed requests was above five per cent for two minutes",
                "service": format!("service-{service}"), "tenant": format!("t{tenant}"),
                "labels": { "alertname": format!("Symptom{}", number % OF_SERVICE), "region": "eu-1", "job": "api" },
            });
            outgoing(raw, Some(at), &format!("{tenant}"), json.to_string().into_bytes())
        };
        let batch = (first..alerts.min(first + BATCH)).map(event).collect();
        appender.append(batch).map_err(said)?;
    }
    let mut workers = Workers::new(stormfold, place, Stages::Both, 1)?;
    let mut last = (Instant::now(), (0, 0));
    place.wait_for("events to be folded", || {
        workers.revive()?;
        let reach = place.reach(&place.settings.topics.journal)?;
        let folded: u64 = place.folded()?.values().sum();
        if (reach, folded) != last.1 {
            last = (Instant::now(), (reach, folded));
        }
        // What commits a transaction has a position too, and is no record: the last one of each partition is not folded.
        let behind = reach.saturating_sub(folded + u64::from(PARTITIONS));
        // Both have come to their end when they have stood still for longer than workers say how far they are.
        let open = u64::from(last.0.elapsed() < Duration::from_secs(12) || reach == 0);
        // What has not come into the journal is lacking too, or the first look would find the least there ever is.
        Ok(behind + alerts.saturating_sub(reach) + open)
    })?;
    workers.end_all()
}
