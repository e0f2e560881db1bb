//! HTTP: what monitoring tools post, and what operators and probes ask.

mod settings;

pub use settings::{HttpSettings, HttpToken, SettingsError, TokenKind, check};
