//! What labels teach, offline: the fit of the probability that a membership is right, and the plain and clustering
//! baselines that an answer is judged beside. Nothing here runs in the fold; the engine only applies the weights that
//! come out of it. The one room that uses linfa and ndarray.

pub mod baseline;
mod fit;
mod judge;
mod worlds;

pub use fit::{Figures, FitError, calibration, fit};
pub use judge::{Labelled, Stream, Study, study};
pub use worlds::{Kind, world};
