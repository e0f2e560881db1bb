//! Ingest: raw topics become the journal.
//!
//! Stateless but for what waits to be merged: what is not committed is read again. Everything that follows from a record
//! (its inputs, its dead letters, its position) is one transaction. Time enters here and nowhere else: what this worker
//! writes into the journal *is* stream time (`docs/time-order-identity.md`).

mod deadletter;
mod merge;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use merge::{Merge, Queued};
use model::{Event, EventKind, Input, Origin, Progress, Span, Text, Time};
use wire::{Decoder, Found, Raw};

use crate::clock::Clock;
use crate::counters::Counters;
use crate::log::{
    Hold, Log, LogError, Member, Outgoing, Polled, RECORD_BYTES_MAX, Record, Share, TopicName,
    TopicPartition, Transaction, Worker,
};
use crate::settings::{RawTopic, Settings, TopicTime};

/// Progress is written this often.
const PROGRESS: Span = Span::from_secs(1);
/// A record that was received longer ago than this is of a backlog.
const BACKLOG: Span = Span::from_secs(60);

/// One ingest worker.
pub struct Ingest {
    settings: Arc<Settings>,
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    member: Member,
    time: TopicTime,
    decoder: Decoder,
    /// Version of the tables that the decoder has.
    tables: u64,
    life: Option<Life>,
    topology_written: bool,
}

/// What ends with an error.
struct Life {
    worker: Box<dyn Worker>,
    merge: Merge,
    /// Partitions that are not read for now.
    stopped: BTreeSet<TopicPartition>,
    /// The largest time received that has gone into the journal.
    reached: Option<Time>,
    progressed: Option<Time>,
    committed: Option<Instant>,
}

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something was committed.
    Worked,
    /// There was nothing to do.
    Idle,
}

impl Ingest {
    /// The `number`-th worker of this process for the raw topics of one kind of time; `None` when there are no such
    /// topics. It joins with its first turn.
    pub fn new(
        settings: Arc<Settings>,
        log: Arc<dyn Log>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
        time: TopicTime,
        number: u32,
    ) -> Option<Ingest> {
        let topics: Vec<TopicName> = settings
            .raw
            .iter()
            .filter(|topic| topic.time == time)
            .map(|topic| topic.name.clone())
            .collect();
        if topics.is_empty() {
            return None;
        }
        let (stage, share) = match time {
            TopicTime::Present => ("ingest", Share::Partitions),
            TopicTime::Records => ("history", Share::Whole),
        };
        let name = format!("{}-{stage}-{number}", settings.instance);
        let member = Member {
            group: settings.topics.group(stage),
            name,
            topics,
            share,
        };
        let decoder = Decoder::new(settings.decode.clone());
        Some(Ingest {
            settings,
            log,
            clock,
            counters,
            member,
            time,
            decoder,
            tables: 0,
            life: None,
            topology_written: false,
        })
    }

