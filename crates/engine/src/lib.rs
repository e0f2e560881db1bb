//! The fold: [`Input`](model::Input)s of the journal become changes and incidents.
//!
//! `Shard` is one journal partition; it owns stream time and the timers and hosts one `Engine` per domain. Everything
//! here is a pure function of the inputs in their order: no clock, no randomness, no I/O, no threads. A batch may be cut
//! anywhere, a shard restored from its rows at any point, and the outputs stay the same byte for byte.

mod cause;
mod engine;
mod fold;
mod grouping;
mod intake;
mod life;
mod lineage;
mod many;
mod noise;
mod output;
mod paging;
mod settings;
mod shard;
mod state;
mod suppress;

pub use cause::suggest::Suggestion;
pub use grouping::belief::{Belief, Grounds};
pub use output::{Books, EpisodeId, Output, RestoreError, StateRow};
pub use settings::{
    Drop, Grouping, Inhibit, Keep, Life, Limits, Merge, Paging, Settings, Storm, Suppress, Threshold,
};
pub use shard::{Restoring, Shard};
pub use state::look::{AlertRow, IncidentRow};
pub use suppress::matcher::{Matchers, quote};

/// Version of the fold. Raised whenever the same journal would give other outputs; checkpoints name it.
pub const FOLD_VERSION: u32 = 14;

/// The oldest version whose rows this one reads; raised when the meaning of a row changes. Rows of a later version are
/// refused, because they may hold what this one would drop.
pub const FOLD_READS_FROM: u32 = 6;
