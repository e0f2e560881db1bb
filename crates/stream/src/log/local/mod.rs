//! The local log: one process, no broker, the same rules.
//!
//! Groups, epochs and fencing live here, in memory, because they end with the process; records and positions live in a
//! `Store`, in memory or on disk. A transaction is kept whole by the store in one write.

mod disk;
mod group;
mod memory;
mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use group::Group;
use store::{Placed, Position, Store, Topic};

use crate::clock::Clock;
use crate::log::{
    Appender, Bounds, Hold, Log, LogError, LogErrorKind, Member, Outgoing, Polled, RECORD_BYTES_MAX, Reader,
    Record, TopicName, TopicPartition, TopicSpec, Transaction, Worker,
};

/// A log within this process; clones are the same log.
#[derive(Clone)]
pub struct LocalLog {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    appended: Condvar,
    clock: Arc<dyn Clock>,
}

struct State {
    store: Box<dyn Store>,
    topics: BTreeMap<TopicName, Topic>,
    groups: BTreeMap<String, Group>,
    undecided: Vec<Undecided>,
    /// Where partitions end that have not heard yet that a transaction was committed (simulation).
    unheard: BTreeMap<TopicPartition, u64>,
    turn: u32,
}

/// A transaction whose end is on its way (simulation): positions under it are not stable until it is decided.
struct Undecided {
    writer: Writer,
    transaction: Transaction,
}

/// Which life of which member writes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Writer {
    group: String,
    name: String,
    epoch: u64,
    generation: u64,
}

impl LocalLog {
    /// An empty log in memory.
    pub fn memory(clock: Arc<dyn Clock>) -> LocalLog {
        LocalLog::over(Box::new(memory::Memory::default()), clock).expect("memory has no errors to give")
    }

    /// A log in a file, which is created when it is missing. Only one process can have it open.
    pub fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<LocalLog, LogError> {
        LocalLog::over(Box::new(disk::Disk::open(file)?), clock)
    }

    fn over(store: Box<dyn Store>, clock: Arc<dyn Clock>) -> Result<LocalLog, LogError> {
        let topics = store.topics()?;
        let state = State {
            store,
            topics,
            groups: BTreeMap::new(),
            undecided: Vec::new(),
            unheard: BTreeMap::new(),
            turn: 0,
        };
        Ok(LocalLog {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                appended: Condvar::new(),
                clock,
            }),
        })
    }

    /// Joins with the local form's own worker, for the fault wrapper; gives up what an earlier life of the member left
    /// open, as a new producer of the same transactional id does, if `gives_up`.
    pub(crate) fn join_local(&self, member: &Member, gives_up: bool) -> Result<LocalWorker, LogError> {
        let mut state = self.shared.lock();
        let State {
            groups,
            topics,
            undecided,
            ..
        } = &mut *state;
        for topic in &member.topics {
            if !topics.contains_key(topic) {
                return Err(LogError::new(
                    LogErrorKind::Setup,
                    format_args!("topic {topic} is missing"),
                ));
            }
        }
        let group = groups.entry(member.group.clone()).or_default();
        let epoch = group.join(&member.name, &member.topics, member.share, topics);
        if gives_up {
            undecided.retain(|u| u.writer.group != member.group || u.writer.name != member.name);
        }
        let writer = Writer {
            group: member.group.clone(),
            name: member.name.clone(),
            epoch,
            generation: 0,
        };
        Ok(LocalWorker {
            shared: self.shared.clone(),
            writer,
            held: Vec::new(),
            cursors: BTreeMap::new(),
            turn: 0,
        })
    }

    /// Takes a member out of its group although it may live, as the end of its session does.
    pub(crate) fn expel(&self, group: &str, name: &str) {
        let mut state = self.shared.lock();
        let State { groups, topics, .. } = &mut *state;
        if let Some(group) = groups.get_mut(group) {
            group.expel(name, topics);
        }
    }

    /// Decides what was left undecided by [`LocalWorker::hang`]: each is committed if its writer may still, else given
    /// up.
    pub(crate) fn decide(&self) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        for Undecided { writer, transaction } in std::mem::take(&mut state.undecided) {
            self.shared.apply(&mut state, &writer.group, &transaction)?;
        }
        state.unheard.clear();
        drop(state);
        self.shared.appended.notify_all();
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of another thread while it held the lock leaves the state as of the last whole write.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn apply(&self, state: &mut State, group: &str, transaction: &Transaction) -> Result<(), LogError> {
        let now = self.clock.now();
        let mut placed = Vec::with_capacity(transaction.records.len());
        for record in &transaction.records {
            if record.bytes() > RECORD_BYTES_MAX {
                let what = format_args!("{} bytes for topic {}", record.bytes(), record.topic);
                return Err(LogError::new(LogErrorKind::TooLarge, what));
            }
            let Some(topic) = state.topics.get(&record.topic) else {
                return Err(LogError::new(
                    LogErrorKind::Setup,
                    format_args!("topic {} is missing", record.topic),
                ));
            };
            let partition = match (record.partition, &record.key) {
                (Some(partition), _) => partition,
                (None, Some(key)) => hash(key) % topic.partitions,
                (None, None) => {
                    state.turn = state.turn.wrapping_add(1);
                    state.turn % topic.partitions
                }
            };
            placed.push(Placed {
                partition,
                timestamp: record.timestamp.unwrap_or(now),
                record,
            });
        }
        let positions: Vec<Position<'_>> = transaction
            .positions
            .iter()
            .map(|(at, position)| Position {
                group,
                at,
                position: *position,
            })
            .collect();
        state.store.append(&placed, &positions)
    }

    /// Waits until something was appended or `until`; false when the time is over.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Instant) -> Option<MutexGuard<'a, State>> {
        let left = until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())?;
        let (state, _) = self
            .appended
            .wait_timeout(state, left)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(state)
    }
}

