//! From the configuration to a log and the settings of the pipeline on it.

use std::{path::Path, sync::Arc, time::Duration};

use model::Span;
use stream::{
    RawTopic, Settings, SystemClock, Topics,
    log::{
        Log, LogError, LogErrorKind,
        kafka::{KafkaLog, Properties},
        local::LocalLog,
    },
};

use crate::{
    config::{Config, LogKind, Stages, TopicTime},
    fail::Failure,
};

/// Name of the embedded log in its directory.
const EMBEDDED_FILE: &str = "log.redb";

/// Opens the log that the configuration names.
pub(crate) fn open(config: &Config) -> Result<Arc<dyn Log>, Failure> {
    match config.log {
        LogKind::Kafka => {
            let properties =
                Properties::new(config.kafka.client()).map_err(|e| Failure::Wrong(e.to_string()))?;
            let properties = match &config.kafka.sasl.token_file {
                Some(file) => properties.token_file(file.into()),
                None => properties,
            };
            Ok(Arc::new(KafkaLog::new(properties).map_err(failed)?))
        }
        LogKind::Embedded => {
            let dir = Path::new(&config.embedded.dir);
            std::fs::create_dir_all(dir)
                .map_err(|e| Failure::io(format_args!("embedded.dir: {}", config.embedded.dir), e))?;
            let log = LocalLog::open(&dir.join(EMBEDDED_FILE), Arc::new(SystemClock)).map_err(failed)?;
            Ok(Arc::new(log))
        }
    }
}

/// The same for whoever only looks: an embedded log that is not there is not made for it, since an empty one would be
/// taken for the one that was meant.
pub(crate) fn existing(config: &Config) -> Result<Arc<dyn Log>, Failure> {
    let file = Path::new(&config.embedded.dir).join(EMBEDDED_FILE);
    if config.log == LogKind::Embedded && !file.exists() {
        return Err(Failure::Wrong(format!(
            "{}: there is no log here; `stormfold run` makes one with its topics, embedded.dir says where; for a broker set `log: kafka` and kafka.brokers",
            file.display()
        )));
    }
    open(config)
}

/// Settings of the pipeline; the topology is read and checked.
pub(crate) fn settings(config: &Config) -> Result<Settings, Failure> {
    let topics = Topics::with_prefix(&config.topics.prefix);
    let mut raw = vec![RawTopic {
        name: topics.raw.clone(),
        source: None,
        time: stream::TopicTime::Present,
    }];
    for topic in &config.topics.raw {
        let time = match topic.time {
            TopicTime::Live => stream::TopicTime::Present,
            TopicTime::Records => stream::TopicTime::Records,
        };
        raw.retain(|r| *r.name != *topic.topic);
        raw.push(RawTopic {
            name: topic.topic.as_str().into(),
            source: topic.source.clone(),
            time,
        });
    }
    let topology = config
        .topology
        .as_deref()
        .map(crate::topology::configured)
        .transpose()?;
    let pipeline = &config.pipeline;
    Ok(Settings {
        instance: pipeline.instance.clone().unwrap_or_else(host_name),
        topics,
        raw,
        partitions: config.topics.partitions,
        stages: match pipeline.stages {
            Stages::All => stream::Stages::Both,
            Stages::Ingest => stream::Stages::Ingest,
            Stages::Correlate => stream::Stages::Correlate,
        },
        ingest_workers: pipeline.ingest_workers,
        correlate_workers: pipeline.correlate_workers,
        decode: config.decode()?,
        topology: topology.unwrap_or_default(),
        fold: config.engine(),
        commit_interval: Duration::from_millis(pipeline.commit_ms.into()),
        batch_records_max: pipeline.batch_records_max,
        checkpoint_interval: Span::from_secs(pipeline.checkpoint_s.into()),
        checkpoint_inputs: pipeline.checkpoint_inputs,
        history_idle: Span::from_nanos((pipeline.history_idle_s * 1e9) as i64),
        merge_bytes_max: pipeline.merge_bytes_max,
        ..Settings::default()
    })
}

/// An error of a log as a failure of a command.
pub(crate) fn failed(error: LogError) -> Failure {
    match error.kind() {
        LogErrorKind::Setup | LogErrorKind::Refused => Failure::Wrong(error.to_string()),
        _ => Failure::Run(error.to_string()),
    }
}

/// The name of this machine, as containers and service managers give it.
fn host_name() -> String {
    let from_file = || {
        std::fs::read_to_string("/proc/sys/kernel/hostname")
            .or_else(|_| std::fs::read_to_string("/etc/hostname"))
    };
    let name = std::env::var("HOSTNAME")
        .or_else(|_| from_file())
        .unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    if name.is_empty() {
        "stormfold-0".to_owned()
    } else {
        name
    }
}
