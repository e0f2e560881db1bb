//! How a command fails: with one sentence for the user and an exit status that scripts can tell apart.

use std::{fmt::Display, io, process::ExitCode};

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something on the way failed: a file, the network. Exit status 1.
    Run(String),
    /// What the user gave is wrong, and nothing was done. Exit status 2.
    Wrong(String),
    /// The reader of our output went away, as `head` does. Nothing to say; exit status 0.
    Gone,
}

/// What every command returns.
pub(crate) type Done = Result<(), Failure>;

impl Failure {
    /// An I/O error about `what`; a broken pipe is no failure of ours.
    pub(crate) fn io(what: impl Display, error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::Gone;
        }
        Failure::Run(format!("{what}: {error}"))
    }

    /// Says it on standard error and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let (text, code) = match self {
            Failure::Run(text) => (text, 1),
            Failure::Wrong(text) => (text, 2),
            Failure::Gone => return ExitCode::SUCCESS,
        };
        crate::terminal::say(&format!("stormfold: {}", crate::terminal::plain(text)));
        ExitCode::from(code)
    }
}
