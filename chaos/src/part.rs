//! The two parts of a run.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use model::{Input, Origin, Time};
use sim::Dice;
use stream::{
    RawTopic, Settings, TopicTime, Topics,
    log::{
        Log, Outgoing, TopicName, TopicPartition,
        kafka::{KafkaLog, Properties},
    },
    topics,
};

use crate::{
    Args,
    broker::Broker,
    events::{Events, line},
    fault,
    ledger::{self, Folded, Folding, Page, Sum},
    worker::Workers,
};

const PARTITIONS: u32 = 4;
/// Records sent at once.
const BATCH: usize = 2_000;
/// Nothing may stand still for longer than this.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a part works on.
struct Place<'a> {
    broker: &'a Broker,
    log: Arc<dyn Log>,
    settings: Settings,
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl<'a> Place<'a> {
    fn new(broker: &'a Broker, part: &str, time: TopicTime) -> Result<Place<'a>, String> {
        let properties = Properties::new([("bootstrap.servers".to_owned(), broker.address.clone())]);
        let log = Arc::new(KafkaLog::new(properties.map_err(said)?).map_err(said)?);
        let prefix = format!("{}-{part}.", broker.prefix);
        let topics = Topics::with_prefix(&prefix);
        // What a configuration always has; nothing is posted here.
        let http = RawTopic {
            name: topics.raw.clone(),
            source: None,
            time: TopicTime::Present,
        };
        let raw = RawTopic {
            name: format!("{prefix}events").into(),
            source: None,
            time,
        };
        let settings = Settings {
            raw: vec![http, raw],
            topics,
            partitions: PARTITIONS,
            ..Settings::default()
        };
        topics::create(log.as_ref(), &settings).map_err(said)?;
        let place = Place {
            broker,
            log,
            settings,
        };
        place.wait_for("the topics", || {
            Ok(topics::check(place.log.as_ref(), &place.settings)
                .map_err(said)?
                .is_empty())
        })?;
        Ok(place)
    }

    fn config(&self, stages: &str) -> String {
        let Settings { topics, raw, .. } = &self.settings;
        let time = if raw[1].time == TopicTime::Records {
            "records"
        } else {
            "live"
        };
        // Small batches and short sessions, so that there are many commits to be killed in and nobody is waited for long.
        format!(
            "log: kafka\n\
             kafka: {{ brokers: \"{}\", properties: {{ session.timeout.ms: 3000, heartbeat.interval.ms: 300 }} }}\n\
             topics: {{ prefix: {}, partitions: {PARTITIONS}, raw: [{{ topic: {}, time: {time} }}] }}\n\
             pipeline: {{ instance: INSTANCE, stages: {stages}, checkpoint_s: 1, batch_records_max: 1000 }}\n\
             http: {{ enabled: false }}\nlogging: {{ level: warn }}\n",
            self.broker.address, topics.prefix, raw[1].name
        )
    }

    fn wait_for(&self, what: &str, mut holds: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
        let began = Instant::now();
        while !holds()? {
            if began.elapsed() > PATIENCE {
                return Err(format!(
                    "{what}: nothing for {} s; logs are in {}",
                    PATIENCE.as_secs(),
                    self.broker.dir.display()
                ));
            }
            sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// How far a topic reaches, over its partitions.
    fn reach(&self, topic: &TopicName) -> Result<u64, String> {
        let end =
            |n| ledger::bounds(self.log.as_ref(), &TopicPartition::new(topic, n)).map(|bounds| bounds.end);
        (0..PARTITIONS).map(end).sum()
    }

    /// The position up to which each journal partition has been folded, as far as workers have said.
    fn folded(&self) -> Result<BTreeMap<u32, u64>, String> {
        let mut positions = BTreeMap::new();
        ledger::each(self.log.as_ref(), &self.settings.topics.heartbeat, 0, |record| {
            let value: serde_json::Value =
                serde_json::from_slice(record.value.as_deref().unwrap_or_default()).map_err(said)?;
            for one in value["partitions"].as_array().into_iter().flatten() {
                let (partition, position) = (one["partition"].as_u64(), one["position"].as_u64());
                if let (Some(partition), Some(position)) = (partition, position) {
                    let known = positions.entry(partition as u32).or_insert(0);
                    *known = position.max(*known);
                }
            }
            Ok(())
        })?;
        Ok(positions)
    }

    /// What is published beside what a fold of the journal gives.
    fn compare(&self, expected: &[Folded]) -> Result<Sum, String> {
        let mut sum = Sum::default();
        let mut published = 0;
        for (partition, expected) in expected.iter().enumerate() {
            let found: (Page, Page) =
                ledger::published(self.log.as_ref(), &self.settings.topics, partition as u32)?;
            published += found.0.len();
            sum.add(expected.changes.compare(&found.0));
            sum.add(expected.incidents.compare(&found.1));
        }
        println!("  {published} changes published");
        Ok(sum)
    }
}

/// Strikes `kills` times while `done` says which share of the work is done.
fn strikes(
    args: &Args,
    place: &Place<'_>,
    workers: &mut Workers,
    dice: &mut Dice,
    kills: u64,
    mut done: impl FnMut() -> Result<f64, String>,
) -> Result<(), String> {
    let began = Instant::now();
    for kill in 0..kills {
        // Spread over the work, and at any moment within a commit.
        let due = kill as f64 / (kills + 1) as f64;
        let mut last = (Instant::now(), -1.0);
        loop {
            let share = done()?;
            if share >= due {
                break;
            }
            if share > last.1 {
                last = (Instant::now(), share);
            }
            if last.0.elapsed() > PATIENCE {
                return Err(format!(
                    "I7: nothing moves since fault {kill}; logs are in {}",
                    place.broker.dir.display()
                ));
            }
            workers.revive()?;
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(dice.below(300)));
        workers.revive()?;
        fault::strike(*dice.pick(&args.faults), dice, workers, place.broker)?;
        if kill % 10 == 9 {
            println!("  {} faults in {:.0} s", kill + 1, began.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

fn outgoing(topic: &TopicName, timestamp: Option<Time>, key: &str, value: Vec<u8>) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: None,
        timestamp,
        key: Some(key.as_bytes().to_vec()),
        value: Some(value),
        headers: Vec::new(),
    }
}

/// Part a: correlate over a recorded journal.
pub(crate) fn recorded(args: &Args, broker: &Broker) -> Result<Sum, String> {
    let place = Place::new(broker, "a", TopicTime::Records)?;
    let (log, topics) = (place.log.as_ref(), &place.settings.topics);
    let raw = &place.settings.raw[1].name;
    let appender = log.appender().map_err(said)?;
    let (mut batch, mut time) = (Vec::new(), Time::MIN);
    let mut events = Events::new(args.seed).take(args.events as usize).peekable();
    while let Some(event) = events.next() {
        time = time.max(event.received_at);
        batch.push(outgoing(raw, Some(time), &event.dedup_key, line(&event)));
        if batch.len() == BATCH || events.peek().is_none() {
            appender.append(std::mem::take(&mut batch)).map_err(said)?;
        }
    }
    // Recorded without faults: what is tested is the fold.
    let mut ingest = Workers::new(&args.stormfold, &broker.dir, place.config("ingest"), 1)?;
    let mut last = (Instant::now(), 0);
    while last.0.elapsed() < Duration::from_secs(5) || last.1 == 0 {
        ingest.revive()?;
        let reach = place.reach(&topics.journal)?;
        if reach > last.1 {
            last = (Instant::now(), reach);
        }
        sleep(Duration::from_millis(200));
    }
    ingest.end_all()?;
    drop(ingest);

    let mut inputs = 0;
    let mut expected = Vec::new();
    for partition in 0..PARTITIONS {
        let count = |input: &Input| inputs += u64::from(matches!(input, Input::Event(_)));
        expected.push(ledger::fold(log, &topics.journal, partition, None, count)?);
    }
    let changes: usize = expected.iter().map(|folded| folded.changes.len()).sum();
    println!("  a journal of {inputs} events, which give {changes} changes");
    let mut sum = Sum {
        lost: args.events.saturating_sub(inputs),
        ..Sum::default()
    };

    let mut dice = Dice::new(args.seed);
    let mut workers = Workers::new(
        &args.stormfold,
        &broker.dir,
        place.config("correlate"),
        args.workers,
    )?;
    strikes(args, &place, &mut workers, &mut dice, args.kills, || {
        Ok(place.reach(&topics.changes)? as f64 / changes.max(1) as f64)
    })?;
    let began = Instant::now();
    place.wait_for("the end of the journal", || {
        workers.revive()?;
        let folded = place.folded()?;
        Ok(expected
            .iter()
            .zip(0..)
            .all(|(e, n)| folded.get(&n).copied().unwrap_or(0) >= e.position))
    })?;
    println!("  the rest took {:.0} s", began.elapsed().as_secs_f64());
    workers.end_all()?;
    println!(
        "  {} ends by themselves, SIGTERM took {} ms at most",
        workers.exits,
        workers.slowest_end.as_millis()
    );
    sum.add(place.compare(&expected)?);
    Ok(sum)
}

/// Part b: both halves, with events that come while things go wrong.
pub(crate) fn end_to_end(args: &Args, broker: &Broker) -> Result<Sum, String> {
    let place = Place::new(broker, "b", TopicTime::Present)?;
    let (log, topics) = (place.log.as_ref(), &place.settings.topics);
    let raw = &place.settings.raw[1].name;
    let total = (args.events / 10).max(1);
    let kills = (args.kills / 2).max(1);
    let mut workers = Workers::new(&args.stormfold, &broker.dir, place.config("all"), args.workers)?;
    let mut dice = Dice::new(args.seed ^ 0xb);
    let (sent, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    // A second and a half for each fault: a worker has to come back in between.
    let pause = Duration::from_millis(1_500 * kills) / total.div_ceil(50) as u32;
    let send = || -> Result<(), String> {
        let appender = log.appender().map_err(said)?;
        let mut events = Events::new(args.seed ^ 0xb).take(total as usize).peekable();
        while events.peek().is_some() && !failed.load(Ordering::Acquire) {
            let began = Instant::now();
            let one = |mut event: model::Event| {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                event.ts = Time::from_nanos(now.as_nanos() as i64);
                (event.starts_at, event.ends_at) = (None, None);
                // Each event is one of its own: a copy would be left out by the fold, and be missed here.
                event.event_id = format!("b{}", sent.fetch_add(1, Ordering::AcqRel)).into();
                outgoing(raw, None, &event.dedup_key, line(&event))
            };
            let batch: Vec<Outgoing> = events.by_ref().take(50).map(one).collect();
            // What is not acknowledged may be there or not; a sender sends it again, and copies are found below.
            while let Err(error) = appender.append(batch.clone()) {
                println!("  a sender has to try again: {error}");
            }
            sleep(pause.saturating_sub(began.elapsed()));
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let sender = scope.spawn(send);
        let struck = strikes(args, &place, &mut workers, &mut dice, kills, || {
            Ok(sent.load(Ordering::Acquire) as f64 / total as f64)
        });
        failed.store(struck.is_err(), Ordering::Release);
        sender.join().map_err(|_| "the sender panicked".to_owned())??;
        struck
    })?;

    // The records as they stand in the raw topic are what has to arrive.
    let mut records: Vec<(Option<Time>, u32, u64, Vec<u8>)> = Vec::new();
    for partition in 0..PARTITIONS {
        ledger::each(log, raw, partition, |record| {
            records.push((
                record.timestamp,
                partition,
                record.offset,
                record.value.unwrap_or_default(),
            ));
            Ok(())
        })?;
    }
    records.sort();
    let mut found: BTreeMap<(u32, u64), u64> = BTreeMap::new();
    let mut read_to = [0; PARTITIONS as usize];
    place.wait_for("the last record in the journal", || {
        workers.revive()?;
        for partition in 0..PARTITIONS {
            let next = &mut read_to[partition as usize];
            let from = *next;
            ledger::each(log, &topics.journal, partition, |record| {
                *next = record.offset + 1;
                if record.offset < from {
                    return Ok(());
                }
                let input =
                    wire::journal::decode(record.value.as_deref().unwrap_or_default()).map_err(said)?;
                if let Input::Event(event) = input
                    && let Some(Origin::Log {
                        partition, offset, ..
                    }) = event.origin
                {
                    *found.entry((partition, offset)).or_default() += 1;
                }
                Ok(())
            })?;
        }
        Ok(found.len() >= records.len())
    })?;
    let mut sum = Sum {
        lost: records
            .iter()
            .filter(|(_, p, offset, _)| !found.contains_key(&(*p, *offset)))
            .count() as u64,
        doubled: found.values().map(|n| n - 1).sum(),
        differing: 0,
    };
    place.wait_for("the fold of the last record", || {
        workers.revive()?;
        let folded = place.folded()?;
        Ok((0..PARTITIONS).all(|n| folded.get(&n).copied().unwrap_or(0) >= read_to[n as usize]))
    })?;
    workers.end_all()?;
    println!(
        "  {} ends by themselves, SIGTERM took {} ms at most",
        workers.exits,
        workers.slowest_end.as_millis()
    );

    // The journal may end with progress that nobody folds any more; a clean stop says how far it was folded.
    let mut folded = Vec::new();
    for partition in 0..PARTITIONS {
        let until = checkpoint(log, &topics.state, partition)?;
        folded.push(ledger::fold(
            log,
            &topics.journal,
            partition,
            Some(until),
            |_| {},
        )?);
    }
    sum.add(place.compare(&folded)?);

    let calm = calm(&place.settings, raw, records)?;
    let (one, other) = (placed(folded), placed(calm));
    let differing = one.keys().chain(other.keys()).filter(|key| {
        let state = |placed: &BTreeMap<String, Placed>| placed.get(*key).map(|p| p.state.clone());
        state(&one) != state(&other)
    });
    sum.differing += differing.collect::<std::collections::BTreeSet<_>>().len() as u64;
    println!(
        "  {} alerts; E3: grouping agrees to {:.4}",
        other.len(),
        agreement(&one, &other)
    );
    Ok(sum)
}

/// The position that the last checkpoint of a partition covers.
fn checkpoint(log: &dyn Log, state: &TopicName, partition: u32) -> Result<u64, String> {
    let mut position = 0;
    ledger::each(log, state, partition, |record| {
        if record.key.as_deref() == Some(b"!checkpoint") {
            // Format, version and checksum stand before the document.
            let document = record
                .value
                .as_deref()
                .and_then(|value| value.get(13..))
                .unwrap_or_default();
            let document: serde_json::Value = serde_json::from_slice(document).map_err(said)?;
            position = document["position"]
                .as_u64()
                .ok_or("a checkpoint without position")?;
        }
        Ok(())
    })?;
    Ok(position)
}

/// A fold of the records in the order in which they were received, without a pipeline.
fn calm(
    settings: &Settings,
    topic: &TopicName,
    records: Vec<(Option<Time>, u32, u64, Vec<u8>)>,
) -> Result<Vec<Folded>, String> {
    let decoder = wire::Decoder::new(settings.decode.clone());
    let mut foldings: Vec<Folding> = (0..PARTITIONS).map(|_| Folding::new()).collect();
    let mut found = Vec::new();
    for (received, partition, offset, bytes) in records {
        let received = received.ok_or("a raw record without a time")?;
        let origin = Origin::Log {
            topic: (&**topic).into(),
            partition,
            offset,
            index: 0,
        };
        let raw = wire::Raw {
            bytes: &bytes,
            source: None,
            content_type: None,
            cloud_event: Vec::new(),
            origin,
            received_at: Some(received),
        };
        found.clear();
        decoder.decode(&raw, &mut found);
        for input in found.drain(..).filter_map(wire::Found::into_input) {
            let Input::Event(mut event) = input else { continue };
            wire::settle_times(&mut event, received);
            let shard = event.domain().tag().partition(PARTITIONS) as usize;
            foldings[shard].step(&[Input::Event(event)], 0)?;
        }
    }
    Ok(foldings.into_iter().map(Folding::done).collect())
}

/// What a fold believes of an alert.
struct Placed {
    state: (String, String),
    incident: Option<String>,
}

/// The alerts of all shards by their row.
fn placed(folded: Vec<Folded>) -> BTreeMap<String, Placed> {
    let mut placed = BTreeMap::new();
    for mut folded in folded {
        for row in folded.shard.dirty_rows() {
            let (true, Some(value)) = (row.key.contains("/alert/"), &row.value) else {
                continue;
            };
            let Ok(alert) = serde_json::from_slice::<serde_json::Value>(value) else {
                continue;
            };
            let text = |name: &str| alert[name].as_str().map(str::to_owned);
            let state = (
                text("status").unwrap_or_default(),
                text("severity").unwrap_or_default(),
            );
            let incident = text("incident");
            placed.insert(row.key, Placed { state, incident });
        }
    }
    placed
}

/// Agreement on which alerts are together: F1 over pairs.
fn agreement(one: &BTreeMap<String, Placed>, other: &BTreeMap<String, Placed>) -> f64 {
    let count = |n: u64| n * n.saturating_sub(1) / 2;
    let (mut a, mut b, mut both): (BTreeMap<_, u64>, BTreeMap<_, u64>, BTreeMap<_, u64>) = Default::default();
    for (key, placed) in one {
        let Some(there) = other.get(key) else { continue };
        let (Some(x), Some(y)) = (&placed.incident, &there.incident) else {
            continue;
        };
        *a.entry(x).or_default() += 1;
        *b.entry(y).or_default() += 1;
        *both.entry((x, y)).or_default() += 1;
    }
    let (a, b): (u64, u64) = (a.into_values().map(count).sum(), b.into_values().map(count).sum());
    let both: u64 = both.into_values().map(count).sum();
    if a + b == 0 {
        1.0
    } else {
        2.0 * both as f64 / (a + b) as f64
    }
}
