//! `stormfold explain`: one incident in words: why it exists, why each alert is in it or kept from it, why this cause,
//! this owner, this page; or one alert: where it is and was, and what keeps it quiet. It says only what the records say;
//! nothing is worked out anew.

mod alert;

use std::{borrow::Cow, fmt::Write as _, io::Write};

use model::{
    Cause, Evidence, EvidenceKind, Incident, IncidentStatus, Membership, PageState, Severity, Status,
};

use crate::{
    fail::{Done, Failure},
    recorded,
    terminal::{many, safe, word},
};

/// Why an incident is what it is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Incident records, one a line, as `replay --incidents` and `topics read` write them, or the answer of
    /// `GET /v1/incidents`; the last revision counts. Plain, gzip or zstd; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    incidents: String,
    /// The incident: its id or enough of the id's beginning to tell it from the others. Without it they are listed.
    #[arg(value_name = "INCIDENT")]
    incident: Option<String>,
    /// An alert instead: its id, its dedup key, or words of its title. Tells every incident it is or was in, and what
    /// keeps it quiet: by what, since when, until when.
    #[arg(long, value_name = "TEXT", conflicts_with = "incident")]
    alert: Option<String>,
    /// All alerts that are kept quiet, the worst first; those that are in no incident, too.
    #[arg(long, conflicts_with_all = ["incident", "alert"])]
    suppressed: bool,
    /// Changes, one a line, as `replay --changes` and `topics read` write them: with --alert every time that it was kept
    /// quiet and released.
    #[arg(long, value_name = "FILE", requires = "alert")]
    changes: Option<String>,
}

const EXAMPLES: &str = "\
Each reason begins with its kind. Behind `blame` stands how much it speaks for that cause, in nats: natural logarithms of \
likelihood, added up; 0.7 make the cause twice as likely, 2.3 ten times. Behind `flapping` stands the penalty that grows \
with each change of state.

Examples:
  stormfold explain --incidents incidents.jsonl
  stormfold explain --incidents incidents.jsonl 5c07
  stormfold explain --incidents incidents.jsonl --suppressed
  stormfold explain --incidents incidents.jsonl --changes changes.jsonl --alert HostUnreachable
  stormfold topics read incidents | stormfold explain --incidents - 5c07
  curl -s 'http://127.0.0.1:8780/v1/incidents?status=all' | stormfold explain --incidents - 5c07";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let incidents = read(&args.incidents)?;
    let text = match (&args.incident, &args.alert) {
        (Some(id), _) => explain(find(&incidents, id, &args.incidents)?),
        (None, Some(wanted)) => {
            let changes = args
                .changes
                .as_deref()
                .map(recorded::changes)
                .transpose()?
                .unwrap_or_default();
            alert::told(&incidents, &changes, wanted)
                .ok_or_else(|| Failure::Wrong(format!("no alert in {} is {wanted}", args.incidents)))?
        }
        (None, None) if args.suppressed => alert::all_suppressed(&incidents),
        (None, None) => list(&incidents),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Failure::io("standard output", e))
}

/// The last revision of each incident, in the order of opening.
fn read(file: &str) -> Result<Vec<Incident>, Failure> {
    let mut incidents: Vec<Incident> = recorded::incidents(file)?.into_values().collect();
    incidents.sort_by_key(|i| (i.opened_at, i.incident_id));
    Ok(incidents)
}

/// The one incident whose id begins like this, with or without the tag of its domain.
fn find<'a>(incidents: &'a [Incident], id: &str, file: &str) -> Result<&'a Incident, Failure> {
    let wanted = id.to_ascii_lowercase();
    let mut alike = incidents.iter().filter(|i| {
        let whole = i.incident_id.to_string();
        whole.starts_with(&wanted)
            || whole
                .split_once('-')
                .is_some_and(|(_, hash)| hash.starts_with(&wanted))
    });
    match (alike.next(), alike.count()) {
        (Some(incident), 0) => Ok(incident),
        (Some(_), more) => Err(Failure::Wrong(format!(
            "{} incidents in {file} begin with {id}; give more of the id",
            more + 1
        ))),
        (None, _) => Err(Failure::Wrong(format!(
            "none of the {} incidents in {file} is {id}; without an id they are listed",
            incidents.len()
        ))),
    }
}

