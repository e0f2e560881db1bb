//! What is seen of the log from beside the workers: whether it answers, what waits in it, and whether that moves.
//!
//! A worker that does nothing cannot say so. So somebody else looks every two seconds at where the groups of the workers
//! stand and where their partitions end. Input that waits while nothing moves is a stuck stage, whatever its worker says
//! of itself; a log that does not answer is one for all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Time;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::log::{Log, LogError, Reader, Record, TopicPartition};
use crate::pipeline::Stage;
use crate::settings::{Settings, TopicTime};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// A log that has not answered for this long is out of reach.
const SILENT: Duration = Duration::from_secs(5);
/// Input that waits this long while nothing moves is stuck; with [`EVERY`] it is known within ten seconds.
const UNMOVED: Duration = Duration::from_secs(6);
/// Reading the first records that wait takes at most this long.
const READ: Duration = Duration::from_secs(1);

/// The one who looks.
pub(crate) struct Watch {
    settings: Arc<Settings>,
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    seen: Mutex<Seen>,
}

/// What was seen last.
#[derive(Default)]
struct Seen {
    /// When the look under way began.
    asking: Option<Instant>,
    /// When the next one is due.
    due: Option<Instant>,
    failure: Option<String>,
    waiting: BTreeMap<(Stage, TopicPartition), Waiting>,
    /// How much had been restored, and since when it has been so much.
    restored: (u64, Option<Instant>),
}

/// Input of one partition that is not done.
struct Waiting {
    /// The position up to which it is done.
    next: u64,
    end: u64,
    /// When `next` was seen for the first time.
    since: Instant,
    /// Whether there is a record, and not only marks of transactions.
    real: bool,
    /// When the first record that waits was written.
    first: Option<Time>,
}

impl Watch {
    pub(crate) fn new(
        settings: Arc<Settings>,
        log: Arc<dyn Log>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Watch {
        Watch {
            settings,
            log,
            clock,
            counters,
            seen: Mutex::default(),
        }
    }

    /// Looks if it is time to. `held` is what the workers of this process hold.
    pub(crate) fn turn(
        &self,
        reader: &mut Option<Box<dyn Reader>>,
        held: impl FnOnce() -> Vec<(Stage, TopicPartition)>,
    ) {
        let began = Instant::now();
        {
            let mut seen = self.lock();
            let restored = self.counters.restored_rows.get() + self.counters.refolded_inputs.get();
            if seen.restored.0 != restored || seen.restored.1.is_none() {
                seen.restored = (restored, Some(began));
            }
            if seen.due.is_some_and(|due| began < due) {
                return;
            }
            seen.asking = Some(began);
        }
        let looked = self.look(reader, held());
        let mut seen = self.lock();
        seen.asking = None;
        seen.due = Some(Instant::now() + EVERY);
        seen.failure = looked.as_ref().err().map(ToString::to_string);
        if looked.is_err() {
            *reader = None;
        }
    }

    fn look(
        &self,
        reader: &mut Option<Box<dyn Reader>>,
        held: Vec<(Stage, TopicPartition)>,
    ) -> Result<(), LogError> {
        // Whoever holds nothing asks as well, so that it knows whether it could.
        self.log.partitions(&self.settings.topics.journal)?;
        let mut found = BTreeMap::new();
        for group in ["ingest", "history", "correlate"] {
            let mine: Vec<_> = held
                .iter()
                .filter(|(stage, at)| self.group(*stage, at) == group)
                .collect();
            if mine.is_empty() {
                continue;
            }
            let partitions: Vec<_> = mine.iter().map(|(_, at)| at.clone()).collect();
            let positions = self
                .log
                .positions(&self.settings.topics.group(group), &partitions)?;
            for ((stage, at), position) in mine.into_iter().zip(positions) {
                let bounds = self.log.bounds(at)?;
                let next = position.unwrap_or(bounds.start).max(bounds.start);
                if next < bounds.end {
                    found.insert((*stage, at.clone()), (next, bounds.end));
                }
            }
        }
        let unknown = self.take(&found);
        if !unknown.is_empty() {
            let reader = match reader {
                Some(reader) => reader,
                none => none.insert(self.log.reader()?),
            };
            self.read(reader.as_mut(), unknown)?;
        }
        self.count();
        Ok(())
    }

    fn group(&self, stage: Stage, at: &TopicPartition) -> &'static str {
        match (stage, self.time(at)) {
            (Stage::Correlate, _) => "correlate",
            (Stage::Ingest, TopicTime::Present) => "ingest",
            (Stage::Ingest, TopicTime::Records) => "history",
        }
    }

    fn time(&self, at: &TopicPartition) -> TopicTime {
        let topic = self.settings.raw.iter().find(|raw| raw.name == at.topic);
        topic.map_or(TopicTime::Present, |raw| raw.time)
    }

    /// Takes over what waits; what of it nobody has looked into yet.
    fn take(&self, found: &BTreeMap<(Stage, TopicPartition), (u64, u64)>) -> Vec<(TopicPartition, u64)> {
        let now = Instant::now();
        let mut seen = self.lock();
        seen.waiting.retain(|place, _| found.contains_key(place));
        let mut unknown = Vec::new();
        for (place, (next, end)) in found {
            let waiting = seen.waiting.get(place);
            // What lies between the two was looked into, and was nothing but marks.
            let same = waiting.is_some_and(|was| was.next == *next && (was.real || was.end == *end));
            if !same {
                unknown.push((place.1.clone(), *next));
            }
            let (since, real, first) = match waiting {
                Some(was) if was.next == *next => (was.since, was.real, was.first),
                _ => (now, false, None),
            };
            let waiting = Waiting {
                next: *next,
                end: *end,
                since,
                real,
                first,
            };
            seen.waiting.insert(place.clone(), waiting);
        }
        unknown
    }

