//! `stormfold stats`: how much less there is to read and to get up for, and at what price, of recorded incidents.

use std::io::Write;

use model::Severity;

use crate::{
    fail::{Done, Failure},
    lines::each_line,
    recorded,
    reduction::{Lost, Reduction, Suppressed},
};

/// Noise reduction under each of its definitions, and the time from first alert to page.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Incident records, one a line, as `replay --incidents` and `topics read` write them, or the answer of
    /// `GET /v1/incidents`; the last revision counts. Plain, gzip or zstd; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    incidents: String,
    /// Where each event was placed: `replay --assignments`. With it events that are in no incident count, too.
    #[arg(long, value_name = "FILE")]
    assignments: Option<String>,
    /// The truth, one line per event: events that carry `_truth`, or what `simulate --truth` writes.
    #[arg(long, value_name = "FILE", requires = "assignments")]
    truth: Option<String>,
    /// The mildest severity that pages: `page.severity_min` of the configuration.
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = severity)]
    severity_min: Severity,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  stormfold topics read incidents | stormfold stats --incidents -
  curl -s 'http://127.0.0.1:8780/v1/incidents?status=all&limit=1000' | stormfold stats --incidents -
  stormfold stats --incidents incidents.jsonl --assignments assignments.jsonl --truth truth.jsonl";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let mut reduction = Reduction::new(args.severity_min);
    for incident in recorded::incidents(&args.incidents)?.values() {
        reduction.add(incident);
    }
    if let Some(file) = &args.assignments {
        let (events, suppressed) = count(file)?;
        reduction.events = events;
        reduction.suppressed = Some(Suppressed {
            what: "events",
            count: suppressed,
            of: events,
            when: "in the end",
        });
        if let Some(truth) = &args.truth {
            reduction.lost = Some(Lost::read(truth, file)?);
        }
    }
    let text = match args.json {
        true => serde_json::to_string_pretty(&reduction).expect("figures are plain data"),
        false => reduction.lines().join("\n"),
    };
    writeln!(std::io::stdout().lock(), "{text}").map_err(|e| Failure::io("standard output", e))
}

/// Events of alerts in assignments, and those of them that are kept quiet. A single word in place of a reason says what
/// an event is instead of an alert.
fn count(file: &str) -> Result<(u64, u64), Failure> {
    #[derive(serde::Deserialize)]
    struct Line {
        #[serde(default)]
        suppressed: Option<String>,
    }
    let (mut events, mut suppressed) = (0, 0);
    each_line(file, |line| {
        let line: Line = serde_json::from_str(line)?;
        let reason = line.suppressed.as_deref();
        let is_alert = reason.is_none_or(|reason| reason.contains(' '));
        events += u64::from(is_alert);
        suppressed += u64::from(is_alert && reason.is_some());
        Ok::<(), serde_json::Error>(())
    })?;
    Ok((events, suppressed))
}

fn severity(name: &str) -> Result<Severity, serde::de::value::Error> {
    use serde::{Deserialize, de::IntoDeserializer};
    Severity::deserialize(name.into_deserializer())
}
