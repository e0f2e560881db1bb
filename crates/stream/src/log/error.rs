//! What can go wrong with a log, in the terms in which a caller can act on it.

use std::fmt;

/// An error of a log.
#[derive(Clone, Debug)]
pub struct LogError {
    kind: LogErrorKind,
    what: String,
}

/// What the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogErrorKind {
    /// The transaction was given up; nothing of it is visible. Restore and go on.
    Aborted,
    /// Another instance, or another member, has taken over. Restore and go on with what is held then.
    Fenced,
    /// Whether the transaction is visible is not known. Restoring finds out.
    Unknown,
    /// The log cannot be reached for now.
    Unavailable,
    /// A topic that should be there is not, or a setting is wrong: a person has to act.
    Setup,
    /// The cluster does not let us do it: a person has to allow it, or to do it for us.
    Refused,
    /// A record does not fit.
    TooLarge,
    /// The process is to be taken for dead (simulation only).
    Crashed,
}

impl LogError {
    /// Of a kind, with words for a person.
    pub fn new(kind: LogErrorKind, what: impl fmt::Display) -> LogError {
        LogError {
            kind,
            what: what.to_string(),
        }
    }
    /// What the caller can do about it.
    pub fn kind(&self) -> LogErrorKind {
        self.kind
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            LogErrorKind::Aborted => "transaction aborted",
            LogErrorKind::Fenced => "fenced by another worker",
            LogErrorKind::Unknown => "outcome unknown",
            LogErrorKind::Unavailable => "log not available",
            LogErrorKind::Setup => "log not as needed",
            LogErrorKind::Refused => "not allowed",
            LogErrorKind::TooLarge => "record too large",
            LogErrorKind::Crashed => "crashed",
        };
        write!(f, "{kind}: {}", self.what)
    }
}

impl std::error::Error for LogError {}
