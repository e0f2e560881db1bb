//! Incidents after settlement: two become one, one is parted, an alert moves to where it belongs.
//!
//! What is settled changes on new facts only: an operator says so ([`command`]), a rule that an operator gave holds
//! ([`bond`]), or something becomes known under which the younger of two would never have been opened ([`fact`]). Each is a change
//! record with its actor, its reason and its evidence, and leaves a link in both directions.
//!
//! Nothing swings back: the engine never parts what it did not part by an operator's word, an operator's decision binds
//! it from then on, and what became part of another never lives again under its own id.

pub(crate) mod bond;
mod command;
mod fact;
mod merge;
mod split;

pub(crate) use bond::{Bond, Side, said_by};
pub(crate) use split::{callee, unlisted};

use model::{Evidence, Text};

/// Who brings a move about, and why.
pub(crate) struct Why {
    pub actor: Text,
    /// The event that said so.
    pub event: Option<Text>,
    pub because: Vec<Evidence>,
}

/// Incidents that became part of another, as its record and its state list them.
const LINKS_MAX: usize = 64;
