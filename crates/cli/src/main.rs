//! The command `stormfold`: reads files, configuration and the command line, and hands everything else to the rooms
//! that know how.

mod args;
mod check;
mod config;
mod fail;
mod lines;
mod normalize;
mod replay;
mod source;
mod terminal;
mod topology;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::Replay(args) => replay::run(args),
        Command::Normalize(args) => normalize::run(args),
        Command::Check(args) => check::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
