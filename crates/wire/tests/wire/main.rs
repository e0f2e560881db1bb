//! Tests of the wire room from outside.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read their scenarios from files, and stop where they fail"
)]

mod hostile;
mod payloads;
mod properties;
mod schemas;
mod sources;

/// Whether expectations are to be rewritten.
fn update() -> bool {
    std::env::var_os("UPDATE").is_some()
}
