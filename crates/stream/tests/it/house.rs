//! A pipeline that is driven turn by turn on one thread, and what it has published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{Output, Shard};
use model::{Input, Span, Time};
use stream::log::{Log, LogErrorKind, Outgoing, Record, TopicName, TopicPartition};
use stream::{Correlate, Counters, Ingest, RawTopic, SetClock, Settings, TopicTime, topics};

/// A pipeline without threads.
pub(crate) struct House {
    pub(crate) settings: Arc<Settings>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) ingest: Vec<Ingest>,
    pub(crate) correlate: Vec<Correlate>,
}

pub(crate) const PARTITIONS: u32 = 3;

/// Settings of a back-test: one raw topic whose time is that of its records.
pub(crate) fn back_test() -> Settings {
    let raw = RawTopic {
        name: "alerts".into(),
        source: None,
        time: TopicTime::Records,
    };
    Settings {
        raw: vec![raw],
        partitions: PARTITIONS,
        commit_interval: Duration::ZERO,
        batch_records_max: 16,
        checkpoint_interval: Span::from_secs(1),
        checkpoint_inputs: 100,
        ..Settings::default()
    }
}

impl House {
    /// Two workers of each kind on a log.
    pub(crate) fn new(settings: Settings, log: Arc<dyn Log>, clock: Arc<SetClock>) -> House {
        topics::create(log.as_ref(), &settings).unwrap();
        let settings = Arc::new(settings);
        let counters = Arc::new(Counters::default());
        let ingest = [TopicTime::Present, TopicTime::Records]
            .into_iter()
            .flat_map(|time| {
                let (settings, log, clock, counters) = (&settings, &log, &clock, &counters);
                (0..2).filter_map(move |n| {
                    Ingest::new(
                        settings.clone(),
                        log.clone(),
                        clock.clone(),
                        counters.clone(),
                        time,
                        n,
                    )
                })
            });
        let ingest = ingest.collect();
        let correlate = (0..2)
            .map(|n| Correlate::new(settings.clone(), log.clone(), clock.clone(), counters.clone(), n))
            .collect();
        House {
            settings,
            log,
            clock,
            counters,
            ingest,
            correlate,
        }
    }

    pub(crate) fn append(&self, records: Vec<Outgoing>) {
        self.log.appender().unwrap().append(records).unwrap();
    }

    /// Each worker takes a turn, as the clock moves by a tenth of a second. False when one of them had to start over.
    pub(crate) fn round(&mut self) -> bool {
        use stream::Clock as _;
        self.clock
            .set(Time::from_nanos(self.clock.now().nanos() + 100_000_000));
        let mut sound = true;
        for worker in &mut self.ingest {
            if let Err(error) = worker.turn(Duration::ZERO) {
                assert_ne!(error.kind(), LogErrorKind::Setup, "{error}");
                worker.reset();
                sound = false;
            }
        }
        for worker in &mut self.correlate {
            if let Err(error) = worker.turn(Duration::ZERO) {
                assert_ne!(error.kind(), LogErrorKind::Setup, "{error}");
                worker.reset();
                sound = false;
            }
        }
        sound
    }

    /// Rounds until everything has been read.
    pub(crate) fn run(&mut self) {
        for _ in 0..100_000 {
            let sound = self.round();
            let ingested = self.ingest.iter().all(Ingest::is_caught_up);
            if sound && ingested && self.correlate.iter().all(Correlate::is_caught_up) {
                return;
            }
        }
        panic!("the backlog does not drain");
    }

    /// Changes and incidents, as bytes, by partition.
    pub(crate) fn published(&self) -> Published {
        published(self.log.as_ref(), &self.settings)
    }
}

/// Inputs of a journal partition with their positions.
pub(crate) type Inputs = Vec<(u64, Input)>;
/// Those of all partitions.
pub(crate) type Journal = BTreeMap<u32, Inputs>;

/// The recorded journal.
pub(crate) fn journal(log: &dyn Log, settings: &Settings) -> Journal {
    let input = |record: Record| {
        let input = wire::journal::decode(record.value.as_deref().expect("inputs have values"));
        (record.offset, input.expect("we wrote it"))
    };
    let partitions = read(log, &settings.topics.journal).into_iter();
    partitions
        .map(|(partition, records)| (partition, records.into_iter().map(input).collect()))
        .collect()
}

