//! What the topology probably lacks: entities that keep breaking out together although nothing connects them.
//!
//! It is suggested and never assumed: nothing is grouped by it, whoever keeps the topology adds the edge or the alias
//! ([`crate::Shard::suggestions`], `stormfold names`). Two must have begun within a minute of each other three times, in at least half of
//! the outbreaks of the rarer one, and four times oftener than chance would have it. What is not seen any more is
//! forgotten with the alerts that showed it.

use std::collections::BTreeMap;

use model::{AlertId, Span, Text, Time};
use serde::{Deserialize, Serialize};
use topology::Graph;

use crate::{engine::Engine, settings::secs};

/// When an entity broke out, and what broke out beside it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Together {
    first: Option<Time>,
    last: Option<Time>,
    times: u32,
    beside: BTreeMap<Text, u32>,
}

/// Two entities that keep breaking out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// One of them, the smaller name.
    pub a: Text,
    /// The other.
    pub b: Text,
    /// Whether the topology knows each.
    pub known: (bool, bool),
    /// How often they began together.
    pub together: u32,
    /// How often the rarer one began at all.
    pub of: u32,
    /// When the later of the two broke out last.
    pub last: Time,
}

/// Seconds of silence after which an entity breaks out anew.
const OUTBREAK_S: i64 = 600;
/// Two that begin within so many seconds and an evaluation interval of their source begin together.
const BESIDE_S: f64 = 60.0;
const TOGETHER_MIN: u32 = 3;
const SHARE_MIN: f64 = 0.5;
const LIFT_MIN: f64 = 4.0;
/// Others that are remembered with an entity, entities in a domain, and outbreaks of late among which company is
/// looked for.
const BESIDE_MAX: usize = 16;
const NAMES_MAX: usize = 8192;
const BEGAN_MAX: usize = 32;

impl Engine {
    /// A fresh symptom that is not chronic: did its entity break out, and what beside it?
    pub(crate) fn note_together(&mut self, id: AlertId, t: Time) {
        let Some(alert) = self.alerts.get(&id) else { return };
        let name = alert.spot.entity.clone();
        if name.is_empty() || (self.together.len() >= NAMES_MAX && self.together.get(&name).is_none()) {
            return;
        }
        let near = secs(BESIDE_S + self.interval_s(id));
        let own = self.together.entry(&name, Together::default);
        own.first.get_or_insert(t);
        let anew = own
            .last
            .is_none_or(|last| t.since(last) > Span::from_secs(OUTBREAK_S));
        own.last = own.last.max(Some(t));
        if !anew {
            return;
        }
        own.times += 1;
        let mut beside: Vec<Text> = Vec::new();
        for (other, at) in &self.meta.began {
            let together = t.since(*at) <= near && at.since(t) <= near;
            if together && *other != name && !beside.contains(other) {
                beside.push(other.clone());
            }
        }
        for other in &beside {
            // Counted under the smaller name, so once a pair.
            let (low, high) = if *other < name {
                (other, &name)
            } else {
                (&name, other)
            };
            let Some(row) = self.together.get_mut(low) else {
                continue;
            };
            if row.beside.len() < BESIDE_MAX || row.beside.contains_key(high) {
                *row.beside.entry(high.clone()).or_default() += 1;
            }
        }
        if self.meta.began.len() == BEGAN_MAX {
            self.meta.began.pop_front();
        }
        self.meta.began.push_back((name, t));
    }

    /// Pairs that keep breaking out together and that the graph does not connect.
    pub(crate) fn suggestions(&self, graph: &Graph) -> Vec<Suggestion> {
        let mut found = Vec::new();
        for name in self.together.keys() {
            let Some(own) = self.together.get(&name) else {
                continue;
            };
            for (other, &together) in &own.beside {
                let Some(theirs) = self.together.get(other) else {
                    continue;
                };
                let of = own.times.min(theirs.times);
                let (first, last) = (own.first.min(theirs.first), own.last.max(theirs.last));
                let (Some(first), Some(last)) = (first, last) else {
                    continue;
                };
                let life = last.since(first).as_secs_f64().max(1.0);
                let by_chance = f64::from(own.times) * f64::from(theirs.times) * 2.0 * BESIDE_S / life;
                let often = f64::from(together);
                if together < TOGETHER_MIN
                    || often < SHARE_MIN * f64::from(of)
                    || often < LIFT_MIN * by_chance
                {
                    continue;
                }
                let (a, b) = (graph.find(&name), graph.find(other));
                if let (Some(a), Some(b)) = (a, b)
                    && graph.component(a) == graph.component(b)
                {
                    continue;
                }
                found.push(Suggestion {
                    a: name.clone(),
                    b: other.clone(),
                    known: (a.is_some(), b.is_some()),
                    together,
                    of,
                    last,
                });
            }
        }
        found
    }

    /// Forgets entities that were not heard since `oldest`.
    pub(crate) fn forget_together(&mut self, oldest: Time) {
        for (_, name) in self
            .together
            .select(|_, own| own.last.is_none_or(|last| last < oldest).then_some(()))
        {
            self.together.remove(&name);
        }
    }
}
