//! `stormfold produce`: a file into a raw topic, as if its senders had sent it when they did.
//!
//! Each record gets the line's own time as its timestamp: its `received_at`, else its `ts`, as a running maximum, which
//! is what `replay` of the file takes for the time of receipt. So a topic declared `time: records` gives what `replay`
//! gives. At the end, heartbeats in every partition let timers run out.

use std::sync::Arc;

use model::{Event, Span, Time};
use stream::log::{Appender, Outgoing, RECORD_BYTES_MAX, TopicName};
use wire::{Decoder, Found, Raw};

use crate::{
    config::{self, TopicTime},
    fail::{Done, Failure},
    lines::{Line, Lines},
    logs, source,
    terminal::{safe, say},
};

/// Records that one append carries.
const BATCH: usize = 2_000;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files, one record a line: native events or any payload. Plain, gzip or zstd; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The topic to write to.
    #[arg(long, value_name = "T")]
    topic: String,
    #[command(flatten)]
    config: config::File,
    /// Hours that the heartbeats at the end let stream time run on; 0 sends none.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    run_on: u32,
    /// Give the records no time of their own: the log's clock decides, as for live input.
    #[arg(long)]
    now: bool,
}

const EXAMPLES: &str = "\
Declare the topic with `time: records` to replay history through the pipeline.

Examples:
  stormfold produce --topic raw-events events.jsonl.gz
  stormfold produce --config stormfold.yaml --topic stormfold.raw --now --run-on 0 payloads.jsonl";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let log = logs::existing(&config)?;
    let topic: TopicName = args.topic.as_str().into();
    let Some(partitions) = log.partitions(&topic).map_err(logs::failed)? else {
        return Err(Failure::Wrong(format!(
            "there is no topic {topic}; `stormfold topics create` makes those of the configuration"
        )));
    };
    let history = config
        .topics
        .raw
        .iter()
        .any(|raw| raw.topic == args.topic && raw.time == TopicTime::Records);
    if !args.now && !history {
        say(&format!(
            "stormfold: {topic} is not declared `time: records` in topics.raw: a worker reads its lines as of now, and what is old as late; --now gives them no times"
        ));
    }
    let mut produce = Produce {
        appender: log.appender().map_err(logs::failed)?,
        decoder: Decoder::new(config.decode()?),
        topic,
        stamped: !args.now,
        time: Time::MIN,
        records: Vec::new(),
        sent: 0,
        skipped: 0,
    };
    for file in &args.files {
        let mut lines = Lines::new(source::open(file, &Arc::default())?, RECORD_BYTES_MAX);
        while let Some((number, line)) = lines.next().map_err(|e| Failure::io(file, e))? {
            match line {
                Line::Whole(bytes) if bytes.trim_ascii().is_empty() => {}
                Line::Whole(bytes) => produce.line(file, number, bytes)?,
                Line::Cut(_) => {
                    produce.skipped += 1;
                    say(&format!(
                        "{}:{number}: longer than {RECORD_BYTES_MAX} bytes, left out",
                        safe(file)
                    ));
                }
            }
        }
    }
    if args.run_on > 0 && produce.time > Time::MIN {
        produce.heartbeats(partitions, Span::from_hours(args.run_on.into()));
    }
    produce.flush()?;
    say(&format!(
        "{} records sent, {} left out",
        produce.sent, produce.skipped
    ));
    Ok(())
}

struct Produce {
    appender: Box<dyn Appender>,
    decoder: Decoder,
    topic: TopicName,
    stamped: bool,
    time: Time,
    records: Vec<Outgoing>,
    sent: usize,
    skipped: usize,
}

impl Produce {
    fn line(&mut self, file: &str, number: u64, bytes: &[u8]) -> Done {
        let raw = Raw::of_file(bytes, file, number);
        let mut found = Vec::new();
        self.decoder.decode(&raw, &mut found);
        let mut key = None;
        for event in found.iter().filter_map(event) {
            self.time = self.time.max(event.received_at);
            key.get_or_insert_with(|| event.dedup_key.as_bytes().to_vec());
        }
        self.push(None, key, bytes.to_vec());
        if self.records.len() >= BATCH {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// One in each partition, because a reader of history waits for what a silent partition may still hold.
    fn heartbeats(&mut self, partitions: u32, run_on: Span) {
        self.time = self.time + run_on;
        for partition in 0..partitions {
            let body = serde_json::json!({
                "schema": "stormfold.event/1",
                "kind": "heartbeat",
                "event_id": format!("produce-{partition}-{}", self.time),
                "source": "stormfold",
                "dedup_key": "stormfold:produce",
                "status": "info",
                "title": "end of the file",
                "ts": self.time.to_string(),
            });
            self.push(Some(partition), None, body.to_string().into_bytes());
        }
    }

    fn push(&mut self, partition: Option<u32>, key: Option<Vec<u8>>, value: Vec<u8>) {
        let timestamp = (self.stamped && self.time > Time::MIN).then_some(self.time);
        let (topic, value) = (self.topic.clone(), Some(value));
        self.records.push(Outgoing {
            topic,
            partition,
            timestamp,
            key,
            value,
            headers: Vec::new(),
        });
    }

    fn flush(&mut self) -> Done {
        let records = std::mem::take(&mut self.records);
        self.sent += records.len();
        self.appender.append(records).map_err(logs::failed)
    }
}

fn event(found: &Found) -> Option<&Event> {
    match found {
        Found::Alert(event) => Some(event),
        Found::Other { event, .. } => event.as_deref(),
        Found::Topology(_) | Found::Rejected(_) => None,
    }
}
