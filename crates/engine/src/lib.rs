//! The fold: [`Input`](model::Input)s of the journal become changes and incidents.
//!
//! `Shard` is one journal partition; it owns stream time and the timers and hosts one `Engine` per domain. Everything
//! here is a pure function of the inputs in their order: no clock, no randomness, no I/O, no threads. A batch may be cut
//! anywhere, a shard restored from its rows at any point, and the outputs stay the same byte for byte.

mod abstain;
mod alert;
mod announce;
mod around;
mod arrive;
mod assess;
mod behind;
mod belated;
mod belief;
mod calendar;
mod cause;
mod chronic;
mod context;
mod delay;
mod engine;
mod enter;
mod flap;
mod fold;
mod habit;
mod incident;
mod inhibit;
mod kept;
mod kin;
mod life;
mod limit;
mod lineage;
mod look;
mod many;
mod matcher;
mod member;
mod merge;
mod onset;
mod open;
mod oracle;
mod output;
mod owner;
mod pace;
mod pack;
mod page;
mod quiet;
mod record;
mod renew;
mod returning;
mod room;
mod rows;
mod seen;
mod seldom;
mod sender;
mod settings;
mod settle;
mod shard;
mod source;
mod spot;
mod stale;
mod storm;
mod succeed;
mod suggest;
mod system;
mod table;
mod taken;
mod threshold;
mod transient;
mod upheaval;
mod usual;

pub use belief::{Belief, Grounds};
pub use matcher::{Matchers, quote};
pub use output::{Books, EpisodeId, Output, RestoreError, StateRow};
pub use settings::{
    Drop, Grouping, Inhibit, Keep, Life, Limits, Merge, Paging, Settings, Storm, Suppress, Threshold,
};
pub use shard::Shard;
pub use suggest::Suggestion;

/// Version of the fold. Raised whenever the same journal would give other outputs; checkpoints name it.
pub const FOLD_VERSION: u32 = 7;

/// The oldest version whose rows this one reads; raised when the meaning of a row changes. Rows of a later version are
/// refused, because they may hold what this one would drop.
pub const FOLD_READS_FROM: u32 = 6;
