//! `stormfold stats`: how much less there is to read and to get up for, and at what price, of recorded incidents.

use std::{collections::BTreeMap, io::Write};

use model::{Incident, IncidentId, IncidentStatus};

use crate::{
    fail::{Done, Failure},
    lines::each_line,
    reduction::{Lost, Reduction, Suppressed},
};

/// Noise reduction under each of its definitions, and the time from first alert to page.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Incident records, one a line, as `replay --incidents` and `topics read` write them; the last revision counts.
    /// Plain, gzip or zstd; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    incidents: String,
    /// Where each event was placed: `replay --assignments`. With it events that are in no incident count, too.
    #[arg(long, value_name = "FILE")]
    assignments: Option<String>,
    /// The truth, one line per event: events that carry `_truth`, or what `simulate --truth` writes.
    #[arg(long, value_name = "FILE", requires = "assignments")]
    truth: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  stormfold topics read incidents | stormfold stats --incidents -
  stormfold stats --incidents incidents.jsonl --assignments assignments.jsonl --truth truth.jsonl";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let mut incidents: BTreeMap<IncidentId, Incident> = BTreeMap::new();
    each_line(&args.incidents, |line| {
        let incident = wire::record::read_incident(line.as_bytes())?;
        let newer = incidents
            .get(&incident.incident_id)
            .is_none_or(|old| old.revision <= incident.revision);
        if newer {
            incidents.insert(incident.incident_id, incident);
        }
        Ok::<(), wire::record::RecordError>(())
    })?;
    let mut reduction = of(incidents.values());
    if let Some(file) = &args.assignments {
        let (events, suppressed) = count(file)?;
        reduction.events = events;
        reduction.suppressed = Some(Suppressed {
            what: "events",
            count: suppressed,
            of: events,
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

/// What the records themselves say. What came into no incident is not in them, but for the lists of what is kept quiet.
fn of<'a>(incidents: impl Iterator<Item = &'a Incident>) -> Reduction {
    let mut sum = Reduction::default();
    let mut suppressed = 0;
    let mut listed = 0;
    for incident in incidents {
        let counts = &incident.counts;
        suppressed += counts.suppressed;
        if incident.flags.iter().any(|flag| flag == "background") {
            listed += counts.suppressed;
            continue;
        }
        sum.events += counts.events;
        sum.alerts += counts.alerts;
        sum.incidents += u64::from(incident.status != IncidentStatus::Merged);
        sum.pages += u64::from(incident.page.seq);
        if let Some(at) = incident.page.first_due_at {
            sum.first_page_s.push(at.since(incident.opened_at).as_secs_f64());
        }
    }
    sum.suppressed = Some(Suppressed {
        what: "alerts",
        count: suppressed,
        of: sum.alerts + listed,
    });
    sum
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
