//! `stormfold topics read`: what a consumer that reads committed records finds in a topic, one JSON value a line.

use std::{io::Write, time::Duration};

use serde_json::{Value, json};
use stream::{
    Topics,
    log::{Log, Reader, Record, TopicName, TopicPartition},
};

use crate::{
    config,
    fail::{Done, Failure},
    logs,
};

/// Records that one poll brings at most.
const BATCH: usize = 2_000;
/// How long a poll waits; an end that was announced and does not come is asked for again.
const WAIT: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `incidents`, `changes`, `journal`, `deadletter`, `heartbeat`, `control`, `state` or `raw` of the configuration,
    /// or the whole name of any topic.
    #[arg(value_name = "TOPIC")]
    topic: String,
    /// Only this partition; a journal is replayed partition by partition.
    #[arg(long, value_name = "N")]
    partition: Option<u32>,
    /// Each record with partition, offset, timestamp, key and headers around its value; tombstones too.
    #[arg(long)]
    whole: bool,
    /// Go on at the end and print what comes, until interrupted.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    config: config::File,
}

/// Topics that go by a short name.
const OURS: [&str; 8] = [
    "raw",
    "journal",
    "changes",
    "incidents",
    "state",
    "control",
    "deadletter",
    "heartbeat",
];

/// Runs the command.
pub(super) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let log = logs::existing(&config)?;
    let topic = name(&Topics::with_prefix(&config.topics.prefix), &args.topic);
    let Some(partitions) = log.partitions(&topic).map_err(logs::failed)? else {
        return Err(Failure::Wrong(format!(
            "there is no topic {topic}; ours are {}, and others go by their whole name",
            OURS.join(", ")
        )));
    };
    if let Some(n) = args.partition.filter(|n| *n >= partitions) {
        return Err(Failure::Wrong(format!(
            "--partition {n}: {topic} has {partitions} partitions, numbered from 0"
        )));
    }
    // One after another, so that the same topic gives the same bytes.
    for partition in (0..partitions).filter(|n| args.partition.is_none_or(|only| only == *n)) {
        if !args.follow {
            to_end(log.as_ref(), &TopicPartition::new(&topic, partition), args.whole)?;
        }
    }
    if args.follow {
        let from = (0..partitions).filter(|n| args.partition.is_none_or(|only| only == *n));
        follow(log.as_ref(), &topic, from, args.whole)?;
    }
    Ok(())
}

/// A name of ours with the prefix, or else the name as given.
fn name(topics: &Topics, given: &str) -> TopicName {
    match given {
        "raw" => topics.raw.clone(),
        "journal" => topics.journal.clone(),
        "changes" => topics.changes.clone(),
        "incidents" => topics.incidents.clone(),
        "state" => topics.state.clone(),
        "control" => topics.control.clone(),
        "deadletter" => topics.deadletter.clone(),
        "heartbeat" => topics.heartbeat.clone(),
        other => other.into(),
    }
}

/// Prints a partition as it is now.
fn to_end(log: &dyn Log, at: &TopicPartition, whole: bool) -> Done {
    let bounds = log.bounds(at).map_err(logs::failed)?;
    let mut reader = log.reader().map_err(logs::failed)?;
    reader
        .assign(&[(at.clone(), bounds.start)])
        .map_err(logs::failed)?;
    let mut records = Vec::new();
    let mut next = bounds.start;
    while next < bounds.end {
        records.clear();
        reader.poll(WAIT, BATCH, &mut records).map_err(logs::failed)?;
        records.retain(|record| record.offset < bounds.end);
        next = records.last().map_or(next, |record| record.offset + 1);
        print(&records, whole)?;
        // The last positions may hold nothing that is shown: marks of transactions, or what compaction took away.
        if records.is_empty() && reader.at_end(at) {
            break;
        }
    }
    Ok(())
}

/// Prints what is there and what comes.
fn follow(log: &dyn Log, topic: &TopicName, partitions: impl Iterator<Item = u32>, whole: bool) -> Done {
    let mut from = Vec::new();
    for partition in partitions {
        let at = TopicPartition::new(topic, partition);
        let start = log.bounds(&at).map_err(logs::failed)?.start;
        from.push((at, start));
    }
    let mut reader: Box<dyn Reader> = log.reader().map_err(logs::failed)?;
    reader.assign(&from).map_err(logs::failed)?;
    let mut records = Vec::new();
    loop {
        records.clear();
        reader.poll(WAIT, BATCH, &mut records).map_err(logs::failed)?;
        print(&records, whole)?;
    }
}

fn print(records: &[Record], whole: bool) -> Done {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut written = Ok(());
    for record in records {
        written = match (&record.value, whole) {
            (_, true) => writeln!(out, "{}", envelope(record)),
            (Some(bytes), false) => writeln!(out, "{}", value(bytes)),
            (None, false) => Ok(()),
        };
        if written.is_err() {
            break;
        }
    }
    written
        .and_then(|()| out.flush())
        .map_err(|e| Failure::io("standard output", e))
}

/// A value as one line of JSON: itself where it is that already, else as a string.
fn value(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let is_line =
        !text.contains(['\n', '\r']) && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    if is_line {
        text.into_owned()
    } else {
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => value.to_string(),
            Err(_) => Value::from(text).to_string(),
        }
    }
}

fn envelope(record: &Record) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> = record.headers.iter().map(|(n, v)| json!([n, text(v)])).collect();
    json!({
        "topic": &*record.at.topic,
        "partition": record.at.partition,
        "offset": record.offset,
        "timestamp": record.timestamp.map(|t| t.to_string()),
        "key": record.key.as_deref().map(text),
        "headers": headers,
        "value": record.value.as_deref().map(|v| {
            serde_json::from_slice(v).unwrap_or_else(|_| Value::from(text(v)))
        }),
    })
}
