//! From a raw topic to the topic of changes, beside two bare hops: how long, and at what cost.
//!
//! Two things are told of the pipeline. *Marked events* are each the first alert of a service that was never heard of, so
//! the change that opens its incident is announced at once: from sending the event until a committed reader has the
//! change. That is what a bare hop does with the same event, and what is compared. *Changes that a timer makes* are held
//! on purpose (a settlement for ten seconds); a change says the moment that it is of, which for those is the deadline:
//! from that moment until a committed reader has them.

use std::{
    collections::HashMap,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use model::Time;
use stream::{
    Stages, TopicTime,
    log::{TopicName, TopicPartition, TopicSpec},
};

use super::{broker_process, cpu, numbers, pass, written};
use crate::{
    broker::Broker,
    events::outgoing,
    ledger,
    place::{PARTITIONS, PATIENCE, Place, said},
    worker::Workers,
};

/// The command: `latency [--rate N] [--seconds N]`.
pub(crate) const COMMAND: &str = "latency";

/// One event in so many is marked; the others repeat known alerts.
const MARKED: u64 = 100;
/// Alerts that are repeated, and the domains they are of.
const KNOWN: u64 = 2_000;
const DOMAINS: u64 = 200;
/// One marked event in so many is critical, so that a page falls due: a change that a timer makes.
const CRITICAL: u64 = 10;
/// What comes before is not measured: the first alerts of all services open together, and are settled together ten seconds
/// later.
const WARM: Duration = Duration::from_secs(15);
/// Events are sent so often.
const STEP: Duration = Duration::from_millis(5);
/// And marked ones alone so often, until the first of them comes through.
const KNOCK: Duration = Duration::from_millis(200);

/// What sender and reader know of each other.
#[derive(Default)]
pub(super) struct Both {
    /// When marked events were sent, by number, until they are seen.
    sent: Mutex<HashMap<u64, Instant>>,
    /// Whether one has come through.
    pub(super) open: AtomicBool,
    pub(super) over: AtomicBool,
}

/// Milliseconds that something took, each.
#[derive(Default)]
struct Took(Vec<f64>);

impl Took {
    fn at(&self, share: f64) -> Result<f64, String> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() as f64 * share) as usize;
        sorted.get(at).copied().ok_or("nothing was seen".to_owned())
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at(0.5), self.at(0.99)) {
            (Ok(p50), Ok(p99)) => write!(f, "p50 {p50:6.1} ms  p99 {p99:6.1} ms  of {}", self.0.len()),
            _ => write!(f, "none"),
        }
    }
}

/// What was measured of one way.
#[derive(Default)]
struct Measured {
    marks: Took,
    /// Marked events that were sent and not seen within three seconds of the last.
    unseen: usize,
    timers: Took,
    /// CPU seconds for 100,000 events: of each hop, and of the broker.
    cpu: [f64; 3],
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Measured {
            marks, unseen, cpu, ..
        } = self;
        write!(f, "{marks} marked events, {unseen} not seen;  ")?;
        let [one, two, broker] = cpu;
        write!(
            f,
            "CPU-s for 100,000 events: hops {one:.2} + {two:.2}, broker {broker:.2}"
        )
    }
}

/// Measures both ways; the bare one before and after, because a machine and a broker change while they run.
pub(crate) fn run(args: &[String], stormfold: &Path) -> Result<ExitCode, String> {
    let [rate, seconds] = numbers(args, [("--rate", 10_000), ("--seconds", 20)])?;
    let broker = Broker::start(&[], 0)?;
    let place = Place::as_users_have_it(&broker, "latency", TopicTime::Present)?;
    let mut bare = bare(&place, "before", rate, seconds)?;
    println!("pass-through  {bare}");

    let mut ingest = Workers::new(stormfold, &place, Stages::Ingest, 1)?;
    let mut correlate = Workers::new(stormfold, &place, Stages::Correlate, 1)?;
    let processes = [ingest.process(0)?, correlate.process(0)?];
    let (raw, changes) = (&place.settings.raw[1].name, &place.settings.topics.changes);
    let pipeline = measure(&place, raw, changes, processes, rate, seconds)?;
    println!("stormfold     {pipeline}");
    println!(
        "  changes that a timer makes, from their moment on: {}",
        pipeline.timers
    );
    println!("  {}", written(&place, rate * (WARM.as_secs() + seconds))?);
    ingest.end_all()?;
    correlate.end_all()?;

    let after = self::bare(&place, "after", rate, seconds)?;
    println!("pass-through  {after}");
    bare.marks.0.extend(after.marks.0);
    println!(
        "stormfold takes {:.2} times as long at p50, {:.2} times at p99",
        pipeline.marks.at(0.5)? / bare.marks.at(0.5)?,
        pipeline.marks.at(0.99)? / bare.marks.at(0.99)?
    );
    Ok(ExitCode::SUCCESS)
}

