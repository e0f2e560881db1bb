//! What earlier incidents taught: how common a symptom is, who is usually suspected, who it turned out to be.
//!
//! Counted per system. Everything is bounded and ages by halving, so an old habit fades. Without feedback only counts
//! are used; confirmed causes enter by six fixed strengths that are weighed by how well each would have predicted the
//! causes confirmed so far, so feedback counts only where it has paid.

use std::collections::{BTreeMap, BTreeSet};

use model::{IncidentId, Text, Time};
use serde::{Deserialize, Serialize};
use topology::as_written;

use crate::state::pack::{pack, unpack};

use super::{
    Ranking,
    rank::{Scored, Symptomatic},
    symptoms::WHOLE_DOMAIN,
};

/// Strengths of (how much an entity was underrated, memory) among which feedback chooses, and what each must first make up for, in nats.
pub(super) const STRENGTHS: [(f64, f64, f64); 6] = [
    (0.0, 0.0, 0.0),
    (0.5, 0.0, 1.0),
    (0.0, 0.5, 1.0),
    (0.5, 0.5, 1.0),
    (1.0, 1.0, 2.0),
    (2.0, 1.0, 3.0),
];
/// How sharply past log-loss tells the strengths apart. Flat from 2 to 8; this is the middle.
const LOSS_WEIGHT: f64 = 4.0;
/// Per confirmation, older losses and counts keep this share.
const LOSS_DECAY: f64 = 0.98;
/// Confirmations by which each entity's share in them is shrunk towards what was foretold.
const CONFIRMED_PRIOR: f64 = 2.0;
/// The probability that is assumed of a confirmed cause that was not among the candidates.
const PROBABILITY_MIN: f64 = 1e-3;
/// Incidents of a system after which its counts are halved.
const INCIDENTS_MAX: f64 = 512.0;
/// Symptoms remembered per system; the longest unseen one goes.
const SYMPTOMS_MAX: usize = 2048;
/// Suspects remembered per system; the least suspected one goes.
const SUSPECTS_MAX: usize = 256;
/// Past incidents remembered in all; the oldest one goes, unconfirmed ones first.
const PAST_MAX: usize = 1024;
/// Symptoms that make up the signature of a past incident, heaviest first.
const SIGNATURE_MAX: usize = 48;
/// Candidates remembered of a past incident.
const REMEMBERED_MAX: usize = 24;
/// Confirmations that wait for their incident to close.
const WAITING_MAX: usize = 256;

/// Prior incidents, and those of them with the symptom, before any was seen.
const RARITY_PRIOR: (f64, f64) = (3.0, 0.3);
/// Bounds of the factor by which an unusual number of events changes a symptom's weight.
const SURPRISE: (f64, f64) = (0.3, 3.0);

/// Counts of one system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SystemCounts {
    /// Incidents closed.
    incidents: f64,
    /// Rises with each, to tell who was unseen longest.
    tick: u64,
    /// By the key of a symptom or of a family of them.
    symptoms: BTreeMap<u64, SymptomCounts>,
    /// Sum of the probabilities with which each entity was suspected.
    suspects: BTreeMap<Text, f64>,
    /// Confirmed causes, aged.
    roots: BTreeMap<Text, f64>,
    /// Sum of the probabilities that each entity had, without feedback, in the incidents that were confirmed; aged alike.
    foretold: BTreeMap<Text, f64>,
    /// Log-loss of each strength on the causes confirmed so far, aged.
    losses: [f64; STRENGTHS.len()],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SymptomCounts {
    incidents: f64,
    events: f64,
    last: u64,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// Which.
    pub(crate) incident: IncidentId,
    /// When it was opened.
    pub(crate) opened: Time,
    /// Its first-ranked cause, or the one that was confirmed.
    pub(crate) cause: Option<Text>,
    /// Somebody confirmed the cause.
    pub(crate) confirmed: bool,
    system: Text,
    /// Its symptoms with their weights, by key.
    signature: Vec<(u64, f64)>,
    /// The candidates with their probability at each strength, best first.
    candidates: Vec<(Text, [f64; STRENGTHS.len()])>,
    /// Its place in the order of closing.
    number: u64,
}

