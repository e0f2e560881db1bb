//! Baselines: what anybody would get without this engine. Plain windows and keys, and linfa's DBSCAN.
mod dbscan;
mod naive;
mod order;

pub use dbscan::dbscan;
pub use naive::{Naive, Row, place};
pub use order::{Order, rank};
