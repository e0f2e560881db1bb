//! The configuration: one YAML file, every field of which has a default that needs no editing.
//!
//! Precedence: built-in defaults, then the file, then the environment (`STORMFOLD_` and the field's path in capitals).
//! The reference `docs/config.md` and the shipped `config/stormfold.yaml` are made from the types below.

mod kafka;
mod load;
mod overlay;
mod reference;
mod secrets;
mod tree;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use load::File;
#[cfg(test)]
use load::load_text;
pub(crate) use reference::{example, markdown};
pub(crate) use secrets::masked;

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where the log is kept: `embedded` (on this machine, nothing else is needed) or `kafka`.
    pub(crate) log: LogKind,
    /// The log on this machine.
    pub(crate) embedded: Embedded,
    /// The log on Kafka.
    pub(crate) kafka: Kafka,
    /// Names, number and kinds of topics; the same words hold for both kinds of log.
    pub(crate) topics: Topics,
    /// A file with the topology (stormfold.topology/1); absent means that nothing is known of what depends on what.
    pub(crate) topology: Option<String>,
    /// How the two stages run.
    pub(crate) pipeline: Pipeline,
    /// The HTTP server: ingest, health, metrics, open incidents.
    pub(crate) http: server::HttpSettings,
    /// Who is paged, and when.
    pub(crate) page: engine::Paging,
    /// How alerts find their incident. The values were found by measurement; change them with `replay` and `score` at hand.
    pub(crate) grouping: engine::Grouping,
    /// How incidents begin and end.
    pub(crate) life: engine::Life,
    /// How much is kept.
    pub(crate) limits: engine::Limits,
    /// What is logged, on standard error.
    pub(crate) logging: Logging,
}

/// Where the log is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogKind {
    /// In a directory of this machine.
    #[default]
    Embedded,
    /// On Apache Kafka.
    Kafka,
}

/// The log on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Embedded {
    /// Directory that holds it; made when it is missing.
    pub(crate) dir: String,
}

/// The log on Kafka.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kafka {
    /// Brokers to start from, `host:port`, several separated by commas.
    pub(crate) brokers: String,
    /// Replicas of the topics that `topics create` makes; -1 leaves it to the broker.
    pub(crate) replication: i32,
    /// Any property of librdkafka (<https://docs.confluent.io/platform/current/clients/librdkafka/html/md_CONFIGURATION.html>),
    /// e.g. `security.protocol`, `sasl.username`; a name with `_file` behind it takes its value from that file.
    /// Properties on which exactly-once rests are refused.
    pub(crate) properties: BTreeMap<String, String>,
}

/// Topics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Topics {
    /// Prefix of all topics that belong to us: journal, changes, incidents, ….
    pub(crate) prefix: String,
    /// Partitions of the journal, and with it the most correlate threads there can be. Recorded when the topics are
    /// made; it cannot be changed later by editing this.
    pub(crate) partitions: u32,
    /// Topics with events to read, beside the one that HTTP ingest writes (`<prefix>raw`).
    pub(crate) raw: Vec<RawTopic>,
}

/// A topic with events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawTopic {
    /// Its name, without our prefix.
    pub(crate) topic: String,
    /// The source that its records are read as; absent lets the shape decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// `live`: the present moves stream time. `records`: only the timestamps of the records do (tests, back-tests).
    pub(crate) time: TopicTime,
}

/// What moves stream time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TopicTime {
    /// The present.
    #[default]
    Live,
    /// The timestamps of the records.
    Records,
}

/// How the two stages run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pipeline {
    /// Name of the consumer groups; two installations on one cluster need two names.
    pub(crate) group: String,
    /// Name of this process, the same after a restart and unique in the group. Absent: the host name.
    pub(crate) instance: Option<String>,
    /// Which stages this process runs.
    pub(crate) stages: Stages,
    /// Most milliseconds until what was read is committed while input keeps coming.
    pub(crate) commit_ms: u32,
    /// Seconds between two checkpoints of the state.
    pub(crate) checkpoint_s: u32,
}

/// Stages that a process runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stages {
    /// Both.
    #[default]
    All,
    /// Raw topics to journal.
    Ingest,
    /// Journal to incidents.
    Correlate,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logging {
    /// `error`, `warn`, `info`, `debug` or `trace`, for rooms apart as in `info,stream=debug`.
    pub(crate) level: String,
    /// `text` or `json`.
    pub(crate) format: LogFormat,
}

/// Form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

impl Default for Embedded {
    fn default() -> Embedded {
        Embedded {
            dir: "stormfold-data".to_owned(),
        }
    }
}

impl Default for Kafka {
    fn default() -> Kafka {
        Kafka {
            brokers: "127.0.0.1:9092".to_owned(),
            replication: -1,
            properties: BTreeMap::new(),
        }
    }
}

impl Default for Topics {
    fn default() -> Topics {
        Topics {
            prefix: "stormfold.".to_owned(),
            partitions: 4,
            raw: Vec::new(),
        }
    }
}

impl Default for Pipeline {
    fn default() -> Pipeline {
        Pipeline {
            group: "stormfold".to_owned(),
            instance: None,
            stages: Stages::All,
            commit_ms: 20,
            checkpoint_s: 5,
        }
    }
}

impl Default for Logging {
    fn default() -> Logging {
        Logging {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Settings of the fold.
    pub(crate) fn engine(&self) -> engine::Settings {
        engine::Settings {
            placements: false,
            grouping: self.grouping.clone(),
            life: self.life.clone(),
            page: self.page.clone(),
            limits: self.limits.clone(),
        }
    }
}
