//! Seeded faults around the local log: what a broker and a dying process can do to a worker.
//!
//! A fault strikes at a [`Point`] of a worker's life and ends that life: the worker answers [`LogErrorKind::Crashed`]
//! or the error a real client would give, and the caller has to start over from what is committed. The log itself is
//! sound: what faults can do is decide *whether* a transaction lands, and whether its writer learns of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::local::{LocalLog, LocalWorker};
use super::{
    Appender, Bounds, Hold, Log, LogError, LogErrorKind, Member, Polled, Reader, Record, TopicName,
    TopicPartition, TopicSpec, Transaction, Worker,
};

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The process dies before it polls.
    Poll,
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
    /// The process stands still before the commit, long enough to be replaced, and then commits after all.
    Zombie,
}

impl Point {
    /// All of them.
    pub const ALL: [Point; 7] = [
        Point::Poll,
        Point::BeforeCommit,
        Point::Abort,
        Point::AfterCommit,
        Point::LostAnswer,
        Point::Late,
        Point::Zombie,
    ];
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
    zombies: Zombies,
}

/// Workers that stand still, with the transaction that they are about to commit.
type Zombies = Arc<Mutex<Vec<(LocalWorker, Transaction)>>>;

impl FaultyLog {
    /// Of a sound log and a plan.
    pub fn new(inner: LocalLog, plan: Arc<Mutex<dyn Plan>>) -> FaultyLog {
        FaultyLog {
            inner,
            plan,
            zombies: Zombies::default(),
        }
    }
    /// Lets everything that is on its way arrive, and those that stand still go on.
    pub fn settle(&self) -> Result<(), LogError> {
        for (mut worker, transaction) in lock(&self.zombies).drain(..) {
            // Whether it lands is for the log to say; nobody is left to be told.
            let _ = worker.commit(&transaction);
        }
        self.inner.decide()
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
    fn join(&self, member: &Member) -> Result<Box<dyn Worker>, LogError> {
        let inner = Some(self.inner.join_local(member)?);
        Ok(Box::new(FaultyWorker {
            inner,
            plan: self.plan.clone(),
            zombies: self.zombies.clone(),
        }))
    }
    fn reader(&self) -> Result<Box<dyn Reader>, LogError> {
        self.inner.reader()
    }
    fn appender(&self) -> Result<Box<dyn Appender>, LogError> {
        self.inner.appender()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker until a fault strikes it; `inner` is gone after that.
struct FaultyWorker {
    inner: Option<LocalWorker>,
    plan: Arc<Mutex<dyn Plan>>,
    zombies: Zombies,
}

impl FaultyWorker {
    fn inner(&mut self) -> Result<&mut LocalWorker, LogError> {
        self.inner
            .as_mut()
            .ok_or_else(|| LogError::new(LogErrorKind::Crashed, "used after its end"))
    }

    fn strike(&mut self, possible: &[Point]) -> Option<(Point, LocalWorker)> {
        let point = lock(&self.plan).strike(possible)?;
        Some((point, self.inner.take()?))
    }
}

impl Worker for FaultyWorker {
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<Polled, LogError> {
        match self.strike(&[Point::Poll]) {
            Some(_) => Err(LogError::new(LogErrorKind::Crashed, "before a poll")),
            None => self.inner()?.poll(wait, max, out),
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

    fn hold(&mut self, at: &TopicPartition, hold: Hold) -> Result<(), LogError> {
        self.inner()?.hold(at, hold)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        let crashed = |what| Err(LogError::new(LogErrorKind::Crashed, what));
        let Some((point, mut inner)) = self.strike(&Point::ALL[1..]) else {
            return self.inner()?.commit(transaction);
        };
        match point {
            Point::Poll | Point::BeforeCommit => crashed("before a commit"),
            Point::Abort => Err(LogError::new(LogErrorKind::Aborted, "by plan")),
            Point::LostAnswer => {
                inner.commit(transaction)?;
                Err(LogError::new(LogErrorKind::Unknown, "the answer is lost"))
            }
            Point::AfterCommit => {
                inner.commit(transaction)?;
                crashed("after a commit")
            }
            Point::Late => {
                inner.hang(transaction)?;
                crashed("with a commit on its way")
            }
            Point::Zombie => {
                lock(&self.zombies).push((inner, transaction.clone()));
                crashed("but not quite dead")
            }
        }
    }

    fn leave(self: Box<Self>) {
        if let Some(inner) = self.inner {
            Box::new(inner).leave();
        }
    }
}
