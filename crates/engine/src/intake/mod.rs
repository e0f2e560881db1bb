//! The first steps of an event: is it wanted, which alert is it of, which state of that alert is the newest.

pub(crate) mod arrive;
pub(crate) mod delay;
pub(crate) mod enter;
pub(crate) mod meant;
pub(crate) mod merge;
pub(crate) mod stale;
pub(crate) mod threshold;
