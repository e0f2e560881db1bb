//! Probable cause: which entity explains the alerts of an incident best, also when it raises none itself.
//!
//! Every candidate is asked how likely each symptom would be if it were the root. The kind of a symptom decides the
//! direction of blame (a latency points down the calls, a missing request up, a full disk at itself), the ends of a
//! call are better evidence than the place of the alert, what happens all the time says little, and what is already
//! explained by one candidate need not be explained by another. The terms, what each is worth and what bought nothing
//! stand in `docs/decisions/cause.md`.
//!
//! Pure: sums run in a fixed order, logarithms are libm's, ties go to the smaller name.

pub(crate) mod assess;
mod beside;
mod blame;
pub(crate) mod context;
mod foreign;
pub(crate) mod history;
mod input;
mod kind;
pub(crate) mod owner;
mod rank;
pub(crate) mod suggest;
mod symptoms;
#[cfg(test)]
mod tests;
mod weights;
mod words;
mod written;

pub(crate) use history::History;
pub(crate) use input::{AlertView, CauseInput, ChangeView, Entity};
pub(crate) use kind::{AlertKind, breaks_by_itself, kind_of, said_ground};
pub(crate) use rank::{Candidate, GROUNDS, Ranking, SAID, Site, Tie, explains, rank};
