//! The rules of the house: which room may know which, what a pure room must not touch, which words we use.
//!
//! The rules are read from the documents people read (`ARCHITECTURE.md`, `docs/glossary.md`), so that a document and
//! the code cannot drift apart: `tests/house.rs` compares both and fails with the offending line. Everything here is a
//! function from text to complaints, so that the tests can also show that each rule bites.

mod layering;
mod names;
mod purity;
mod tree;

pub use layering::{Package, Room, packages, rooms};
pub use names::{carries, declared_names, refused_words};
pub use purity::impure_lines;
pub use tree::{root, rust_files, tracked_files};

/// Longest source file, in lines. A longer one holds a second idea.
pub const LINES_MAX: usize = 800;
