//! The pipeline: both loops on threads of their own, from start to a clean stop.
//!
//! One worker is one thread. An error ends the life of a worker, not of its thread: what is not committed is dropped, and
//! after a pause that grows with repetition the worker joins and restores again. Only a fault that a person has to mend
//! (a missing topic, a checkpoint of another version) is also reported through [`Handle::failure`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::Books;

use crate::clock::Clock;
use crate::correlate::Correlate;
use crate::counters::Counters;
use crate::ingest::{Ingest, Turn};
use crate::log::{Log, LogError, LogErrorKind, TopicPartition};
use crate::settings::{Settings, TopicTime};
use crate::topics;
use crate::watch::Watch;

/// How long a turn waits for input. Short, so that progress is written in time and a stop is noticed.
const WAIT: Duration = Duration::from_millis(100);
/// The longest pause between two lives of a worker.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// After so many lives that failed for the same kind of reason, a person is told to act: about two seconds.
const SETUP_TRIES: u32 = 6;
/// At a stop, the journal is folded to its end for at most this long.
const DRAIN: Duration = Duration::from_millis(1_000);
/// A worker that has not ended a turn for this long is stuck: who asks every other second knows within ten.
const STUCK: Duration = Duration::from_secs(8);
/// One that is stuck for this long although the log answers will not come back by itself. Longer than any commit may take.
const DEAD: Duration = Duration::from_secs(60);
/// A restore that has read nothing for this long does not go on.
const RESTORE_PATIENCE: Duration = Duration::from_secs(10);
/// How long the one who looks may take to end. It may be waiting for a broker that does not answer.
const WATCH_ENDS: Duration = Duration::from_millis(300);

/// A running pipeline.
pub struct Handle {
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
    ingest: Vec<JoinHandle<()>>,
    correlate: Vec<JoinHandle<()>>,
}

struct Shared {
    started: Instant,
    counters: Arc<Counters>,
    workers: Vec<Status>,
    stop_ingest: AtomicBool,
    stop_correlate: AtomicBool,
    watch: Watch,
}

/// What is known of a worker from outside.
struct Status {
    name: String,
    stage: Stage,
    /// Milliseconds after the start at which its last turn ended.
    beat: AtomicU64,
    caught_up: AtomicBool,
    state: Mutex<WorkerState>,
    held: Mutex<Vec<TopicPartition>>,
    books: Mutex<Vec<Books>>,
}

/// A half of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Raw topics to journal.
    Ingest,
    /// Journal to incidents.
    Correlate,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stage::Ingest => "ingest",
            Stage::Correlate => "correlate",
        })
    }
}

/// What a worker is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// It has not been given a partition yet.
    Joining,
    /// It holds partitions, or stands by for another that does.
    Running {
        /// How many partitions it holds.
        partitions: usize,
    },
    /// It is about to try again.
    Failed {
        /// What went wrong.
        error: String,
        /// Whether a person has to act.
        setup: bool,
    },
    /// It has ended as told.
    Stopped,
}

/// How a worker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerHealth {
    /// Its name.
    pub name: String,
    /// Its half.
    pub stage: Stage,
    /// What it is at.
    pub state: WorkerState,
    /// Whether it has not ended a turn for eight seconds, and restores nothing.
    pub stuck: bool,
    /// Whether it has not for a minute although the log answers: it will not come back by itself.
    pub dead: bool,
    /// Whether it has read everything there is.
    pub caught_up: bool,
}

/// How the pipeline is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether every worker does what it is there for, the log answers, and what waits goes on.
    pub ready: bool,
    /// Why it is not ready, in words.
    pub reasons: Vec<String>,
    /// Each worker.
    pub workers: Vec<WorkerHealth>,
}

/// Starts a pipeline.
pub struct Pipeline;

