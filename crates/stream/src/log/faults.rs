//! Seeded faults around the local log: what a broker and a dying process can do to a worker.
//!
//! A fault strikes at a [`Point`] of a worker's life and ends that life: the worker answers [`LogErrorKind::Crashed`]
//! or the error a real client would give, and the caller has to start over from what is committed. The log itself is
//! sound: what faults can do is decide *whether* a transaction lands, and whether its writer learns of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::local::{LocalLog, LocalWorker};
use super::{
    Appender, Bounds, Hold, Log, LogError, LogErrorKind, Member, Outgoing, Polled, Reader, Record, TopicName,
    TopicPartition, TopicSpec, Transaction, Worker,
};

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The log cannot be reached when a worker joins.
    Join,
    /// A reader outside of any group, as a restore has one, breaks off.
    Read,
    /// The process dies before it polls.
    Poll,
    /// The broker is slow: nothing comes, whatever there is.
    Slow,
    /// What was delivered behind the committed position is delivered once more.
    Again,
    /// The process dies with a batch polled and nothing of it sent.
    BeforeCommit,
    /// The broker gives the transaction up.
    Abort,
    /// The transaction lands and the process dies before it learns of it.
    AfterCommit,
    /// The transaction lands and its answer is lost.
    LostAnswer,
    /// The end of the transaction is on its way while the process dies; it lands later, unless a successor of the same
    /// name has given it up before.
    Late,
    /// The transaction lands and the process dies; the group has its positions by then, but the partitions written to do
    /// not show its records yet.
    Unheard,
    /// The transaction times out and its records are on their way still: they land in the next one of the same writer,
    /// unless that has begun a new epoch (what KIP-890 is about).
    Stray,
    /// The process stands still before the commit, long enough to be replaced, and then commits after all.
    Zombie,
    /// The same until its session has ended and others hold its partitions. Nobody of its name has come meanwhile, so its
    /// writer is the newest of that name: only the positions in a transaction can fence it.
    Asleep,
}

impl Point {
    /// All of them, in the order of their declaration.
    pub const ALL: [Point; 14] = [
        Point::Join,
        Point::Read,
        Point::Poll,
        Point::Slow,
        Point::Again,
        Point::BeforeCommit,
        Point::Abort,
        Point::AfterCommit,
        Point::LostAnswer,
        Point::Late,
        Point::Unheard,
        Point::Stray,
        Point::Zombie,
        Point::Asleep,
    ];
    /// What can happen to a commit: all from [`Point::BeforeCommit`] on.
    const COMMIT: &[Point] = Point::ALL.split_at(Point::BeforeCommit as usize).1;
}

/// Decides about faults: asked before each poll and each commit with what could strike there.
pub trait Plan: Send {
    /// The fault that strikes at this step, of those that can.
    fn strike(&mut self, possible: &[Point]) -> Option<Point>;
}

/// Strikes with a probability, from a seed.
#[derive(Clone, Debug)]
pub struct Seeded {
    state: u64,
    per_thousand: u64,
}

impl Seeded {
    /// Faults from a seed, each step with `per_thousand` in a thousand.
    pub fn new(seed: u64, per_thousand: u64) -> Seeded {
        Seeded {
            state: seed,
            per_thousand,
        }
    }
    /// The next number (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Plan for Seeded {
    fn strike(&mut self, possible: &[Point]) -> Option<Point> {
        let strikes = self.roll() % 1000 < self.per_thousand;
        let which = self.roll() as usize % possible.len();
        strikes.then_some(possible[which])
    }
}

/// A local log whose workers suffer from a plan.
#[derive(Clone)]
pub struct FaultyLog {
    inner: LocalLog,
    plan: Arc<Mutex<dyn Plan>>,
    adrift: Arc<Mutex<Adrift>>,
    epochs: Epochs,
}

/// Whether the log tells one life of a writer from the next. Every log that we use does; the other kind shows that a
/// test would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epochs {
    /// Who was replaced is fenced.
    Heeded,
    /// Whoever commits is believed.
    Ignored,
}

