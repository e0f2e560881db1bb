//! One run: workers that come and go, faults that strike, a clock that moves, and then the reckoning.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use engine::{Output, Shard};
use model::{Input, Span, Time};
use sim::Dice;
use stream::log::faults::{Epochs, FaultyLog, Point};
use stream::log::local::LocalLog;
use stream::log::{Log, LogError, LogErrorKind, Member, Share};
use stream::{Clock as _, Correlate, Counters, Ingest, RawTopic, SetClock, Settings, TopicTime, topics};

use super::mutants::{Mutant, Tampered};
use super::promises;
use super::trouble::Trouble;
use super::world::{self, BOOM, Raw};
use crate::house::journal;

/// What is to be run.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) seed: u64,
    /// Events that the world begins with; copies and refused records come on top.
    pub(super) events: usize,
    pub(super) mutant: Option<Mutant>,
}

/// What happened in runs that held every promise.
#[derive(Default)]
pub(super) struct Ran {
    pub(super) events: u64,
    pub(super) changes: u64,
    pub(super) letters: u64,
    pub(super) quarantined: u64,
    pub(super) lives: u64,
    pub(super) struck: BTreeMap<Point, u64>,
}

impl Ran {
    pub(super) fn add(&mut self, other: &Ran) {
        self.events += other.events;
        self.changes += other.changes;
        self.letters += other.letters;
        self.quarantined += other.quarantined;
        self.lives += other.lives;
        for (point, n) in &other.struck {
            *self.struck.entry(*point).or_default() += n;
        }
    }
    pub(super) fn struck(&self, point: Point) -> u64 {
        self.struck.get(&point).copied().unwrap_or(0)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran {
            events,
            changes,
            letters,
            quarantined,
            lives,
            struck,
        } = self;
        write!(
            f,
            "{events} events, {changes} changes, {letters} dead letters, {quarantined} quarantined; "
        )?;
        write!(f, "{lives} lives of workers, faults {struck:?}")
    }
}

/// The fold, but for one event on which it panics.
pub(super) fn panicky(shard: &mut Shard, batch: &[Input], out: &mut Vec<Output>) {
    for input in batch {
        if let Input::Event(event) = input {
            assert_ne!(event.event_id, BOOM, "cannot fold this");
        }
        shard.step(std::slice::from_ref(input), out);
    }
}

const PARTITIONS: u32 = 3;
/// Workers of each kind that can be there at once.
const WORKERS: usize = 3;
/// At most so many steps under faults; a history that is not done by then is finished in peace.
const STEPS: usize = 6_000;
/// The backlog must drain within so many rounds once nothing goes wrong any more, and so many more for each event.
const ROUNDS: usize = 2_000;
const ROUNDS_EACH: usize = 6;
/// Workers that fail more often than this without a fault will fail for ever.
const FAILURES: u64 = 60;

struct House {
    dice: Dice,
    history: bool,
    settings: Arc<Settings>,
    sound: LocalLog,
    faulty: FaultyLog,
    log: Arc<dyn Log>,
    clock: Arc<SetClock>,
    latest: Time,
    counters: Arc<Counters>,
    trouble: Arc<Mutex<Trouble>>,
    unsent: std::vec::IntoIter<Raw>,
    ingest: [Option<Ingest>; WORKERS],
    correlate: [Option<Correlate>; WORKERS],
    lives: u64,
    rounds: usize,
    /// When nothing came any more, and how many heartbeats there had been.
    quiet: Option<(Time, usize)>,
}

thread_local! {
    /// Whether panics of this thread are expected, and not worth a word.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a trial: what happened, or which promise was broken.
pub(super) fn run(trial: &Trial) -> Result<Ran, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !EXPECTED.get() {
                usual(panic);
            }
        }));
    });
    EXPECTED.set(true);
    let ran = run_quietly(trial);
    EXPECTED.set(false);
    ran
}

