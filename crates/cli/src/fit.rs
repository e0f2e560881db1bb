//! `stormfold fit`: the weights of a membership's probability, from labels. Nothing of this runs in the fold; what it
//! prints goes into the configuration.

use std::io::Write;

use engine::{Belief, Settings};
use learn::{Kind, Labelled, Stream, calibration, fit, study, world};
use model::Input;
use sim::score::{Keys, Truth};

use crate::{
    fail::{Done, Failure},
    labelled::events,
    topology, truth,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A labelled stream to fit to: events that carry `_truth`, and the topology in force. Without any the weights are
    /// fitted to simulated worlds, as the shipped ones are.
    #[arg(long = "stream", value_name = "EVENTS[,TOPOLOGY]")]
    streams: Vec<String>,
    /// A labelled stream to judge on and not to fit to.
    #[arg(long = "check", value_name = "EVENTS[,TOPOLOGY]")]
    checks: Vec<String>,
    /// Seeds of each kind of world.
    #[arg(long, value_name = "N", default_value_t = 6, conflicts_with = "streams")]
    seeds: u64,
    /// Judge each stream by weights that are fitted to the others.
    #[arg(long, requires = "streams")]
    leave_one_out: bool,
    /// The field of the truth that names the incident.
    #[arg(long, value_name = "FIELD", default_value = "incident")]
    truth_key: String,
    #[command(flatten)]
    config: crate::config::File,
}

const EXAMPLES: &str = "\
For each stream: memberships, how many are right, and expected calibration error (15 bins), Brier score and log-loss of \
what the configured weights say and of what the fitted ones do; and of how many alerts the best open incident was among \
the candidates. Behind the table stands the `belief` section for the configuration.

Examples:
  stormfold fit --stream week.jsonl.gz,topology.json
  stormfold fit --seeds 6 --check labelled.jsonl,topology.json";

/// The first seed of the worlds that are fitted to; tests judge on others.
const SEED: u64 = 101;

struct Judged {
    name: String,
    rows: Vec<Labelled>,
    sought: u64,
    found: u64,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let settings = args.config.load()?.engine();
    let judge = |stream: Stream| {
        let study = study(&stream, &settings);
        Judged {
            name: stream.name,
            rows: study.memberships,
            sought: study.sought,
            found: study.found,
        }
    };
    let read = |names: &[String]| -> Result<Vec<Judged>, Failure> {
        names
            .iter()
            .map(|name| Ok(judge(stream(name, &args.truth_key)?)))
            .collect()
    };
    let learnt: Vec<Judged> = if args.streams.is_empty() {
        let seeds = SEED..SEED + args.seeds;
        let all = seeds.flat_map(|seed| Kind::ALL.map(|kind| (kind, seed)));
        all.map(|(kind, seed)| judge(world(kind, seed))).collect()
    } else {
        read(&args.streams)?
    };
    let checks = read(&args.checks)?;
    let wrong = |e: learn::FitError| Failure::Wrong(format!("nothing is fitted: {e}"));
    let rows = |but: Option<usize>| -> Vec<Vec<Labelled>> {
        let kept = learnt.iter().enumerate().filter(|(i, _)| Some(*i) != but);
        kept.map(|(_, judged)| judged.rows.clone()).collect()
    };
    let belief = fit(&rows(None)).map_err(wrong)?;
    let mut out = std::io::stdout().lock();
    let mut text = String::from(HEAD);
    for (i, judged) in learnt.iter().enumerate() {
        let of = match args.leave_one_out {
            true => &fit(&rows(Some(i))).map_err(wrong)?,
            false => &belief,
        };
        text += &line(judged, of);
    }
    for judged in &checks {
        text += &line(judged, &belief);
    }
    text += &sum("all fitted to", &learnt, &belief);
    text += &sum("all checked", &checks, &belief);
    text += &section(&belief, &settings);
    out.write_all(text.as_bytes())
        .map_err(|e| Failure::io("standard output", e))
}

const HEAD: &str = "\
                          members  right | configured: ECE  Brier  loss | fitted: ECE  Brier  loss | candidates\n";

fn line(judged: &Judged, belief: &Belief) -> String {
    let (Some(said), Some(fitted)) = (
        calibration(&judged.rows, None),
        calibration(&judged.rows, Some(belief)),
    ) else {
        return format!("{:24} {:8}\n", judged.name, 0);
    };
    let found = match judged.sought {
        0 => "-".to_owned(),
        sought => format!("{:.4} of {sought}", judged.found as f64 / sought as f64),
    };
    format!(
        "{:24} {:8}  {:.3} |      {:.4}  {:.4}  {:.4} |  {:.4}  {:.4}  {:.4} | {found}\n",
        judged.name,
        judged.rows.len(),
        said.calibration.right,
        said.calibration.ece,
        said.calibration.brier,
        said.log_loss,
        fitted.calibration.ece,
        fitted.calibration.brier,
        fitted.log_loss,
    )
}

/// All streams taken together.
fn sum(name: &str, all: &[Judged], belief: &Belief) -> String {
    let together = Judged {
        name: name.to_owned(),
        rows: all
            .iter()
            .flat_map(|judged| judged.rows.iter().cloned())
            .collect(),
        sought: all.iter().map(|judged| judged.sought).sum(),
        found: all.iter().map(|judged| judged.found).sum(),
    };
    if all.is_empty() {
        String::new()
    } else {
        line(&together, belief)
    }
}

/// The weights as the configuration takes them.
fn section(belief: &Belief, settings: &Settings) -> String {
    let mut text = String::from("\nbelief:\n");
    let weights = Belief::NAMES.into_iter().zip(belief.weights());
    for ((name, weight), configured) in weights.zip(settings.belief.weights()) {
        text += &format!("  {name}: {weight:<8} # configured: {configured}\n");
    }
    text
}

/// Reads `EVENTS[,TOPOLOGY]`.
fn stream(name: &str, truth_key: &str) -> Result<Stream, Failure> {
    let (file, graph) = match name.split_once(',') {
        Some((file, graph)) => (file, Some(graph)),
        None => (name, None),
    };
    let keys = Keys {
        incident: truth_key.to_owned(),
        ..Keys::default()
    };
    let truth = truth::read(file, &keys)?;
    let parts = graph.map(topology::read).transpose()?.unwrap_or_default();
    // A line that is no event is not folded, and nothing is asked of it.
    let (events, truth): (Vec<Input>, Vec<Truth>) = events(file)?
        .into_iter()
        .zip(truth)
        .filter_map(|(event, truth)| Some((Input::Event(Box::new(event?)), truth)))
        .unzip();
    Ok(Stream {
        name: short(file).to_owned(),
        topology: parts.into_iter().map(Input::TopologyPart).collect(),
        events,
        truth,
    })
}

/// The last two parts of a path are enough to tell streams apart.
fn short(file: &str) -> &str {
    let cut = file.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    let name = &file[cut..];
    name.split_once("/events.jsonl").map_or(name, |(dir, _)| dir)
}
