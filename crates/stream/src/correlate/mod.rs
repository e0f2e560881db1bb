//! Correlate: the journal becomes changes and incidents.
//!
//! Each journal partition has one [`engine::Shard`]. A turn folds what was polled and commits what follows, together
//! with the positions up to which it was folded; now and then, and at a clean stop, the state rows that changed go into
//! that same transaction. Nothing that was folded outlives an error: the partitions are restored from what is committed.

mod panics;
mod parts;
mod restore;
mod row;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Output, Shard};
use model::{Input, Span, Text, Time};
use parts::Parted;
use row::Checkpoint;
pub use row::{RowSeen, look_at_row};

use crate::clock::Clock;
use crate::counters::Counters;
use crate::ingest::Turn;
use crate::log::{
    Log, LogError, LogErrorKind, Member, Outgoing, Polled, RECORD_BYTES_MAX, Record, Share, TopicPartition,
    Transaction, Worker,
};
use crate::settings::Settings;

/// A worker says this often that it lives.
const HEARTBEAT: Span = Span::from_secs(10);

/// Positions behind which nothing followed are committed this often. What is folded again after a crash for it says nothing
/// again, and a transaction costs the broker more than all records that are repeats.
const PUT_OFF: Span = Span::from_millis(100);

/// A worker that is fenced while it leaves, because others leave too, tries so often again, and waits so long for its
/// partitions each time.
const LEAVE_TRIES: u32 = 4;
const REJOINS: Duration = Duration::from_secs(1);

/// One correlate worker.
pub struct Correlate {
    settings: Arc<Settings>,
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    member: Member,
    life: Option<Life>,
}

/// What ends with an error.
struct Life {
    worker: Box<dyn Worker>,
    shards: BTreeMap<TopicPartition, Running>,
    /// Partitions that were taken away and may come back: a rebalance takes all and then gives.
    parked: BTreeMap<TopicPartition, Running>,
    committed: Option<Instant>,
    /// The same by the clock that is given.
    committed_at: Option<Time>,
    heard: Option<Time>,
}

/// A partition as it is folded.
struct Running {
    shard: Shard,
    next: u64,
    quarantined: BTreeSet<u64>,
    /// Rows that the last checkpoint wrote in parts.
    parted: Parted,
    /// Inputs folded since the last checkpoint.
    since: u64,
    /// Whether the rows name the settings that it is folded under.
    settings_named: bool,
    /// When that was, or would have been, so that those of several partitions do not come together.
    checkpointed: Time,
    /// Where the group stands, as far as this worker has put it there or found it.
    committed: Option<u64>,
    /// Whether there is a row that says how far the outputs go.
    placed: bool,
}

impl Running {
    /// Whether something was folded that the group does not know of.
    fn moved(&self) -> bool {
        match self.committed {
            Some(committed) => committed != self.next,
            None => self.since > 0,
        }
    }
}

/// What follows from what was folded, by partition.
type Folded = BTreeMap<u32, Vec<Output>>;

/// The inputs in records, but for those that are quarantined or cannot be read.
fn inputs(records: &[Record], quarantined: &BTreeSet<u64>, counters: &Counters) -> Vec<Input> {
    let mut inputs = Vec::with_capacity(records.len());
    for record in records
        .iter()
        .filter(|record| !quarantined.contains(&record.offset))
    {
        match record.value.as_deref().map(wire::journal::decode) {
            Some(Ok(input)) => inputs.push(input),
            Some(Err(error)) => {
                counters.unreadable_inputs.add(1);
                tracing::error!(partition = %record.at, offset = record.offset, %error, "journal record passed over");
            }
            None => counters.unreadable_inputs.add(1),
        }
    }
    inputs
}

impl Correlate {
    /// The `number`-th worker of this process. It joins with its first turn.
    pub fn new(
        settings: Arc<Settings>,
        log: Arc<dyn Log>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
        number: u32,
    ) -> Correlate {
        let member = Member {
            group: settings.topics.group("correlate"),
            name: format!("{}-correlate-{number}", settings.instance),
            topics: vec![settings.topics.journal.clone()],
            share: Share::Partitions,
        };
        Correlate {
            settings,
            log,
            clock,
            counters,
            member,
            life: None,
        }
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
        self.life.as_ref().map_or(0, |life| life.shards.len())
    }