fn run_quietly(trial: &Trial) -> Result<Ran, String> {
    let mut dice = Dice::new(trial.seed);
    let history = dice.chance(0.4);
    let settings = settings(&mut dice, history, trial.mutant);
    let boom = trial.mutant.map_or_else(
        || dice.chance(0.3),
        |mutant| matches!(mutant, Mutant::QuarantineForgotten | Mutant::QuarantineUnfenced),
    );
    let mut settings = settings;
    if boom {
        settings.step = panicky;
    }
    if let Some(step) = trial.mutant.and_then(Mutant::step) {
        settings.step = step;
    }
    let mut raw = world::records(trial.seed, trial.events, PARTITIONS, boom);
    if history {
        raw.extend(world::ends(&raw, PARTITIONS));
    }
    let expected = promises::Sent::of(&raw);
    let mut house = House::new(trial, settings, history, raw, dice)?;
    house.under_faults()?;
    house.in_peace()?;
    let journal = journal(&house.sound, &house.settings);
    promises::hold(&house.sound, &house.settings, &journal, &expected, house.latest)?;
    if let Some((from, before)) = house.quiet {
        promises::somebody_lives(&house.sound, &house.settings, from, before, house.clock.now())?;
    }
    house.books(promises::events(&journal))?;
    let struck = lock(&house.trouble).struck.clone();
    Ok(Ran {
        events: house.counters.ingested_inputs.get(),
        changes: house.counters.changes.get(),
        letters: house.counters.dead_letters.get(),
        quarantined: house.counters.quarantined_inputs.get(),
        lives: house.lives,
        struck,
    })
}

fn settings(dice: &mut Dice, history: bool, mutant: Option<Mutant>) -> Settings {
    let time = if history {
        TopicTime::Records
    } else {
        TopicTime::Present
    };
    Settings {
        // The dice are thrown in one order.
        restore_threads: 1,
        raw: vec![RawTopic {
            name: "alerts".into(),
            source: None,
            time,
        }],
        partitions: PARTITIONS,
        commit_interval: Duration::ZERO,
        batch_records_max: *dice.pick(&[4, 8, 16, 64]),
        checkpoint_interval: Span::from_millis(*dice.pick(&[200, 1_000, 5_000])),
        // A mutant of the checkpoint is seen only where there are restores from one.
        checkpoint_inputs: if mutant.is_some() {
            20
        } else {
            *dice.pick(&[5, 50, 500])
        },
        merge_bytes_max: *dice.pick(&[2_000, 1 << 20]),
        ..Settings::default()
    }
}

fn lock(trouble: &Mutex<Trouble>) -> std::sync::MutexGuard<'_, Trouble> {
    trouble.lock().unwrap()
}

impl House {
    fn new(
        trial: &Trial,
        settings: Settings,
        history: bool,
        raw: Vec<Raw>,
        dice: Dice,
    ) -> Result<House, String> {
        let began = raw.first().map_or(Time::from_secs(0), |raw| raw.at);
        let clock = Arc::new(SetClock::new(if history {
            began + Span::from_hours(9_000)
        } else {
            began
        }));
        let sound = LocalLog::memory(clock.clone());
        topics::create(&sound, &settings).map_err(|e| e.to_string())?;
        let trouble = match trial.mutant {
            Some(mutant) => Trouble::of(trial.seed, mutant.faults()),
            None => Trouble::drawn(trial.seed),
        };
        let trouble = Arc::new(Mutex::new(trouble));
        let epochs = match trial.mutant {
            Some(Mutant::EpochIgnored) => Epochs::Ignored,
            _ => Epochs::Heeded,
        };
        let faulty = FaultyLog::new(sound.clone(), trouble.clone(), epochs);
        let log: Arc<dyn Log> = match trial.mutant {
            Some(mutant) => Arc::new(Tampered::new(faulty.clone(), mutant)),
            None => Arc::new(faulty.clone()),
        };
        let mut house = House {
            dice,
            history,
            settings: Arc::new(settings),
            sound,
            faulty,
            log,
            latest: clock.now(),
            clock,
            counters: Arc::new(Counters::default()),
            trouble,
            unsent: raw.into_iter(),
            ingest: [const { None }; WORKERS],
            correlate: [const { None }; WORKERS],
            lives: 0,
            rounds: ROUNDS + ROUNDS_EACH * trial.events,
            quiet: None,
        };
        if history {
            house.send(Time::MAX)?;
        }
        for number in 0..2 {
            house.start(number);
        }
        Ok(house)
    }

