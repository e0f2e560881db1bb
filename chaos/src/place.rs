//! What a part works on: topics of its own, and what is to be seen in them.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use model::Span;
use stream::{
    RawTopic, Settings, Stages, TopicTime, Topics,
    log::{
        Log, TopicName, TopicPartition,
        kafka::{KafkaLog, Properties},
    },
    topics,
};

use crate::{
    broker::Broker,
    ledger::{self, Folded, Page, Sum},
};

pub(crate) const PARTITIONS: u32 = 4;
/// Nothing may stand still for longer than this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// A line is printed at least this often while something is waited for.
const WORD: Duration = Duration::from_secs(10);
/// Short sessions, so that nobody is waited for long.
pub(crate) const SESSION: [(&str, &str); 2] =
    [("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "300")];

/// Settings for topics with a prefix, as the configuration of workers has them.
pub(crate) fn settings(prefix: &str, time: TopicTime) -> Settings {
    let topics = Topics::with_prefix(prefix);
    // What a configuration always has; nothing is posted here.
    let http = RawTopic {
        name: topics.raw.clone(),
        source: None,
        time: TopicTime::Present,
    };
    let raw = RawTopic {
        name: format!("{prefix}events").into(),
        source: None,
        time,
    };
    Settings {
        raw: vec![http, raw],
        topics,
        partitions: PARTITIONS,
        // Small batches, so that there are many commits to be killed in.
        batch_records_max: 1_000,
        checkpoint_interval: Span::from_secs(1),
        ..Settings::default()
    }
}

/// Topics on a broker.
pub(crate) struct Place<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) settings: Settings,
    pub(crate) prefix: String,
    /// Whether workers commit little at a time, so that there are many commits to be killed in.
    small: bool,
}

