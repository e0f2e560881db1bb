//! `stormfold score`: how good an answer of `replay` is, against a truth, and beside what plain baselines reach.

mod baselines;

use std::io::Write;

use sim::score::{Answer, Keys, Ranked, Scope, Score, Truth, score};

use crate::{
    fail::{Done, Failure},
    lines::each_line,
    terminal::say,
    truth,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The truth, one line per event: events that carry `_truth`, or what `simulate --truth` writes.
    #[arg(long, value_name = "FILE")]
    truth: String,
    /// Where each event was placed: `replay --assignments`.
    #[arg(long, value_name = "FILE", required_unless_present = "baselines")]
    pred: Option<String>,
    /// Ranked causes: `replay --causes`.
    #[arg(long, value_name = "FILE", requires = "pred")]
    roots: Option<String>,
    /// Score plain windows and keys, and linfa's DBSCAN over time, place and words, beside the answer.
    #[arg(long)]
    baselines: bool,
    /// The events that the baselines look at, where the truth is a file of its own.
    #[arg(long, value_name = "FILE", requires = "baselines")]
    events: Option<String>,
    /// The topology by which the baselines order causes.
    #[arg(long, value_name = "FILE", requires = "baselines")]
    topology: Option<String>,
    /// The field of the truth that names the incident.
    #[arg(long, value_name = "FIELD", default_value = "incident")]
    truth_key: String,
    /// The field of the truth that names the cause.
    #[arg(long, value_name = "FIELD", default_value = "root_service")]
    root_key: String,
    /// Score events that say that something ended, too.
    #[arg(long)]
    include_resolved: bool,
    /// Score alerts whose label is weak, too.
    #[arg(long)]
    keep_weak: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
The figures: pairs and B-cubed over all alerts (noise and suppression count) and over those of true incidents; true \
incidents recovered (Jaccard above one half); noise kept out and real alerts lost; how high the true cause ranks.

Examples:
  stormfold score --truth truth.jsonl --pred pred.jsonl --roots causes.jsonl
  stormfold score --truth labelled.jsonl --baselines --topology topology.json";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let keys = Keys {
        incident: args.truth_key.clone(),
        root: args.root_key.clone(),
    };
    let truth = truth::read(&args.truth, &keys)?;
    let scope = Scope {
        resolved: args.include_resolved,
        weak: args.keep_weak,
    };
    let answered = args.pred.as_deref().map(|pred| answer(args, pred, &truth, scope));
    let answered = answered.transpose()?;
    let baselines = if args.baselines {
        let events = args.events.as_deref().unwrap_or(&args.truth);
        Some(baselines::score_all(
            events,
            args.topology.as_deref(),
            &truth,
            scope,
        )?)
    } else {
        None
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut all = serde_json::to_value(&answered).expect("a score is plain data");
        if let Some(baselines) = &baselines {
            if all.is_null() {
                all = serde_json::json!({});
            }
            all["baselines"] = baselines.json();
        }
        return writeln!(out, "{all:#}").map_err(|e| Failure::io("standard output", e));
    }
    let mut text = answered.as_ref().map(Score::to_string).unwrap_or_default();
    if let Some(baselines) = &baselines {
        let gap = if text.is_empty() { "" } else { "\n\n" };
        text = format!("{text}{gap}{}", baselines.table(answered.as_ref()));
    }
    writeln!(out, "{}", text.trim_end()).map_err(|e| Failure::io("standard output", e))
}

fn answer(args: &Args, pred: &str, truth: &[Truth], scope: Scope) -> Result<Score, Failure> {
    let mut answer = Answer::default();
    let (mut lines, mut placing) = (0_u64, 0_u64);
    each_line(pred, |line| {
        lines += 1;
        placing += u64::from(line.contains("\"incident_id\""));
        answer.read(line)
    })?;
    if lines > 0 && placing == 0 {
        return Err(Failure::Wrong(format!(
            "{pred}:1: no answer: no `incident_id`, here and on all {lines} lines; `replay --assignments` writes one"
        )));
    }
    let mut ranked = Ranked::default();
    if let Some(file) = &args.roots {
        each_line(file, |line| ranked.read(line))?;
    }
    let ranked = args.roots.is_some().then_some(&ranked);
    let score = score(truth, &answer, ranked, scope);
    if score.pred_lines_matched == 0 {
        say(&format!(
            "stormfold: no line of {pred} names an event of {}, so all counts as kept out; are they of the same events?",
            args.truth
        ));
    } else if score.pred_lines_matched < truth.len() {
        say(&format!(
            "stormfold: of {} lines of {} {pred} says nothing; they count as kept out",
            truth.len() - score.pred_lines_matched,
            args.truth
        ));
    }
    Ok(score)
}
