//! Records in memory: for tests, the simulation and the demo. Nothing is compacted, so that a test sees all of it.

use std::collections::BTreeMap;

use super::store::{Placed, Position, Store, Topic};
use crate::log::{Bounds, LogError, LogErrorKind, Record, TopicName, TopicPartition};

/// Records in memory.
#[derive(Default)]
pub(super) struct Memory {
    topics: BTreeMap<TopicName, (Topic, Vec<Vec<Record>>)>,
    positions: BTreeMap<(String, TopicPartition), u64>,
}

impl Memory {
    fn partition(&self, at: &TopicPartition) -> Result<&Vec<Record>, LogError> {
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
        let partitions = (0..topic.partitions).map(|_| Vec::new()).collect();
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
            let (_, partitions) = self.topics.get_mut(&record.topic).expect("checked above");
            let kept = &mut partitions[*partition as usize];
            kept.push(Record {
                at,
                offset: kept.len() as u64,
                timestamp: Some(*timestamp),
                key: record.key.clone(),
                value: record.value.clone(),
                headers: record.headers.clone(),
            });
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
        let kept = self.partition(at)?;
        let from = kept.len().min(from as usize);
        out.extend(kept[from..].iter().take(max).cloned());
        Ok(())
    }

    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        Ok(Bounds {
            start: 0,
            end: self.partition(at)?.len() as u64,
        })
    }

    fn committed(&self, group: &str, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        Ok(self.positions.get(&(group.to_owned(), at.clone())).copied())
    }
}
