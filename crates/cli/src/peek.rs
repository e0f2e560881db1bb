//! `stormfold peek`: what arrives in the raw topics, read as ingest reads it: detected as, resolved to, refused why.

use std::{io::Write, time::Duration};

use stream::{
    RawTopic,
    log::{Log, Reader, Record, TopicPartition},
};
use topology::Graph;
use wire::{Decoder, Found};

use crate::{
    config,
    fail::{Done, Failure},
    logs, records,
    terminal::safe,
};

/// Records that one poll brings at most, and how long it waits.
const BATCH: usize = 500;
const WAIT: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Begin with the last N records of each partition.
    #[arg(long, value_name = "N", default_value_t = 0)]
    last: u64,
    /// Stop at the present end instead of waiting for more.
    #[arg(long)]
    once: bool,
    /// Only what was refused.
    #[arg(long)]
    refused: bool,
    #[command(flatten)]
    config: config::File,
}

const EXAMPLES: &str = "\
Nothing is changed, and no group is joined. With the embedded log the pipeline must not be running; with Kafka it may be.

Examples:
  stormfold peek --config stormfold.yaml
  stormfold peek --last 20 --once
  stormfold peek --refused";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    let log = logs::existing(&config)?;
    let graph = match &config.topology {
        Some(file) => crate::topology::graph(file)?,
        None => Graph::empty(),
    };
    let settings = logs::settings(&config)?;
    let peek = Peek {
        decoder: Decoder::new(config.decode()?),
        graph,
        topics: settings.raw,
        refused: args.refused,
    };
    let mut from = Vec::new();
    for topic in &peek.topics {
        for at in records::partitions(log.as_ref(), &topic.name)? {
            let bounds = log.bounds(&at).map_err(logs::failed)?;
            from.push((at, bounds.end.saturating_sub(args.last).max(bounds.start)));
        }
    }
    if args.once {
        for (at, start) in &from {
            records::to_end(log.as_ref(), at, Some(*start), |record| peek.say(&record))?;
        }
        return Ok(());
    }
    follow(log.as_ref(), &from, &peek)
}

fn follow(log: &dyn Log, from: &[(TopicPartition, u64)], peek: &Peek) -> Done {
    let mut reader: Box<dyn Reader> = log.reader().map_err(logs::failed)?;
    reader.assign(from).map_err(logs::failed)?;
    let mut records = Vec::new();
    loop {
        records.clear();
        reader.poll(WAIT, BATCH, &mut records).map_err(logs::failed)?;
        records.iter().try_for_each(|record| peek.say(record))?;
    }
}

struct Peek {
    decoder: Decoder,
    graph: Graph,
    topics: Vec<RawTopic>,
    refused: bool,
}

impl Peek {
    /// One line for each thing found in a record.
    fn say(&self, record: &Record) -> Done {
        let place = format!("{}@{}", record.at, record.offset);
        let mut text = String::new();
        match &record.value {
            None if !self.refused => text.push_str(&format!("{place}  tombstone\n")),
            None => {}
            Some(value) => {
                let topic = self.topics.iter().find(|t| t.name == record.at.topic);
                let source = topic.and_then(|t| t.source.as_deref());
                let raw = stream::raw(record, value, source, None);
                let mut found = Vec::new();
                self.decoder.decode(&raw, &mut found);
                for one in &found {
                    if !self.refused || matches!(one, Found::Rejected(_)) {
                        text.push_str(&format!("{place}  {}\n", self.line(one)));
                    }
                }
            }
        }
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|e| Failure::io("standard output", e))
    }

    fn line(&self, found: &Found) -> String {
        let event = match found {
            Found::Rejected(rejection) => return format!("REFUSED  {}", safe(&rejection.to_string())),
            Found::Topology(_) => return "topology".to_owned(),
            Found::Other { kind, event: None } => return kind.as_str().to_owned(),
            Found::Other { event: Some(e), .. } | Found::Alert(e) => e,
        };
        let what = match found {
            Found::Other { kind, .. } => kind.as_str().to_owned(),
            _ => format!("{} {}", crate::terminal::word(&event.status), event.severity),
        };
        let resolved = self.graph.resolve(event);
        let place = resolved.subject.or(resolved.host);
        let place = match place {
            Some(node) => format!("on {}", self.graph.id(node)),
            None if resolved.name.is_empty() => "on nothing named".to_owned(),
            None => format!("on {} (not in the topology)", resolved.name),
        };
        format!(
            "{}  {what}  {}  {}  key {}",
            safe(&event.source),
            safe(&event.title),
            safe(&place),
            safe(&event.dedup_key)
        )
    }
}