/// What all earlier incidents of a domain taught.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    systems: BTreeMap<Text, SystemCounts>,
    past: BTreeMap<IncidentId, Past>,
    /// By order of closing.
    order: BTreeMap<u64, IncidentId>,
    waiting: BTreeMap<IncidentId, Text>,
    closed: u64,
    changed_systems: BTreeSet<Text>,
    changed_past: BTreeSet<IncidentId>,
    changed_head: bool,
}

/// One row of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    Head {
        closed: u64,
        waiting: BTreeMap<IncidentId, Text>,
    },
    System {
        name: Text,
        counts: SystemCounts,
    },
    Past(Box<Past>),
}

impl History {
    /// What is known without an incident itself, if that counts already: it is judged by the others.
    pub(super) fn without(&self, incident: Option<IncidentId>) -> Others<'_> {
        Others {
            history: self,
            own: incident.and_then(|id| self.past.get(&id)),
        }
    }

    /// Whether an incident counts already.
    pub(crate) fn knows(&self, incident: IncidentId) -> bool {
        self.past.contains_key(&incident)
    }

    /// Whether a name that no topology knows was ever among the candidates.
    pub(crate) fn ranked(&self, name: &str) -> bool {
        self.systems
            .get(&WHOLE_DOMAIN)
            .is_some_and(|c| c.suspects.contains_key(name))
    }

    /// How often an entity was confirmed as the cause in its system, aged.
    pub(super) fn confirmed(&self, system: &str, root: &str) -> f64 {
        let roots = self.systems.get(system).map(|c| &c.roots);
        roots.and_then(|r| r.get(root)).copied().unwrap_or(0.0)
    }

    /// Log-odds by which an entity was named too seldom, in the incidents whose cause was confirmed: how often it was the
    /// cause against how often it was foretold to be. Below zero for one that is always suspected and never is. It is the
    /// first step of fitting the intercept of a multinomial logistic regression, which must foretell every class as often
    /// as it comes.
    pub(super) fn underrated(&self, system: &str, root: &str) -> f64 {
        let foretold = self.systems.get(system).map(|c| &c.foretold);
        let foretold = foretold.and_then(|f| f.get(root)).copied().unwrap_or(0.0);
        libm::log((self.confirmed(system, root) + CONFIRMED_PRIOR) / (foretold + CONFIRMED_PRIOR))
    }

    /// How the strengths are weighed in a system by now; they sum to 1.
    pub(super) fn strength_weights(&self, system: &str) -> [f64; STRENGTHS.len()] {
        let losses = self.systems.get(system).map(|c| c.losses).unwrap_or_default();
        let mut weights = [0.0; STRENGTHS.len()];
        let best = (0..STRENGTHS.len())
            .map(|k| LOSS_WEIGHT * losses[k] + STRENGTHS[k].2)
            .fold(f64::MAX, f64::min);
        for (k, w) in weights.iter_mut().enumerate() {
            *w = libm::exp(best - (LOSS_WEIGHT * losses[k] + STRENGTHS[k].2));
        }
        let sum: f64 = weights.iter().sum();
        weights.map(|w| w / sum)
    }

    /// Whether anything was confirmed in a system.
    pub(super) fn has_feedback(&self, system: &str) -> bool {
        self.systems.get(system).is_some_and(|c| !c.roots.is_empty())
    }

    /// Likeness to the confirmed incidents of a system, summed by cause.
    pub(super) fn likeness(&self, system: &str, symptoms: &[Symptomatic]) -> BTreeMap<Text, f64> {
        let now = signature(symptoms);
        let mut found: BTreeMap<Text, f64> = BTreeMap::new();
        for past in self.past.values().filter(|p| p.confirmed && p.system == system) {
            if let Some(cause) = &past.cause {
                let likeness = jaccard(&now, &past.signature);
                if likeness > 0.0 {
                    *found.entry(cause.clone()).or_default() += likeness;
                }
            }
        }
        found
    }

    /// Past incidents that look like this one, most alike first, ties to the newer; at most `limit`, likeness at least
    /// `least`.
    pub(crate) fn similar(&self, ranking: &Ranking, limit: usize, least: f64) -> Vec<(&Past, f64)> {
        let now = signature(&ranking.symptoms);
        let mut found: Vec<(&Past, f64)> = self
            .past
            .values()
            .filter(|p| p.system == ranking.system)
            .map(|p| (p, jaccard(&now, &p.signature)))
            .filter(|(_, likeness)| *likeness >= least)
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.number.cmp(&a.0.number)));
        found.truncate(limit);
        found
    }

    /// How many incidents of the ranking's system are remembered.
    pub(crate) fn incidents(&self, ranking: &Ranking) -> f64 {
        self.systems.get(&ranking.system).map_or(0.0, |c| c.incidents)
    }

    /// Takes in an incident that is over, as it was ranked last. A second call for the same incident changes nothing.
    pub(crate) fn learn(&mut self, incident: IncidentId, opened: Time, ranking: &Ranking) {
        if self.past.contains_key(&incident) || ranking.symptoms.is_empty() {
            return;
        }
        let whole = WHOLE_DOMAIN;
        let systems: BTreeSet<&Text> = ranking
            .symptoms
            .iter()
            .map(|s| &s.system)
            .chain([&whole])
            .collect();
        for name in systems {
            let counts = self.systems.entry(name.clone()).or_default();
            counts.incidents += 1.0;
            counts.tick += 1;
            for s in ranking.symptoms.iter().filter(|s| s.system == *name) {
                let seen = counts.symptoms.entry(s.key).or_default();
                seen.incidents += 1.0;
                seen.events += s.events as f64;
                seen.last = counts.tick;
            }
            let of_system = ranking.symptoms.iter().filter(|s| s.system == *name);
            for family in of_system.map(|s| s.family).collect::<BTreeSet<_>>() {
                let seen = counts.symptoms.entry(family).or_default();
                seen.incidents += 1.0;
                seen.last = counts.tick;
            }
            if *name == ranking.system {
                for scored in &ranking.scored {
                    *counts.suspects.entry(scored.name.clone()).or_default() += scored.probability;
                }
            }
            counts.bound();
            self.changed_systems.insert(name.clone());
        }
        self.closed += 1;
        self.changed_head = true;
        let past = Past {
            incident,
            opened,
            cause: ranking.scored.first().map(|s| s.name.clone()),
            confirmed: false,
            system: ranking.system.clone(),
            signature: signature(&ranking.symptoms),
            candidates: ranking
                .scored
                .iter()
                .take(REMEMBERED_MAX)
                .map(|s| (s.name.clone(), s.at_strength))
                .collect(),
            number: self.closed,
        };
        self.order.insert(past.number, incident);
        self.changed_past.insert(incident);
        self.past.insert(incident, past);
        while self.past.len() > PAST_MAX {
            let unconfirmed = self
                .order
                .values()
                .copied()
                .find(|h| self.past.get(h).is_some_and(|p| !p.confirmed));
            let Some(gone) = unconfirmed.or_else(|| self.order.values().next().copied()) else {
                break;
            };
            if let Some(past) = self.past.remove(&gone) {
                self.order.remove(&past.number);
            }
            self.changed_past.insert(gone);
        }
        if let Some(root) = self.waiting.remove(&incident) {
            self.confirm(incident, &root);
        }
    }

    /// Somebody said what the cause was: the name of a node ([`topology::Graph::thing`]) or of an unknown entity. An
    /// incident that is not over yet is remembered until it is. Said again, the last word counts for likeness; the
    /// counts keep both.
    pub(crate) fn confirm(&mut self, incident: IncidentId, root: &str) {
        let Some(past) = self.past.get_mut(&incident) else {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.insert(incident, root.into());
                self.changed_head = true;
            }
            return;
        };
        // Said as alerts write it, without the namespace by which it is told apart.
        let folded = |name: &str| as_written(name, [root]) == root;
        let named: Vec<&Text> = past.candidates.iter().map(|(name, _)| name).collect();
        let mut meant = named.iter().filter(|name| folded(name));
        let root = match (meant.next(), meant.next()) {
            (Some(only), None) if !named.iter().any(|name| *name == root) => (*only).clone(),
            _ => Text::from(root),
        };
        let predicted = past
            .candidates
            .iter()
            .find(|(name, _)| *name == root)
            .map(|(_, p)| *p);
        past.cause = Some(root.clone());
        past.confirmed = true;
        self.changed_past.insert(incident);
        let counts = self.systems.entry(past.system.clone()).or_default();
        for (k, loss) in counts.losses.iter_mut().enumerate() {
            let p = predicted.map_or(PROBABILITY_MIN, |p| p[k].max(PROBABILITY_MIN));
            *loss = *loss * LOSS_DECAY - libm::log(p);
        }
        for n in counts.roots.values_mut().chain(counts.foretold.values_mut()) {
            *n *= LOSS_DECAY;
        }
        for (name, p) in &past.candidates {
            *counts.foretold.entry(name.clone()).or_default() += p[0];
        }
        *counts.roots.entry(root).or_default() += 1.0;
        counts.bound();
        self.changed_systems.insert(past.system.clone());
    }

    /// Rows that changed since the last call, as (key, JSON or gone), in the order of their keys.
    pub(crate) fn dirty_rows(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut rows = Vec::new();
        if std::mem::take(&mut self.changed_head) {
            let row = Row::Head {
                closed: self.closed,
                waiting: self.waiting.clone(),
            };
            rows.push(("head".to_owned(), encode(&row)));
        }
        for id in std::mem::take(&mut self.changed_past) {
            let row = self
                .past
                .get(&id)
                .and_then(|p| encode(&Row::Past(Box::new(p.clone()))));
            rows.push((format!("past/{id}"), row));
        }
        for name in std::mem::take(&mut self.changed_systems) {
            let counts = self.systems.get(&name).cloned().unwrap_or_default();
            rows.push((system_key(&name), encode(&Row::System { name, counts })));
        }
        rows
    }

    /// Keys of all rows that there may be.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        let past = self.past.keys().map(|id| format!("past/{id}"));
        let systems = self.systems.keys().map(|name| system_key(name));
        std::iter::once("head".to_owned()).chain(past).chain(systems)
    }

    /// Puts a row back; `Err` says what is wrong with it.
    pub(crate) fn restore_row(&mut self, row: &[u8]) -> Result<(), String> {
        match unpack(row)? {
            Row::Head { closed, waiting } => {
                self.closed = closed;
                self.waiting = waiting;
            }
            Row::System { name, counts } => {
                self.systems.insert(name, counts);
            }
            Row::Past(past) => {
                self.order.insert(past.number, past.incident);
                self.past.insert(past.incident, *past);
            }
        }
        Ok(())
    }
}

