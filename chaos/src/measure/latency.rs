//! From a raw topic to the topic of changes, beside two bare hops: how long, and at what cost.

use std::{
    collections::HashMap,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use stream::{
    Stages, TopicTime,
    log::{TopicName, TopicPartition, TopicSpec},
};

use super::{broker_process, cpu, numbers, pass, written};
use crate::{
    broker::Broker,
    events::outgoing,
    ledger,
    place::{PARTITIONS, Place, said},
    worker::Workers,
};

/// The command: `latency [--rate N] [--seconds N]`.
pub(crate) const COMMAND: &str = "latency";

/// One event in so many is the first of a new alert, and is looked for at the end; the others repeat known alerts.
const MARKED: u64 = 100;
/// Alerts that are repeated, and the domains they are of.
const KNOWN: u64 = 2_000;
const DOMAINS: u64 = 200;
/// What comes before is not measured.
const WARM: Duration = Duration::from_secs(5);
/// Events are sent so often.
const STEP: Duration = Duration::from_millis(5);

/// When marked events were sent, by number, until they are seen.
type Sent = Mutex<HashMap<u64, Instant>>;

/// What was measured of one way.
struct Measured {
    p50: f64,
    p99: f64,
    seen: usize,
    /// CPU seconds for 100,000 events: of each hop, and of the broker.
    cpu: [f64; 3],
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Measured { p50, p99, seen, cpu } = self;
        write!(
            f,
            "p50 {p50:6.1} ms  p99 {p99:6.1} ms  of {seen} marked events;  "
        )?;
        let [one, two, broker] = cpu;
        write!(
            f,
            "CPU-s for 100,000 events: hops {one:.2} + {two:.2}, broker {broker:.2}"
        )
    }
}

/// Measures both ways.
pub(crate) fn run(args: &[String], stormfold: &Path) -> Result<ExitCode, String> {
    let [rate, seconds] = numbers(args, [("--rate", 10_000), ("--seconds", 20)])?;
    let broker = Broker::start(&[], 0)?;
    let place = Place::as_users_have_it(&broker, "latency", TopicTime::Present)?;
    let bare = [1, 2, 3].map(|n| TopicName::from(format!("{}-bare-{n}", broker.prefix)));
    let specs = bare.clone().map(|name| TopicSpec {
        name,
        partitions: PARTITIONS,
        settings: Vec::new(),
    });
    place.log.create_topics(&specs).map_err(said)?;

    let hop = |from: &TopicName, to: &TopicName| -> Result<Child, String> {
        Command::new(std::env::current_exe().map_err(said)?)
            .args([pass::COMMAND, &broker.address, from, to])
            .stdin(Stdio::piped())
            .spawn()
            .map_err(said)
    };
    let mut hops = [hop(&bare[0], &bare[1])?, hop(&bare[1], &bare[2])?];
    let processes = hops.each_ref().map(Child::id);
    let pass_through = measure(&place, &bare[0], &bare[2], processes, rate, seconds)?;
    println!("pass-through  {pass_through}");
    for hop in &mut hops {
        drop(hop.stdin.take());
        hop.wait().map_err(said)?;
    }

    let mut ingest = Workers::new(stormfold, &place, Stages::Ingest, 1)?;
    let mut correlate = Workers::new(stormfold, &place, Stages::Correlate, 1)?;
    let processes = [ingest.process(0)?, correlate.process(0)?];
    let (raw, changes) = (&place.settings.raw[1].name, &place.settings.topics.changes);
    let pipeline = measure(&place, raw, changes, processes, rate, seconds)?;
    println!("stormfold     {pipeline}");
    println!("{}", written(&place, rate * (WARM.as_secs() + seconds))?);
    ingest.end_all()?;
    correlate.end_all()?;
    println!(
        "stormfold takes {:.2} times as long at p50, {:.2} times at p99",
        pipeline.p50 / pass_through.p50,
        pipeline.p99 / pass_through.p99
    );
    Ok(ExitCode::SUCCESS)
}

