//! Six levels, worst last, so that `max` is the roll-up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad the sender says it is. Ordered from `Unknown` to `Critical`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The sender said nothing that we understand.
    #[default]
    Unknown,
    /// For reading, never for waking.
    Info,
    /// Normal but worth noting.
    Notice,
    /// Will become a problem.
    Warning,
    /// Something is broken.
    Error,
    /// Users suffer.
    Critical,
}

impl Severity {
    /// All levels, mildest first.
    pub const ALL: [Severity; 6] = [
        Severity::Unknown,
        Severity::Info,
        Severity::Notice,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Unknown => "unknown",
            Severity::Info => "info",
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
