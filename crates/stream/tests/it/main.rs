//! The pipeline on each form of the log: the same events in, the same incidents out, whatever happens between.

mod disk;
mod events;
mod faults;
mod house;
mod kafka;
mod quarantine;