/// The same over two bare hops.
fn bare(place: &Place<'_>, when: &str, rate: u64, seconds: u64) -> Result<Measured, String> {
    let broker = place.broker;
    let topics = [1, 2, 3].map(|n| TopicName::from(format!("{}-bare-{when}-{n}", broker.prefix)));
    let specs = topics.clone().map(|name| TopicSpec {
        name,
        partitions: PARTITIONS,
        settings: Vec::new(),
    });
    place.log.create_topics(&specs).map_err(said)?;
    place.wait_for("topics of the bare hops", || {
        let known = topics
            .iter()
            .map(|topic| place.log.partitions(topic).map_err(said));
        let known = known.collect::<Result<Vec<_>, _>>()?;
        Ok(known.iter().filter(|partitions| partitions.is_none()).count() as u64)
    })?;
    let hop = |from: &TopicName, to: &TopicName| -> Result<Child, String> {
        Command::new(std::env::current_exe().map_err(said)?)
            .args([pass::COMMAND, &broker.address, from, to])
            .stdin(Stdio::piped())
            .spawn()
            .map_err(said)
    };
    let mut hops = [hop(&topics[0], &topics[1])?, hop(&topics[1], &topics[2])?];
    let processes = hops.each_ref().map(Child::id);
    let measured = measure(place, &topics[0], &topics[2], processes, rate, seconds);
    for hop in &mut hops {
        drop(hop.stdin.take());
        hop.wait().map_err(said)?;
    }
    measured
}

fn measure(
    place: &Place<'_>,
    from: &TopicName,
    to: &TopicName,
    hops: [u32; 2],
    rate: u64,
    seconds: u64,
) -> Result<Measured, String> {
    let both = Both::default();
    let broker = broker_process(&place.broker.dir)?;
    let used = || -> Result<[f64; 3], String> { Ok([cpu(hops[0])?, cpu(hops[1])?, cpu(broker)?]) };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| see(place, to, &both));
        let sender = scope.spawn(|| send(place, from, &both, rate, WARM + Duration::from_secs(seconds)));
        let measured = (|| {
            let knocked = Instant::now();
            while !both.open.load(Ordering::Acquire) {
                if knocked.elapsed() > PATIENCE || sender.is_finished() || reader.is_finished() {
                    return Err("no marked event comes through".to_owned());
                }
                sleep(STEP);
            }
            sleep(WARM);
            let (before, began) = (used()?, Instant::now());
            while !sender.is_finished() {
                sleep(STEP);
            }
            let events = rate as f64 * began.elapsed().as_secs_f64();
            let after = used()?;
            sleep(Duration::from_secs(3));
            Ok((
                began,
                std::array::from_fn(|n| (after[n] - before[n]) * 1e5 / events),
            ))
        })();
        both.over.store(true, Ordering::Release);
        let seen = reader.join().map_err(|_| "the reader panicked")??;
        sender.join().map_err(|_| "the sender panicked")??;
        let (began, cpu) = measured?;
        // The first ones met what was still to be warmed up.
        let of = |seen: &[(Instant, f64)]| {
            let late = seen.iter().filter(|(at, _)| *at >= began);
            Took(late.map(|(_, took)| *took).collect())
        };
        let sent = both.sent.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Measured {
            marks: of(&seen.marks),
            unseen: sent.values().filter(|at| **at >= began).count(),
            timers: of(&seen.timers),
            cpu,
        })
    })
}