    /// Reads the first record of each.
    fn read(&self, reader: &mut dyn Reader, mut unknown: Vec<(TopicPartition, u64)>) -> Result<(), LogError> {
        reader.assign(&unknown)?;
        let until = Instant::now() + READ;
        let mut records: Vec<Record> = Vec::new();
        while !unknown.is_empty() && Instant::now() < until {
            reader.poll(Duration::from_millis(100), unknown.len(), &mut records)?;
            let mut seen = self.lock();
            for record in records.drain(..) {
                let Some(place) = unknown.iter().position(|(at, _)| *at == record.at) else {
                    continue;
                };
                unknown.remove(place);
                for ((_, at), waiting) in &mut seen.waiting {
                    if *at == record.at {
                        (waiting.real, waiting.first) = (true, record.timestamp);
                    }
                }
            }
            unknown.retain(|(at, _)| !reader.at_end(at));
        }
        reader.assign(&[])
    }

    /// Shows what waits.
    fn count(&self) {
        let seen = self.lock();
        let now = self.clock.now();
        for (stage, records, age) in [
            (
                Stage::Ingest,
                &self.counters.ingest_waiting_records,
                &self.counters.ingest_waiting_ms,
            ),
            (
                Stage::Correlate,
                &self.counters.correlate_waiting_records,
                &self.counters.correlate_waiting_ms,
            ),
        ] {
            let real = seen
                .waiting
                .iter()
                .filter(|((of, _), waiting)| *of == stage && waiting.real);
            records.set(
                real.clone()
                    .map(|(_, waiting)| (waiting.end - waiting.next) as i64)
                    .sum(),
            );
            // The age of history says nothing of how far behind we are.
            let live = real.filter(|((_, at), _)| self.time(at) == TopicTime::Present);
            let first = live.filter_map(|(_, waiting)| waiting.first).min();
            age.set(first.map_or(0, |first| now.since(first).millis().max(0)));
        }
    }

    /// What is wrong, in words.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let seen = self.lock();
        let mut complaints = Vec::new();
        if let Some(silent) = seen
            .asking
            .map(|began| began.elapsed())
            .filter(|silent| *silent > SILENT)
        {
            complaints.push(format!("the log has not answered for {} s", silent.as_secs()));
        } else if let Some(failure) = &seen.failure {
            complaints.push(failure.clone());
        }
        for ((stage, at), waiting) in &seen.waiting {
            let unmoved = waiting.since.elapsed();
            if waiting.real && unmoved > UNMOVED {
                complaints.push(format!(
                    "{stage} does not go on: {at} waits at position {} of {} for {} s",
                    waiting.next,
                    waiting.end,
                    unmoved.as_secs()
                ));
            }
        }
        complaints
    }

    /// Whether the log answers, as far as is known.
    pub(crate) fn log_answers(&self) -> bool {
        let seen = self.lock();
        seen.failure.is_none() && seen.asking.is_none_or(|began| began.elapsed() <= SILENT)
    }

    /// Whether something is being restored, and it goes on.
    pub(crate) fn restores(&self, patience: Duration) -> bool {
        let moved = self.lock().restored.1;
        self.counters.restoring_partitions.get() > 0 && moved.is_some_and(|moved| moved.elapsed() < patience)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::log::Outgoing;
    use crate::log::local::LocalLog;

    #[test]
    fn input_that_waits_while_nothing_moves_is_complained_of_within_ten_seconds() {
        let settings = Arc::new(Settings::default());
        let log = Arc::new(LocalLog::memory(Arc::new(SystemClock)));
        crate::topics::create(log.as_ref(), &settings).unwrap();
        let counters = Arc::new(Counters::default());
        let watch = Watch::new(
            settings.clone(),
            log.clone(),
            Arc::new(SystemClock),
            counters.clone(),
        );
        let at = TopicPartition::new(&settings.topics.raw, 0);
        let (began, mut reader) = (Instant::now(), None);
        let mut turn = || {
            watch.turn(&mut reader, || vec![(Stage::Ingest, at.clone())]);
            std::thread::sleep(Duration::from_millis(50));
            watch.complaints()
        };
        assert_eq!(turn(), Vec::<String>::new(), "nothing waits");
        let record = Outgoing::to(&settings.topics.raw, 0, "k", Some(b"{}".to_vec()));
        log.appender().unwrap().append(vec![record]).unwrap();
        let complaints = loop {
            let complaints = turn();
            if !complaints.is_empty() || began.elapsed() > Duration::from_secs(10) {
                break complaints;
            }
        };
        assert_eq!(complaints.len(), 1);
        assert!(
            complaints[0].starts_with("ingest does not go on: stormfold.raw"),
            "{complaints:?}"
        );
        assert_eq!(counters.ingest_waiting_records.get(), 1);
        assert!(counters.ingest_waiting_ms.get() > 5_000);
    }
}