/// One line an incident.
fn list(incidents: &[Incident]) -> String {
    let mut text = String::new();
    if incidents.is_empty() {
        line(&mut text, format_args!("no incidents"));
    }
    for i in incidents {
        let counts = &i.counts;
        // What lists the day's background has no members, only what it keeps quiet.
        let holds = match (counts.alerts, counts.suppressed) {
            (0, quiet) if quiet > 0 => format!("{quiet:>4} quiet "),
            (1, _) => "   1 alert ".to_owned(),
            (more, _) => format!("{more:>4} alerts"),
        };
        line(
            &mut text,
            format_args!(
                "{}  {:<24}  {:<12} {:<8} {holds}  {}",
                i.incident_id,
                i.opened_at.to_string(),
                word(&i.status),
                i.severity,
                safe(&i.title)
            ),
        );
    }
    text
}

/// All that the record says, in the order in which one asks: what, who, why, what belongs to it, what does not.
fn explain(i: &Incident) -> String {
    let mut text = String::new();
    let flags: String = i.flags.iter().map(|flag| format!(", {}", safe(flag))).collect();
    line(&mut text, format_args!("{}", safe(&i.title)));
    line(&mut text, format_args!("{}", safe(&i.summary)));
    line(
        &mut text,
        format_args!("\nincident  {}, revision {}", i.incident_id, i.revision),
    );
    line(
        &mut text,
        format_args!("status    {}{flags}, {}", word(&i.status), i.severity),
    );
    line(&mut text, format_args!("opened    {}", i.opened_at));
    evidence(&mut text, &i.because);
    end(&mut text, i);
    let c = &i.counts;
    let stale = match c.stale {
        0 => String::new(),
        stale => format!(", {stale} stale"),
    };
    line(
        &mut text,
        format_args!(
            "counts    {} ({} firing{stale}, {} resolved), {}, {} suppressed",
            many(c.alerts, "alert"),
            c.firing,
            c.resolved,
            many(c.events, "event"),
            c.suppressed
        ),
    );
    // What only lists the day's background is no failure: it has no class, and nobody to own it.
    if !is_background(i) {
        line(
            &mut text,
            format_args!(
                "class     {}, {}",
                word(&i.context.class).replace('_', "-"),
                percent(i.context.confidence)
            ),
        );
        evidence(&mut text, &i.context.because);
        line(&mut text, format_args!("owner     {}", safe(&i.owner.team)));
        evidence(&mut text, &i.owner.because);
    }
    if !i.also_notify.is_empty() {
        let teams: Vec<_> = i.also_notify.iter().map(|team| safe(team)).collect();
        line(&mut text, format_args!("tell      {}", teams.join(", ")));
    }
    if !is_background(i) {
        page(&mut text, i);
    }
    causes(&mut text, "Probable causes", &i.causes);
    causes(&mut text, "Changes before it began", &i.changes);
    members(&mut text, i);
    suppressed(&mut text, i);
    for past in &i.similar {
        let cause = past.cause.as_deref().unwrap_or("unknown cause");
        line(
            &mut text,
            format_args!(
                "\nLike {} of {}, {}: {}",
                past.incident_id,
                past.opened_at,
                percent(past.similarity),
                safe(cause)
            ),
        );
    }
    lineage(&mut text, i);
    text
}

/// Whether it is no failure, but lists what is kept quiet.
fn is_background(i: &Incident) -> bool {
    i.flags.iter().any(|flag| flag == "background")
}

/// How and when it ended, if it did.
fn end(text: &mut String, i: &Incident) {
    let Some(at) = i.resolved_at else { return };
    if let Some(into) = i.merged_into {
        return line(text, format_args!("merged    into {into} at {at}"));
    }
    line(text, format_args!("resolved  {at}"));
    // The record does not say which of the two it was.
    let silent = i.counts.firing + i.counts.stale;
    if silent > 0 {
        line(
            text,
            format_args!(
                "          stale, unless somebody ended it: no recovery of {} was heard",
                many(silent, "alert")
            ),
        );
    }
}

fn page(text: &mut String, i: &Incident) {
    let page = &i.page;
    let plural = if page.seq == 1 { "" } else { "s" };
    let mut sum = format!("page      {}, {} time{plural} due", word(&page.state), page.seq);
    if let Some(at) = page.first_due_at {
        write!(sum, ", first at {at}").expect("a string takes all");
    }
    line(text, format_args!("{sum} (mode {})", word(&page.mode)));
    let reason = if page.reason.is_empty() {
        nobody(i)
    } else {
        safe(&page.reason)
    };
    if !reason.is_empty() {
        line(text, format_args!("          {reason}"));
    }
}

