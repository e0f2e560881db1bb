//! What an alert usually does, and what little it says when it does that: chronic, flapping, transient, frequent; and
//! storms, when everything speaks at once.
//!
//! What is learned here calls nobody and connects nothing, and mutes no whole incident. What is critical it keeps out after
//! much more of it only, and then lists it (what it would cost never to: docs/decisions/grouping.md).

pub(crate) mod answers;
pub(crate) mod chronic;
pub(crate) mod flap;
pub(crate) mod habit;
pub(crate) mod kept;
pub(crate) mod pace;
pub(crate) mod storm;
pub(crate) mod transient;
pub(crate) mod upheaval;
pub(crate) mod usual;
