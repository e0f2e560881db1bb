//! An incident from its first alert to its end: stages, records, successors, and what people say of it.

pub(crate) mod record;
pub(crate) mod returning;
pub(crate) mod stages;
pub(crate) mod succeed;
pub(crate) mod taken;
