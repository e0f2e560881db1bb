//! The topics that a deployment needs: created on request, checked at every start.

use std::time::{Duration, Instant};

use crate::log::kafka::READER_GROUP;
use crate::log::{Log, LogError, LogErrorKind, Need, RECORD_BYTES_MAX, TopicName, TopicSpec};
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
    /// We may not see it, so it may be missing as well.
    Hidden {
        /// The topic.
        topic: TopicName,
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
                let plural = if *partitions == 1 { "" } else { "s" };
                write!(
                    f,
                    "topic {topic} is missing; it needs {partitions} partition{plural}: stormfold topics create"
                )
            }
            TopicFault::Hidden { topic } => write!(
                f,
                "topic {topic} is missing, or this user may not see it: stormfold topics needed, with --acls for the rights"
            ),
            TopicFault::Partitions { topic, found, wanted } => write!(
                f,
                "topic {topic} has {found} partitions, the configuration says {wanted}: set it to {found}, or use new topics"
            ),
        }
    }
}

/// A setting of a topic that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// The topic.
    pub topic: TopicName,
    /// The setting by its name on Kafka.
    pub setting: &'static str,
    /// What it is.
    pub found: String,
    /// What it should be.
    pub wanted: String,
    /// What follows from it as it is.
    pub then: &'static str,
    /// Whether records or answers are lost by it; else it is only worse than it could be.
    pub grave: bool,
}

impl std::fmt::Display for SettingFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SettingFault {
            topic,
            setting,
            found,
            wanted,
            then,
            ..
        } = self;
        write!(
            f,
            "topic {topic}: {setting} is {found}, should be {wanted}: {then}"
        )
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
                // Compaction leaves the active segment alone, and a restore reads it whole: the smaller, the fewer rows in vain.
                set("segment.bytes", "16777216"),
                set("min.cleanable.dirty.ratio", "0.1"),
                // This bounds it in time.
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

/// The longest that brokers are waited for to hear of new topics.
const HEARD_OF: Duration = Duration::from_secs(60);
/// Between two looks.
const HEARD_OF_PAUSE: Duration = Duration::from_millis(100);

/// Creates the topics that are missing; says which.
pub fn create(log: &dyn Log, settings: &Settings) -> Result<Vec<TopicName>, LogError> {
    let created = log.create_topics(&wanted(settings))?;
    // A controller answers before every broker has heard of it, and one that has not says that there is no such topic.
    let seen = |topic: &TopicName| !matches!(log.partitions(topic), Ok(None));
    let until = Instant::now() + HEARD_OF;
    while !created.iter().all(seen) && Instant::now() < until {
        std::thread::sleep(HEARD_OF_PAUSE);
    }
    Ok(created)
}

