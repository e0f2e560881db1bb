//! Tests as data: one file is a world, events with their times, a line, and the changes that must follow.
//!
//! ```text
//! # A slow database takes payments with it: one incident, because payments depends on it.
//! depends checkout -> payments -> payments-db
//! node payments-db kind=database team=storage
//!
//!     0s firing payments-db "replica lag 94s on pg-3" severity=critical
//!    20s firing payments    "p99 2.3s over 500ms"
//! ---
//! …
//! ```
//!
//! `set PATH = JSON` changes a setting, `TIME restarts with PATH = JSON` does so in the middle, `TIME posts JSON` is what a
//! sender posts, read as ingest reads it, and `show alerts suppressed pages actors records COUNTER…` shows more below.
//!
//! People who run monitoring read and write the upper half; the lower half is written by `UPDATE=1 cargo test -p sim`
//! and reviewed as a diff. The same file runs under every cut, restart, shuffle and doubling that the promises E1 and
//! E2 of `docs/time-order-identity.md` allow.

mod drive;
mod line;
mod parse;
mod render;

pub use drive::{Run, bytes, run, settle, states};
pub use parse::{Scenario, ScenarioError, Shown};
pub use render::lower_half;
