//! The topics that a deployment needs: created on request, checked at every start.

use crate::log::{Log, LogError, TopicName, TopicSpec};
use crate::settings::{Settings, TopicTime};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Something that is wrong with a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicFault {
    /// It is not there.
    Missing {
        /// The topic.
        topic: TopicName,
        /// The number of partitions that it should have.
        partitions: u32,
    },
    /// It has another number of partitions than the settings say.
    Partitions {
        /// The topic.
        topic: TopicName,
        /// What it has.
        found: u32,
        /// What it should have.
        wanted: u32,
    },
}

impl std::fmt::Display for TopicFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TopicFault::Missing { topic, partitions } => {
                write!(
                    f,
                    "topic {topic} is missing; it needs {partitions} partitions: stormfold topics create"
                )
            }
            TopicFault::Partitions { topic, found, wanted } => write!(
                f,
                "topic {topic} has {found} partitions, the configuration says {wanted}: set it to {found}, or use new topics"
            ),
        }
    }
}

/// The topics of a deployment with their settings. Raw topics of monitoring tools are named by the user; we only create
/// those that are missing.
pub fn wanted(settings: &Settings) -> Vec<TopicSpec> {
    let topics = &settings.topics;
    let n = settings.partitions;
    let spec = |name: &TopicName, partitions, settings: &[(&'static str, String)]| TopicSpec {
        name: name.clone(),
        partitions,
        settings: settings.to_vec(),
    };
    let set = |name, value: &str| (name, value.to_owned());
    let kept = |days: u64| ("retention.ms", (days * DAY_MS).to_string());
    let appended = || set("message.timestamp.type", "LogAppendTime");
    let compact = || set("cleanup.policy", "compact");
    let mut wanted = vec![
        spec(
            &topics.journal,
            n,
            &[kept(14), appended(), set("compression.type", "zstd")],
        ),
        spec(&topics.changes, n, &[kept(14)]),
        spec(
            &topics.incidents,
            n,
            &[compact(), ("delete.retention.ms", DAY_MS.to_string())],
        ),
        spec(
            &topics.state,
            n,
            &[
                compact(),
                set("segment.bytes", "67108864"),
                set("min.cleanable.dirty.ratio", "0.1"),
                // Compaction leaves the active segment alone; this bounds what a restore has to read.
                set("max.compaction.lag.ms", "300000"),
                // Well above the longest restore, which would otherwise miss that a row is gone.
                ("delete.retention.ms", DAY_MS.to_string()),
            ],
        ),
        spec(&topics.control, 1, &[compact()]),
        spec(&topics.deadletter, 1, &[kept(14)]),
        spec(&topics.heartbeat, 1, &[kept(1)]),
    ];
    for raw in &settings.raw {
        let time = match raw.time {
            TopicTime::Present => [appended(), kept(7)],
            // Records of years ago must survive the day on which they are replayed.
            TopicTime::Records => [
                set("message.timestamp.type", "CreateTime"),
                set("retention.ms", "-1"),
            ],
        };
        wanted.push(spec(&raw.name, n, &time));
    }
    wanted
}

/// Creates the topics that are missing; says which.
pub fn create(log: &dyn Log, settings: &Settings) -> Result<Vec<TopicName>, LogError> {
    log.create_topics(&wanted(settings))
}

/// What is wrong with the topics; empty means nothing.
pub fn check(log: &dyn Log, settings: &Settings) -> Result<Vec<TopicFault>, LogError> {
    let topics = &settings.topics;
    let ours = [&topics.journal, &topics.changes, &topics.incidents, &topics.state];
    let mut faults = Vec::new();
    for TopicSpec {
        name: topic,
        partitions: wanted,
        ..
    } in wanted(settings)
    {
        match log.partitions(&topic)? {
            None => faults.push(TopicFault::Missing {
                topic,
                partitions: wanted,
            }),
            Some(found) if found != wanted && ours.contains(&&topic) => {
                faults.push(TopicFault::Partitions { topic, found, wanted });
            }
            Some(_) => {}
        }
    }
    Ok(faults)
}
