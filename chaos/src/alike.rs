//! How alike two answers are that need not be the same: the states of alerts (E2), and which alerts are together (E3).

use std::collections::{BTreeMap, BTreeSet};

use engine::{AlertRow, IncidentRow};
use model::{IncidentId, Input, Origin, Progress, Severity, Status, Time};
use stream::{Settings, log::TopicName};

use crate::{
    ledger::{Folded, Folding},
    place::PARTITIONS,
};

/// A record of a raw topic: when it was received, its partition and offset, its value.
pub(crate) type RawRecord = (Option<Time>, u32, u64, Vec<u8>);

/// A fold of the records in the order in which they were received, without a pipeline; at its end time runs on until
/// `until`, as it did for the others.
pub(crate) fn calm(
    settings: &Settings,
    topic: &TopicName,
    records: Vec<RawRecord>,
    until: Time,
) -> Result<Vec<Folded>, String> {
    let decoder = wire::Decoder::new(settings.decode.clone());
    let mut foldings: Vec<Folding> = (0..PARTITIONS).map(|_| Folding::new()).collect();
    let mut found = Vec::new();
    for (received, partition, offset, bytes) in records {
        let received = received.ok_or("a raw record without a time")?;
        let origin = Origin::Log {
            topic: (&**topic).into(),
            partition,
            offset,
            index: 0,
        };
        let raw = wire::Raw {
            bytes: &bytes,
            source: None,
            content_type: None,
            cloud_event: Vec::new(),
            tenant: None,
            origin,
            received_at: Some(received),
        };
        found.clear();
        decoder.decode(&raw, &mut found);
        for input in found.drain(..).filter_map(wire::Found::into_input) {
            let Input::Event(mut event) = input else { continue };
            wire::settle_times(&mut event, received);
            let shard = event.domain().tag().partition(PARTITIONS) as usize;
            foldings[shard].step(&[Input::Event(event)], 0)?;
        }
    }
    let end = Progress {
        to: until,
        present: None,
    };
    for folding in &mut foldings {
        folding.step(&[Input::Progress(end)], 0)?;
    }
    Ok(foldings.into_iter().map(Folding::done).collect())
}

/// What a fold believes of an alert.
struct Placed {
    state: (Status, Severity),
    incident: Option<IncidentId>,
    /// Whether anybody was ever paged for that incident.
    paged: bool,
}

/// What a fold believes of all alerts, by their rows.
pub(crate) struct Beliefs(BTreeMap<String, Placed>);

impl Beliefs {
    /// What the shards of all partitions believe.
    pub(crate) fn of(folded: Vec<Folded>) -> Result<Beliefs, String> {
        let (mut placed, mut paged) = (BTreeMap::new(), BTreeSet::new());
        for mut folded in folded {
            for row in folded.shard.dirty_rows() {
                let Some(value) = &row.value else { continue };
                let bad = |e: String| format!("row {}: {e}", row.key);
                if row.key.contains("/alert/") {
                    let alert = AlertRow::read(value).map_err(bad)?;
                    let one = Placed {
                        state: (alert.status, alert.severity),
                        incident: alert.incident,
                        paged: false,
                    };
                    placed.insert(row.key, one);
                } else if let Some((_, id)) = row.key.split_once("/incident/") {
                    let incident = IncidentRow::read(value).map_err(bad)?;
                    if incident.paged_severity.is_some() {
                        paged.insert(id.to_owned());
                    }
                }
            }
        }
        for one in placed.values_mut() {
            one.paged = one.incident.is_some_and(|id| paged.contains(&id.to_string()));
        }
        Ok(Beliefs(placed))
    }

    /// How many alerts there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many alerts are in another state, or known to one only.
    pub(crate) fn states_that_differ(&self, other: &Beliefs) -> u64 {
        let keys: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let state = |beliefs: &Beliefs, key: &String| beliefs.0.get(key).map(|one| one.state);
        keys.into_iter()
            .filter(|key| state(self, key) != state(other, key))
            .count() as u64
    }

    /// Alerts that are known to both and placed by both, as (placed here, placed there).
    fn pairs<'a>(&'a self, other: &'a Beliefs) -> impl Iterator<Item = (&'a Placed, &'a Placed)> {
        self.0
            .iter()
            .filter_map(|(key, one)| Some((one, other.0.get(key)?)))
            .filter(|(one, there)| one.incident.is_some() && there.incident.is_some())
    }

    /// Agreement on which alerts are together: F1 over pairs.
    pub(crate) fn grouping(&self, other: &Beliefs) -> f64 {
        let (mut a, mut b, mut both): (BTreeMap<_, u64>, BTreeMap<_, u64>, BTreeMap<_, u64>) =
            Default::default();
        for (one, there) in self.pairs(other) {
            *a.entry(&one.incident).or_default() += 1;
            *b.entry(&there.incident).or_default() += 1;
            *both.entry((&one.incident, &there.incident)).or_default() += 1;
        }
        let pairs = |n: u64| n * n.saturating_sub(1) / 2;
        let [a, b] = [a, b].map(|counts| counts.into_values().map(pairs).sum::<u64>());
        let both: u64 = both.into_values().map(pairs).sum();
        f1(both, a, b)
    }

    /// Agreement on the alerts whose incident was paged for: F1.
    pub(crate) fn paging(&self, other: &Beliefs) -> f64 {
        let count = |which: fn(bool, bool) -> bool| {
            self.pairs(other)
                .filter(|(one, there)| which(one.paged, there.paged))
                .count() as u64
        };
        f1(count(|a, b| a && b), count(|a, _| a), count(|_, b| b))
    }
}

fn f1(both: u64, a: u64, b: u64) -> f64 {
    match a + b {
        0 => 1.0,
        sum => 2.0 * both as f64 / sum as f64,
    }
}
