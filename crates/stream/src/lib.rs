//! The shell around the fold: logs, workers, checkpoints.