/// History without one incident.
pub(super) struct Others<'a> {
    history: &'a History,
    own: Option<&'a Past>,
}

impl Others<'_> {
    /// Incidents of a system; and those of them with a symptom, with the events they had of it.
    fn counts(&self, system: &str, key: u64) -> (f64, f64, f64) {
        let Some(counts) = self.history.systems.get(system) else {
            return (0.0, 0.0, 0.0);
        };
        let seen = counts.symptoms.get(&key).copied().unwrap_or_default();
        if self.own.is_none() || seen.incidents <= 0.0 {
            return (counts.incidents, seen.incidents, seen.events);
        }
        // What it shows now was counted then, apart from the little that came after.
        let left = (seen.incidents - 1.0).max(0.0);
        let events = seen.events * left / seen.incidents;
        ((counts.incidents - 1.0).max(0.0), left, events)
    }

    /// Probability of a symptom in an incident of its system, whatever the cause.
    pub(super) fn usual_share(&self, system: &str, key: u64) -> f64 {
        let (incidents, seen, _) = self.counts(system, key);
        ((seen + RARITY_PRIOR.1) / (incidents + RARITY_PRIOR.0)).min(1.0)
    }

    /// 1 for a symptom never or hardly seen in incidents of its system, towards 0 for one that is always there.
    pub(super) fn rarity(&self, system: &str, key: u64) -> f64 {
        let (incidents, ..) = self.counts(system, key);
        // In units of what a symptom never seen so far would say, so that on the first day all speak alike.
        let unseen = RARITY_PRIOR.1 / (incidents + RARITY_PRIOR.0);
        (libm::log(self.usual_share(system, key)) / libm::log(unseen)).clamp(0.0, 1.0)
    }

    /// Above 1 when a symptom comes more often than it usually does in an incident, below 1 when less often. What is
    /// usual is its own number, shrunk by one incident towards what symptoms of its system `typical`ly have in the one at
    /// hand: so a line that is logged twenty times says more than a blip also on the first day.
    pub(super) fn surprise(&self, system: &str, key: u64, events: u64, typical: f64) -> f64 {
        let (_, seen, before) = self.counts(system, key);
        let usual = (before + typical) / (seen + 1.0);
        ((events as f64 + 1.0) / (usual + 1.0)).clamp(SURPRISE.0, SURPRISE.1)
    }

    /// How many nats a candidate is usually ahead of one never suspected.
    pub(super) fn usual(&self, system: &str, suspect: &str) -> f64 {
        let counts = self.history.systems.get(system);
        let mut suspected = counts
            .and_then(|c| c.suspects.get(suspect))
            .copied()
            .unwrap_or(0.0);
        if let Some(own) = self.own.filter(|own| own.system == system) {
            let then = own.candidates.iter().find(|(name, _)| name == suspect);
            suspected -= then.map_or(0.0, |(_, p)| p[0]);
        }
        libm::log((suspected.max(0.0) + 0.5) / 0.5)
    }
}

