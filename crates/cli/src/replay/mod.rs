//! `stormfold replay`: the fold over files. What a live worker does with a topic, this does with recorded lines, on
//! one shard that hosts every domain; the lines' own times move stream time, so a week takes seconds.

mod assignments;
mod feed;
mod feedback;
mod outputs;
mod progress;
mod refused;
mod report;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use engine::Shard;
use model::Span;

use crate::{
    config::Config,
    fail::{Done, Failure},
    files,
    lines::{LINE_BYTES_MAX, Line, Lines},
    reduction::Lost,
    source,
};

use self::{feed::Feed, feedback::Feedback, outputs::Outputs, progress::Bar, refused::Refused};

/// How long stream time may run on after the last event, so that the files show a settled state.
const SETTLE_MAX: Span = Span::from_hours(24);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files of events, one JSON value a line: native events or any payload that `normalize` understands.
    /// Plain, gzip or zstd; `-` is standard input. They are read in the order given.
    #[arg(required = true, value_name = "EVENTS")]
    events: Vec<String>,
    #[command(flatten)]
    config: crate::config::File,
    /// The topology in force (stormfold.topology/1); goes before the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    topology: Option<String>,
    /// Write the last revision of every incident.
    #[arg(long, value_name = "OUT")]
    incidents: Option<String>,
    /// Write every change, in order.
    #[arg(long, value_name = "OUT")]
    changes: Option<String>,
    /// Write where every event ended up, one line per event in the order of the input.
    #[arg(long, value_name = "OUT")]
    assignments: Option<String>,
    /// Write the ranked probable causes of every incident.
    #[arg(long, value_name = "OUT")]
    causes: Option<String>,
    /// Confirm the true cause of every incident as soon as it is over, from this truth (what `score --truth` reads): how
    /// well would causes be ranked if somebody did? The fold never sees more of it.
    #[arg(long, value_name = "TRUTH", conflicts_with = "journal")]
    feedback_from: Option<String>,
    /// Write the lines that were refused, with reason, stage and origin.
    #[arg(long, value_name = "OUT")]
    deadletters: Option<String>,
    /// Report what was lost by this truth: one line per event, events that carry `_truth` or what `simulate --truth` writes.
    #[arg(long, value_name = "FILE", requires = "assignments")]
    truth: Option<String>,
    /// The files are recorded journals, one partition each: fold exactly what a worker folded.
    #[arg(long)]
    journal: bool,
    /// Stop at the last event instead of letting timers run out (at most 24 hours of stream time).
    #[arg(long)]
    no_settle: bool,
    /// Name the source of payloads instead of detecting it.
    #[arg(long, value_name = "NAME", conflicts_with = "journal")]
    source: Option<String>,
    /// No progress bar and no report.
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Every output is JSON lines; `-` is standard output. Refused lines are counted, reported and written with \
--deadletters; they stop nothing.

Examples:
  stormfold replay --topology topology.json --incidents incidents.jsonl events.jsonl.gz
  zstdcat week.jsonl.zst | stormfold replay --changes - - | jq .change
  stormfold replay --feedback-from truth.jsonl --assignments pred.jsonl \\
    --causes causes.jsonl events.jsonl
  stormfold replay --journal --changes again.jsonl journal-0.jsonl";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let begin = Instant::now();
    let config = args.config.load()?;
    let settings = engine::Settings {
        placements: args.assignments.is_some() || args.feedback_from.is_some(),
        last_records_only: true,
        ..config.engine()
    };
    apart(args, &config)?;
    let topology = match (&args.topology, &config.topology) {
        (Some(file), _) => Some(crate::topology::read(file)?),
        (None, Some(file)) => Some(crate::topology::configured(file)?),
        (None, None) => None,
    };
    let mut outputs = Outputs::create(args, settings.page.severity_min)?;
    let mut refused = Refused::create(args.deadletters.as_deref(), args.quiet)?;
    let read = Arc::<AtomicU64>::default();
    let bar = Bar::new(source::total_bytes(&args.events), &read, args.quiet);

    let feedback = args.feedback_from.as_deref().map(Feedback::read).transpose()?;
    let mut feed = Feed::new(settings, config.decode()?, args.source.clone(), feedback);
    for (i, file) in args.events.iter().enumerate() {
        if args.journal && i > 0 {
            feed.next_partition(&mut outputs)?;
        }
        if i == 0 || args.journal {
            feed.topology(topology.as_deref().unwrap_or_default());
        }
        let mut lines = Lines::new(source::open(file, &read)?, LINE_BYTES_MAX);
        let mut reached = 0;
        loop {
            let next = match lines.next() {
                Ok(next) => next,
                Err(error) => return Err(Failure::io(format_args!("{file}: behind line {reached}"), error)),
            };
            let Some((number, line)) = next else { break };
            reached = number;
            match line {
                Line::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
                Line::Whole(bytes) if args.journal => feed.journal(file, number, bytes)?,
                Line::Whole(bytes) => feed.line(file, number, bytes, &mut refused)?,
                Line::Cut(bytes) => feed.overlong(file, number, bytes, &mut refused)?,
            }
            if feed.is_full() {
                feed.flush(&mut outputs)?;
                bar.tick(feed.lines());
            }
        }
    }
    feed.flush(&mut outputs)?;
    if !args.journal && !args.no_settle {
        feed.settle(SETTLE_MAX, &mut outputs)?;
    }
    bar.clear();
    let (reduction, kept) = outputs.finish(feed.shard())?;
    refused.finish()?;
    if !args.quiet {
        let lost = match (&args.truth, &args.assignments) {
            (Some(truth), Some(assignments)) => Some(Lost::read(truth, assignments)?),
            _ => None,
        };
        report::print(&feed, &refused, begin.elapsed(), (reduction, kept), lost);
    }
    Ok(())
}

/// Refuses to write over what is read, before anything is written.
fn apart(args: &Args, config: &Config) -> Done {
    let outputs = [
        ("--incidents", args.incidents.as_deref()),
        ("--changes", args.changes.as_deref()),
        ("--assignments", args.assignments.as_deref()),
        ("--causes", args.causes.as_deref()),
        ("--deadletters", args.deadletters.as_deref()),
    ];
    let others = [&args.topology, &config.topology, &args.truth, &args.feedback_from];
    let inputs: Vec<_> = args
        .events
        .iter()
        .chain(others.into_iter().flatten())
        .map(String::as_str)
        .collect();
    files::apart(&outputs, &inputs)
}

/// The books of all partitions replayed, summed.
fn sum(mut a: engine::Books, shard: &Shard) -> engine::Books {
    a.add(&shard.books());
    a
}
