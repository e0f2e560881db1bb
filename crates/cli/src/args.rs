//! The command line.

use std::sync::LazyLock;

use clap::{Parser, Subcommand};

/// What `--version` says. Two builds with one fold version fold alike, and take each other's state (docs/reliability.md).
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (fold version {})",
        env!("CARGO_PKG_VERSION"),
        stream::FOLD_VERSION
    )
});

/// Folds alert storms into incidents: few, explained, with a probable cause and the one team to page.
#[derive(Debug, Parser)]
#[command(name = "stormfold", version = VERSION.as_str(), max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See a storm of alerts folded into incidents, here and now: no broker, no configuration.
    Demo(crate::demo::Args),
    /// Fold recorded events and write what became of them.
    Replay(crate::replay::Args),
    /// Show what is understood of a payload, and why.
    Normalize(crate::normalize::Args),
    /// Run the pipeline: events in, incidents out, until told to end.
    Run(crate::run::Args),
    /// Write a file into a raw topic with the times of its lines.
    Produce(crate::produce::Args),
    /// Say why an incident is what it is, and why each alert is in it.
    Explain(crate::explain::Args),
    /// Say how much less there is to read and to get up for, and what was lost for it.
    Stats(crate::stats::Args),
    /// Watch what arrives: detected as, resolved to, refused why.
    Peek(crate::peek::Args),
    /// Confirm a subscription of Amazon SNS to this Stormfold.
    Confirm(crate::confirm::Args),
    /// List what was refused, show it, or put it in once more.
    Deadletters(crate::deadletters::Args),
    /// Say what the names in events mean in a topology, which mean nothing, and propose aliases.
    Names(crate::names::Args),
    /// Create, check or read the topics.
    Topics(crate::topics::Args),
    /// Make a world of services, faults and noise from a seed: events, topology and truth.
    Simulate(crate::simulate::Args),
    /// Score an answer of `replay` against a truth.
    Score(crate::score::Args),
    /// Fit how sure a membership is, to labelled streams or to worlds from seeds.
    Fit(crate::fit::Args),
    /// Check the configuration.
    Check(crate::check::Args),
    /// Say what is wrong with a deployment, and how to mend it.
    Doctor(crate::doctor::Args),
}

const EXIT_CODES: &str = "\
Exit status: 0 done; 1 something failed on the way (a file, the broker); 2 the command line, the configuration or \
a document given as input is wrong, and nothing was done.";
