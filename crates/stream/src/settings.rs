//! What steers the pipeline. How to think about a value stands where it is documented for users; here is what it means.

use std::time::Duration;

use engine::{Output, Shard};
use model::{Input, Span, TopologyPart};
use wire::DecodeSettings;

use crate::log::TopicName;
use crate::tables::NewTables;

/// Settings of a pipeline.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of this process, unique in the deployment and the same after a restart.
    pub instance: String,
    /// Names of the topics that are ours.
    pub topics: Topics,
    /// Topics with what monitoring tools send.
    pub raw: Vec<RawTopic>,
    /// Number of journal partitions. Recorded by the topics as they were created; a difference is refused.
    pub partitions: u32,
    /// Which halves run here.
    pub stages: Stages,
    /// Threads that read raw topics whose time is the present.
    pub ingest_workers: u32,
    /// Threads that fold journal partitions.
    pub correlate_workers: u32,
    /// How bodies are read.
    pub decode: DecodeSettings,
    /// Where tables come from that replace those of `decode` while it runs.
    pub new_tables: NewTables,
    /// The topology to put in force at the start; empty leaves what is in force.
    pub topology: Vec<TopologyPart>,
    /// Settings of the fold.
    pub fold: engine::Settings,
    /// How a batch is folded: [`engine::Shard::step`], but for tests of what happens when the fold panics.
    pub step: Step,
    /// The version of the fold that state rows name: [`engine::FOLD_VERSION`], but for tests of an upgrade.
    pub fold_version: u32,
    /// Two commits of a worker are at least this far apart, unless its batch is full. Default 10 ms.
    pub commit_interval: Duration,
    /// At most about this many records are done in one transaction. Default 5,000.
    pub batch_records_max: usize,
    /// State rows are written this often. Default 5 s.
    pub checkpoint_interval: Span,
    /// And after so many inputs at the latest. Default 65,536.
    pub checkpoint_inputs: u64,
    /// How long a history topic is waited for before its records are folded without what may still come. Default 1 s.
    pub history_idle: Span,
    /// Records of one worker that wait for those of another partition, in bytes. Default 64 MiB.
    pub merge_bytes_max: usize,
    /// Continue although the journal no longer reaches back to the checkpoint.
    pub gap: Gap,
    /// Threads among which the partitions that are restored at once are shared. Default: one a core, at most 8.
    pub restore_threads: usize,
}

/// Folds a batch.
pub type Step = fn(&mut Shard, &[Input], &mut Vec<Output>);

/// What to do when the journal no longer reaches back to the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Refuse to start.
    Refuse,
    /// Go on from where the journal begins.
    Accept,
}

/// Which halves run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    /// Both.
    Both,
    /// Raw topics to journal only.
    Ingest,
    /// Journal to incidents only.
    Correlate,
}

impl Stages {
    /// Whether raw topics are read here.
    pub fn ingest(self) -> bool {
        self != Stages::Correlate
    }
    /// Whether the journal is folded here.
    pub fn correlate(self) -> bool {
        self != Stages::Ingest
    }
}

/// A topic with what monitoring tools send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTopic {
    /// Its name.
    pub name: TopicName,
    /// The source of all of its records; `None` lets each record's shape decide.
    pub source: Option<String>,
    /// Whose time moves stream time.
    pub time: TopicTime,
}

/// Whose time moves stream time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicTime {
    /// The present, as this process sees it: live monitoring.
    Present,
    /// Only the records' own time of creation: back-tests and tests. One worker reads all of it, in the order of time.
    Records,
}

/// Names of the topics that are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// What HTTP ingest accepted.
    pub raw: TopicName,
    /// The ordered log that the engines fold.
    pub journal: TopicName,
    /// Every change.
    pub changes: TopicName,
    /// The present truth.
    pub incidents: TopicName,
    /// Checkpoints.
    pub state: TopicName,
    /// Versioned documents.
    pub control: TopicName,
    /// What was refused.
    pub deadletter: TopicName,
    /// The engine lives.
    pub heartbeat: TopicName,
    /// Before the names of groups and transactions.
    pub prefix: String,
}

impl Topics {
    /// The usual names, with `prefix` before each.
    pub fn with_prefix(prefix: &str) -> Topics {
        let name = |name: &str| TopicName::from(format!("{prefix}stormfold.{name}"));
        Topics {
            raw: name("raw"),
            journal: name("journal"),
            changes: name("changes"),
            incidents: name("incidents"),
            state: name("state"),
            control: name("control"),
            deadletter: name("deadletter"),
            heartbeat: name("heartbeat"),
            prefix: prefix.to_owned(),
        }
    }

    /// The name of a group of workers.
    pub fn group(&self, stage: &str) -> String {
        format!("{}stormfold.{stage}", self.prefix)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        let topics = Topics::with_prefix("");
        let raw = RawTopic {
            name: topics.raw.clone(),
            source: None,
            time: TopicTime::Present,
        };
        Settings {
            instance: "stormfold-0".to_owned(),
            topics,
            raw: vec![raw],
            partitions: 4,
            stages: Stages::Both,
            ingest_workers: 1,
            correlate_workers: 1,
            decode: DecodeSettings::default(),
            new_tables: NewTables::default(),
            topology: Vec::new(),
            fold: engine::Settings::default(),
            step: Shard::step,
            fold_version: engine::FOLD_VERSION,
            commit_interval: Duration::from_millis(10),
            batch_records_max: 5_000,
            checkpoint_interval: Span::from_secs(5),
            checkpoint_inputs: 1 << 16,
            history_idle: Span::from_secs(1),
            merge_bytes_max: 64 << 20,
            gap: Gap::Refuse,
            restore_threads: std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8)),
        }
    }
}