    /// Whether the whole journal has been folded, as far as is known.
    pub fn is_caught_up(&self) -> bool {
        self.life.as_ref().is_some_and(|life| {
            life.worker.is_joined() && life.shards.keys().all(|at| life.worker.at_end(at))
        })
    }

    /// The stream time of the partition that is the furthest behind.
    pub fn stream_time(&self) -> Option<Time> {
        self.life
            .as_ref()?
            .shards
            .values()
            .map(|running| running.shard.stream_time())
            .min()
    }

    /// The sum of the books of the partitions held.
    pub fn books(&self) -> Vec<engine::Books> {
        let shards = self.life.iter().flat_map(|life| life.shards.values());
        shards.map(|running| running.shard.books()).collect()
    }

    /// Drops everything that is not committed; the next turn joins again and restores.
    pub fn reset(&mut self) {
        self.life = None;
    }

    /// Writes a checkpoint, then gives the partitions away. Who is fenced meanwhile, because another leaves too, joins
    /// once more, so that what it is given then is not left with a tail to fold again.
    pub fn leave(&mut self) -> Result<(), LogError> {
        let between = |life: &Life| life.shards.is_empty() && !life.parked.is_empty();
        if self.life.as_ref().is_some_and(between) {
            // Everything was taken and is about to be dealt out anew; what it published last has no checkpoint yet.
            self.settle_down(|worker| worker.holds() > 0)?;
            if self.life.as_ref().is_some_and(between) {
                tracing::warn!(
                    worker = self.member.name,
                    "nothing was dealt out in time; the next start folds the tail again"
                );
            }
        }
        let mut left = self.leave_once();
        for _ in 0..LEAVE_TRIES {
            if !left
                .as_ref()
                .is_err_and(|error| error.kind() == LogErrorKind::Fenced)
            {
                break;
            }
            self.settle_down(Correlate::is_joined)?;
            left = self.leave_once();
        }
        left
    }

    /// Takes turns until it is where it should be, or has waited for long enough.
    fn settle_down(&mut self, there: impl Fn(&Correlate) -> bool) -> Result<(), LogError> {
        let until = Instant::now() + REJOINS;
        loop {
            match self.turn(Duration::from_millis(100)) {
                Err(error) if error.kind() == LogErrorKind::Fenced => {}
                turned => drop(turned?),
            }
            if there(self) || Instant::now() >= until {
                return Ok(());
            }
        }
    }

    fn leave_once(&mut self) -> Result<(), LogError> {
        let Some(mut life) = self.life.take() else {
            return Ok(());
        };
        let transaction = self.transaction(&mut life, Folded::new(), Due::Now);
        if !transaction.is_empty() {
            life.worker.commit(&transaction)?;
            self.counters.correlate_commits.add(1);
        }
        life.worker.leave();
        Ok(())
    }