    /// Whether the group has dealt out its partitions to it, be it none.
    pub fn is_joined(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.worker.is_joined())
    }

    /// Name of the worker.
    pub fn name(&self) -> &str {
        &self.member.name
    }

    /// The partitions that it holds.
    pub fn held(&self) -> &[TopicPartition] {
        self.life.as_ref().map_or(&[], |life| life.worker.assignment())
    }

    /// How many partitions it holds.
    pub fn holds(&self) -> usize {
        self.life
            .as_ref()
            .map_or(0, |life| life.worker.assignment().len())
    }

    /// Whether everything there is to read has been written to the journal, as far as is known.
    pub fn is_caught_up(&self) -> bool {
        self.life
            .as_ref()
            .is_some_and(|life| life.is_caught_up() || life.stands_by())
    }

    /// Drops everything that is not committed; the next turn joins again.
    pub fn reset(&mut self) {
        self.life = None;
    }

    /// Gives the partitions away.
    pub fn leave(&mut self) {
        if let Some(life) = self.life.take() {
            life.worker.leave();
        }
    }

    /// Reads for up to `wait`, and commits what follows. After an error, [`Ingest::reset`] is due.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, LogError> {
        let mut life = match self.life.take() {
            Some(life) => life,
            None => Life {
                worker: self.log.join(&self.member)?,
                merge: Merge::new(
                    self.time,
                    self.settings.history_idle,
                    self.settings.merge_bytes_max,
                ),
                stopped: BTreeSet::new(),
                reached: None,
                progressed: None,
                committed: None,
            },
        };
        self.read(&mut life, wait)?;
        let transaction = self.write(&mut life);
        let turn = if transaction.is_empty() {
            Turn::Idle
        } else {
            let started = Instant::now();
            life.worker.commit(&transaction)?;
            life.committed = Some(Instant::now());
            self.counters.ingest_commits.add(1);
            self.counters
                .ingest_commit_nanos
                .add(started.elapsed().as_nanos() as u64);
            self.topology_written = true;
            Turn::Worked
        };
        self.life = Some(life);
        Ok(turn)
    }

    /// Polls until the input runs dry, but not before the next commit may be.
    fn read(&mut self, life: &mut Life, wait: Duration) -> Result<(), LogError> {
        let mut records = Vec::new();
        let mut timeout = wait;
        loop {
            life.press()?;
            let polled = life
                .worker
                .poll(timeout, self.settings.batch_records_max, &mut records)?;
            let now = self.clock.now();
            // What came after a table was read anew is read with that.
            if let Some(tables) = self.settings.new_tables.newer(&mut self.tables) {
                self.decoder.set_tables(tables);
            }
            self.rebalance(life, polled, now)?;
            let got = records.len();
            for record in records.drain(..) {
                self.counters.raw_records.add(1);
                self.counters
                    .raw_bytes
                    .add(record.value.as_ref().map_or(0, Vec::len) as u64);
                let received = self.received(&record, now);
                life.merge.push(record, received, now, |record, received| {
                    self.find(record, received)
                });
            }
            let due = life.committed.map(|last| last + self.settings.commit_interval);
            let left = due.map_or(Duration::ZERO, |due| {
                due.saturating_duration_since(Instant::now())
            });
            if left.is_zero() || got == 0 || got >= self.settings.batch_records_max || life.merge.is_full() {
                return Ok(());
            }
            timeout = left;
        }
    }

    /// When the record entered the log: no sender and no producer moves time beyond our clock.
    fn received(&self, record: &Record, now: Time) -> Time {
        match (self.time, record.timestamp) {
            (TopicTime::Records, Some(created)) => created,
            (TopicTime::Present, Some(stamped)) => stamped.min(now),
            (_, None) => now,
        }
    }

    fn rebalance(&mut self, life: &mut Life, polled: Polled, now: Time) -> Result<(), LogError> {
        for at in &polled.taken {
            life.merge.take(at);
            life.stopped.remove(at);
        }
        for at in polled.given {
            let bounds = self.log.bounds(&at)?;
            match life.worker.committed(&at)? {
                Some(position) if position > bounds.end => {
                    self.counters.recreated_topics.add(1);
                    tracing::error!(partition = %at, position, end = bounds.end,
                        "the committed position is beyond the end of the log: the topic was made anew; it is read from its start");
                }
                Some(position) if position < bounds.start => {
                    self.counters.raw_positions_lost.add(bounds.start - position);
                    tracing::error!(partition = %at, position, start = bounds.start,
                        "the log begins behind the committed position: records were removed before they were read");
                }
                _ => {}
            }
            life.merge.give(at, now);
        }
        Ok(())
    }

    /// What a record holds; a tombstone holds nothing.
    fn find(&self, record: &Record, received: Time) -> Vec<Found> {
        let mut found = Vec::new();
        if let Some(value) = &record.value {
            let topic = self.topic(&record.at.topic);
            let source = topic.and_then(|topic| topic.source.as_deref());
            let raw = raw(record, value, source, Some(received));
            self.decoder.decode(&raw, &mut found);
        }
        found
    }

    /// What is to be committed now.
    fn write(&self, life: &mut Life) -> Transaction {
        let mut transaction = Transaction::default();
        if life.worker.assignment().is_empty() {
            return transaction;
        }
        let now = self.clock.now();
        let mut out = Writing {
            ingest: self,
            transaction: &mut transaction,
            bytes: Vec::new(),
        };
        if !self.topology_written {
            for part in &self.settings.topology {
                out.everywhere(&Input::TopologyPart(part.clone()));
            }
        }
        // Where history is replayed, time is that of the records alone: the present would make all of it late.
        let live = self.time == TopicTime::Present && !self.has_history();
        let mut done = 0;
        while done < self.settings.batch_records_max {
            let Some(queued) = life.merge.pop(now, |at| life.worker.at_end(at)) else {
                break;
            };
            let Queued {
                received,
                record,
                found,
            } = queued;
            if self.time == TopicTime::Records
                && life
                    .reached
                    .is_none_or(|reached| reached.secs() < received.secs())
            {
                // All domains share time, whichever partition they live in. Whole seconds, so that the same records
                // give the same progress from wherever reading begins.
                out.everywhere(&Input::Progress(Progress {
                    to: received,
                    present: None,
                }));
                self.counters
                    .progress_records
                    .add(u64::from(self.settings.partitions));
            }
            life.reached = Some(life.reached.map_or(received, |reached| reached.max(received)));
            if live && now.since(received) > BACKLOG {
                // How far behind we are is known before the first old event is judged, or old news would ring.
                self.progress(life, false, now, &mut out);
            }
            let found = found.unwrap_or_else(|| self.find(&record, received));
            out.record(&record, received, found);
            let position = record.offset + 1;
            match out
                .transaction
                .positions
                .iter_mut()
                .find(|(at, _)| *at == record.at)
            {
                Some((_, done)) => *done = position,
                None => out.transaction.positions.push((record.at, position)),
            }
            done += 1;
        }
        if live {
            self.progress(life, life.is_caught_up(), now, &mut out);
        }
        transaction
    }

    /// Whether history is read, so that only the records' own time may move stream time.
    fn has_history(&self) -> bool {
        let mut raw = self.settings.raw.iter();
        raw.any(|topic| topic.time == TopicTime::Records)
    }

    /// The present as stream time once everything has been read, else only how far behind it we are.
    fn progress(&self, life: &mut Life, caught_up: bool, now: Time, out: &mut Writing<'_>) {
        if life
            .progressed
            .is_some_and(|last| now.since(last) < PROGRESS && now >= last)
        {
            return;
        }
        let to = if caught_up { Some(now) } else { life.reached };
        if let Some(reached) = life.reached {
            let behind = if caught_up { 0 } else { now.since(reached).millis() };
            self.counters.ingest_lag_ms.set(behind);
        }
        if let Some(to) = to {
            life.progressed = Some(now);
            out.everywhere(&Input::Progress(Progress {
                to,
                present: Some(now),
            }));
            self.counters
                .progress_records
                .add(u64::from(self.settings.partitions));
        }
    }

    fn topic(&self, name: &TopicName) -> Option<&RawTopic> {
        self.settings.raw.iter().find(|topic| topic.name == *name)
    }
}

