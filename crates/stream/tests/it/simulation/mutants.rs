//! Faults of ours, put between the pipeline and the log or into the fold: a suite that lets one live proves nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Output, Shard};
use model::{Input, Progress, Text};
use stream::log::faults::{FaultyLog, Point};
use stream::log::{
    Appender, Bounds, Hold, Log, LogError, Member, Outgoing, Polled, Reader, Record, TopicName,
    TopicPartition, TopicSpec, Transaction, Worker,
};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Nothing: what the others are compared with.
    Nothing,
    /// Positions are committed, and then what follows from them.
    CommitBeforeProduce,
    /// Outputs are committed, and then their positions.
    ProduceBeforeCommit,
    /// State rows are committed without the positions that they cover, before them.
    RowsBeforePositions,
    /// What a checkpoint covers is committed before its rows.
    CheckpointBeforeRows,
    /// Dead letters have a transaction of their own.
    LettersApart,
    /// A position one too far.
    PositionAhead,
    /// A position one too short.
    PositionBehind,
    /// Rows of alerts are not marked dirty.
    AlertRowForgotten,
    /// Rows of waiting alerts are not marked dirty.
    PendingRowForgotten,
    /// Rows of incidents are not marked dirty.
    IncidentRowForgotten,
    /// The row of a shard's own time is not written.
    ShardRowForgotten,
    /// Rows that are gone are not said to be.
    GoneRowForgotten,
    /// A quarantine is not remembered by the next restore.
    QuarantineForgotten,
    /// A quarantine is committed without the position that fences whoever lost its partition.
    QuarantineUnfenced,
    /// A writer that was replaced may go on.
    EpochIgnored,
    /// The committed position is taken without waiting for a transaction that is on its way, as of the last time, and
    /// how far outputs go is not written with them.
    StalePosition,
    /// Rows are read as far as they are decided, without waiting for a transaction whose positions the group has.
    RowsUnheard,
    /// The group forgets where it stood; nothing of ours is wrong.
    ForgetfulGroup,
    /// The group says that it stands where nobody folded, and begins there; nothing of ours is wrong.
    WrongGroup,
    /// The same, and whoever restores does not go where outputs end.
    SeekIgnored,
    /// Every event is new.
    DedupRemoved,
    /// Stream time moves with the number of turns, as a clock inside the fold would move it.
    ClockInFold,
    /// A restored shard begins anew.
    StateIgnored,
}

/// All that are wrong.
pub(super) const MUTANTS: [Mutant; 21] = [
    Mutant::CommitBeforeProduce,
    Mutant::ProduceBeforeCommit,
    Mutant::RowsBeforePositions,
    Mutant::CheckpointBeforeRows,
    Mutant::LettersApart,
    Mutant::PositionAhead,
    Mutant::PositionBehind,
    Mutant::AlertRowForgotten,
    Mutant::PendingRowForgotten,
    Mutant::IncidentRowForgotten,
    Mutant::ShardRowForgotten,
    Mutant::GoneRowForgotten,
    Mutant::QuarantineForgotten,
    Mutant::QuarantineUnfenced,
    Mutant::EpochIgnored,
    Mutant::StalePosition,
    Mutant::RowsUnheard,
    Mutant::SeekIgnored,
    Mutant::DedupRemoved,
    Mutant::ClockInFold,
    Mutant::StateIgnored,
];

impl Mutant {
    /// The faults under which it shows.
    pub(super) fn faults(self) -> &'static [Point] {
        match self {
            Mutant::EpochIgnored => &[Point::Stray, Point::Zombie, Point::Late],
            Mutant::QuarantineUnfenced => &[Point::Asleep],
            Mutant::RowsUnheard => &[Point::Unheard],
            Mutant::StalePosition => &[Point::LostAnswer, Point::Late, Point::AfterCommit],
            _ => &[Point::BeforeCommit, Point::AfterCommit, Point::Poll],
        }
    }

    /// The fold that it has, if it is one of the fold.
    pub(super) fn step(self) -> Option<stream::Step> {
        match self {
            Mutant::DedupRemoved => Some(without_dedup),
            Mutant::ClockInFold => Some(with_a_clock),
            _ => None,
        }
    }
}

static TURNS: AtomicU64 = AtomicU64::new(0);

