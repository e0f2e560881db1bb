//! The log: topics of partitions, written and read in transactions.
//!
//! The trait is written from Kafka's semantics, because Kafka is the log that matters and the one whose rules are the
//! least forgiving; the local forms (in memory, on disk) then have to keep the same rules and not the other way round.
//! What a form must hold:
//!
//! - A record has a position (offset) in its partition; positions rise, with gaps allowed.
//! - A [`Worker`] is one member of a reading group with one writer. [`Worker::commit`] makes a [`Transaction`] visible
//!   as a whole or not at all: records for any topics and the positions up to which the inputs are done.
//! - Readers see committed records only (`read_committed`).
//! - A worker that was replaced (same name started again) or whose partitions were given to another is *fenced*: its
//!   commit fails. A commit without the partitions whose positions it carries is refused.
//! - After any error of a commit the worker is of no more use: the caller drops it with all state that it has folded,
//!   joins again and restores from what is committed. That one rule covers aborted, fenced, timed-out and unknown
//!   outcomes alike.

mod error;
pub mod faults;
pub mod kafka;
pub mod local;
mod record;
mod rights;

use std::collections::BTreeMap;
use std::time::Duration;

pub use error::{LogError, LogErrorKind};
pub use record::{Header, Outgoing, Record, TopicName, TopicPartition, Transaction};
pub use rights::{Need, Refused, Right};

/// A place where topics live.
pub trait Log: Send + Sync {
    /// The number of partitions of a topic; `None` when there is no such topic.
    fn partitions(&self, topic: &str) -> Result<Option<u32>, LogError>;

    /// Creates those of the topics that are missing; says which were created.
    fn create_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicName>, LogError>;

    /// The first position kept of a partition, and the one behind the last that committed readers may see.
    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError>;

    /// The same with nothing undecided in between: waits until what has been written by now is committed or given up. The
    /// partitions of one transaction hear of its end one after the other, so whoever has learned it from one (from the
    /// positions of a group, see [`Worker::committed`]) asks so before the others are read.
    fn decided(&self, at: &TopicPartition) -> Result<Bounds, LogError>;

    /// Joins a group as a member with a writer of its own; replaces an earlier member of the same name.
    fn join(&self, member: &Member) -> Result<Box<dyn Worker>, LogError>;

    /// A reader outside of any group.
    fn reader(&self) -> Result<Box<dyn Reader>, LogError>;

    /// A writer outside of any transaction.
    fn appender(&self) -> Result<Box<dyn Appender>, LogError>;

    /// Settings of a topic by the names that they have on Kafka; `None` where the log has none.
    fn settings(&self, _topic: &str) -> Result<Option<BTreeMap<String, String>>, LogError> {
        Ok(None)
    }

    /// The positions that a group has committed, asked from beside it: what a transaction has not decided yet is not
    /// waited for. `None`: nothing committed, or nobody knows.
    fn positions(&self, _group: &str, of: &[TopicPartition]) -> Result<Vec<Option<u64>>, LogError> {
        Ok(vec![None; of.len()])
    }

    /// What of it is refused to us. Asks by doing, in transactions that are given up, so that nobody sees anything.
    fn refused(&self, _needs: &[Need]) -> Result<Vec<Refused>, LogError> {
        Ok(Vec::new())
    }
}

/// One member of a group: reads the partitions that it is given, writes in transactions.
pub trait Worker: Send {
    /// Appends at most about `max` records to `out`, waiting up to `wait` for the first one. A call that moves
    /// partitions brings no records: those that were polled before of what was taken are to be dropped, and a partition
    /// that is taken and given begins at its committed position.
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<Polled, LogError>;

    /// Whether the group has dealt out its partitions to it, be it none.
    fn is_joined(&self) -> bool;

    /// Partitions held, in order.
    fn assignment(&self) -> &[TopicPartition];

    /// Whether everything in the partition has been polled, as far as is known.
    fn at_end(&self, at: &TopicPartition) -> bool;

    /// The committed position of the group; waits for a pending transaction on it. `None`: nothing committed yet.
    fn committed(&mut self, at: &TopicPartition) -> Result<Option<u64>, LogError>;

    /// Goes on reading a partition that is held from `position` on, wherever the group stands.
    fn seek(&mut self, at: &TopicPartition, position: u64) -> Result<(), LogError>;

    /// Stops or goes on reading a partition, so that no memory is needed for what cannot be used yet.
    fn hold(&mut self, at: &TopicPartition, hold: Hold) -> Result<(), LogError>;

    /// Makes all of it visible, or nothing.
    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError>;

    /// Gives the partitions away and ends.
    fn leave(self: Box<Self>);
}

/// Reads given partitions from given positions.
pub trait Reader: Send {
    /// Replaces what is read.
    fn assign(&mut self, from: &[(TopicPartition, u64)]) -> Result<(), LogError>;

    /// Appends at most about `max` records to `out`, waiting up to `wait` for the first one.
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<(), LogError>;

    /// The same, showing each record where it stands: who reads a million of them needs no copy of each.
    fn visit(&mut self, wait: Duration, max: usize, see: &mut dyn FnMut(Seen<'_>)) -> Result<(), LogError> {
        let mut records = Vec::new();
        self.poll(wait, max, &mut records)?;
        for record in &records {
            see(Seen {
                partition: record.at.partition,
                offset: record.offset,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
            });
        }
        Ok(())
    }

    /// Whether everything in the partition has been polled, as far as is known.
    fn at_end(&self, at: &TopicPartition) -> bool;
}

/// A record as a reader shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The partition.
    pub partition: u32,
    /// Its position there.
    pub offset: u64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Writes single records.
pub trait Appender: Send + Sync {
    /// Returns when all of them are durable. On an error any number of them may be.
    fn append(&self, records: Vec<Outgoing>) -> Result<(), LogError>;
}

/// A member of a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// The group.
    pub group: String,
    /// The name of the member, unique in the group and the same after a restart.
    pub name: String,
    /// Topics to share with the other members.
    pub topics: Vec<TopicName>,
    /// How they are shared.
    pub share: Share,
}

/// How a group shares its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Each member gets some of the partitions.
    Partitions,
    /// Whoever is given partition 0 of the first topic reads everything; the others stand by.
    Whole,
}

/// Whether a partition is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing of it is polled for now.
    Stop,
    /// It is polled.
    Go,
}

/// What a poll brought beside records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// Partitions that were taken away. All that was folded or buffered of them is to be dropped, before `given`.
    pub taken: Vec<TopicPartition>,
    /// Partitions that were given.
    pub given: Vec<TopicPartition>,
}

/// The ends of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first position kept.
    pub start: u64,
    /// The position behind the last record that is committed and has nothing undecided before it.
    pub end: u64,
}

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: TopicName,
    /// Number of partitions.
    pub partitions: u32,
    /// Kafka's name and value of each setting that differs from the default; the local forms heed `cleanup.policy`
    /// and `max.compaction.lag.ms`.
    pub settings: Vec<(&'static str, String)>,
}

/// The largest record that is written anywhere, in bytes of key, value and headers; Kafka's default limit is 1 MiB for
/// a batch with its frame.
pub const RECORD_BYTES_MAX: usize = 1_000_000;