/// The positions that a journal partition names as those of inputs that no fold takes.
pub(crate) fn quarantined(inputs: &Inputs) -> std::collections::BTreeSet<u64> {
    let named = |(_, input): &(u64, Input)| match input {
        Input::Quarantine { offset, .. } => Some(*offset),
        _ => None,
    };
    inputs.iter().filter_map(named).collect()
}

/// What the fold makes of the recorded journal, but for what is quarantined in it.
pub(crate) fn replayed(log: &dyn Log, settings: &Settings) -> Published {
    folded(&journal(log, settings), settings)
}

/// The same, of a journal that was read before.
pub(crate) fn folded(journal: &Journal, settings: &Settings) -> Published {
    let text = |bytes: Vec<u8>| Some(String::from_utf8(bytes).unwrap());
    let mut published = Published {
        changes: Bytes::new(),
        incidents: Bytes::new(),
    };
    for (partition, inputs) in journal {
        let left_out = quarantined(inputs);
        let inputs = inputs.iter().filter(|(offset, _)| !left_out.contains(offset));
        let inputs: Vec<Input> = inputs.map(|(_, input)| input.clone()).collect();
        let mut out = Vec::new();
        Shard::new(settings.fold.clone()).step(&inputs, &mut out);
        for output in out {
            let (into, key, value) = match output {
                Output::Change(c) => (
                    &mut published.changes,
                    c.domain.as_str().to_owned(),
                    text(wire::record::change(&c)),
                ),
                Output::Incident(i) => (
                    &mut published.incidents,
                    i.incident_id.to_string(),
                    text(wire::record::incident(&i)),
                ),
                Output::Forget(id) => (&mut published.incidents, id.to_string(), None),
                Output::Event { .. } | Output::Episode { .. } => continue,
            };
            into.entry(*partition).or_default().push((Some(key), value));
        }
    }
    published
}

/// Keys and values by partition.
pub(crate) type Bytes = BTreeMap<u32, Vec<(Option<String>, Option<String>)>>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) changes: Bytes,
    pub(crate) incidents: Bytes,
}

impl Published {
    /// Where two runs differ first, in a few words; `None` when they are the same.
    pub(crate) fn difference(&self, other: &Published) -> Option<String> {
        difference(&self.changes, &other.changes).or_else(|| difference(&self.incidents, &other.incidents))
    }
}

/// The first difference in a few words.
pub(crate) fn difference(one: &Bytes, other: &Bytes) -> Option<String> {
    let partitions: std::collections::BTreeSet<u32> = one.keys().chain(other.keys()).copied().collect();
    for partition in partitions {
        let of = |bytes: &Bytes| bytes.get(&partition).cloned().unwrap_or_default();
        let (one, other) = (of(one), of(other));
        let at = one
            .iter()
            .zip(&other)
            .position(|(a, b)| a != b)
            .unwrap_or(one.len().min(other.len()));
        if at < one.len().max(other.len()) {
            return Some(format!(
                "partition {partition}, record {at} of {} and {}:\n{:?}\n{:?}",
                one.len(),
                other.len(),
                one.get(at),
                other.get(at)
            ));
        }
    }
    None
}

pub(crate) fn published(log: &dyn Log, settings: &Settings) -> Published {
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
    let bytes = |topic| -> Bytes {
        let all = read(log, topic).into_iter();
        all.map(|(n, records)| {
            (
                n,
                records
                    .into_iter()
                    .map(|r| (text(r.key), text(r.value)))
                    .collect(),
            )
        })
        .collect()
    };
    Published {
        changes: bytes(&settings.topics.changes),
        incidents: bytes(&settings.topics.incidents),
    }
}

/// Everything that committed readers see of a topic.
pub(crate) fn read(log: &dyn Log, topic: &TopicName) -> BTreeMap<u32, Vec<Record>> {
    let partitions = log.partitions(topic).unwrap().unwrap();
    let all: Vec<TopicPartition> = (0..partitions).map(|n| TopicPartition::new(topic, n)).collect();
    let mut reader = log.reader().unwrap();
    let from: Vec<_> = all
        .iter()
        .map(|at| (at.clone(), log.bounds(at).unwrap().start))
        .collect();
    reader.assign(&from).unwrap();
    let mut records = Vec::new();
    while !all.iter().all(|at| reader.at_end(at)) {
        reader
            .poll(Duration::from_millis(100), 10_000, &mut records)
            .unwrap();
    }
    let mut by_partition: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
    for record in records {
        by_partition.entry(record.at.partition).or_default().push(record);
    }
    by_partition
}
