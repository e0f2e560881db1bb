//! The configuration: one YAML file, every field of which has a default that needs no editing.
//!
//! Precedence: built-in defaults, then the file, then the environment (`STORMFOLD_` and the field's path in capitals).
//! The reference `docs/config.md` and the shipped `config/stormfold.yaml` are made from the types below.

mod kafka;
mod load;
mod numbers;
mod overlay;
mod reference;
mod secrets;
mod tree;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fail::Failure;

pub(crate) use kafka::Kafka;
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
    /// How bodies are read.
    pub(crate) decode: Decode,
    /// How the two stages run.
    pub(crate) pipeline: Pipeline,
    /// The HTTP server: ingest, health, metrics, open incidents.
    pub(crate) http: server::HttpSettings,
    /// Who is paged, and when.
    pub(crate) page: engine::Paging,
    /// Which value of a field stays when the events of one alert differ, such as `severity: max`; see `docs/mapping.md`.
    pub(crate) merge: engine::Merge,
    /// How alerts find their incident. The values were found by measurement; change them with `replay` and `score` at hand.
    pub(crate) grouping: engine::Grouping,
    /// How sure a membership is: weights in log-odds, fitted by `stormfold fit`; see `docs/decisions/calibration.md`.
    pub(crate) belief: engine::Belief,
    /// How incidents begin and end.
    pub(crate) life: engine::Life,
    /// What is kept from calling anybody, by rule; see `docs/suppression.md`.
    pub(crate) suppress: engine::Suppress,
    /// When a storm begins, and what it changes. Nothing is dropped in a storm.
    pub(crate) storm: engine::Storm,
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

/// Topics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Topics {
    /// Goes before the names of our topics (`stormfold.journal`, `stormfold.incidents`, …), groups and transactions, so
    /// that several installations can share a cluster.
    pub(crate) prefix: String,
    /// Partitions of the journal, and with it the most correlate threads there can be. Recorded when the topics are
    /// made; it cannot be changed later by editing this.
    pub(crate) partitions: u32,
    /// Topics with events to read, beside `stormfold.raw`, which HTTP ingest writes.
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
    /// Name of this process, the same after a restart and unique in the deployment. Absent: the host name.
    pub(crate) instance: Option<String>,
    /// Which stages this process runs.
    pub(crate) stages: Stages,
    /// Threads that read raw topics.
    pub(crate) ingest_workers: u32,
    /// Threads that fold journal partitions.
    pub(crate) correlate_workers: u32,
    /// Milliseconds that two commits of a worker are apart at least, unless its batch is full.
    pub(crate) commit_ms: u32,
    /// Records that one transaction holds at most.
    pub(crate) batch_records_max: usize,
    /// Seconds between two checkpoints of the state.
    pub(crate) checkpoint_s: u32,
    /// Inputs after which a checkpoint is due in any case.
    pub(crate) checkpoint_inputs: u64,
    /// Seconds for which a topic with `time: records` is waited for before its records are folded without what may
    /// still come.
    pub(crate) history_idle_s: f64,
    /// Bytes of records of one worker that may wait for those of another partition.
    pub(crate) merge_bytes_max: usize,
}

/// How bodies are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Decode {
    /// The label whose value is the tenant of events that name none. Tenants are correlated apart.
    pub(crate) tenant_label: Option<String>,
    /// The label whose value is the environment of events that name none. Environments are correlated apart.
    pub(crate) environment_label: Option<String>,
    /// Bodies larger than this are refused, in bytes.
    pub(crate) body_bytes_max: usize,
    /// At most so many things are read from one body; what is beyond is refused.
    pub(crate) found_max: usize,
    /// Formats of your own, tried before the known sources. Fields are expressions of CEL over `body` (and `item`), or
    /// templates with `{{ expression }}`; see docs/mapping.md.
    pub(crate) mappings: Vec<wire::Mapping>,
    /// Tables that add to events what their senders do not know. Read at the start, and anew on SIGHUP or when a file
    /// changes.
    pub(crate) tables: Vec<Table>,
}

/// A table that adds to events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Table {
    /// The file: CSV with a header, its first column the key; or a JSON object of objects. The columns `service`, `host`,
    /// `environment`, `tenant` and `runbook` fill these fields, others become labels; what an event says stays.
    pub(crate) file: String,
    /// What is looked up: `service`, `host`, `source`, or the name of an entity or label. Case does not matter.
    pub(crate) key: String,
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

impl Default for Topics {
    fn default() -> Topics {
        Topics {
            prefix: String::new(),
            partitions: 4,
            raw: Vec::new(),
        }
    }
}

impl Default for Pipeline {
    fn default() -> Pipeline {
        Pipeline {
            instance: None,
            stages: Stages::All,
            ingest_workers: 1,
            correlate_workers: 1,
            commit_ms: 10,
            batch_records_max: 5_000,
            checkpoint_s: 5,
            checkpoint_inputs: 1 << 16,
            history_idle_s: 1.0,
            merge_bytes_max: 64 << 20,
        }
    }
}

impl Default for Decode {
    fn default() -> Decode {
        let wire = wire::DecodeSettings::default();
        Decode {
            tenant_label: None,
            environment_label: None,
            body_bytes_max: wire.body_bytes_max,
            found_max: wire.found_max,
            mappings: Vec::new(),
            tables: Vec::new(),
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
    /// How bodies are read; the tables are read for it.
    pub(crate) fn decode(&self) -> Result<wire::DecodeSettings, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
        let tables = crate::tables::read(&self.decode.tables).map_err(|e| wrong(&e))?;
        Ok(wire::DecodeSettings {
            mappings: wire::Mappings::compile(&self.decode.mappings).map_err(|e| wrong(&e))?,
            tables,
            body_bytes_max: self.decode.body_bytes_max,
            found_max: self.decode.found_max,
            tenant_label: self.decode.tenant_label.as_deref().map(Into::into),
            environment_label: self.decode.environment_label.as_deref().map(Into::into),
            ..wire::DecodeSettings::default()
        })
    }
    /// Settings of the fold.
    pub(crate) fn engine(&self) -> engine::Settings {
        engine::Settings {
            placements: false,
            last_records_only: false,
            merge: self.merge.clone(),
            oracle: false,
            grouping: self.grouping.clone(),
            belief: self.belief.clone(),
            life: self.life.clone(),
            page: self.page.clone(),
            suppress: self.suppress.clone(),
            storm: self.storm.clone(),
            limits: self.limits.clone(),
        }
    }
}