/// What is on its way while nobody waits for it.
#[derive(Default)]
struct Adrift {
    /// Workers that stand still, with the transaction that they are about to commit.
    zombies: Vec<(LocalWorker, Transaction)>,
    /// Those of them of whose name nobody is to come before they go on, by group and name.
    asleep: BTreeSet<(String, String)>,
    /// Records of timed-out transactions, by group and name of their writer.
    strays: BTreeMap<(String, String), Vec<Outgoing>>,
}

impl FaultyLog {
    /// Of a sound log and a plan.
    pub fn new(inner: LocalLog, plan: Arc<Mutex<dyn Plan>>, epochs: Epochs) -> FaultyLog {
        let adrift = Arc::default();
        FaultyLog {
            inner,
            plan,
            adrift,
            epochs,
        }
    }

    /// Lets everything that is on its way arrive, and those that stand still go on.
    pub fn settle(&self) -> Result<(), LogError> {
        lock(&self.adrift).asleep.clear();
        for (mut worker, transaction) in std::mem::take(&mut lock(&self.adrift).zombies) {
            // Whether it lands is for the log to say; nobody is left to be told.
            let _ = match self.epochs {
                Epochs::Heeded => worker.commit(&transaction),
                Epochs::Ignored => worker.commit_unfenced(&transaction),
            };
        }
        self.inner.decide()
    }

    /// Whether the process of a member stands still until [`FaultyLog::settle`], so that it cannot start over.
    pub fn is_asleep(&self, member: &Member) -> bool {
        let writer = (member.group.clone(), member.name.clone());
        lock(&self.adrift).asleep.contains(&writer)
    }

    /// The session of a member ends although it may live: its partitions go to the others.
    pub fn expel(&self, member: &Member) {
        self.inner.expel(&member.group, &member.name);
    }
}