fn hash(key: &[u8]) -> u32 {
    // FNV-1a: any fixed hash serves, as long as a key stays with its partition.
    key.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

impl Log for LocalLog {
    fn partitions(&self, topic: &str) -> Result<Option<u32>, LogError> {
        Ok(self.shared.lock().topics.get(topic).map(|topic| topic.partitions))
    }

    fn create_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicName>, LogError> {
        let mut state = self.shared.lock();
        let mut created = Vec::new();
        for spec in topics {
            if state.topics.contains_key(&spec.name) {
                continue;
            }
            let setting = |name: &str| spec.settings.iter().find(|(known, _)| *known == name);
            let compact = setting("cleanup.policy").is_some_and(|(_, value)| value == "compact");
            let topic = Topic {
                partitions: spec.partitions.max(1),
                compact,
                soon: compact && setting("max.compaction.lag.ms").is_some(),
            };
            state.store.create(&spec.name, topic)?;
            state.topics.insert(spec.name.clone(), topic);
            created.push(spec.name.clone());
        }
        Ok(created)
    }

    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        self.shared.lock().bounds(at)
    }

    fn decided(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        let mut state = self.shared.lock();
        // Whoever waits does so until it has heard.
        state.unheard.remove(at);
        state.bounds(at)
    }

    fn positions(&self, group: &str, of: &[TopicPartition]) -> Result<Vec<Option<u64>>, LogError> {
        let state = self.shared.lock();
        of.iter().map(|at| state.store.committed(group, at)).collect()
    }

    fn join(&self, member: &Member) -> Result<Box<dyn Worker>, LogError> {
        Ok(Box::new(self.join_local(member, true)?))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(LocalReader {
            shared: self.shared.clone(),
            cursors: BTreeMap::new(),
        }))
    }

    fn appender(&self) -> Result<Box<dyn Appender>, LogError> {
        Ok(Box::new(LocalAppender {
            shared: self.shared.clone(),
        }))
    }
}

/// Where somebody reads a partition.
#[derive(Clone, Copy)]
struct Cursor {
    next: u64,
    end: u64,
    hold: Hold,
}

impl Cursor {
    fn new(next: u64) -> Cursor {
        Cursor {
            next,
            end: u64::MAX,
            hold: Hold::Go,
        }
    }

    fn read(
        &mut self,
        state: &State,
        at: &TopicPartition,
        max: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), LogError> {
        self.end = state.bounds(at)?.end;
        if self.hold == Hold::Stop || self.next >= self.end {
            return Ok(());
        }
        let before = out.len();
        state.store.read(at, self.next, max, out)?;
        if state.unheard.contains_key(at) {
            let seen = out[before..].partition_point(|record| record.offset < self.end);
            out.truncate(before + seen);
        }
        // Behind the last record there may be nothing but what compaction has removed.
        self.next = if out.len() > before {
            out[out.len() - 1].offset + 1
        } else {
            self.end
        };
        Ok(())
    }
}

/// A member of a group of the local log.
pub(crate) struct LocalWorker {
    shared: Arc<Shared>,
    writer: Writer,
    held: Vec<TopicPartition>,
    cursors: BTreeMap<TopicPartition, Cursor>,
    turn: usize,
}