fn without_dedup(shard: &mut Shard, batch: &[Input], out: &mut Vec<Output>) {
    for input in batch {
        let mut input = input.clone();
        if let Input::Event(event) = &mut input {
            event.event_id = Text::from(format!("{:?}", event.origin));
        }
        shard.step(std::slice::from_ref(&input), out);
    }
}

fn with_a_clock(shard: &mut Shard, batch: &[Input], out: &mut Vec<Output>) {
    let passed = TURNS.fetch_add(1, Ordering::Relaxed) % 3;
    let to = shard.stream_time() + model::Span::from_secs(passed as i64);
    if shard.alerts() > 0 {
        shard.step(&[Input::Progress(Progress { to, present: None })], out);
    }
    shard.step(batch, out);
}

/// A log on whose way something is wrong.
pub(super) struct Tampered {
    inner: FaultyLog,
    mutant: Mutant,
    positions: Positions,
}

/// What was committed last, as far as this process knows.
type Positions = Arc<Mutex<BTreeMap<TopicPartition, u64>>>;

impl Tampered {
    pub(super) fn new(inner: FaultyLog, mutant: Mutant) -> Tampered {
        Tampered {
            inner,
            mutant,
            positions: Positions::default(),
        }
    }
}

impl Log for Tampered {
    fn partitions(&self, topic: &str) -> Result<Option<u32>, LogError> {
        self.inner.partitions(topic)
    }
    fn create_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicName>, LogError> {
        self.inner.create_topics(topics)
    }
    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        self.inner.bounds(at)
    }
    fn decided(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        match self.mutant {
            Mutant::RowsUnheard => self.inner.bounds(at),
            _ => self.inner.decided(at),
        }
    }
    fn join(&self, member: &Member) -> Result<Box<dyn Worker>, LogError> {
        Ok(Box::new(TamperedWorker {
            inner: self.inner.join(member)?,
            mutant: self.mutant,
            positions: self.positions.clone(),
            wrong: BTreeMap::new(),
        }))
    }
    fn reader(&self) -> Result<Box<dyn Reader>, LogError> {
        self.inner.reader()
    }
    fn appender(&self) -> Result<Box<dyn Appender>, LogError> {
        self.inner.appender()
    }
}

struct TamperedWorker {
    inner: Box<dyn Worker>,
    mutant: Mutant,
    positions: Positions,
    /// Where the group says that it stands, when that is wrong.
    wrong: BTreeMap<TopicPartition, u64>,
}

fn is_state(record: &Outgoing) -> bool {
    &*record.topic == "stormfold.state"
}

fn is_row_of(record: &Outgoing, table: &str) -> bool {
    is_state(record)
        && record
            .key
            .as_deref()
            .is_some_and(|key| String::from_utf8_lossy(key).contains(table))
}

impl TamperedWorker {
    /// Two transactions in place of one: the records chosen with the positions or without, and the rest.
    fn parted(
        &mut self,
        transaction: &Transaction,
        first: impl Fn(&Outgoing) -> bool,
        positions_first: bool,
    ) -> Result<(), LogError> {
        let (one, other): (Vec<_>, Vec<_>) = transaction.records.iter().cloned().partition(first);
        let (mut early, mut late) = (Transaction::default(), Transaction::default());
        (early.records, late.records) = (one, other);
        let with = if positions_first { &mut early } else { &mut late };
        with.positions.clone_from(&transaction.positions);
        for part in [early, late] {
            if !part.is_empty() {
                self.inner.commit(&part)?;
            }
        }
        Ok(())
    }

    fn without(
        &mut self,
        transaction: &Transaction,
        which: impl Fn(&Outgoing) -> bool,
    ) -> Result<(), LogError> {
        let mut transaction = transaction.clone();
        transaction.records.retain(|record| !which(record));
        self.inner.commit(&transaction)
    }

    fn moved(&mut self, transaction: &Transaction, by: i64) -> Result<(), LogError> {
        let mut transaction = transaction.clone();
        for (_, position) in &mut transaction.positions {
            if *position % 5 == 4 {
                *position = position.saturating_add_signed(by);
            }
        }
        self.inner.commit(&transaction)
    }
}

