//! Alerts that call nobody because a person or a rule said so: silences, maintenance windows, inhibition.

pub(crate) mod calendar;
pub(crate) mod inhibit;
pub(crate) mod matcher;
pub(crate) mod quiet;
