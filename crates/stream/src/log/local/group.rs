//! Groups of the local log: who holds which partition, and who is fenced.
//!
//! Membership is static, as on Kafka with `group.instance.id`: a member stays until it leaves or one of the same name
//! replaces it; partitions are dealt out in the order of the names whenever that changes, and the generation rises.

use std::collections::BTreeMap;

use super::store::Topic;
use crate::log::{Share, TopicName, TopicPartition};

/// A group.
#[derive(Default)]
pub(super) struct Group {
    pub(super) generation: u64,
    members: BTreeMap<String, Joined>,
    epochs: u64,
    /// The newest epoch of each writer, which outlives its membership.
    writers: BTreeMap<String, u64>,
}

struct Joined {
    epoch: u64,
    topics: Vec<TopicName>,
    share: Share,
    held: Vec<TopicPartition>,
}

impl Group {
    /// Takes a member in, or another life of it; returns its epoch. The same member again moves no partitions.
    pub(super) fn join(
        &mut self,
        name: &str,
        topics: &[TopicName],
        share: Share,
        known: &BTreeMap<TopicName, Topic>,
    ) -> u64 {
        self.epochs += 1;
        let epoch = self.epochs;
        self.writers.insert(name.to_owned(), epoch);
        let joined = Joined {
            epoch,
            topics: topics.to_vec(),
            share,
            held: Vec::new(),
        };
        match self.members.insert(name.to_owned(), joined) {
            Some(before) if before.topics == topics && before.share == share => {
                self.members.get_mut(name).expect("just inserted").held = before.held;
            }
            _ => self.deal(known),
        }
        epoch
    }

    /// Lets a life of a member go, if it is the present one.
    pub(super) fn leave(&mut self, name: &str, epoch: u64, known: &BTreeMap<TopicName, Topic>) {
        if self.is_present(name, epoch) {
            self.members.remove(name);
            self.deal(known);
        }
    }

    /// Lets a member go whichever its life.
    pub(super) fn expel(&mut self, name: &str, known: &BTreeMap<TopicName, Topic>) {
        if self.members.remove(name).is_some() {
            self.deal(known);
        }
    }

    /// Whether this life of the member is the present one.
    pub(super) fn is_present(&self, name: &str, epoch: u64) -> bool {
        self.members.get(name).is_some_and(|member| member.epoch == epoch)
    }

    /// Whether a later life of the writer has begun.
    pub(super) fn is_replaced(&self, name: &str, epoch: u64) -> bool {
        self.writers.get(name).is_some_and(|newest| *newest != epoch)
    }

    /// What a member holds.
    pub(super) fn held(&self, name: &str) -> &[TopicPartition] {
        self.members.get(name).map_or(&[], |member| &member.held)
    }

    fn deal(&mut self, known: &BTreeMap<TopicName, Topic>) {
        self.generation += 1;
        let mut dealt: BTreeMap<String, Vec<TopicPartition>> = BTreeMap::new();
        for (topic, Topic { partitions, .. }) in known {
            let readers: Vec<&String> = self
                .members
                .iter()
                .filter(|(_, m)| m.topics.contains(topic))
                .map(|(name, _)| name)
                .collect();
            if readers.is_empty() {
                continue;
            }
            for partition in 0..*partitions {
                let whole = self.members[readers[0]].share == Share::Whole;
                let reader = if whole {
                    0
                } else {
                    partition as usize % readers.len()
                };
                dealt
                    .entry(readers[reader].clone())
                    .or_default()
                    .push(TopicPartition::new(topic, partition));
            }
        }
        for (name, member) in &mut self.members {
            member.held = dealt.remove(name).unwrap_or_default();
        }
    }
}