impl Pipeline {
    /// Checks the topics and starts the workers.
    pub fn start(settings: Settings, log: Arc<dyn Log>, clock: Arc<dyn Clock>) -> Result<Handle, LogError> {
        let faults = topics::check(log.as_ref(), &settings)?;
        if !faults.is_empty() {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return Err(LogError::new(LogErrorKind::Setup, faults.join("; ")));
        }
        let settings = Arc::new(settings);
        let counters = Arc::new(Counters::default());
        let mut ingests = Vec::new();
        let mut correlates = Vec::new();
        if settings.stages.ingest() {
            let present = (0..settings.ingest_workers.max(1)).map(|number| (TopicTime::Present, number));
            for (time, number) in present.chain([(TopicTime::Records, 0)]) {
                let (settings, log) = (settings.clone(), log.clone());
                ingests.extend(Ingest::new(
                    settings,
                    log,
                    clock.clone(),
                    counters.clone(),
                    time,
                    number,
                ));
            }
        }
        if settings.stages.correlate() {
            for number in 0..settings.correlate_workers.max(1) {
                let (settings, log) = (settings.clone(), log.clone());
                correlates.push(Correlate::new(
                    settings,
                    log,
                    clock.clone(),
                    counters.clone(),
                    number,
                ));
            }
        }
        let names = ingests.iter().map(|worker| (worker.name(), Stage::Ingest));
        let names = names.chain(correlates.iter().map(|worker| (worker.name(), Stage::Correlate)));
        let watch = Watch::new(settings, log, clock, counters.clone());
        let shared = Arc::new(Shared {
            started: Instant::now(),
            counters,
            watch,
            workers: names.map(|(name, stage)| Status::new(name, stage)).collect(),
            stop_ingest: AtomicBool::new(false),
            stop_correlate: AtomicBool::new(false),
        });
        let mut handle = Handle {
            shared: shared.clone(),
            watch: None,
            ingest: Vec::new(),
            correlate: Vec::new(),
        };
        for (place, worker) in ingests.into_iter().enumerate() {
            let shared = shared.clone();
            handle.ingest.push(spawn(worker.name().to_owned(), move || {
                shared.run_ingest(place, worker)
            })?);
        }
        let before = handle.ingest.len();
        for (place, worker) in correlates.into_iter().enumerate() {
            let shared = shared.clone();
            let name = worker.name().to_owned();
            handle
                .correlate
                .push(spawn(name, move || shared.run_correlate(before + place, worker))?);
        }
        handle.watch = Some(spawn("watch".to_owned(), move || shared.run_watch())?);
        Ok(handle)
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LogError> {
    let thread = std::thread::Builder::new().name(name).spawn(run);
    thread.map_err(|e| LogError::new(LogErrorKind::Setup, format_args!("no thread for a worker: {e}")))
}

impl Handle {
    /// What the pipeline counts.
    pub fn counters(&self) -> Arc<Counters> {
        self.shared.counters.clone()
    }

    /// The books of the partitions held here, summed.
    pub fn books(&self) -> Books {
        self.shared.books()
    }

    /// How it is.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Something that can be asked how it is after the handle went elsewhere.
    pub fn probe(&self) -> Probe {
        Probe {
            shared: self.shared.clone(),
        }
    }

    /// Whether everything there is to read has been read, as far as is known. Ingest first: what it has written is new
    /// to correlate.
    pub fn is_caught_up(&self) -> bool {
        self.shared
            .workers
            .iter()
            .all(|status| status.caught_up.load(Ordering::Acquire))
    }

    /// A fault that a person has to mend, if there is one.
    pub fn failure(&self) -> Option<String> {
        self.shared
            .workers
            .iter()
            .find_map(|status| match &*lock(&status.state) {
                WorkerState::Failed { error, setup: true } => Some(format!("{}: {error}", status.name)),
                _ => None,
            })
    }

    /// Stops: ingest ends, the journal is folded to its end, a checkpoint is written and the partitions are given away.
    /// Takes about a second; what a broker does not take in time stays for the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop_ingest.store(true, Ordering::Release);
        for thread in self.ingest.drain(..) {
            // A worker that panicked has said so; what it left is restored at the next start.
            let _ = thread.join();
        }
        self.shared.stop_correlate.store(true, Ordering::Release);
        for thread in self.correlate.drain(..) {
            let _ = thread.join();
        }
        if let Some(watch) = self.watch.take() {
            let until = Instant::now() + WATCH_ENDS;
            while !watch.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells how a pipeline is.
#[derive(Clone)]
pub struct Probe {
    shared: Arc<Shared>,
}

impl Probe {
    /// How it is.
    pub fn health(&self) -> Health {
        self.shared.health()
    }
    /// What it counts.
    pub fn counters(&self) -> Arc<Counters> {
        self.shared.counters.clone()
    }
    /// The books of the partitions held here, summed.
    pub fn books(&self) -> Books {
        self.shared.books()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Status {
    fn new(name: &str, stage: Stage) -> Status {
        Status {
            name: name.to_owned(),
            stage,
            beat: AtomicU64::new(0),
            caught_up: AtomicBool::new(false),
            state: Mutex::new(WorkerState::Joining),
            held: Mutex::default(),
            books: Mutex::new(Vec::new()),
        }
    }
}

impl Shared {
    fn health(&self) -> Health {
        let now = self.started.elapsed().as_millis() as u64;
        let restores = self.watch.restores(RESTORE_PATIENCE);
        let log_answers = self.watch.log_answers();
        let mut reasons = Vec::new();
        let mut workers = Vec::new();
        for status in &self.workers {
            let name = &status.name;
            let silent = Duration::from_millis(now.saturating_sub(status.beat.load(Ordering::Relaxed)));
            let restores = restores && status.stage == Stage::Correlate;
            let state = lock(&status.state).clone();
            let stuck = silent > STUCK && !restores;
            match &state {
                _ if stuck => reasons.push(format!("{name} has not ended a turn for {} s", silent.as_secs())),
                _ if restores && silent > WAIT * 10 => reasons.push(format!("{name} restores")),
                WorkerState::Joining => reasons.push(format!("{name} joins its group")),
                WorkerState::Failed { error, .. } => reasons.push(format!("{name}: {error}")),
                WorkerState::Stopped => reasons.push(format!("{name} has ended")),
                WorkerState::Running { .. } => {}
            }
            workers.push(WorkerHealth {
                name: name.clone(),
                stage: status.stage,
                state,
                stuck,
                dead: silent > DEAD && !restores && log_answers,
                caught_up: status.caught_up.load(Ordering::Acquire),
            });
        }
        reasons.extend(self.watch.complaints());
        Health {
            ready: reasons.is_empty(),
            reasons,
            workers,
        }
    }

    fn books(&self) -> Books {
        let mut sum = Books::default();
        for status in &self.workers {
            for books in lock(&status.books).iter() {
                sum.add(books);
            }
        }
        sum
    }

    fn run_watch(&self) {
        let mut reader = None;
        while !self.stop_correlate.load(Ordering::Acquire) {
            self.watch.turn(&mut reader, || {
                let held = self
                    .workers
                    .iter()
                    .map(|status| (status.stage, lock(&status.held).clone()));
                held.flat_map(|(stage, held)| held.into_iter().map(move |at| (stage, at)))
                    .collect()
            });
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn run_ingest(&self, place: usize, mut worker: Ingest) {
        let status = &self.workers[place];
        let mut pause = Pause::default();
        while !self.stop_ingest.load(Ordering::Acquire) {
            match worker.turn(WAIT) {
                Ok(_) => {
                    pause.reset();
                    self.beat(status, worker.is_joined(), worker.holds(), worker.is_caught_up());
                    hold(status, worker.held());
                }
                Err(error) => {
                    worker.reset();
                    self.failed(status, &error, pause.count);
                    pause.rest(&self.stop_ingest);
                }
            }
        }
        worker.leave();
        *lock(&status.state) = WorkerState::Stopped;
    }

    fn run_correlate(&self, place: usize, mut worker: Correlate) {
        let status = &self.workers[place];
        let mut pause = Pause::default();
        let mut stopping: Option<Instant> = None;
        loop {
            if self.stop_correlate.load(Ordering::Acquire) {
                let since = *stopping.get_or_insert_with(Instant::now);
                if since.elapsed() >= DRAIN || worker.is_caught_up() || worker.holds() == 0 {
                    break;
                }
            }
            match worker.turn(WAIT) {
                Ok(turn) => {
                    pause.reset();
                    let caught_up = turn == Turn::Idle && worker.is_caught_up();
                    self.beat(status, worker.is_joined(), worker.holds(), caught_up);
                    hold(status, worker.held());
                    *lock(&status.books) = worker.books();
                }
                Err(error) => {
                    worker.reset();
                    self.failed(status, &error, pause.count);
                    if stopping.is_some() {
                        break;
                    }
                    pause.rest(&self.stop_correlate);
                }
            }
        }
        if let Err(error) = worker.leave() {
            tracing::warn!(worker = status.name, %error, "no checkpoint at the stop; the next start folds the tail again");
        }
        *lock(&status.state) = WorkerState::Stopped;
    }

    fn beat(&self, status: &Status, joined: bool, partitions: usize, caught_up: bool) {
        status
            .beat
            .store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
        status.caught_up.store(caught_up, Ordering::Release);
        let now = if joined {
            WorkerState::Running { partitions }
        } else {
            WorkerState::Joining
        };
        let mut state = lock(&status.state);
        if *state != now {
            tracing::info!(worker = status.name, state = ?now, "worker");
            *state = now;
        }
    }

    fn failed(&self, status: &Status, error: &LogError, before: u32) {
        hold(status, &[]);
        self.counters.rebuilds.add(1);
        status.caught_up.store(false, Ordering::Release);
        // A topic that was just created is not known to every broker at once.
        let setup = error.kind() == LogErrorKind::Setup && before >= SETUP_TRIES;
        let mut state = lock(&status.state);
        let same =
            matches!(&*state, WorkerState::Failed { error: before, .. } if *before == error.to_string());
        if !same {
            tracing::warn!(worker = status.name, %error, "starting over from what is committed");
        }
        *state = WorkerState::Failed {
            error: error.to_string(),
            setup,
        };
    }
}

/// Notes what a worker holds.
fn hold(status: &Status, held: &[TopicPartition]) {
    let mut known = lock(&status.held);
    if *known != held {
        *known = held.to_vec();
    }
}

/// The pause between two lives of a worker.
#[derive(Default)]
struct Pause {
    next: Duration,
    count: u32,
}

impl Pause {
    fn reset(&mut self) {
        *self = Pause::default();
    }

    fn rest(&mut self, stop: &AtomicBool) {
        // The first failure is often a rebalance: start over at once.
        let until = Instant::now() + self.next;
        while Instant::now() < until && !stop.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.next = (self.next * 2).clamp(Duration::from_millis(50), PAUSE_MAX);
        self.count += 1;
    }
}