fn measure(
    place: &Place<'_>,
    from: &TopicName,
    to: &TopicName,
    hops: [u32; 2],
    rate: u64,
    seconds: u64,
) -> Result<Measured, String> {
    let (sent, over) = (Sent::default(), AtomicBool::new(false));
    let broker = broker_process(&place.broker.dir)?;
    let used = || -> Result<[f64; 3], String> { Ok([cpu(hops[0])?, cpu(hops[1])?, cpu(broker)?]) };
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| see(place, to, &sent, &over));
        let sender = scope.spawn(|| send(place, from, &sent, rate, WARM + Duration::from_secs(seconds)));
        sleep(WARM);
        let (before, began) = (used()?, Instant::now());
        let sending = sender.join().map_err(|_| "the sender panicked")?;
        let events = rate as f64 * began.elapsed().as_secs_f64();
        let after = used()?;
        sleep(Duration::from_secs(3));
        over.store(true, Ordering::Release);
        let mut seen = seen.join().map_err(|_| "the reader panicked")??;
        sending?;
        // The first ones met what was still to be warmed up.
        seen.retain(|(sent, _)| *sent >= began);
        let mut took: Vec<f64> = seen.iter().map(|(_, took)| took.as_secs_f64() * 1e3).collect();
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied();
        Ok(Measured {
            p50: at(0.5).ok_or("no marked event was seen")?,
            p99: at(0.99).ok_or("no marked event was seen")?,
            seen: took.len(),
            cpu: std::array::from_fn(|n| (after[n] - before[n]) * 1e5 / events),
        })
    })
}

/// Sends events at a rate for a while.
fn send(place: &Place<'_>, topic: &TopicName, sent: &Sent, rate: u64, span: Duration) -> Result<(), String> {
    let appender = place.log.appender().map_err(said)?;
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < span {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        let batch: Vec<_> = (n..due)
            .map(|n| {
                let event = event(n);
                outgoing(topic, None, &format!("k{}", n % KNOWN), event.into_bytes())
            })
            .collect();
        let now = Instant::now();
        let marked = (n..due).filter(|n| n % MARKED == 0).map(|n| (n, now));
        sent.lock().unwrap_or_else(PoisonError::into_inner).extend(marked);
        n = due;
        appender.append(batch).map_err(said)?;
        sleep(STEP.saturating_sub(now.elapsed()));
    }
    Ok(())
}

fn event(n: u64) -> String {
    let domain = n % DOMAINS;
    // Changes name the event that they follow from.
    let (id, key) = match n % MARKED {
        0 => (format!("mark-{n}."), format!("m{n}")),
        _ => (format!("e{n}"), format!("k{}", n % KNOWN)),
    };
    serde_json::json!({
        "event_id": id, "source": "probe", "dedup_key": key, "status": "firing", "severity": "warning",
        "title": "queue is long", "service": format!("service-{}", n % KNOWN), "tenant": format!("d{domain}"),
        "text": "more than a thousand messages wait, the oldest for longer than two minutes; see the board of the queue",
        "labels": { "region": "eu-1", "cluster": "blue", "job": "kube-state" },
    })
    .to_string()
}

/// Looks for marks until it is over: when each was sent, and how long it took.
fn see(
    place: &Place<'_>,
    topic: &TopicName,
    sent: &Sent,
    over: &AtomicBool,
) -> Result<Vec<(Instant, Duration)>, String> {
    let mut reader = place.log.reader().map_err(said)?;
    let mut from = Vec::new();
    for partition in 0..PARTITIONS {
        let at = TopicPartition::new(topic, partition);
        let end = ledger::bounds(place.log.as_ref(), &at)?.end;
        from.push((at, end));
    }
    reader.assign(&from).map_err(said)?;
    let (mut records, mut seen) = (Vec::new(), Vec::new());
    while !over.load(Ordering::Acquire) {
        reader
            .poll(Duration::from_millis(50), 10_000, &mut records)
            .map_err(said)?;
        let now = Instant::now();
        for record in records.drain(..) {
            let value = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
            for (at, _) in value.match_indices("mark-") {
                let number = value[at + 5..].split('.').next().and_then(|n| n.parse().ok());
                let number: Option<u64> = number;
                let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(at) = number.and_then(|n| sent.remove(&n)) {
                    seen.push((at, now - at));
                }
            }
        }
    }
    Ok(seen)
}
