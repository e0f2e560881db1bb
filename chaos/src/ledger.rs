//! What should have been published, what was, and the difference in three numbers.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use engine::{Output, Shard};
use model::{Hash128, Input};
use stream::log::{Bounds, Log, Record, TopicName, TopicPartition};

/// What is wrong, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) differing: u64,
    /// Judgements that are less alike than they have to be (E3).
    pub(crate) unlike: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, other: Sum) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.differing += other.differing;
        self.unlike += other.unlike;
    }
    pub(crate) fn is_nothing(&self) -> bool {
        self.lost + self.doubled + self.differing + self.unlike == 0
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "lost {} doubled {} differing {}",
            self.lost, self.doubled, self.differing
        )
    }
}

/// The records of a partition in their order: what each is, and a hash of its bytes.
#[derive(Default)]
pub(crate) struct Page {
    entries: Vec<(u128, u128)>,
}

fn hash(parts: &[&[u8]]) -> u128 {
    let mut hash = Hash128::new("ledger");
    for part in parts {
        hash.part(part);
    }
    hash.finish()
}

impl Page {
    fn enter(&mut self, is: &[&[u8]], key: &[u8], value: &[u8]) {
        self.entries.push((hash(is), hash(&[key, value])));
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn change(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let change = wire::record::read_change(value).map_err(|e| e.to_string())?;
        let id = change.incident_id.to_string();
        self.enter(
            &[b"change", id.as_bytes(), &change.revision.to_le_bytes()],
            key,
            value,
        );
        Ok(())
    }

    fn incident(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), String> {
        match value {
            Some(value) => {
                let incident = wire::record::read_incident(value).map_err(|e| e.to_string())?;
                self.enter(&[b"incident", key, &incident.revision.to_le_bytes()], key, value);
            }
            None => self.enter(&[b"gone", key], key, b""),
        }
        Ok(())
    }

    /// What is wrong with `found` where `self` is expected.
    pub(crate) fn compare(&self, found: &Page) -> Sum {
        let mut sum = Sum::default();
        if self.entries == found.entries {
            return sum;
        }
        let mut counts: BTreeMap<u128, (Vec<u128>, Vec<u128>)> = BTreeMap::new();
        for (is, bytes) in &self.entries {
            counts.entry(*is).or_default().0.push(*bytes);
        }
        for (is, bytes) in &found.entries {
            counts.entry(*is).or_default().1.push(*bytes);
        }
        for (expected, found) in counts.values() {
            sum.lost += expected.len().saturating_sub(found.len()) as u64;
            sum.doubled += found.len().saturating_sub(expected.len()) as u64;
            sum.differing += expected.iter().zip(found).filter(|(a, b)| a != b).count() as u64;
        }
        if sum.is_nothing() {
            // Everything is there once, in another order.
            sum.differing = self
                .entries
                .iter()
                .zip(&found.entries)
                .filter(|(a, b)| a != b)
                .count() as u64;
        }
        sum
    }
}

/// The ends of a partition. A broker that is starved or restarts is asked again: it is not what is tested.
pub(crate) fn bounds(log: &dyn Log, at: &TopicPartition) -> Result<Bounds, String> {
    let began = Instant::now();
    loop {
        match log.bounds(at) {
            Ok(bounds) => return Ok(bounds),
            Err(error) if began.elapsed() > Duration::from_secs(60) => return Err(error.to_string()),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// Reads a partition from its start to its end, as of now.
pub(crate) fn each(
    log: &dyn Log,
    topic: &TopicName,
    partition: u32,
    mut take: impl FnMut(Record) -> Result<(), String>,
) -> Result<(), String> {
    let at = TopicPartition::new(topic, partition);
    let bounds = bounds(log, &at)?;
    if bounds.start == bounds.end {
        return Ok(());
    }
    let mut reader = log.reader().map_err(|e| e.to_string())?;
    reader
        .assign(&[(at.clone(), bounds.start)])
        .map_err(|e| e.to_string())?;
    let (mut records, mut silent) = (Vec::new(), 0);
    while !reader.at_end(&at) {
        reader
            .poll(Duration::from_millis(200), 4_096, &mut records)
            .map_err(|e| e.to_string())?;
        silent = if records.is_empty() { silent + 1 } else { 0 };
        if silent > 300 {
            return Err(format!("{at} cannot be read to its end"));
        }
        for record in records.drain(..) {
            take(record)?;
        }
    }
    Ok(())
}

/// What a fold gave: its pages, its state, and where its journal ends.
pub(crate) struct Folded {
    pub(crate) changes: Page,
    pub(crate) incidents: Page,
    pub(crate) shard: Shard,
    /// The position behind the last input.
    pub(crate) position: u64,
}

/// Folds inputs and enters what they give.
pub(crate) struct Folding(Folded);

impl Folding {
    pub(crate) fn new() -> Folding {
        Folding(Folded {
            changes: Page::default(),
            incidents: Page::default(),
            shard: Shard::new(engine::Settings::default()),
            position: 0,
        })
    }

    pub(crate) fn step(&mut self, inputs: &[Input], position: u64) -> Result<(), String> {
        let mut out = Vec::new();
        self.0.shard.step(inputs, &mut out);
        self.0.position = position;
        for output in out {
            match output {
                Output::Change(c) => self
                    .0
                    .changes
                    .change(c.domain.as_str().as_bytes(), &wire::record::change(&c))?,
                Output::Incident(i) => {
                    let id = i.incident_id.to_string();
                    self.0
                        .incidents
                        .incident(id.as_bytes(), Some(&wire::record::incident(&i)))?;
                }
                Output::Forget(id) => self.0.incidents.incident(id.to_string().as_bytes(), None)?,
                Output::Event { .. } | Output::Episode { .. } => {}
            }
        }
        Ok(())
    }

    pub(crate) fn done(self) -> Folded {
        self.0
    }
}

/// Folds a journal partition as one that nothing happens to would, up to `until` if that is given.
pub(crate) fn fold(
    log: &dyn Log,
    journal: &TopicName,
    partition: u32,
    until: Option<u64>,
    mut see: impl FnMut(&Input),
) -> Result<Folded, String> {
    let mut folding = Folding::new();
    each(log, journal, partition, |record| {
        if until.is_some_and(|until| record.offset >= until) {
            return Ok(());
        }
        let input =
            wire::journal::decode(record.value.as_deref().unwrap_or_default()).map_err(|e| e.to_string())?;
        see(&input);
        folding.step(std::slice::from_ref(&input), record.offset + 1)
    })?;
    Ok(folding.done())
}

/// What was published of a partition.
pub(crate) fn published(
    log: &dyn Log,
    topics: &stream::Topics,
    partition: u32,
) -> Result<(Page, Page), String> {
    let (mut changes, mut incidents) = (Page::default(), Page::default());
    each(log, &topics.changes, partition, |record| {
        changes.change(
            record.key.as_deref().unwrap_or_default(),
            record.value.as_deref().unwrap_or_default(),
        )
    })?;
    each(log, &topics.incidents, partition, |record| {
        incidents.incident(record.key.as_deref().unwrap_or_default(), record.value.as_deref())
    })?;
    Ok((changes, incidents))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(records: &[(&str, &str)]) -> Page {
        let mut page = Page::default();
        for (is, value) in records {
            page.enter(&[is.as_bytes()], b"key", value.as_bytes());
        }
        page
    }

    #[test]
    fn what_is_lost_doubled_or_other_is_counted() {
        let expected = page(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let numbers = |found: &[(&str, &str)]| {
            let sum = expected.compare(&page(found));
            (sum.lost, sum.doubled, sum.differing)
        };
        assert_eq!(numbers(&[("a", "1"), ("b", "2"), ("c", "3")]), (0, 0, 0));
        assert_eq!(numbers(&[("a", "1"), ("c", "3")]), (1, 0, 0));
        assert_eq!(
            numbers(&[("a", "1"), ("b", "2"), ("b", "2"), ("c", "3")]),
            (0, 1, 0)
        );
        assert_eq!(numbers(&[("a", "1"), ("b", "2"), ("c", "4")]), (0, 0, 1));
        assert_eq!(numbers(&[("b", "2"), ("a", "1"), ("c", "3")]), (0, 0, 2));
        assert_eq!(
            numbers(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]),
            (0, 1, 0)
        );
        assert_eq!(numbers(&[]), (3, 0, 0));
    }
}
