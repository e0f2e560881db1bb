//! Who is called, when and why.

pub(crate) mod belated;
pub(crate) mod page;