impl Life {
    /// Stops reading partitions of which more than a fair share waits to be merged, and goes on with the others.
    fn press(&mut self) -> Result<(), LogError> {
        for (at, swollen) in self.merge.swollen() {
            if swollen && self.stopped.insert(at.clone()) {
                self.worker.hold(at, Hold::Stop)?;
            } else if !swollen && self.stopped.remove(at) {
                self.worker.hold(at, Hold::Go)?;
            }
        }
        Ok(())
    }

    fn stands_by(&self) -> bool {
        self.worker.is_joined() && self.worker.assignment().is_empty()
    }

    fn is_caught_up(&self) -> bool {
        let held = self.worker.assignment();
        !held.is_empty() && self.merge.is_empty() && held.iter().all(|at| self.worker.at_end(at))
    }
}

/// The attributes of a CloudEvent in binary mode: headers `ce_…` on Kafka, `ce-…` where HTTP ingest passed them on.
fn cloud_event(record: &Record) -> Vec<(&str, &str)> {
    let mut attributes = Vec::new();
    for (name, value) in &record.headers {
        if let Some(name) = name.strip_prefix("ce_").or_else(|| name.strip_prefix("ce-"))
            && let Ok(value) = std::str::from_utf8(value)
        {
            attributes.push((name, value));
        }
    }
    attributes
}

