//! The entity graph: which names mean one thing, how near two things are, who owns them, what depends on them.
//!
//! A [`Graph`] is built from a document and moves on by changes; within one version its [`NodeId`]s are stable. It is
//! a pure value: the order of nodes and edges in the document does not matter, and nothing here iterates a hash map.
//! Names are resolved before anything is compared ([`Graph::resolve`]), because names that never match are what makes
//! correlation by topology fail in practice.

mod fold;
mod graph;
mod kind;
mod links;
mod names;
mod owner;
mod parts;
mod reach;
mod resolve;
mod spelling;

pub use fold::AliasSuggestion;
pub use graph::{Graph, NodeId};
pub use kind::{NodeKind, Relation};
pub use names::Resolution;
pub use owner::{Dependents, OwnedBy};
pub use reach::{BALL_HOPS, Direction, HUB_NEIGHBOURS_MAX, LARGE_SYSTEM_NODES};
pub use resolve::{Resolved, as_written, unknown_copy};
pub use spelling::{is_loopback, traced_base, traced_kind, without_port};
