//! Records in memory: for tests, the simulation and the demo. Nothing is compacted, so that a test sees all of it, but
//! for topics that ask to be soon: their readers want the newest of each key, and what was replaced would outgrow all
//! else.

use std::collections::{BTreeMap, HashMap};

use super::store::{Placed, Position, Store, Topic};
use crate::log::{Bounds, LogError, LogErrorKind, Record, TopicName, TopicPartition};

/// Records in memory.
#[derive(Default)]
pub(super) struct Memory {
    topics: BTreeMap<TopicName, (Topic, Vec<Kept>)>,
    positions: BTreeMap<(String, TopicPartition), u64>,
}

/// A partition.
#[derive(Default)]
struct Kept {
    /// In the order of their offsets.
    records: Vec<Record>,
    end: u64,
    /// In a topic that is compacted soon: the offset of the newest record of each key.
    newest: HashMap<Vec<u8>, u64>,
    /// How many of the records have been replaced.
    replaced: usize,
}

/// So many replaced records are kept at least, so that readers see some.
const REPLACED_MIN: usize = 200;

impl Kept {
    fn push(&mut self, record: Record, soon: bool) {
        if let (true, Some(key)) = (soon, &record.key) {
            self.replaced += usize::from(self.newest.insert(key.clone(), record.offset).is_some());
        }
        self.end += 1;
        self.records.push(record);
        if self.replaced > REPLACED_MIN && self.replaced * 2 > self.records.len() {
            let newest = &mut self.newest;
            self.records.retain(|record| {
                let Some(key) = &record.key else { return true };
                let is_newest = newest.get(key) == Some(&record.offset);
                if is_newest && record.value.is_none() {
                    newest.remove(key);
                }
                is_newest && record.value.is_some()
            });
            self.replaced = 0;
        }
    }
}

impl Memory {
    fn partition(&self, at: &TopicPartition) -> Result<&Kept, LogError> {
        self.topics
            .get(&at.topic)
            .and_then(|(_, partitions)| partitions.get(at.partition as usize))
            .ok_or_else(|| LogError::new(LogErrorKind::Setup, format_args!("there is no {at}")))
    }
}

impl Store for Memory {
    fn topics(&self) -> Result<BTreeMap<TopicName, Topic>, LogError> {
        Ok(self
            .topics
            .iter()
            .map(|(name, (topic, _))| (name.clone(), *topic))
            .collect())
    }

    fn create(&mut self, name: &TopicName, topic: Topic) -> Result<(), LogError> {
        let partitions = (0..topic.partitions).map(|_| Kept::default()).collect();
        self.topics.entry(name.clone()).or_insert((topic, partitions));
        Ok(())
    }

    fn append(&mut self, records: &[Placed<'_>], positions: &[Position<'_>]) -> Result<(), LogError> {
        for placed in records {
            self.partition(&TopicPartition::new(&placed.record.topic, placed.partition))?;
        }
        for Placed {
            partition,
            timestamp,
            record,
        } in records
        {
            let at = TopicPartition::new(&record.topic, *partition);
            let (topic, partitions) = self.topics.get_mut(&record.topic).expect("checked above");
            let kept = &mut partitions[*partition as usize];
            let record = Record {
                at,
                offset: kept.end,
                timestamp: Some(*timestamp),
                key: record.key.clone(),
                value: record.value.clone(),
                headers: record.headers.clone(),
            };
            kept.push(record, topic.soon);
        }
        for Position { group, at, position } in positions {
            self.positions
                .insert(((*group).to_owned(), (*at).clone()), *position);
        }
        Ok(())
    }

    fn read(
        &self,
        at: &TopicPartition,
        from: u64,
        max: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), LogError> {
        let records = &self.partition(at)?.records;
        let from = records.partition_point(|record| record.offset < from);
        out.extend(records[from..].iter().take(max).cloned());
        Ok(())
    }

    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        Ok(Bounds {
            start: 0,
            end: self.partition(at)?.end,
        })
    }

    fn committed(&self, group: &str, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        Ok(self.positions.get(&(group.to_owned(), at.clone())).copied())
    }
}