/// Sends marked events until one comes through, and then at a rate for a while.
pub(super) fn send(
    place: &Place<'_>,
    topic: &TopicName,
    both: &Both,
    rate: u64,
    span: Duration,
) -> Result<(), String> {
    let appender = place.log.appender().map_err(said)?;
    let some = |numbers: &mut dyn Iterator<Item = u64>| -> Result<(), String> {
        let now = Instant::now();
        let batch: Vec<_> = numbers
            .map(|n| {
                if n % MARKED == 0 {
                    both.sent
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(n, now);
                }
                outgoing(topic, None, &format!("k{}", n % KNOWN), event(n).into_bytes())
            })
            .collect();
        appender.append(batch).map_err(said)
    };
    let mut n = 0;
    while !both.open.load(Ordering::Acquire) {
        if both.over.load(Ordering::Acquire) {
            return Ok(());
        }
        some(&mut std::iter::once(n))?;
        n += MARKED;
        sleep(KNOCK);
    }
    let (first, began) = (n, Instant::now());
    while began.elapsed() < span && !both.over.load(Ordering::Acquire) {
        let due = first + (began.elapsed().as_secs_f64() * rate as f64) as u64;
        let now = Instant::now();
        some(&mut (n..due))?;
        n = due;
        sleep(STEP.saturating_sub(now.elapsed()));
    }
    Ok(())
}

fn event(n: u64) -> String {
    // Changes name the event that they follow from.
    let mark = n / MARKED;
    let marked = n.is_multiple_of(MARKED);
    let (id, key, service, domain) = if marked {
        let key = format!("m{mark}");
        (format!("mark-{n}."), key, format!("fresh-{mark}"), mark % DOMAINS)
    } else {
        let known = n % KNOWN;
        let service = format!("service-{known}");
        (format!("e{n}"), format!("k{known}"), service, known % DOMAINS)
    };
    let severity = match marked && mark.is_multiple_of(CRITICAL) {
        true => "critical",
        false => "warning",
    };
    serde_json::json!({
        "event_id": id, "source": "probe", "dedup_key": key, "status": "firing", "severity": severity,
        "title": "queue is long", "service": service, "tenant": format!("d{domain}"),
        "text": "more than a thousand messages wait, the oldest for longer than two minutes; see the board of the queue",
        "labels": { "region": "eu-1", "cluster": "blue", "job": "kube-state" },
    })
    .to_string()
}

/// When marked events were sent, when timers were due, and how long each took from then on.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) marks: Vec<(Instant, f64)>,
    timers: Vec<(Instant, f64)>,
}

/// Looks for marks, and for changes of timers, until it is over; milliseconds.
pub(super) fn see(place: &Place<'_>, topic: &TopicName, both: &Both) -> Result<Seen, String> {
    let mut reader = place.log.reader().map_err(said)?;
    let mut from = Vec::new();
    for partition in 0..PARTITIONS {
        let at = TopicPartition::new(topic, partition);
        let end = ledger::bounds(place.log.as_ref(), &at)?.end;
        from.push((at, end));
    }
    reader.assign(&from).map_err(said)?;
    let (mut records, mut seen) = (Vec::new(), Seen::default());
    while !both.over.load(Ordering::Acquire) {
        reader
            .poll(Duration::from_millis(50), 10_000, &mut records)
            .map_err(said)?;
        let (now, clock) = (Instant::now(), SystemTime::now());
        for record in records.drain(..) {
            let value = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
            let mut marked = false;
            for (at, _) in value.match_indices("mark-") {
                let number = value[at + 5..].split('.').next().and_then(|n| n.parse().ok());
                let number: Option<u64> = number;
                let mut sent = both.sent.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(at) = number.and_then(|n| sent.remove(&n)) {
                    marked = true;
                    both.open.store(true, Ordering::Release);
                    seen.marks.push((at, (now - at).as_secs_f64() * 1e3));
                }
            }
            if let Some(late) = (!marked).then(|| since_its_moment(&value, clock)).flatten() {
                let moment = now.checked_sub(Duration::from_secs_f64(late.max(0.0) / 1e3));
                seen.timers.push((moment.unwrap_or(now), late));
            }
        }
    }
    Ok(seen)
}

/// For how many milliseconds a change has been due by `now`, if the record is a change.
fn since_its_moment(record: &str, now: SystemTime) -> Option<f64> {
    let change: serde_json::Value = serde_json::from_str(record).ok()?;
    change.get("change")?;
    let at: Time = change.get("at")?.as_str()?.parse().ok()?;
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs_f64() * 1e3;
    Some(now - at.millis() as f64)
}
