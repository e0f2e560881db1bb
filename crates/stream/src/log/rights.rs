//! The rights that a deployment needs on a cluster with an authorizer.

use std::fmt;

use super::TopicName;

/// Something that must be allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To read a topic; the right to ask after it is part of that.
    Read(TopicName),
    /// To write a topic; the right to ask after it is part of that.
    Write(TopicName),
    /// To be a member of a group that reads a topic, and to commit its positions.
    Join(String, TopicName),
    /// To write in transactions whose names begin so.
    Transact(String),
}

/// A right by the words of Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right<'a> {
    /// `Topic`, `Group` or `TransactionalId`.
    pub resource: &'static str,
    /// Its name, or what its name begins with.
    pub name: &'a str,
    /// `Read` or `Write`.
    pub operation: &'static str,
    /// Whether `name` is the whole name.
    pub whole: bool,
}

impl Need {
    /// The topic that it is about.
    pub fn topic(&self) -> Option<&TopicName> {
        match self {
            Need::Read(topic) | Need::Write(topic) => Some(topic),
            Need::Join(..) | Need::Transact(_) => None,
        }
    }
    /// What has to be allowed for it.
    pub fn right(&self) -> Right<'_> {
        let (resource, name, operation, whole) = match self {
            Need::Read(topic) => ("Topic", &**topic, "Read", true),
            Need::Write(topic) => ("Topic", &**topic, "Write", true),
            Need::Join(group, _) => ("Group", group.as_str(), "Read", true),
            Need::Transact(prefix) => ("TransactionalId", prefix.as_str(), "Write", false),
        };
        Right {
            resource,
            name,
            operation,
            whole,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Read(topic) => write!(f, "Read on topic {topic}"),
            Need::Write(topic) => write!(f, "Write on topic {topic}"),
            Need::Join(group, _) => write!(f, "Read on group {group}"),
            Need::Transact(prefix) => write!(f, "Write on transactional ids that begin with {prefix}"),
        }
    }
}

/// A need that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The need.
    pub need: Need,
    /// What the broker said.
    pub reason: String,
}