impl SystemCounts {
    fn bound(&mut self) {
        if self.incidents >= INCIDENTS_MAX {
            self.incidents /= 2.0;
            for s in self.symptoms.values_mut() {
                s.incidents /= 2.0;
                s.events /= 2.0;
            }
            for s in self.suspects.values_mut() {
                *s /= 2.0;
            }
        }
        while self.symptoms.len() > SYMPTOMS_MAX {
            let oldest = self
                .symptoms
                .iter()
                .min_by_key(|(key, s)| (s.last, **key))
                .map(|(key, _)| *key);
            oldest.and_then(|key| self.symptoms.remove(&key));
        }
        for list in [&mut self.suspects, &mut self.roots, &mut self.foretold] {
            while list.len() > SUSPECTS_MAX {
                let least = list
                    .iter()
                    .min_by(|a, b| a.1.total_cmp(b.1).then(a.0.cmp(b.0)))
                    .map(|(n, _)| n.clone());
                least.and_then(|name| list.remove(&name));
            }
        }
    }
}

/// A name may hold anything; its hash is a safe key.
fn system_key(name: &str) -> String {
    let key = model::Hash128::new("system").part(name.as_bytes()).finish();
    format!("system/{key:032x}")
}

fn encode(row: &Row) -> Option<Vec<u8>> {
    Some(pack(row))
}