impl LocalWorker {
    fn fenced(&self) -> LogError {
        LogError::new(
            LogErrorKind::Fenced,
            format_args!("{} of group {}", self.writer.name, self.writer.group),
        )
    }

    /// Takes note of what is held by now.
    fn rebalance(&mut self, state: &State) -> Result<Polled, LogError> {
        let group = state
            .groups
            .get(&self.writer.group)
            .filter(|g| g.is_present(&self.writer.name, self.writer.epoch));
        let Some(group) = group else {
            return Err(self.fenced());
        };
        let mut polled = Polled::default();
        if group.generation != self.writer.generation {
            // Eager, as on Kafka: everything is taken and then given, because another may have had it in between.
            polled.taken = std::mem::take(&mut self.held);
            self.cursors.clear();
            let held = group.held(&self.writer.name);
            polled.given = held.to_vec();
            self.held = held.to_vec();
            self.writer.generation = group.generation;
        }
        Ok(polled)
    }

    fn read(&mut self, state: &State, max: usize, out: &mut Vec<Record>) -> Result<(), LogError> {
        let each = max.div_ceil(self.held.len().max(1));
        self.turn = self.turn.wrapping_add(1);
        for i in 0..self.held.len() {
            let at = &self.held[(i + self.turn) % self.held.len()];
            if !self.cursors.contains_key(at) {
                if state.is_undecided(&self.writer.group, at) {
                    continue;
                }
                let bounds = state.bounds(at)?;
                let next = match state.store.committed(&self.writer.group, at)? {
                    Some(position) if position > bounds.end => {
                        tracing::error!(partition = %at, position, end = bounds.end,
                            "the committed position is beyond the end of the log: the topic was made anew, reading it from its start");
                        bounds.start
                    }
                    position => position.unwrap_or(bounds.start).max(bounds.start),
                };
                self.cursors.insert(at.clone(), Cursor::new(next));
            }
            let cursor = self.cursors.get_mut(at).expect("inserted above");
            cursor.read(state, at, each, out)?;
        }
        Ok(())
    }

    /// As on Kafka, the group fences by the positions in a transaction; without any, only a later life of the same writer
    /// does.
    fn check(&self, state: &State, transaction: &Transaction) -> Result<(), LogError> {
        let group = state.groups.get(&self.writer.group);
        if transaction.positions.is_empty() {
            let replaced = group.is_some_and(|group| group.is_replaced(&self.writer.name, self.writer.epoch));
            return if replaced { Err(self.fenced()) } else { Ok(()) };
        }
        let present = group.is_some_and(|group| {
            group.is_present(&self.writer.name, self.writer.epoch)
                && group.generation == self.writer.generation
        });
        let owner = transaction.positions.iter().all(|(at, _)| self.held.contains(at));
        if present && owner {
            Ok(())
        } else {
            Err(self.fenced())
        }
    }

    /// Its session ends, and others are given what it holds; it does not hear of it (simulation).
    pub(crate) fn fall_asleep(&self) {
        let mut state = self.shared.lock();
        let State { groups, topics, .. } = &mut *state;
        if let Some(group) = groups.get_mut(&self.writer.group) {
            group.expel(&self.writer.name, topics);
        }
    }

    /// Commits whoever has taken over by now (simulation).
    pub(crate) fn commit_unfenced(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        self.shared.apply(&mut state, &self.writer.group, transaction)
    }

    /// Delivers once more what lies behind the committed positions (simulation).
    pub(crate) fn rewind(&mut self) -> Result<(), LogError> {
        let state = self.shared.lock();
        for (at, cursor) in &mut self.cursors {
            let committed = state.store.committed(&self.writer.group, at)?;
            cursor.next = cursor.next.min(committed.unwrap_or(0));
        }
        Ok(())
    }

    /// Commits; the group has its positions, and the partitions written to hear of it when somebody waits for that, or with [`LocalLog::decide`]
    /// (simulation).
    pub(crate) fn commit_unheard(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        self.check(&state, transaction)?;
        for record in &transaction.records {
            // Who chooses no partition has it chosen by the log, which is not known here; nobody restores from those.
            if let Some(partition) = record.partition {
                let at = TopicPartition::new(&record.topic, partition);
                let end = state.bounds(&at)?.end;
                state.unheard.entry(at).or_insert(end);
            }
        }
        self.shared.apply(&mut state, &self.writer.group, transaction)
    }

