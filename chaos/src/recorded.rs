//! Part a: correlate over a journal that was recorded once.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use model::{Input, Time};
use stream::{Stages, TopicTime};

use crate::{
    Args,
    broker::Broker,
    events::{Events, line, outgoing},
    ledger::{self, Folded, Sum},
    place::{PARTITIONS, PATIENCE, Place, said},
    strikes::strikes,
    worker::Workers,
};

/// Records sent at once.
const BATCH: usize = 2_000;

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
    record(args, &place)?;
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

    let mut workers = Workers::new(&args.stormfold, &place, Stages::Correlate, args.workers)?;
    strikes(args, &place, &mut workers, args.seed, args.kills, || {
        Ok(place.reach(&topics.changes)? as f64 / changes.max(1) as f64)
    })?;
    place.wait_for("journal positions to be folded", || {
        workers.revive()?;
        let folded = place.folded()?;
        let lacks = |(n, e): (u32, &Folded)| e.position.saturating_sub(folded.get(&n).copied().unwrap_or(0));
        Ok((0..).zip(&expected).map(lacks).sum())
    })?;
    workers.end_all()?;
    println!("  {workers}");
    workers.refused_what_it_had_to(&args.faults)?;
    sum.add(place.compare(&expected)?);
    Ok(sum)
}

/// Lets the raw records become a journal, without faults: what is tested is the fold.
fn record(args: &Args, place: &Place<'_>) -> Result<(), String> {
    let mut ingest = Workers::new(&args.stormfold, place, Stages::Ingest, 1)?;
    let mut last = (Instant::now(), 0);
    let mut said = Instant::now();
    while last.0.elapsed() < Duration::from_secs(5) || last.1 == 0 {
        ingest.revive()?;
        let reach = place.reach(&place.settings.topics.journal)?;
        if reach > last.1 {
            last = (Instant::now(), reach);
        }
        if last.0.elapsed() > PATIENCE {
            return Err("no journal is recorded".to_owned());
        }
        if said.elapsed() > Duration::from_secs(10) {
            println!("  {reach} journal positions recorded");
            said = Instant::now();
        }
        sleep(Duration::from_millis(200));
    }
    ingest.end_all()
}
