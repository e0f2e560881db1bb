//! Part b: both halves, with events that come while things go wrong.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use model::{Event, Input, Origin, Span, Time};
use stream::{
    Stages, TopicTime,
    log::{Log, TopicName},
};

use crate::{
    Args,
    alike::{Beliefs, RawRecord, calm},
    broker::Broker,
    events::{beside, line, outgoing},
    fault,
    ledger::{self, Sum},
    place::{PARTITIONS, Place, said},
    strikes::strikes,
    worker::Workers,
};

/// How alike incidents and pages have to be (E3).
const E3_MIN: f64 = 0.99;
/// Records sent at once, at most.
const BATCH: usize = 500;

/// Part b: both halves, with events that come while things go wrong.
pub(crate) fn end_to_end(args: &Args, broker: &Broker) -> Result<Sum, String> {
    let place = Place::new(broker, "b", TopicTime::Present)?;
    let (log, topics) = (place.log.as_ref(), &place.settings.topics);
    let raw = &place.settings.raw[1].name;
    let total = args.events.div_ceil(10);
    let kills = args.kills.div_ceil(2);
    // As long as the faults take, so that all of them strike while events come.
    let span = Span::from_millis((fault::seconds(&args.faults) * kills as f64 * 1e3) as i64);
    let span = span.max(Span::from_secs(30));
    let events = beside(args.seed ^ 0xb, total as usize, span);
    println!(
        "  {} events of {} domains within {} s",
        events.events.len(),
        events.worlds,
        span.secs()
    );
    let mut workers = Workers::new(&args.stormfold, &place, Stages::Both, args.workers)?;
    let (sent, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(&place, events.events, &sent, &failed));
        let struck = strikes(args, &place, &mut workers, args.seed ^ 0xb, kills, || {
            if sender.is_finished() {
                return Ok(1.0);
            }
            Ok((sent.load(Ordering::Acquire) as f64 / total as f64).min(0.999))
        });
        failed.store(struck.is_err(), Ordering::Release);
        sender.join().map_err(|_| "the sender panicked".to_owned())??;
        struck
    })?;

    // The records as they stand in the raw topic are what has to arrive.
    let mut records: Vec<RawRecord> = Vec::new();
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
    let mut times = [Time::MIN; PARTITIONS as usize];
    let settle = Span::from_millis((place.settings.fold.grouping.settle_s * 1e3) as i64);
    let mut behind = 0;
    place.wait_for("raw records to be in the journal", || {
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
                let time = &mut times[partition as usize];
                match input {
                    Input::Progress(progress) => *time = progress.to.max(*time),
                    Input::Event(event) => {
                        behind += u64::from(event.received_at + settle < *time);
                        *time = event.received_at.max(*time);
                        if let Some(Origin::Log {
                            partition, offset, ..
                        }) = event.origin
                        {
                            *found.entry((partition, offset)).or_default() += 1;
                        }
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(records.len().saturating_sub(found.len()) as u64)
    })?;
    let mut sum = Sum {
        lost: records
            .iter()
            .filter(|(_, p, offset, _)| !found.contains_key(&(*p, *offset)))
            .count() as u64,
        doubled: found.values().map(|n| n - 1).sum(),
        ..Sum::default()
    };
    place.wait_for("journal positions to be folded", || {
        workers.revive()?;
        let folded = place.folded()?;
        let lacks = |n: u32| read_to[n as usize].saturating_sub(folded.get(&n).copied().unwrap_or(0));
        Ok((0..PARTITIONS).map(lacks).sum())
    })?;
    let events_sent = records.len();
    workers.end_all()?;
    println!("  {workers}");
    workers.refused_what_it_had_to(&args.faults)?;

    // The journal may end with progress that nobody folds any more.
    let mut folded = Vec::new();
    for partition in 0..PARTITIONS {
        let until = published(log, &topics.state, partition)?;
        folded.push(ledger::fold(
            log,
            &topics.journal,
            partition,
            Some(until),
            |_| {},
        )?);
    }
    sum.add(place.compare(&folded)?);

    let until = folded.iter().map(|folded| folded.shard.stream_time()).max();
    let calm = Beliefs::of(calm(&place.settings, raw, records, until.unwrap_or(Time::MIN))?)?;
    let found = Beliefs::of(folded)?;
    if calm.len() == 0 {
        return Err("no alert to be compared".to_owned());
    }
    sum.differing += found.states_that_differ(&calm);
    let (grouping, paging) = (found.grouping(&calm), found.paging(&calm));
    println!(
        "  {} alerts; E3: grouping agrees to {grouping:.4}, paging to {paging:.4}",
        calm.len(),
    );
    // Stream time waits for nobody: what a fault kept back for longer than a settlement is settled later than it would
    // have been, and nothing is promised of where that leads.
    let promised = behind as f64 <= (1.0 - E3_MIN) * events_sent as f64;
    if !promised {
        println!(
            "  E3 is not asked for: {behind} of {events_sent} events came later than a settlement behind stream time"
        );
    }
    for (what, agrees) in [("grouping", grouping), ("paging", paging)] {
        if promised && agrees < E3_MIN {
            println!(
                "  E3 does not hold: {what} has to agree to {E3_MIN}; {behind} events came later than a settlement"
            );
            sum.unlike += 1;
        }
    }
    Ok(sum)
}

/// Sends events when they are due.
fn send(
    place: &Place<'_>,
    events: Vec<(Span, Event)>,
    sent: &AtomicU64,
    failed: &AtomicBool,
) -> Result<(), String> {
    let raw = &place.settings.raw[1].name;
    let appender = place.log.appender().map_err(said)?;
    let began = Instant::now();
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() && !failed.load(Ordering::Acquire) {
        let elapsed = Span::from_millis(began.elapsed().as_millis() as i64);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Time::from_nanos(now.as_nanos() as i64);
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some((_, mut event)) = events.next_if(|(due, _)| *due <= elapsed)
        {
            // As long ago as in its world.
            event.ts = now - event.received_at.since(event.ts).max(Span::ZERO);
            (event.starts_at, event.ends_at) = (None, None);
            // Each event is one of its own: a copy would be left out by the fold, and be missed here.
            event.event_id = format!("b{}", sent.fetch_add(1, Ordering::AcqRel)).into();
            batch.push(outgoing(raw, None, &event.dedup_key, line(&event)));
        }
        // What is not acknowledged may be there or not; a sender sends it again, and copies are found below.
        while !batch.is_empty() && !failed.load(Ordering::Acquire) {
            match appender.append(batch.clone()) {
                Ok(()) => break,
                Err(error) => println!("  a sender has to try again: {error}"),
            }
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// How far the outputs of a partition go. What was published is known by this alone: a worker that ends while partitions are
/// dealt out anew may leave a tail.
fn published(log: &dyn Log, state: &TopicName, partition: u32) -> Result<u64, String> {
    let mut position = 0;
    ledger::each(log, state, partition, |record| {
        if record.key.as_deref() == Some(b"!position") {
            let row = stream::look_at_row("!position", &record.value.unwrap_or_default())?;
            position = row.position.ok_or("outputs without a position")?;
        }
        Ok(())
    })?;
    Ok(position)
}
