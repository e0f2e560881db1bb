//! `stormfold topics`: the topics that a deployment needs, created, checked or read.

mod read;

use std::io::Write;

use crate::{
    config,
    fail::{Done, Failure},
    logs,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Create those that are missing. What exists is left as it is.
    Create {
        #[command(flatten)]
        config: config::File,
    },
    /// Say what is wrong with them; exit status 2 if anything is.
    Check {
        #[command(flatten)]
        config: config::File,
    },
    /// Print what a consumer finds: committed records, partition by partition, one JSON value a line.
    Read(read::Args),
}

const EXAMPLES: &str = "\
Examples:
  stormfold topics create --config stormfold.yaml
  stormfold topics check --config stormfold.yaml
  stormfold topics read incidents | stormfold explain --incidents -
  stormfold topics read journal --partition 0 | stormfold replay --journal --changes - -";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let file = match &args.action {
        Action::Create { config } | Action::Check { config } => config,
        Action::Read(args) => return read::run(args),
    };
    let config = file.load()?;
    let settings = logs::settings(&config)?;
    let log = logs::open(&config)?;
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(|e| Failure::io("standard output", e));
    if let Action::Create { .. } = args.action {
        for topic in stream::topics::create(log.as_ref(), &settings).map_err(logs::failed)? {
            say(format!("created {topic}"))?;
        }
    }
    let faults = stream::topics::check(log.as_ref(), &settings).map_err(logs::failed)?;
    if faults.is_empty() {
        return say(format!(
            "{} topics as needed",
            stream::topics::wanted(&settings).len()
        ));
    }
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    Err(Failure::Wrong(faults.join("\n")))
}