pub(crate) fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl<'a> Place<'a> {
    pub(crate) fn new(broker: &'a Broker, part: &str, time: TopicTime) -> Result<Place<'a>, String> {
        let properties = Properties::new([("bootstrap.servers".to_owned(), broker.address.clone())]);
        let log = Arc::new(KafkaLog::new(properties.map_err(said)?).map_err(said)?);
        let prefix = format!("{}-{part}.", broker.prefix);
        let settings = settings(&prefix, time);
        topics::create(log.as_ref(), &settings).map_err(said)?;
        let place = Place {
            broker,
            log,
            settings,
            prefix,
            small: true,
        };
        place.wait_for("topics", || {
            let faults = topics::check(place.log.as_ref(), &place.settings).map_err(said)?;
            Ok(faults.len() as u64)
        })?;
        Ok(place)
    }

    /// The same with batches and checkpoints as they are by default.
    pub(crate) fn as_users_have_it(
        broker: &'a Broker,
        part: &str,
        time: TopicTime,
    ) -> Result<Place<'a>, String> {
        let mut place = Place::new(broker, part, time)?;
        let defaults = Settings::default();
        place.settings.batch_records_max = defaults.batch_records_max;
        place.settings.checkpoint_interval = defaults.checkpoint_interval;
        place.small = false;
        Ok(place)
    }

    /// The configuration of workers, `INSTANCE` where the name of each is to stand.
    pub(crate) fn config(&self, stages: Stages) -> String {
        let Settings { raw, .. } = &self.settings;
        let time = match raw[1].time {
            TopicTime::Records => "records",
            TopicTime::Present => "live",
        };
        let stages = match stages {
            Stages::Both => "all",
            Stages::Ingest => "ingest",
            Stages::Correlate => "correlate",
        };
        let small = if self.small {
            format!(
                ", checkpoint_s: {}, batch_records_max: 1000",
                self.broker.checkpoint_s
            )
        } else {
            String::new()
        };
        let session = SESSION.map(|(name, value)| format!("{name}: {value}")).join(", ");
        format!(
            "log: kafka\n\
             kafka: {{ brokers: \"{}\", properties: {{ {session} }} }}\n\
             topics: {{ prefix: {}, partitions: {PARTITIONS}, raw: [{{ topic: {}, time: {time} }}] }}\n\
             pipeline: {{ instance: INSTANCE, stages: {stages}{small} }}\n\
             http: {{ enabled: false }}\nlogging: {{ level: warn }}\n",
            self.broker.for_workers, self.prefix, raw[1].name
        )
    }

    /// Waits until something holds; what it still lacks is said, and when that stays the same for too long it is given up.
    pub(crate) fn wait_for(
        &self,
        what: &str,
        mut lacks: impl FnMut() -> Result<u64, String>,
    ) -> Result<(), String> {
        let (mut moved, mut said, mut least) = (Instant::now(), Instant::now(), u64::MAX);
        loop {
            let now = lacks()?;
            if now == 0 {
                return Ok(());
            }
            if now < least {
                (moved, least) = (Instant::now(), now);
            }
            if moved.elapsed() > PATIENCE {
                let s = PATIENCE.as_secs();
                return Err(format!("I7: {what}: {now} lack, and nothing moved for {s} s"));
            }
            if said.elapsed() > WORD {
                println!("  {what}: {now} lack");
                said = Instant::now();
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// How far a topic reaches, over its partitions.
    pub(crate) fn reach(&self, topic: &TopicName) -> Result<u64, String> {
        let end =
            |n| ledger::bounds(self.log.as_ref(), &TopicPartition::new(topic, n)).map(|bounds| bounds.end);
        (0..PARTITIONS).map(end).sum()
    }

    /// The position up to which each journal partition has been folded, as far as workers have said.
    pub(crate) fn folded(&self) -> Result<BTreeMap<u32, u64>, String> {
        let mut positions = BTreeMap::new();
        ledger::each(self.log.as_ref(), &self.settings.topics.heartbeat, 0, |record| {
            let value: serde_json::Value =
                serde_json::from_slice(record.value.as_deref().unwrap_or_default()).map_err(said)?;
            for one in value["partitions"].as_array().into_iter().flatten() {
                let (partition, position) = (one["partition"].as_u64(), one["position"].as_u64());
                if let (Some(partition), Some(position)) = (partition, position) {
                    let known = positions.entry(partition as u32).or_insert(0);
                    *known = position.max(*known);
                }
            }
            Ok(())
        })?;
        Ok(positions)
    }

    /// How many journal positions lie behind the checkpoints of their partitions although what follows from them is
    /// published: what another version of the fold has to refuse.
    pub(crate) fn tail(&self) -> Result<u64, String> {
        let mut tail = 0;
        for partition in 0..PARTITIONS {
            let (mut published, mut covered) = (0, 0);
            ledger::each(
                self.log.as_ref(),
                &self.settings.topics.state,
                partition,
                |record| {
                    let key = record.key.as_deref().unwrap_or_default();
                    let of = match key {
                        b"!position" => &mut published,
                        b"!checkpoint" => &mut covered,
                        _ => return Ok(()),
                    };
                    let (key, value) = (String::from_utf8_lossy(key), record.value.unwrap_or_default());
                    *of = stream::look_at_row(&key, &value)?.position.unwrap_or(0);
                    Ok(())
                },
            )?;
            tail += u64::saturating_sub(published, covered);
        }
        Ok(tail)
    }

    /// Starts workers and waits until what each of them says that it holds is, together, every partition once.
    pub(crate) fn wait_for_heartbeats(
        &self,
        start: impl FnOnce() -> Result<usize, String>,
    ) -> Result<(), String> {
        let seen = ledger::bounds(
            self.log.as_ref(),
            &TopicPartition::new(&self.settings.topics.heartbeat, 0),
        )?
        .end;
        let workers = start()?;
        self.wait_for("partitions to be held again", || {
            let mut held: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            ledger::each(self.log.as_ref(), &self.settings.topics.heartbeat, 0, |record| {
                if record.offset < seen {
                    return Ok(());
                }
                let value: serde_json::Value =
                    serde_json::from_slice(record.value.as_deref().unwrap_or_default()).map_err(said)?;
                let partitions = value["partitions"].as_array().into_iter().flatten();
                let partitions = partitions.filter_map(|one| one["partition"].as_u64()).collect();
                held.insert(value["worker"].to_string(), partitions);
                Ok(())
            })?;
            let mut all: Vec<u64> = held.values().flatten().copied().collect();
            all.sort_unstable();
            let whole = all.into_iter().eq(0..u64::from(PARTITIONS));
            Ok(u64::from(!whole || held.len() < workers))
        })
    }

    /// What is published beside what a fold of the journal gives.
    pub(crate) fn compare(&self, expected: &[Folded]) -> Result<Sum, String> {
        let mut sum = Sum::default();
        let mut published = 0;
        for (partition, expected) in expected.iter().enumerate() {
            let found: (Page, Page) =
                ledger::published(self.log.as_ref(), &self.settings.topics, partition as u32)?;
            published += found.0.len();
            sum.add(expected.changes.compare(&found.0));
            sum.add(expected.incidents.compare(&found.1));
        }
        println!("  {published} changes published");
        Ok(sum)
    }
}