    /// Sends a transaction whose end stays open until [`LocalLog::decide`] (simulation).
    pub(crate) fn hang(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        self.check(&state, transaction)?;
        state.undecided.push(Undecided {
            writer: self.writer.clone(),
            transaction: transaction.clone(),
        });
        Ok(())
    }
}

impl State {
    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        let mut bounds = self.store.bounds(at)?;
        if let Some(end) = self.unheard.get(at) {
            bounds.end = bounds.end.min(*end);
        }
        Ok(bounds)
    }

    fn is_undecided(&self, group: &str, at: &TopicPartition) -> bool {
        self.undecided
            .iter()
            .any(|u| u.writer.group == group && u.transaction.positions.iter().any(|(other, _)| other == at))
    }
}

impl Worker for LocalWorker {
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<Polled, LogError> {
        let shared = self.shared.clone();
        let until = Instant::now() + wait;
        let before = out.len();
        let mut state = shared.lock();
        loop {
            let polled = self.rebalance(&state)?;
            if polled != Polled::default() {
                return Ok(polled);
            }
            self.read(&state, max, out)?;
            if out.len() > before {
                return Ok(polled);
            }
            match shared.wait(state, until) {
                Some(next) => state = next,
                None => return Ok(polled),
            }
        }
    }

    fn is_joined(&self) -> bool {
        self.writer.generation > 0
    }

    fn assignment(&self) -> &[TopicPartition] {
        &self.held
    }

    fn at_end(&self, at: &TopicPartition) -> bool {
        self.cursors
            .get(at)
            .is_some_and(|cursor| cursor.next >= cursor.end)
    }

    fn committed(&mut self, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        let state = self.shared.lock();
        if state.is_undecided(&self.writer.group, at) {
            return Err(LogError::new(
                LogErrorKind::Unavailable,
                format_args!("a transaction on {at} is undecided"),
            ));
        }
        state.store.committed(&self.writer.group, at)
    }

    fn seek(&mut self, at: &TopicPartition, position: u64) -> Result<(), LogError> {
        self.cursors.insert(at.clone(), Cursor::new(position));
        Ok(())
    }

    fn hold(&mut self, at: &TopicPartition, hold: Hold) -> Result<(), LogError> {
        if let Some(cursor) = self.cursors.get_mut(at) {
            cursor.hold = hold;
        }
        Ok(())
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        self.check(&state, transaction)?;
        self.shared.apply(&mut state, &self.writer.group, transaction)?;
        drop(state);
        self.shared.appended.notify_all();
        Ok(())
    }

    fn leave(self: Box<Self>) {
        let mut state = self.shared.lock();
        let State { groups, topics, .. } = &mut *state;
        if let Some(group) = groups.get_mut(&self.writer.group) {
            group.leave(&self.writer.name, self.writer.epoch, topics);
        }
        drop(state);
        self.shared.appended.notify_all();
    }
}

struct LocalReader {
    shared: Arc<Shared>,
    cursors: BTreeMap<TopicPartition, Cursor>,
}

impl Reader for LocalReader {
    fn assign(&mut self, from: &[(TopicPartition, u64)]) -> Result<(), LogError> {
        let cursor = |(at, next): &(TopicPartition, u64)| (at.clone(), Cursor::new(*next));
        self.cursors = from.iter().map(cursor).collect();
        Ok(())
    }

    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<(), LogError> {
        let until = Instant::now() + wait;
        let before = out.len();
        let mut state = self.shared.lock();
        loop {
            let each = max.div_ceil(self.cursors.len().max(1));
            for (at, cursor) in &mut self.cursors {
                cursor.read(&state, at, each, out)?;
            }
            if out.len() > before {
                return Ok(());
            }
            match self.shared.wait(state, until) {
                Some(next) => state = next,
                None => return Ok(()),
            }
        }
    }

    fn at_end(&self, at: &TopicPartition) -> bool {
        self.cursors
            .get(at)
            .is_some_and(|cursor| cursor.next >= cursor.end)
    }
}

struct LocalAppender {
    shared: Arc<Shared>,
}

impl Appender for LocalAppender {
    fn append(&self, records: Vec<Outgoing>) -> Result<(), LogError> {
        let transaction = Transaction {
            records,
            positions: Vec::new(),
        };
        let mut state = self.shared.lock();
        self.shared.apply(&mut state, "", &transaction)?;
        drop(state);
        self.shared.appended.notify_all();
        Ok(())
    }
}