    /// Sends what is due by now.
    fn send(&mut self, until: Time) -> Result<(), String> {
        let due = self.unsent.as_slice().partition_point(|raw| raw.at <= until);
        let topic = &self.settings.raw[0].name;
        let records: Vec<_> = self
            .unsent
            .by_ref()
            .take(due)
            .map(|raw| raw.outgoing(topic, self.history))
            .collect();
        self.sound
            .appender()
            .and_then(|appender| appender.append(records))
            .map_err(|e| e.to_string())
    }

    /// Starts the workers of a number that are not there.
    fn start(&mut self, number: usize) {
        let (settings, log, clock, counters) = (&self.settings, &self.log, &self.clock, &self.counters);
        let time = settings.raw[0].time;
        if self.ingest[number].is_none() {
            self.lives += 1;
            self.ingest[number] = Ingest::new(
                settings.clone(),
                log.clone(),
                clock.clone(),
                counters.clone(),
                time,
                number as u32,
            );
        }
        if self.correlate[number].is_none() {
            self.lives += 1;
            let worker = Correlate::new(
                settings.clone(),
                log.clone(),
                clock.clone(),
                counters.clone(),
                number as u32,
            );
            self.correlate[number] = Some(worker);
        }
    }

    fn tick(&mut self, by: Span) -> Result<(), String> {
        self.clock.set(self.clock.now() + by);
        self.latest = self.latest.max(self.clock.now());
        if self.history {
            Ok(())
        } else {
            self.send(self.clock.now())
        }
    }

    fn failed(&mut self, error: &LogError) -> Result<(), String> {
        self.lives += 1;
        match error.kind() {
            LogErrorKind::Setup => Err(format!("a worker asks for a person: {error}")),
            _ => Ok(()),
        }
    }

    /// A turn of one worker; whether it did something.
    fn turn(&mut self, correlate: bool, number: usize) -> Result<bool, String> {
        let turn = match correlate {
            false => self.ingest[number]
                .as_mut()
                .map(|worker| worker.turn(Duration::ZERO).inspect_err(|_| worker.reset())),
            true => self.correlate[number]
                .as_mut()
                .map(|worker| worker.turn(Duration::ZERO).inspect_err(|_| worker.reset())),
        };
        match turn {
            None => Ok(false),
            Some(Ok(turn)) => Ok(turn == stream::Turn::Worked),
            Some(Err(error)) => {
                if self.faulty.is_asleep(&self.member(correlate, number)) {
                    match correlate {
                        false => self.ingest[number] = None,
                        true => self.correlate[number] = None,
                    }
                }
                self.failed(&error).map(|()| true)
            }
        }
    }

    fn member(&self, correlate: bool, number: usize) -> Member {
        let stage = match (correlate, self.history) {
            (true, _) => "correlate",
            (false, true) => "history",
            (false, false) => "ingest",
        };
        Member {
            group: self.settings.topics.group(stage),
            name: format!("{}-{stage}-{number}", self.settings.instance),
            topics: Vec::new(),
            share: Share::Partitions,
        }
    }

    fn under_faults(&mut self) -> Result<(), String> {
        for step in 0..STEPS {
            let (number, correlate) = (self.dice.below(WORKERS as u64) as usize, self.dice.chance(0.5));
            match self.dice.below(1_000) {
                0..=849 => drop(self.turn(correlate, number)?),
                850..=969 => {
                    let left = self
                        .unsent
                        .as_slice()
                        .first()
                        .map(|raw| raw.at.since(self.clock.now()).millis());
                    let most = if self.dice.chance(0.5) {
                        1_500
                    } else {
                        left.unwrap_or(60_000).clamp(100, 240_000)
                    };
                    let by = self.dice.between(0, most);
                    self.tick(Span::from_millis(by))?;
                }
                970..=984 => self.faulty.settle().map_err(|e| e.to_string())?,
                985..=989 => self.start(number),
                990..=993 => {
                    // A planned leave; what goes wrong in it is what goes wrong at any time.
                    if correlate {
                        let _ = self.correlate[number].take().map(|mut worker| worker.leave());
                    } else {
                        let _ = self.ingest[number].take().map(|mut worker| worker.leave());
                    }
                }
                994..=997 => self.faulty.expel(&self.member(correlate, number)),
                998 => {
                    // Killed and not started again for now: its session ends some time later, or never.
                    if correlate {
                        self.correlate[number] = None;
                    } else {
                        self.ingest[number] = None;
                    }
                    if self.dice.chance(0.7) {
                        self.faulty.expel(&self.member(correlate, number));
                    }
                }
                _ => {
                    // The clock of the machine is set; back only, because time that was recorded stays.
                    if self.dice.chance(0.2) {
                        let back = self.dice.between(1, 300);
                        self.tick(Span::from_secs(-back))?;
                    }
                }
            }
            if step % 50 == 49 && self.unsent.as_slice().is_empty() && self.is_caught_up() {
                break;
            }
        }
        Ok(())
    }