/// What is wrong with the topics; empty means nothing.
pub fn check(log: &dyn Log, settings: &Settings) -> Result<Vec<TopicFault>, LogError> {
    let topics = &settings.topics;
    let ours = [&topics.journal, &topics.changes, &topics.incidents, &topics.state];
    let needed = needs(settings, false);
    let mut faults = Vec::new();
    for TopicSpec {
        name: topic,
        partitions: wanted,
        ..
    } in wanted(settings)
    {
        let found = match log.partitions(&topic) {
            Err(error) if error.kind() == LogErrorKind::Refused => {
                // What another stage needs is for that one to see.
                if needed.iter().any(|need| need.topic() == Some(&topic)) {
                    faults.push(TopicFault::Hidden { topic });
                }
                continue;
            }
            found => found?,
        };
        match found {
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

/// Settings of the topics that are not as they should be. What the log does not tell is not complained of.
pub fn check_settings(log: &dyn Log, settings: &Settings) -> Result<Vec<SettingFault>, LogError> {
    let mut faults = Vec::new();
    for spec in wanted(settings) {
        match log.partitions(&spec.name) {
            Ok(Some(_)) => {}
            Err(error) if error.kind() != LogErrorKind::Refused => return Err(error),
            Ok(None) | Err(_) => continue,
        }
        let Some(found) = log.settings(&spec.name)? else {
            continue;
        };
        let wanted = |name: &str| {
            spec.settings
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.as_str())
        };
        let number = |name: &str| found.get(name).and_then(|value| value.parse::<i64>().ok());
        let mut fault = |setting, wanted: &str, then, grave| {
            faults.push(SettingFault {
                topic: spec.name.clone(),
                setting,
                found: found.get(setting).cloned().unwrap_or_default(),
                wanted: wanted.to_owned(),
                then,
                grave,
            });
        };
        let compacts = found
            .get("cleanup.policy")
            .is_some_and(|policy| policy.contains("compact"));
        let deletes = found
            .get("cleanup.policy")
            .is_some_and(|policy| policy.contains("delete"));
        match wanted("cleanup.policy") {
            Some(_) if deletes => fault(
                "cleanup.policy",
                "compact",
                "what is not written again for a while is lost",
                true,
            ),
            None if compacts => fault(
                "cleanup.policy",
                "delete",
                "records with the same key are lost",
                true,
            ),
            _ => {}
        }
        if let (Some(kept), Some(days)) = (
            number("retention.ms"),
            wanted("retention.ms").and_then(|v| v.parse().ok()),
        ) && kept >= 0
            && (kept < days || days < 0)
            && !compacts
        {
            let then = "who was away for longer finds a gap";
            fault(
                "retention.ms",
                wanted("retention.ms").unwrap_or_default(),
                then,
                false,
            );
        }
        if let (Some(is), Some(should)) = (
            found.get("message.timestamp.type"),
            wanted("message.timestamp.type"),
        ) && is != should
        {
            let then = match should {
                "CreateTime" => "history would be of the time at which it is put in",
                _ => "the clocks of producers decide how old records are",
            };
            fault("message.timestamp.type", should, then, should == "CreateTime");
        }
        if number("max.message.bytes").is_some_and(|bytes| bytes < RECORD_BYTES_MAX as i64 + BATCH_FRAME) {
            fault(
                "max.message.bytes",
                "1048588",
                "large records are refused, and what is behind them waits",
                true,
            );
        }
        let lag = wanted("max.compaction.lag.ms").and_then(|v| v.parse().ok());
        if let (Some(is), Some(should)) = (number("max.compaction.lag.ms"), lag)
            && is > should
        {
            let then = "a restore reads rows that have long been replaced";
            fault(
                "max.compaction.lag.ms",
                wanted("max.compaction.lag.ms").unwrap_or_default(),
                then,
                false,
            );
        }
        if let (Some(copies), Some(in_sync)) = (number("replication.factor"), number("min.insync.replicas"))
            && copies >= 3
            && in_sync < 2
        {
            fault(
                "min.insync.replicas",
                "2",
                "what only one broker has can be lost with it",
                false,
            );
        }
    }
    Ok(faults)
}

/// What a batch has around its only record, generously.
const BATCH_FRAME: i64 = 1_024;

/// The least that has to be allowed for the stages that run here; `http` is whether there is an HTTP server beside them.
pub fn needs(settings: &Settings, http: bool) -> Vec<Need> {
    let topics = &settings.topics;
    let mut needs = Vec::new();
    let join = |stage: &str, topic: &TopicName| Need::Join(topics.group(stage), topic.clone());
    if settings.stages.ingest() {
        for raw in &settings.raw {
            needs.push(Need::Read(raw.name.clone()));
            let stage = match raw.time {
                TopicTime::Present => "ingest",
                TopicTime::Records => "history",
            };
            needs.push(join(stage, &raw.name));
        }
        needs.extend([&topics.journal, &topics.deadletter].map(|topic| Need::Write(topic.clone())));
    }
    if settings.stages.correlate() {
        needs.push(join("correlate", &topics.journal));
        needs.extend([&topics.journal, &topics.state].map(|topic| Need::Read(topic.clone())));
        // A record on which the fold panics is written to the journal, as quarantined, and to the dead letters.
        let written = [
            &topics.journal,
            &topics.changes,
            &topics.incidents,
            &topics.state,
            &topics.heartbeat,
            &topics.deadletter,
        ];
        needs.extend(written.map(|topic| Need::Write(topic.clone())));
    }
    if http {
        needs.push(Need::Write(topics.raw.clone()));
        needs.push(Need::Read(topics.incidents.clone()));
    }
    needs.push(Need::Transact(topics.group("")));
    needs.push(Need::Join(READER_GROUP.to_owned(), topics.journal.clone()));
    needs.sort_by_key(|need| {
        let right = need.right();
        (right.resource, right.name.to_owned(), right.operation)
    });
    needs.dedup_by(|a, b| a.right() == b.right());
    needs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::{Appender, Bounds, Member, Reader, TopicPartition, Worker};

    /// A log of which only the settings of topics are known.
    struct Known(BTreeMap<&'static str, BTreeMap<String, String>>);

    impl Log for Known {
        fn partitions(&self, topic: &str) -> Result<Option<u32>, LogError> {
            Ok(self.0.contains_key(topic).then_some(4))
        }
        fn settings(&self, topic: &str) -> Result<Option<BTreeMap<String, String>>, LogError> {
            Ok(self.0.get(topic).cloned())
        }
        fn create_topics(&self, _: &[TopicSpec]) -> Result<Vec<TopicName>, LogError> {
            unreachable!("nothing is created")
        }
        fn bounds(&self, _: &TopicPartition) -> Result<Bounds, LogError> {
            unreachable!("nothing is read")
        }
        fn decided(&self, _: &TopicPartition) -> Result<Bounds, LogError> {
            unreachable!("nothing is read")
        }
        fn join(&self, _: &Member) -> Result<Box<dyn Worker>, LogError> {
            unreachable!("nobody joins")
        }
        fn reader(&self) -> Result<Box<dyn Reader>, LogError> {
            unreachable!("nothing is read")
        }
        fn appender(&self) -> Result<Box<dyn Appender>, LogError> {
            unreachable!("nothing is written")
        }
    }

    /// What is said of a topic with these settings: setting, and whether it is grave.
    fn said(topic: &'static str, settings: &[(&str, &str)]) -> Vec<(&'static str, bool)> {
        let settings = settings
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let log = Known(BTreeMap::from([(topic, settings)]));
        let faults = check_settings(&log, &Settings::default()).unwrap();
        faults.iter().map(|fault| (fault.setting, fault.grave)).collect()
    }

    #[test]
    fn settings_with_which_records_are_lost_are_grave_and_others_are_advice() {
        let fine = [("cleanup.policy", "compact"), ("max.compaction.lag.ms", "300000")];
        assert_eq!(said("stormfold.state", &fine), []);
        assert_eq!(
            said(
                "stormfold.state",
                &[
                    ("cleanup.policy", "compact,delete"),
                    ("max.compaction.lag.ms", "9223372036854775807")
                ]
            ),
            [("cleanup.policy", true), ("max.compaction.lag.ms", false)]
        );
        assert_eq!(
            said("stormfold.changes", &[("cleanup.policy", "compact")]),
            [("cleanup.policy", true)]
        );
        let journal = [
            ("cleanup.policy", "delete"),
            ("retention.ms", "3600000"),
            ("message.timestamp.type", "CreateTime"),
            ("max.message.bytes", "900000"),
            ("replication.factor", "3"),
            ("min.insync.replicas", "1"),
        ];
        assert_eq!(
            said("stormfold.journal", &journal),
            [
                ("retention.ms", false),
                ("message.timestamp.type", false),
                ("max.message.bytes", true),
                ("min.insync.replicas", false)
            ]
        );
        let for_ever = [("cleanup.policy", "delete"), ("retention.ms", "-1")];
        assert_eq!(said("stormfold.changes", &for_ever), []);
    }

    #[test]
    fn each_stage_needs_its_own() {
        let of = |stages| {
            let settings = Settings {
                stages,
                ..Settings::default()
            };
            needs(&settings, false)
        };
        let topic = |name: &str| TopicName::from(name);
        let (ingest, correlate) = (of(crate::Stages::Ingest), of(crate::Stages::Correlate));
        assert!(ingest.contains(&Need::Read(topic("stormfold.raw"))));
        assert!(!ingest.contains(&Need::Write(topic("stormfold.changes"))));
        assert!(correlate.contains(&Need::Write(topic("stormfold.changes"))));
        assert!(!correlate.contains(&Need::Read(topic("stormfold.raw"))));
    }
}
