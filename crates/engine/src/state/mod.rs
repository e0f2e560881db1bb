//! What is remembered: alerts, incidents, and what was learned of places and senders.
//!
//! Each collection lives in a [`table`] that knows which of its rows a checkpoint has not seen, and has a [`limit`] that is
//! counted here and decided in the fold.

pub(crate) mod ahead;
pub(crate) mod alert;
#[cfg(test)]
mod fields;
pub(crate) mod incident;
pub(crate) mod limit;
pub(crate) mod look;
pub(crate) mod pack;
pub(crate) mod room;
pub(crate) mod rows;
pub(crate) mod seen;
pub(crate) mod seldom;
pub(crate) mod sender;
pub(crate) mod source;
pub(crate) mod spot;
pub(crate) mod system;
pub(crate) mod table;
