//! Every external byte form: source payloads become events, changes and incidents become records.
//!
//! Bad bytes stop here: what cannot be read becomes a [`Rejection`] with its reason, stage, field and place, and what
//! can be read is bounded before the fold sees it. Nothing in a payload is executed, fetched or expanded.

mod bounds;
mod decoder;
mod document;
mod draft;
mod fields;
mod form;
mod found;
mod inflate;
pub mod journal;
mod lax;
pub mod level;
mod lower;
mod mapping;
mod names;
mod native;
pub mod outcome;
mod pairs;
pub mod record;
pub mod schema;
mod settle;
mod source;
mod state;
mod tables;
pub mod when;

pub use decoder::{DecodeSettings, Decoder};
pub use document::{TopologyError, topology_parts};
pub use found::{Found, OtherKind, Raw, Rejection, Stage};
pub use mapping::{Mapping, MappingError, Mappings};
pub use settle::settle_times;
pub use source::{Source, TABLE as SOURCES};
pub use tables::{TableError, Tables};
