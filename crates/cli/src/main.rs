//! The command `stormfold`: reads files, configuration and the command line, and hands everything else to the rooms
//! that know how.

mod args;
mod check;
mod config;
mod confirm;
mod deadletters;
mod demo;
mod doctor;
mod explain;
mod fail;
mod files;
mod fit;
mod labelled;
mod lines;
mod logs;
mod names;
mod normalize;
mod peek;
mod produce;
mod recorded;
mod records;
mod reduction;
mod replay;
mod run;
mod score;
mod simulate;
mod source;
mod stats;
mod tables;
mod terminal;
mod topics;
mod topology;
mod truth;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

/// Measured on a replay of a million events: a tenth less CPU than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::Replay(args) => replay::run(args),
        Command::Normalize(args) => normalize::run(args),
        Command::Run(args) => run::run(args),
        Command::Produce(args) => produce::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Topics(args) => topics::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Score(args) => score::run(args),
        Command::Stats(args) => stats::run(args),
        Command::Fit(args) => fit::run(args),
        Command::Check(args) => check::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Names(args) => names::run(args),
        Command::Confirm(args) => confirm::run(args),
        Command::Deadletters(args) => deadletters::run(args),
        Command::Peek(args) => peek::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
