//! `stormfold deadletters`: what was refused, why, and once more.

use std::{collections::BTreeMap, io::Write};

use stream::{
    Topics,
    log::{Log, Outgoing, Record, TopicPartition},
};

use crate::{
    config,
    fail::{Done, Failure},
    logs, records,
    terminal::safe,
};

/// Bytes of an original that the list shows.
const SHOWN_BYTES: usize = 60;
/// Before the names of the headers that the original had.
const ORIGINAL: &str = "original.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// One line for each, oldest first: its name, stage, origin, source, reason, beginning.
    List {
        /// How often each reason was given, instead of the letters.
        #[arg(long)]
        reasons: bool,
        #[command(flatten)]
        config: config::File,
    },
    /// Everything about one, and its original bytes.
    Show {
        /// Its name in the list: partition and offset, `0@17`.
        #[arg(value_name = "LETTER")]
        letter: String,
        /// Only the original bytes, as they came.
        #[arg(long)]
        bytes: bool,
        #[command(flatten)]
        config: config::File,
    },
    /// Put originals into the raw topic once more, where they are read anew and have a new origin.
    Retry {
        /// Their names in the list.
        #[arg(value_name = "LETTER", required_unless_present = "reason")]
        letters: Vec<String>,
        /// All whose reason contains this; an empty text means every letter.
        #[arg(long, value_name = "TEXT", conflicts_with = "letters")]
        reason: Option<String>,
        #[command(flatten)]
        config: config::File,
    },
}

const EXAMPLES: &str = "\
With the embedded log the pipeline must not be running; with Kafka it may be.

Examples:
  stormfold deadletters list --reasons
  stormfold deadletters show 0@17 --bytes | stormfold normalize --explain -
  stormfold deadletters retry 0@17 0@18
  stormfold deadletters retry --reason 'no source has this shape'";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    match &args.action {
        Action::List { reasons, config } => list(&Letters::open(config)?, *reasons),
        Action::Show {
            letter,
            bytes,
            config,
        } => show(&Letters::open(config)?, letter, *bytes),
        Action::Retry {
            letters,
            reason,
            config,
        } => retry(&Letters::open(config)?, letters, reason.as_deref()),
    }
}

struct Letters {
    log: std::sync::Arc<dyn Log>,
    topics: Topics,
}

impl Letters {
    fn open(file: &config::File) -> Result<Letters, Failure> {
        let config = file.load()?;
        Ok(Letters {
            log: logs::existing(&config)?,
            topics: Topics::with_prefix(&config.topics.prefix),
        })
    }

    fn each(&self, mut take: impl FnMut(Record) -> Done) -> Done {
        for at in records::partitions(self.log.as_ref(), &self.topics.deadletter)? {
            records::to_end(self.log.as_ref(), &at, None, &mut take)?;
        }
        Ok(())
    }

    fn one(&self, name: &str) -> Result<Record, Failure> {
        let wrong = || {
            Failure::Wrong(format!(
                "{name} is no name of a letter; they are partition and offset, as 0@17"
            ))
        };
        let (partition, offset) = name.split_once('@').ok_or_else(wrong)?;
        let (partition, offset): (u32, u64) = (
            partition.parse().map_err(|_| wrong())?,
            offset.parse().map_err(|_| wrong())?,
        );
        let at = TopicPartition::new(&self.topics.deadletter, partition);
        let missing = || Failure::Wrong(format!("there is no letter {name}"));
        if !records::partitions(self.log.as_ref(), &self.topics.deadletter)?.contains(&at) {
            return Err(missing());
        }
        let mut found = None;
        records::to_end(self.log.as_ref(), &at, Some(offset), |record| {
            if record.offset == offset {
                found = Some(record);
            }
            Ok(())
        })?;
        found.ok_or_else(missing)
    }
}

fn list(letters: &Letters, reasons: bool) -> Done {
    let mut out = std::io::stdout().lock();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    letters.each(|record| {
        let reason = record.header("reason").unwrap_or("no reason");
        if reasons {
            *counts.entry(reason.to_owned()).or_default() += 1;
            return Ok(());
        }
        let bytes = record.value.as_deref().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]).into_owned();
        writeln!(
            out,
            "{}@{}  {}  {}  {}  {}  {}",
            record.at.partition,
            record.offset,
            record.header("stage").unwrap_or("-"),
            record.header("origin").unwrap_or("-"),
            safe(record.header("source").unwrap_or("-")),
            safe(reason),
            safe(&text)
        )
        .map_err(|e| Failure::io("standard output", e))
    })?;
    let mut most: Vec<_> = counts.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (reason, count) in most {
        writeln!(out, "{count:>8}  {}", safe(&reason)).map_err(|e| Failure::io("standard output", e))?;
    }
    out.flush().map_err(|e| Failure::io("standard output", e))
}

fn show(letters: &Letters, name: &str, bytes_only: bool) -> Done {
    let record = letters.one(name)?;
    let mut out = std::io::stdout().lock();
    let mut text = Vec::new();
    if !bytes_only {
        for (header, value) in &record.headers {
            let line = format!("{header}: {}\n", safe(&String::from_utf8_lossy(value)));
            text.extend_from_slice(line.as_bytes());
        }
        text.push(b'\n');
    }
    text.extend_from_slice(record.value.as_deref().unwrap_or_default());
    if !bytes_only {
        text.push(b'\n');
    }
    out.write_all(&text)
        .and_then(|()| out.flush())
        .map_err(|e| Failure::io("standard output", e))
}

fn retry(letters: &Letters, names: &[String], reason: Option<&str>) -> Done {
    let mut again = Vec::new();
    let mut cut = 0;
    let mut take = |record: Record| {
        match original(letters, record) {
            Some(original) => again.push(original),
            None => cut += 1,
        }
        Ok(())
    };
    match reason {
        Some(reason) => letters.each(|record| {
            if record.header("reason").unwrap_or_default().contains(reason) {
                take(record)?;
            }
            Ok(())
        })?,
        None => names.iter().try_for_each(|name| take(letters.one(name)?))?,
    }
    let count = again.len();
    if count > 0 {
        let appender = letters.log.appender().map_err(logs::failed)?;
        appender.append(again).map_err(logs::failed)?;
    }
    let mut said = format!("{count} put into {} once more", letters.topics.raw);
    if cut > 0 {
        said.push_str(&format!("; {cut} were cut when they were kept and cannot be"));
    }
    writeln!(std::io::stdout().lock(), "{said}").map_err(|e| Failure::io("standard output", e))
}

/// The record as it was, but for its place; `None` when not all of it was kept.
fn original(letters: &Letters, record: Record) -> Option<Outgoing> {
    if record.header("cut-from-bytes").is_some() {
        return None;
    }
    let name = format!("{}@{}", record.at.partition, record.offset);
    let own =
        |(name, value): &(String, Vec<u8>)| Some((name.strip_prefix(ORIGINAL)?.to_owned(), value.clone()));
    let headers = record.headers.iter().filter_map(own).collect();
    let again = Outgoing {
        topic: letters.topics.raw.clone(),
        partition: None,
        timestamp: None,
        key: None,
        value: record.value,
        headers,
    };
    Some(again.header("retry-of", name))
}