    /// Reads for up to `wait`, folds, and commits what follows. After an error, [`Correlate::reset`] is due.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, LogError> {
        let mut life = match self.life.take() {
            Some(life) => life,
            None => Life {
                worker: self.log.join(&self.member)?,
                shards: BTreeMap::new(),
                parked: BTreeMap::new(),
                committed: None,
                committed_at: None,
                heard: None,
            },
        };
        let records = match self.read(&mut life, wait) {
            Ok(records) => records,
            Err(error) => {
                if error.kind() == LogErrorKind::Setup {
                    self.cover(&mut life);
                }
                return Err(error);
            }
        };
        let Some(folded) = self.fold(&mut life, records)? else {
            // A record was quarantined: what was folded beside it is restored.
            return Ok(Turn::Worked);
        };
        let transaction = self.transaction(&mut life, folded, Due::InTime);
        let mut turn = self.commit(&mut life, &transaction)?;
        // What was folded is published by now and does not wait for the rows.
        if let Some(rows) = self.late_checkpoint(&mut life) {
            turn = self.commit(&mut life, &rows)?;
        }
        self.life = Some(life);
        if let Some(time) = self.stream_time().filter(|time| *time > Time::MIN) {
            self.counters
                .stream_time_lag_ms
                .set(self.clock.now().since(time).millis());
        }
        Ok(turn)
    }

    fn commit(&self, life: &mut Life, transaction: &Transaction) -> Result<Turn, LogError> {
        if transaction.is_empty() {
            return Ok(Turn::Idle);
        }
        let started = Instant::now();
        life.worker.commit(transaction)?;
        life.committed = Some(Instant::now());
        life.committed_at = Some(self.clock.now());
        if let Some(heard) = life.heard {
            self.counters.heartbeat_timestamp_ms.set(heard.millis());
        }
        self.counters.correlate_commits.add(1);
        self.counters
            .correlate_commit_nanos
            .add(started.elapsed().as_nanos() as u64);
        for (at, position) in &transaction.positions {
            if let Some(running) = life.shards.get_mut(at) {
                running.committed = Some(*position);
                running.placed = true;
            }
        }
        Ok(Turn::Worked)
    }

    /// A partition that was given is refused, and a person has to act: what was folded of the others is covered by a
    /// checkpoint, so that it is no tail for whichever version comes next. What cannot be committed stays one.
    fn cover(&self, life: &mut Life) {
        let transaction = self.transaction(life, Folded::new(), Due::Now);
        if !transaction.is_empty()
            && let Err(error) = life.worker.commit(&transaction)
        {
            tracing::warn!(worker = self.member.name, %error, "no checkpoint before the refusal");
        }
    }

    /// Polls until the journal runs dry, but not before the next commit may be. Nothing is folded meanwhile: what was
    /// folded and not published could not be gone on with when its partition is taken.
    fn read(&self, life: &mut Life, wait: Duration) -> Result<Vec<Record>, LogError> {
        let mut records = Vec::new();
        let mut timeout = wait;
        loop {
            let before = records.len();
            let polled = life
                .worker
                .poll(timeout, self.settings.batch_records_max, &mut records)?;
            self.rebalance(life, polled, &mut records)?;
            let due = life.committed.map(|last| last + self.settings.commit_interval);
            let left = due.map_or(Duration::ZERO, |due| {
                due.saturating_duration_since(Instant::now())
            });
            if left.is_zero() || records.len() == before || records.len() >= self.settings.batch_records_max {
                return Ok(records);
            }
            timeout = left;
        }
    }

    fn rebalance(&self, life: &mut Life, polled: Polled, records: &mut Vec<Record>) -> Result<(), LogError> {
        for at in &polled.taken {
            life.parked.extend(life.shards.remove_entry(at));
            records.retain(|record| record.at != *at);
        }
        let mut parked = if polled.given.is_empty() {
            BTreeMap::new()
        } else {
            std::mem::take(&mut life.parked)
        };
        let mut strange = Vec::new();
        for at in polled.given {
            let Some(mut running) = parked.remove(&at) else {
                strange.push(at);
                continue;
            };
            // Whatever is published moves the group. So if it stands where this worker left it, nobody has published
            // anything in between, and the parked shard is the one that a restore would give, or ahead of it. But somebody
            // may have written a checkpoint right there, with settings of its own and with rows that are gone by the next.
            // In how many parts it wrote what is large is not known, so that is restored.
            let committed = life.worker.committed(&at)?;
            let ours = committed == running.committed && committed.is_some_and(|place| place <= running.next);
            if ours && (running.since == 0 || running.parted.is_empty()) {
                running.shard.may_be_written();
                running.settings_named = false;
                life.shards.insert(at, running);
            } else {
                strange.push(at);
            }
        }
        if !strange.is_empty() {
            let started = Instant::now();
            let (settings, log) = (&self.settings, self.log.as_ref());
            let many = strange.len() as i64;
            self.counters.restoring_partitions.add(many);
            let restored = restore::restore(settings, log, life.worker.as_mut(), &strange, &self.counters);
            self.counters.restoring_partitions.add(-many);
            let restored = restored?;
            let (now, interval) = (self.clock.now(), self.settings.checkpoint_interval.millis());
            for (n, (at, restored)) in strange.into_iter().zip(restored).enumerate() {
                let restore::Restored {
                    shard,
                    next,
                    quarantined,
                    parted,
                    since,
                    settings_named,
                    committed,
                    placed,
                } = restored;
                life.shards.insert(
                    at,
                    Running {
                        shard,
                        next,
                        quarantined,
                        parted,
                        since,
                        settings_named,
                        checkpointed: now + Span::from_millis(-interval * n as i64 / many),
                        committed,
                        placed,
                    },
                );
            }
            self.counters
                .restore_nanos
                .add(started.elapsed().as_nanos() as u64);
        }
        self.counters.partitions_held.set(life.shards.len() as i64);
        Ok(())
    }

    /// Folds records into the shards; `None` when the fold panicked and the life of the worker is over.
    fn fold(&self, life: &mut Life, records: Vec<Record>) -> Result<Option<Folded>, LogError> {
        let mut by_partition: BTreeMap<TopicPartition, Vec<Record>> = BTreeMap::new();
        for record in records {
            match by_partition.get_mut(&record.at) {
                Some(records) => records.push(record),
                None => drop(by_partition.insert(record.at.clone(), vec![record])),
            }
        }
        let mut folded = Folded::new();
        for (at, mut records) in by_partition {
            let Some(running) = life.shards.get_mut(&at) else {
                continue;
            };
            // A consumer may begin before the committed position, never behind it.
            records.retain(|record| record.offset >= running.next);
            let Some(last) = records.last() else { continue };
            let next = last.offset + 1;
            let inputs = inputs(&records, &running.quarantined, &self.counters);
            let started = Instant::now();
            let outputs = folded.entry(at.partition).or_default();
            if panics::step(self.settings.step, &mut running.shard, &inputs, outputs).is_err() {
                self.quarantine(life, &at, &records)?;
                return Ok(None);
            }
            self.counters.fold_nanos.add(started.elapsed().as_nanos() as u64);
            self.counters.folded_inputs.add(inputs.len() as u64);
            running.since += inputs.len() as u64;
            running.next = next;
        }
        Ok(Some(folded))
    }

    fn transaction(&self, life: &mut Life, folded: Folded, due: Due) -> Transaction {
        let mut transaction = Transaction::default();
        let mut said = BTreeSet::new();
        for (partition, outputs) in folded {
            let before = transaction.records.len();
            for output in outputs {
                self.publish(partition, output, &mut transaction.records);
            }
            if transaction.records.len() > before {
                said.insert(partition);
            }
        }
        let now = self.clock.now();
        for (at, running) in &mut life.shards {
            // Also where outputs under other settings may not be published without one.
            let full = running.since >= self.settings.checkpoint_inputs;
            let covers = running.since > 0 && (due == Due::Now || full);
            if covers {
                self.checkpoint(at, running, &mut transaction.records);
                running.checkpointed = now;
            }
            if covers || said.contains(&at.partition) || running.moved() && !running.placed {
                transaction.records.push(self.position(at, running.next));
                if !std::mem::replace(&mut running.settings_named, true) {
                    transaction.records.push(self.named_settings(at));
                }
                // Always with its position, which is what fences.
                transaction.positions.push((at.clone(), running.next));
            }
        }
        if !life.shards.is_empty()
            && life
                .heard
                .is_none_or(|last| now.since(last) >= HEARTBEAT || now < last)
        {
            life.heard = Some(now);
            transaction.records.push(self.heartbeat(life, now));
        }
        let put_off = life
            .committed_at
            .is_some_and(|last| now.since(last) < PUT_OFF && now >= last);
        if due == Due::Now || !put_off || !transaction.is_empty() {
            let with: BTreeSet<u32> = transaction.positions.iter().map(|(at, _)| at.partition).collect();
            let moved = life
                .shards
                .iter()
                .filter(|(at, running)| running.moved() && !with.contains(&at.partition));
            let moved: Vec<_> = moved.map(|(at, running)| (at.clone(), running.next)).collect();
            transaction.positions.extend(moved);
        }
        transaction
    }

    /// The checkpoint that has been due for the longest time. One at a time, because whatever comes waits for it.
    fn late_checkpoint(&self, life: &mut Life) -> Option<Transaction> {
        let now = self.clock.now();
        let at = self.late(life, now)?;
        let running = life.shards.get_mut(&at)?;
        let mut transaction = Transaction::default();
        self.checkpoint(&at, running, &mut transaction.records);
        running.checkpointed = now;
        transaction.records.push(self.position(&at, running.next));
        if !std::mem::replace(&mut running.settings_named, true) {
            transaction.records.push(self.named_settings(&at));
        }
        transaction.positions.push((at, running.next));
        Some(transaction)
    }

    /// The partition whose checkpoint has been due for the longest time.
    fn late(&self, life: &Life, now: Time) -> Option<TopicPartition> {
        let changed = life.shards.iter().filter(|(_, running)| running.since > 0);
        let late = changed.filter(|(_, running)| {
            now.since(running.checkpointed) >= self.settings.checkpoint_interval || now < running.checkpointed
        });
        let first = late.min_by_key(|(_, running)| running.checkpointed);
        first.map(|(at, _)| at.clone())
    }

    fn checkpoint(&self, at: &TopicPartition, running: &mut Running, records: &mut Vec<Outgoing>) {
        let state = &self.settings.topics.state;
        let mut bytes = 0;
        let before = records.len();
        for row in running.shard.dirty_rows() {
            parts::split(
                row,
                self.settings.fold_version,
                &mut running.parted,
                |key, value| {
                    bytes += value.as_ref().map_or(0, Vec::len);
                    records.push(Outgoing::to(state, at.partition, key, value));
                },
            );
        }
        let checkpoint = Checkpoint {
            position: running.next,
            partition: at.partition,
            partitions: self.settings.partitions,
            build: Text::const_new(env!("CARGO_PKG_VERSION")),
        };
        let payload = serde_json::to_vec(&checkpoint).expect("a checkpoint has only plain fields");
        let value = row::encode(row::CHECKPOINT, self.settings.fold_version, &payload);
        records.push(Outgoing::to(state, at.partition, row::CHECKPOINT, Some(value)));
        running.since = 0;
        self.counters.checkpoints.add(1);
        self.counters.state_rows.add((records.len() - before) as u64);
        self.counters.state_bytes.add(bytes as u64);
    }

    fn position(&self, at: &TopicPartition, position: u64) -> Outgoing {
        let payload = serde_json::to_vec(&row::Position { position }).expect("a position is a plain field");
        let value = row::encode(row::POSITION, self.settings.fold_version, &payload);
        Outgoing::to(
            &self.settings.topics.state,
            at.partition,
            row::POSITION,
            Some(value),
        )
    }

    fn named_settings(&self, at: &TopicPartition) -> Outgoing {
        let row = restore::settings_row(&self.settings);
        let value = row::encode(row::SETTINGS, self.settings.fold_version, &row);
        Outgoing::to(
            &self.settings.topics.state,
            at.partition,
            row::SETTINGS,
            Some(value),
        )
    }

    /// Says that this worker lives, by the way on which incidents go; its absence is an alarm for somebody else.
    fn heartbeat(&self, life: &Life, now: Time) -> Outgoing {
        let shards = life.shards.iter().map(|(at, running)| {
            let time = Some(running.shard.stream_time()).filter(|time| *time > Time::MIN);
            serde_json::json!({ "partition": at.partition, "position": running.next, "stream_time": time })
        });
        let value = serde_json::json!({
            "schema": "stormfold.heartbeat/1",
            "worker": self.member.name,
            "at": now,
            "partitions": shards.collect::<Vec<_>>(),
        });
        let topic = &self.settings.topics.heartbeat;
        Outgoing::to(
            topic,
            0,
            self.member.name.as_str(),
            Some(value.to_string().into_bytes()),
        )
    }

    fn publish(&self, partition: u32, output: Output, records: &mut Vec<Outgoing>) {
        let topics = &self.settings.topics;
        let record = match output {
            Output::Change(change) => {
                self.counters.changes.add(1);
                let value = Some(wire::record::change(&change));
                Outgoing::to(&topics.changes, partition, change.domain.as_str(), value)
                    .header("schema", "stormfold.change/1")
            }
            Output::Incident(incident) => {
                self.counters.incidents.add(1);
                let value = Some(wire::record::incident(&incident));
                Outgoing::to(
                    &topics.incidents,
                    partition,
                    incident.incident_id.to_string(),
                    value,
                )
                .header("schema", "stormfold.incident/1")
            }
            Output::Forget(id) => {
                self.counters.incidents_forgotten.add(1);
                Outgoing::to(&topics.incidents, partition, id.to_string(), None)
            }
            Output::Event { .. } | Output::Episode { .. } => return,
        };
        if record.bytes() > RECORD_BYTES_MAX {
            // The fold bounds its records far below this; one that is not is a fault of ours, which must not stop
            // everything behind it.
            self.counters.oversize_records.add(1);
            tracing::error!(bytes = record.bytes(), topic = %record.topic, "record too large to be written");
            return;
        }
        records.push(record);
    }
}

/// Whether a checkpoint is due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Now,
    InTime,
}
