//! `stormfold topics`: the topics that a deployment needs, created, checked or read.

mod needed;
mod read;

use std::io::Write;

pub(crate) use needed::acl;

use stream::{Settings, log::Log, log::LogErrorKind};

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
    /// Say what is wrong with them, their settings and our rights; exit status 2 if anything is.
    Check {
        #[command(flatten)]
        config: config::File,
        /// Write nothing. Otherwise rights are tried out in transactions that are given up, which nobody sees.
        #[arg(long)]
        passive: bool,
    },
    /// Print what is needed, for who may create topics and give rights. Asks no broker.
    Needed(needed::Args),
    /// Print what a consumer finds: committed records, partition by partition, one JSON value a line.
    Read(read::Args),
}

const EXAMPLES: &str = "\
Examples:
  stormfold topics create --config stormfold.yaml
  stormfold topics check --config stormfold.yaml
  stormfold topics needed --config stormfold.yaml --acls
  stormfold topics read incidents | stormfold explain --incidents -
  stormfold topics read journal --partition 0 | stormfold replay --journal --changes - -";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    match &args.action {
        Action::Create { config } => create(config),
        Action::Check { config, passive } => check(config, *passive),
        Action::Needed(args) => needed::run(args),
        Action::Read(args) => read::run(args),
    }
}

fn create(file: &config::File) -> Done {
    let config = file.load()?;
    let settings = logs::settings(&config)?;
    let log = logs::open(&config)?;
    match stream::topics::create(log.as_ref(), &settings) {
        Ok(created) => created
            .iter()
            .try_for_each(|topic| say(&format!("created {topic}")))?,
        Err(error) if error.kind() == LogErrorKind::Refused => {
            let missing = missing(log.as_ref(), &settings)?;
            return Err(Failure::Wrong(format!(
                "{error}; ask somebody who may create topics on this cluster for these, then run `stormfold topics check`:\n{}",
                missing.join("\n")
            )));
        }
        Err(error) => return Err(logs::failed(error)),
    }
    let faults = stream::topics::check(log.as_ref(), &settings).map_err(logs::failed)?;
    conclude(&settings, faults.iter().map(ToString::to_string).collect())
}

/// Commands for those that are not there.
fn missing(log: &dyn Log, settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut missing = Vec::new();
    for spec in stream::topics::wanted(settings) {
        // One that we may not see may be there; the command then says so.
        match log.partitions(&spec.name) {
            Ok(Some(_)) => {}
            Err(error) if error.kind() != LogErrorKind::Refused => return Err(logs::failed(error)),
            Ok(None) | Err(_) => missing.push(needed::command(&spec)),
        }
    }
    Ok(missing)
}

fn check(file: &config::File, passive: bool) -> Done {
    let config = file.load()?;
    let settings = logs::settings(&config)?;
    let log = logs::existing(&config)?;
    let topics = stream::topics::check(log.as_ref(), &settings).map_err(logs::failed)?;
    let mut faults: Vec<_> = topics.iter().map(ToString::to_string).collect();
    match stream::topics::check_settings(log.as_ref(), &settings) {
        Ok(found) => {
            for fault in found {
                match fault.grave {
                    true => faults.push(fault.to_string()),
                    false => say(&format!("better: {fault}"))?,
                }
            }
        }
        Err(error) => say(&format!("settings of topics were not looked at: {error}"))?,
    }
    // A topic that is missing cannot be tried.
    if topics.is_empty() && !passive {
        let needs = stream::topics::needs(&settings, config.http.enabled);
        let refused = log.refused(&needs).map_err(logs::failed)?;
        faults.extend(refused.iter().map(|refused| {
            let command = needed::acl(&refused.need, "User:<this user>");
            format!("no right to {}: {}; {command}", refused.need, refused.reason)
        }));
    }
    conclude(&settings, faults)
}

fn conclude(settings: &Settings, faults: Vec<String>) -> Done {
    match faults.is_empty() {
        true => say(&format!(
            "{} topics as needed",
            stream::topics::wanted(settings).len()
        )),
        false => Err(Failure::Wrong(faults.join("\n"))),
    }
}

fn say(line: &str) -> Done {
    writeln!(std::io::stdout().lock(), "{line}").map_err(|e| Failure::io("standard output", e))
}
