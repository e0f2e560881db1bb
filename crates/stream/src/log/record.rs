//! Records as they are read and written.

use std::sync::Arc;

use model::Time;

/// The name of a topic; cheap to clone.
pub type TopicName = Arc<str>;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition, from 0.
    pub partition: u32,
}

impl TopicPartition {
    /// Of a topic and a number.
    pub fn new(topic: &TopicName, partition: u32) -> TopicPartition {
        TopicPartition {
            topic: topic.clone(),
            partition,
        }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

/// A header: a name and bytes.
pub type Header = (String, Vec<u8>);

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub at: TopicPartition,
    /// Its position there.
    pub offset: u64,
    /// When it was created or appended, whichever the topic records; whole milliseconds.
    pub timestamp: Option<Time>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<Header>,
}

impl Record {
    /// The text of the first header of this name, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
    /// Bytes held in memory, about.
    pub fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(n, v)| n.len() + v.len()).sum();
        64 + self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + headers
    }
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic.
    pub topic: TopicName,
    /// The partition; `None` leaves it to the log.
    pub partition: Option<u32>,
    /// When it was created; `None` is now.
    pub timestamp: Option<Time>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<Header>,
}

impl Outgoing {
    /// A record for a given partition.
    pub fn to(
        topic: &TopicName,
        partition: u32,
        key: impl Into<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> Outgoing {
        let key = Some(key.into());
        Outgoing {
            topic: topic.clone(),
            partition: Some(partition),
            timestamp: None,
            key,
            value,
            headers: Vec::new(),
        }
    }
    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Outgoing {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
    /// Bytes of key, value and headers.
    pub fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(n, v)| n.len() + v.len()).sum();
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + headers
    }
}

/// What becomes visible together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Records, in order.
    pub records: Vec<Outgoing>,
    /// For each input partition the position behind the last record that is done.
    pub positions: Vec<(TopicPartition, u64)>,
}

impl Transaction {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.positions.is_empty()
    }
}
