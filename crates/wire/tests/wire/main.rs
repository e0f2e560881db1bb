//! Tests of the wire room from outside.
#![expect(clippy::disallowed_methods, reason = "tests read their scenarios from files")]

mod schemas;

/// Whether expectations are to be rewritten.
fn update() -> bool {
    std::env::var_os("UPDATE").is_some()
}