/// The heaviest symptoms, sorted by key.
fn signature(symptoms: &[Symptomatic]) -> Vec<(u64, f64)> {
    let mut all: Vec<(u64, f64)> = symptoms.iter().map(|s| (s.key, s.rarity)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(SIGNATURE_MAX);
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}

/// Weighted Jaccard similarity of what is shown now and what was shown, both sorted by key: shared weight over all
/// weight. What both show weighs as it does now, so that the same again is alike however usual it has become.
fn jaccard(now: &[(u64, f64)], past: &[(u64, f64)]) -> f64 {
    let was = |key: u64| past.binary_search_by_key(&key, |(key, _)| *key).is_ok();
    let is = |key: u64| now.binary_search_by_key(&key, |(key, _)| *key).is_ok();
    let weight = |(_, weight): &(u64, f64)| *weight;
    let shared: f64 = now.iter().filter(|(key, _)| was(*key)).map(weight).sum();
    let gone: f64 = past.iter().filter(|(key, _)| !is(*key)).map(weight).sum();
    let all = now.iter().map(weight).sum::<f64>() + gone;
    if all > 0.0 { shared / all } else { 0.0 }
}

impl Scored {
    /// The probability under the strengths as they are weighed.
    pub(super) fn mix(&mut self, weights: &[f64; STRENGTHS.len()]) {
        self.probability = self.at_strength.iter().zip(weights).map(|(p, w)| p * w).sum();
    }
}