/// Why nobody is paged, where the record gives no reason; as far as it shows one.
fn nobody(i: &Incident) -> Cow<'static, str> {
    if i.page.state != PageState::None || i.status == IncidentStatus::Merged || is_background(i) {
        return "".into();
    }
    let is_kept = |m: &Membership| i.suppressed.iter().any(|kept| kept.alert_id == m.alert_id);
    let heard = i.alerts.iter().filter(|m| !is_kept(m)).map(|m| m.severity).max();
    let kept = i.suppressed.iter().map(|kept| kept.severity).max();
    match heard {
        _ if kept > heard => "what is worst in it is kept quiet: explain --suppressed".into(),
        Some(Severity::Critical | Severity::Error) | None => "".into(),
        Some(milder) => format!(
            "its worst alert is of severity {milder}; page.severity_min is error unless the configuration says otherwise"
        )
        .into(),
    }
}

fn causes(text: &mut String, head: &str, causes: &[Cause]) {
    if causes.is_empty() {
        return;
    }
    line(text, format_args!("\n{head}"));
    for c in causes {
        line(
            text,
            format_args!(
                "{:>3}. {}  {}, {}",
                c.rank,
                safe(&c.entity),
                word(&c.kind),
                percent(c.score)
            ),
        );
        evidence(text, &c.because);
    }
}

fn members(text: &mut String, i: &Incident) {
    // One that was merged away, or that lists the day's background, has none.
    if i.alerts.is_empty() {
        return;
    }
    let cut = if i.alerts_truncated {
        format!(", {} of {} shown", i.alerts.len(), i.counts.alerts)
    } else {
        String::new()
    };
    line(text, format_args!("\nAlerts{cut}"));
    for m in &i.alerts {
        member(text, m, i.resolved_at.is_some());
    }
}

/// `over`: the incident is, whatever fires in it still.
fn member(text: &mut String, m: &Membership, over: bool) {
    let stale = match m.status {
        Status::Firing if m.stale => " but stale",
        Status::Firing if over => " to the end, not recovered",
        _ => "",
    };
    let place = m.service.as_deref().or(m.host.as_deref()).unwrap_or_default();
    line(text, format_args!("  {}: {}", safe(place), safe(&m.title)));
    line(
        text,
        format_args!(
            "          alert {}, {} {}{}, {} from {} to {}",
            m.alert_id,
            m.severity,
            word(&m.status),
            stale,
            many(m.count, "event"),
            m.first_at,
            m.last_at
        ),
    );
    line(
        text,
        format_args!(
            "          joined {}, {} sure",
            m.joined_at,
            percent(m.probability)
        ),
    );
    if let Some(rarity) = &m.rarity {
        let season = m.season.map_or(String::new(), |share| {
            format!("; {} of its like came in this hour of the week", percent(share))
        });
        line(text, format_args!("          {}{season}", rarity_words(rarity)));
    }
    evidence(text, &m.because);
    if let Some(other) = &m.runner_up {
        line(
            text,
            format_args!(
                "          next best: {}, {}",
                other.incident_id,
                percent(other.probability)
            ),
        );
    }
}

fn suppressed(text: &mut String, i: &Incident) {
    if i.suppressed.is_empty() {
        return;
    }
    line(
        text,
        format_args!("\nSuppressed, {} of {}", i.suppressed.len(), i.counts.suppressed),
    );
    for kept in &i.suppressed {
        alert::suppressed(text, kept);
    }
}

fn lineage(text: &mut String, i: &Incident) {
    for id in &i.merged_from {
        line(text, format_args!("\nMerged from {id}"));
    }
    if let Some(id) = i.split_from {
        line(text, format_args!("\nSplit from, or follows, {id}"));
    }
    for related in &i.related {
        let likely = percent(related.probability);
        line(
            text,
            format_args!("\nCould as well belong to {} ({likely})", related.incident_id),
        );
    }
}

/// How often the like of an alert came before.
fn rarity_words(rarity: &str) -> Cow<'_, str> {
    match rarity {
        "never_seen" => "no alert like it in the weeks before".into(),
        "rare" => "its like came once a week at most in the weeks before".into(),
        "frequent" => "its like came more than once a week in the weeks before".into(),
        other => safe(other),
    }
}

/// The reasons. The number that decided stands there with its unit, where the text does not say it.
fn evidence(text: &mut String, because: &[Evidence]) {
    for e in because {
        let value = match e.kind {
            EvidenceKind::Blame => format!(" {} nats", number(e.value)),
            EvidenceKind::Flapping => format!(" penalty {}", number(e.value)),
            _ => String::new(),
        };
        line(
            text,
            format_args!("          {}{value}: {}", word(&e.kind), safe(&e.text)),
        );
    }
}

fn line(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("a string takes all");
    text.push('\n');
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Three decimals at most.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
