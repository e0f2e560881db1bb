//! HTTP: what monitoring tools post, and what operators and probes ask.
//!
//! A post is answered only after the log has its records. Bodies are bounded before they are looked at, and looked at
//! only as far as needed to refuse what would be a dead letter in any case; what they mean is for ingest to find out.
//! Nothing in a body is fetched, executed or rendered.

mod accept;
mod access;
mod answer;
mod body;
mod connections;
mod follow;
mod ingest;
mod letters;
mod metrics;
mod moving;
mod read;
mod serve;
mod settings;
mod split;
mod view;

pub use serve::{Server, bind, start};
pub use settings::{HttpSettings, HttpToken, SettingsError, TokenKind, check};