/// A record's value as the decoder takes it, with what its headers say. `source` is that of the topic, if it has one.
pub fn raw<'a>(
    record: &'a Record,
    value: &'a [u8],
    source: Option<&'a str>,
    received_at: Option<Time>,
) -> Raw<'a> {
    Raw {
        bytes: value,
        source: record.header("source").or(source),
        content_type: record.header("content-type"),
        cloud_event: cloud_event(record),
        tenant: record.header("tenant"),
        origin: Origin::Log {
            topic: Text::from(&*record.at.topic),
            partition: record.at.partition,
            offset: record.offset,
            index: 0,
        },
        received_at,
    }
}

/// A transaction as it grows.
struct Writing<'a> {
    ingest: &'a Ingest,
    transaction: &'a mut Transaction,
    bytes: Vec<u8>,
}

impl Writing<'_> {
    fn record(&mut self, record: &Record, received: Time, found: Vec<Found>) {
        let counters = &self.ingest.counters;
        if record.value.is_none() {
            counters.raw_tombstones.add(1);
            return;
        }
        let mut refused = 0;
        for one in found {
            if let Found::Rejected(rejection) = &one {
                refused += 1;
                if refused > deadletter::FOR_ONE_RECORD_MAX {
                    counters.dead_letters_cut.add(1);
                } else {
                    counters.dead_letters.add(1);
                    let letter = deadletter::letter(&self.ingest.settings.topics, record, rejection);
                    self.transaction.records.push(letter);
                }
                continue;
            }
            match one.into_input() {
                Some(Input::Event(event)) => self.event(event, received, record),
                Some(input) => {
                    counters.ingested_inputs.add(1);
                    self.everywhere(&input);
                }
                None => counters.ingested_nothing.add(1),
            }
        }
    }

    fn event(&mut self, mut event: Box<Event>, received: Time, record: &Record) {
        let ingest = self.ingest;
        if event.kind == EventKind::Heartbeat && ingest.time == TopicTime::Records {
            self.everywhere(&Input::Progress(Progress {
                to: received,
                present: None,
            }));
            ingest
                .counters
                .progress_records
                .add(u64::from(ingest.settings.partitions));
            return;
        }
        wire::settle_times(&mut event, received);
        let domain = event.domain();
        let partition = domain.tag().partition(ingest.settings.partitions);
        self.bytes.clear();
        wire::journal::encode(&Input::Event(event), &mut self.bytes);
        if self.bytes.len() + domain.as_str().len() > RECORD_BYTES_MAX {
            ingest.counters.oversize_records.add(1);
            ingest.counters.dead_letters.add(1);
            let letter = deadletter::oversize(&ingest.settings.topics, record, self.bytes.len());
            self.transaction.records.push(letter);
            return;
        }
        ingest.counters.ingested_inputs.add(1);
        let value = Some(self.bytes.clone());
        let journal = &ingest.settings.topics.journal;
        self.transaction
            .records
            .push(Outgoing::to(journal, partition, domain.as_str(), value));
    }

    /// Writes an input to every journal partition.
    fn everywhere(&mut self, input: &Input) {
        self.bytes.clear();
        wire::journal::encode(input, &mut self.bytes);
        let settings = &self.ingest.settings;
        for partition in 0..settings.partitions {
            let value = Some(self.bytes.clone());
            self.transaction
                .records
                .push(Outgoing::to(&settings.topics.journal, partition, "", value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::TopicPartition;

    #[test]
    fn headers_say_how_a_value_is_read() {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let record = Record {
            at: TopicPartition::new(&"raw".into(), 2),
            offset: 7,
            timestamp: None,
            key: None,
            value: Some(b"{}".to_vec()),
            headers: vec![
                header("ce_specversion", "1.0"),
                header("ce-type", "com.example.failed"),
                header("Content-Type", "application/json"),
                header("traceparent", "00-1"),
            ],
        };
        let read = raw(&record, b"{}", Some("boiler"), None);
        assert_eq!(
            read.cloud_event,
            [("specversion", "1.0"), ("type", "com.example.failed")]
        );
        assert_eq!(read.content_type, Some("application/json"));
        assert_eq!(read.source, Some("boiler"), "the topic's, as no header names one");
        let named = Record {
            headers: vec![header("source", "grafana")],
            ..record
        };
        assert_eq!(raw(&named, b"{}", Some("boiler"), None).source, Some("grafana"));
    }
}
