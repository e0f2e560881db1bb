//! The shell around the fold: logs, the two loops, checkpoints.
//!
//! ```text
//! raw topics ─► Ingest ─► journal ─► Correlate ─► changes · incidents · state
//! ```
//!
//! Both loops are read-process-write transactions on a [`log::Log`] and run unchanged on Kafka, on disk and in memory.
//! They are driven turn by turn, so that a thread, a test or a simulation can drive them alike; everything that decides
//! what an incident is happens in the fold, and everything that decides what time it is happens in [`Ingest`].

mod clock;
mod correlate;
mod counters;
mod ingest;
pub mod log;
mod pipeline;
mod settings;
mod tables;
pub mod topics;
mod watch;

pub use engine::{Books, FOLD_VERSION};

pub use clock::{Clock, SetClock, SystemClock};
pub use correlate::{Correlate, RowSeen, look_at_row};
pub use counters::{Count, Counted, Counters, Gauge, SPREAD_BOUNDS, Spread, Spreading, Value};
pub use ingest::{Ingest, Turn, raw};
pub use pipeline::{Handle, Health, Pipeline, Probe, Stage, WorkerHealth, WorkerState};
pub use settings::{Gap, RawTopic, Settings, Stages, Step, TopicTime, Topics};
pub use tables::NewTables;