impl Log for FaultyLog {
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
        self.inner.decided(at)
    }
    fn join(&self, member: &Member) -> Result<Box<dyn Worker>, LogError> {
        if lock(&self.plan).strike(&[Point::Join]).is_some() {
            return Err(LogError::new(LogErrorKind::Unavailable, "while joining"));
        }
        let writer = (member.group.clone(), member.name.clone());
        lock(&self.adrift).asleep.remove(&writer);
        if self.epochs == Epochs::Heeded {
            lock(&self.adrift).strays.remove(&writer);
        }
        Ok(Box::new(FaultyWorker {
            inner: Some(self.inner.join_local(member, self.epochs == Epochs::Heeded)?),
            plan: self.plan.clone(),
            adrift: self.adrift.clone(),
            writer,
        }))
    }
    fn reader(&self) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(FaultyReader {
            inner: self.inner.reader()?,
            plan: self.plan.clone(),
        }))
    }
    fn appender(&self) -> Result<Box<dyn Appender>, LogError> {
        self.inner.appender()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct FaultyReader {
    inner: Box<dyn Reader>,
    plan: Arc<Mutex<dyn Plan>>,
}

impl Reader for FaultyReader {
    fn assign(&mut self, from: &[(TopicPartition, u64)]) -> Result<(), LogError> {
        self.inner.assign(from)
    }
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<(), LogError> {
        match lock(&self.plan).strike(&[Point::Read]) {
            Some(_) => Err(LogError::new(LogErrorKind::Unavailable, "while reading")),
            None => self.inner.poll(wait, max, out),
        }
    }
    fn at_end(&self, at: &TopicPartition) -> bool {
        self.inner.at_end(at)
    }
}

/// A worker until a fault ends its life; `inner` is gone after that.
struct FaultyWorker {
    inner: Option<LocalWorker>,
    plan: Arc<Mutex<dyn Plan>>,
    adrift: Arc<Mutex<Adrift>>,
    writer: (String, String),
}

impl FaultyWorker {
    fn inner(&mut self) -> Result<&mut LocalWorker, LogError> {
        self.inner
            .as_mut()
            .ok_or_else(|| LogError::new(LogErrorKind::Crashed, "used after its end"))
    }

    /// Commits, and with it what strayed of a transaction before.
    fn commit_with_strays(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let strays = lock(&self.adrift).strays.remove(&self.writer);
        let Some(mut records) = strays else {
            return self.inner()?.commit(transaction);
        };
        records.extend(transaction.records.iter().cloned());
        let positions = transaction.positions.clone();
        self.inner()?.commit(&Transaction { records, positions })
    }
}

impl Worker for FaultyWorker {
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<Polled, LogError> {
        let strike = lock(&self.plan).strike(&[Point::Poll, Point::Slow, Point::Again]);
        match strike {
            Some(Point::Poll) => {
                self.inner = None;
                Err(LogError::new(LogErrorKind::Crashed, "before a poll"))
            }
            Some(Point::Slow) => Ok(Polled::default()),
            Some(Point::Again) => {
                let inner = self.inner()?;
                inner.rewind()?;
                inner.poll(wait, max, out)
            }
            _ => self.inner()?.poll(wait, max, out),
        }
    }

    fn is_joined(&self) -> bool {
        self.inner.as_ref().is_some_and(Worker::is_joined)
    }

    fn assignment(&self) -> &[TopicPartition] {
        self.inner.as_ref().map_or(&[], Worker::assignment)
    }

    fn at_end(&self, at: &TopicPartition) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.at_end(at))
    }

    fn committed(&mut self, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        self.inner()?.committed(at)
    }

    fn seek(&mut self, at: &TopicPartition, position: u64) -> Result<(), LogError> {
        self.inner()?.seek(at, position)
    }

    fn hold(&mut self, at: &TopicPartition, hold: Hold) -> Result<(), LogError> {
        self.inner()?.hold(at, hold)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let crashed = |what| Err(LogError::new(LogErrorKind::Crashed, what));
        let Some(point) = lock(&self.plan).strike(Point::COMMIT) else {
            return self.commit_with_strays(transaction);
        };
        self.inner()?;
        match point {
            Point::Abort => {
                self.inner = None;
                Err(LogError::new(LogErrorKind::Aborted, "by plan"))
            }
            Point::LostAnswer => {
                self.commit_with_strays(transaction)?;
                self.inner = None;
                Err(LogError::new(LogErrorKind::Unknown, "the answer is lost"))
            }
            Point::AfterCommit => {
                self.commit_with_strays(transaction)?;
                self.inner = None;
                crashed("after a commit")
            }
            Point::Late => {
                self.inner()?.hang(transaction)?;
                self.inner = None;
                crashed("with a commit on its way")
            }
            Point::Unheard => {
                self.inner()?.commit_unheard(transaction)?;
                self.inner = None;
                crashed("with a commit that not everybody has heard of")
            }
            Point::Stray => {
                let mut adrift = lock(&self.adrift);
                let strays = adrift.strays.entry(self.writer.clone()).or_default();
                strays.extend(transaction.records.iter().cloned());
                Err(LogError::new(LogErrorKind::Unknown, "timed out"))
            }
            Point::Zombie => {
                let worker = self.inner.take().expect("asked for above");
                lock(&self.adrift).zombies.push((worker, transaction.clone()));
                crashed("but not quite dead")
            }
            Point::Asleep => {
                let worker = self.inner.take().expect("asked for above");
                worker.fall_asleep();
                let mut adrift = lock(&self.adrift);
                adrift.asleep.insert(self.writer.clone());
                adrift.zombies.push((worker, transaction.clone()));
                crashed("but asleep")
            }
            _ => {
                self.inner = None;
                crashed("before a commit")
            }
        }
    }

    fn leave(self: Box<Self>) {
        if let Some(inner) = self.inner {
            Box::new(inner).leave();
        }
    }
}
