//! The shell around the fold: logs, workers, checkpoints.

mod clock;
pub mod log;

pub use clock::{Clock, SetClock, SystemClock};
