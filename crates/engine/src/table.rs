//! A map that knows which of its rows have changed since the last checkpoint.
//!
//! State is written only through [`Table::get_mut`], [`Table::insert`] and [`Table::remove`], so a change that is not
//! marked dirty cannot be written down.
