//! `stormfold score`: how good an answer of `replay` is, against a truth.

use std::io::Write;

use sim::score::{Answer, Keys, Ranked, Scope, score};

use crate::{
    fail::{Done, Failure},
    lines::each_line,
    truth,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The truth, one line per event: events that carry `_truth`, or what `simulate --truth` writes.
    #[arg(long, value_name = "FILE")]
    truth: String,
    /// Where each event was placed: `replay --assignments`.
    #[arg(long, value_name = "FILE")]
    pred: String,
    /// Ranked causes: `replay --causes`.
    #[arg(long, value_name = "FILE")]
    roots: Option<String>,
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
  stormfold score --truth truth.jsonl --pred pred.jsonl --roots causes.jsonl";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let keys = Keys {
        incident: args.truth_key.clone(),
        root: args.root_key.clone(),
    };
    let truth = truth::read(&args.truth, &keys)?;
    let mut answer = Answer::default();
    each_line(&args.pred, |line| answer.read(line))?;
    let mut ranked = Ranked::default();
    if let Some(file) = &args.roots {
        each_line(file, |line| ranked.read(line))?;
    }
    let scope = Scope {
        resolved: args.include_resolved,
        weak: args.keep_weak,
    };
    let score = score(&truth, &answer, args.roots.is_some().then_some(&ranked), scope);
    let text = if args.json {
        serde_json::to_string_pretty(&score).expect("a score is plain data")
    } else {
        score.to_string()
    };
    writeln!(std::io::stdout().lock(), "{text}").map_err(|e| Failure::io("standard output", e))
}
