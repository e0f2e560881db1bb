//! What the local log needs of a place that keeps records.

use std::collections::BTreeMap;

use model::Time;

use crate::log::{Bounds, LogError, Outgoing, Record, TopicName, TopicPartition};

/// What is kept of a topic beside its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    /// Number of partitions.
    pub(super) partitions: u32,
    /// Only the newest record of each key is kept.
    pub(super) compact: bool,
    /// And soon, because somebody waits for all of it to be read.
    pub(super) soon: bool,
}

/// A record with its place, ready to be kept.
pub(super) struct Placed<'a> {
    /// The partition.
    pub(super) partition: u32,
    /// The time kept with it.
    pub(super) timestamp: Time,
    /// The rest.
    pub(super) record: &'a Outgoing,
}

/// Where a group stands in a partition.
pub(super) struct Position<'a> {
    /// The group.
    pub(super) group: &'a str,
    /// The partition.
    pub(super) at: &'a TopicPartition,
    /// The position behind the last record that is done.
    pub(super) position: u64,
}

/// A place that keeps records.
pub(super) trait Store: Send {
    /// All topics.
    fn topics(&self) -> Result<BTreeMap<TopicName, Topic>, LogError>;
    /// Creates a topic that is not there yet.
    fn create(&mut self, name: &TopicName, topic: Topic) -> Result<(), LogError>;
    /// Keeps all of it or nothing; durable on return as far as the place is.
    fn append(&mut self, records: &[Placed<'_>], positions: &[Position<'_>]) -> Result<(), LogError>;
    /// Appends up to `max` records of a partition from a position on.
    fn read(&self, at: &TopicPartition, from: u64, max: usize, out: &mut Vec<Record>)
    -> Result<(), LogError>;
    /// The ends of a partition.
    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError>;
    /// Where a group stands.
    fn committed(&self, group: &str, at: &TopicPartition) -> Result<Option<u64>, LogError>;
}