    fn is_caught_up(&self) -> bool {
        self.ingest.iter().flatten().all(Ingest::is_caught_up)
            && self.correlate.iter().flatten().all(Correlate::is_caught_up)
    }

    /// Nothing goes wrong any more: everything has to arrive.
    fn in_peace(&mut self) -> Result<(), String> {
        lock(&self.trouble).over = true;
        self.faulty.settle().map_err(|e| e.to_string())?;
        for number in 0..WORKERS {
            self.start(number);
        }
        let (mut still, lives) = (0, self.lives);
        for _ in 0..self.rounds {
            let mut worked = false;
            for number in 0..WORKERS {
                worked |= self.turn(false, number)?;
                worked |= self.turn(true, number)?;
            }
            let left = self
                .unsent
                .as_slice()
                .first()
                .map(|raw| raw.at.since(self.clock.now()));
            let quarantined = self.counters.quarantined_inputs.get();
            if self.lives - lives > FAILURES || quarantined > FAILURES {
                return Err("I7: workers go on failing although nothing goes wrong around them".to_owned());
            }
            // Backlogs are read at one moment; quiet times pass quickly.
            let by = left
                .filter(|_| !worked)
                .unwrap_or(Span::ZERO)
                .max(Span::from_millis(100));
            self.tick(by)?;
            still = if self.unsent.as_slice().is_empty() && self.is_caught_up() {
                still + 1
            } else {
                0
            };
            // Two minutes in which nothing comes: live timers run out, and heartbeats go on.
            if still > 20 {
                if self.history {
                    return Ok(());
                }
                if still == 21 {
                    self.quiet = Some((
                        self.clock.now(),
                        promises::heartbeats(&self.sound, &self.settings)?.len(),
                    ));
                }
                self.tick(Span::from_secs(5))?;
                if still > 44 {
                    return Ok(());
                }
            }
        }
        Err(format!(
            "I7: the backlog does not drain within {} rounds",
            self.rounds
        ))
    }

    /// I4: a fresh worker that restores everything knows of each event in the journal once.
    fn books(&mut self, journal: u64) -> Result<(), String> {
        let mut folded = 0;
        for worker in self.correlate.iter_mut().filter_map(Option::take) {
            let mut worker = worker;
            worker.leave().map_err(|e| format!("a clean stop fails: {e}"))?;
        }
        self.start(0);
        while self.correlate[0]
            .as_ref()
            .is_none_or(|worker| worker.holds() < PARTITIONS as usize || !worker.is_caught_up())
        {
            self.turn(true, 0)?;
        }
        let (refolded, before) = (self.counters.refolded_inputs.get(), self.counters.restores.get());
        let mut worker = self.correlate[0].take().expect("started above");
        worker.leave().map_err(|e| format!("a clean stop fails: {e}"))?;
        self.start(0);
        while self.correlate[0]
            .as_ref()
            .is_none_or(|worker| worker.holds() < PARTITIONS as usize)
        {
            self.turn(true, 0)?;
        }
        let again = (
            self.counters.refolded_inputs.get() - refolded,
            self.counters.restores.get() - before,
        );
        if again != (0, u64::from(PARTITIONS)) {
            return Err(format!(
                "a clean stop leaves {} inputs to fold again; {} restores",
                again.0, again.1
            ));
        }
        for books in self.correlate[0].as_ref().expect("started above").books() {
            let sum = books.new
                + books.repeats
                + books.resolved
                + books.redelivered
                + books.superseded
                + books.other
                + books.shed
                + books.passed;
            if books.events != sum {
                return Err(format!("I4: the books do not balance: {books:?}"));
            }
            folded += books.events;
        }
        if folded == journal {
            Ok(())
        } else {
            Err(format!("I4: {folded} events folded of {journal} in the journal"))
        }
    }
}