impl Worker for TamperedWorker {
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<Polled, LogError> {
        let polled = self.inner.poll(wait, max, out)?;
        if matches!(self.mutant, Mutant::WrongGroup | Mutant::SeekIgnored) {
            for at in polled.given.iter().filter(|at| at.topic.ends_with("journal")) {
                // Ahead, or behind.
                let position = self.inner.committed(at)?.unwrap_or(0);
                let wrong = if position % 2 == 0 {
                    position + 7
                } else {
                    position / 2
                };
                self.inner.seek(at, wrong)?;
                self.wrong.insert(at.clone(), wrong);
            }
        }
        Ok(polled)
    }
    fn seek(&mut self, at: &TopicPartition, position: u64) -> Result<(), LogError> {
        match self.mutant {
            Mutant::SeekIgnored => Ok(()),
            _ => self.inner.seek(at, position),
        }
    }
    fn is_joined(&self) -> bool {
        self.inner.is_joined()
    }
    fn assignment(&self) -> &[TopicPartition] {
        self.inner.assignment()
    }
    fn at_end(&self, at: &TopicPartition) -> bool {
        self.inner.at_end(at)
    }
    fn committed(&mut self, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        if let Some(wrong) = self.wrong.get(at).copied() {
            return self.inner.committed(at).map(|_| Some(wrong));
        }
        let known = self.positions.lock().unwrap().get(at).copied();
        match known {
            Some(known) if self.mutant == Mutant::StalePosition => Ok(Some(known)),
            _ if self.mutant == Mutant::ForgetfulGroup && at.topic.ends_with("journal") => {
                self.inner.committed(at)?;
                Ok(None)
            }
            _ => self.inner.committed(at),
        }
    }
    fn hold(&mut self, at: &TopicPartition, hold: Hold) -> Result<(), LogError> {
        self.inner.hold(at, hold)
    }
    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        match self.mutant {
            Mutant::CommitBeforeProduce => self.parted(transaction, |_| false, true),
            Mutant::ProduceBeforeCommit => self.parted(transaction, |_| true, false),
            Mutant::RowsBeforePositions => self.parted(transaction, is_state, false),
            Mutant::CheckpointBeforeRows => self.parted(
                transaction,
                |record| !is_state(record) || is_row_of(record, "!checkpoint"),
                true,
            ),
            Mutant::LettersApart => self.parted(transaction, |r| &*r.topic == "stormfold.deadletter", false),
            Mutant::PositionAhead => self.moved(transaction, 1),
            Mutant::PositionBehind => self.moved(transaction, -1),
            Mutant::AlertRowForgotten => self.without(transaction, |record| is_row_of(record, "/alert/")),
            Mutant::PendingRowForgotten => self.without(transaction, |record| is_row_of(record, "/pending/")),
            Mutant::IncidentRowForgotten => {
                self.without(transaction, |record| is_row_of(record, "/incident/"))
            }
            Mutant::ShardRowForgotten => self.without(transaction, |record| is_row_of(record, "shard")),
            Mutant::GoneRowForgotten => self.without(transaction, |r| is_state(r) && r.value.is_none()),
            Mutant::QuarantineForgotten => {
                self.without(transaction, |record| is_row_of(record, "!quarantine/"))
            }
            Mutant::QuarantineUnfenced
                if transaction
                    .records
                    .iter()
                    .any(|record| is_row_of(record, "!quarantine/")) =>
            {
                let mut transaction = transaction.clone();
                transaction.positions.clear();
                self.inner.commit(&transaction)
            }
            Mutant::StateIgnored => self.without(transaction, |record| {
                is_state(record) && !is_row_of(record, "!checkpoint")
            }),
            Mutant::StalePosition => {
                self.without(transaction, |record| is_row_of(record, "!position"))?;
                self.positions
                    .lock()
                    .unwrap()
                    .extend(transaction.positions.iter().cloned());
                Ok(())
            }
            Mutant::Nothing
            | Mutant::QuarantineUnfenced
            | Mutant::RowsUnheard
            | Mutant::ForgetfulGroup
            | Mutant::WrongGroup
            | Mutant::SeekIgnored
            | Mutant::EpochIgnored
            | Mutant::DedupRemoved
            | Mutant::ClockInFold => self.inner.commit(transaction),
        }
    }
    fn leave(self: Box<Self>) {
        self.inner.leave();
    }
}
