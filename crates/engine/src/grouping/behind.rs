//! What stands behind one thing fails with it, though that thing says nothing itself, or says so last.
//!
//! In a large system a thing that everything hangs on connects nothing by itself: two alerts that share a log service
//! are two faults. But when several begin within a minute, far more than usual, and share a thing on the way, that thing
//! is what they have in common. What is out of reach is out of reach of something, so for alerts of absence a look at
//! what is about to settle is enough: the reachability of Nagios ("parents"), inferred instead of configured.

use model::{AlertId, Evidence, EvidenceKind, IncidentId, Text, Time};
use topology::{Direction, NodeId};

use crate::{
    cause::AlertKind, engine::Engine, fold::Fold, grouping::pending::Pending, lineage::Why, settings::secs,
    state::incident::PlaceActivity,
};

/// So many things that fail at once are no chance.
pub(crate) const TOGETHER_MIN: usize = 4;
/// So many of them come by another way than most: else what most stand behind explains them.
const OTHER_WAYS_MIN: usize = 2;
/// Steps down in which what they share is looked for: device, access switch, distribution, core.
const HOPS: u32 = 3;
/// Of those that fall silent, the latest are looked at.
const LOOKED_AT: usize = 16;
/// What begins within so many seconds, and an interval of its tool, begins together: most look once a minute.
pub(crate) const TOGETHER_S: f64 = 60.0;
/// And so many times as much as usually begins in that time.
pub(crate) const BEYOND_USUAL: f64 = 5.0;
/// The usual is what was begun lately, fading by a factor of e in this time.
pub(crate) const USUAL_DECAY_S: f64 = 3600.0;

/// An incident, and what everything in it depends on.
type Begun = (IncidentId, Vec<NodeId>);

/// Those of which everything depends on this ground.
fn on(ground: NodeId, begun: &[Begun]) -> Vec<IncidentId> {
    let stands = begun
        .iter()
        .filter(|(_, needs)| needs.binary_search(&ground).is_ok());
    stands.map(|(id, _)| *id).collect()
}

impl Engine {
    /// Takes what an alert stands behind into its incident, when others stand behind it and fail too, and their
    /// incidents with it. `opened`: it began the incident.
    pub(crate) fn gather(&mut self, id: IncidentId, p: &Pending, opened: bool, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get(&p.alert) else {
            return;
        };
        let (kind, system) = (alert.kind, alert.spot.system.clone());
        let Some(own) = alert.spot.node.map(NodeId) else {
            return;
        };
        // In a small system time alone joins.
        if fold.graph.near(own).is_none() {
            return;
        }
        let grounds = match kind {
            _ if kind.is_down() && fold.graph.is_hub(own) => vec![own],
            AlertKind::Absent => self.shared_grounds(own, p, &system, fold),
            _ => Vec::new(),
        };
        if grounds.is_empty() && !opened {
            return self.still_fails(id, own, p, fold);
        }
        let within_s = match kind {
            AlertKind::Absent if !grounds.is_empty() => self.round_s(p.alert, fold),
            _ => TOGETHER_S,
        };
        let begun = self.begun_with(id, p, within_s, &system, fold);
        if !grounds.is_empty() {
            for ground in grounds {
                self.gather_on(ground, id, on(ground, &begun), p, fold);
            }
            return self.still_fails(self.follow(id), own, p, fold);
        }
        let entry = self.systems.get(&system);
        let usual = entry.map_or(0.0, |s| s.openings.left(p.t, USUAL_DECAY_S)) * TOGETHER_S / USUAL_DECAY_S;
        for (ground, _) in fold.graph.rings(own, Direction::Down, HOPS - 1) {
            let others = on(ground, &begun);
            let together = others.len() + 1;
            if ground != own && together >= TOGETHER_MIN && together as f64 >= BEYOND_USUAL * usual {
                return self.gather_on(ground, id, others, p, fold);
            }
        }
    }

    /// One more fails that depends on what was taken in: that goes on failing.
    fn still_fails(&mut self, id: IncidentId, own: NodeId, p: &Pending, fold: &Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let taken_in = |place: &PlaceActivity| !place.alerts && place.node != Some(own.0);
        if !state.places.iter().any(taken_in) {
            return;
        }
        let needs = fold.graph.ring(own, Direction::Down, HOPS - 1);
        let state = self.incidents.get_mut(&id).expect("looked up above");
        for place in state.places.iter_mut().filter(|place| taken_in(place)) {
            if place
                .node
                .is_some_and(|n| needs.binary_search(&NodeId(n)).is_ok())
            {
                place.last = place.last.max(p.t);
            }
        }
    }

    /// Makes one of an incident and others that stand behind the same thing.
    fn gather_on(
        &mut self,
        ground: NodeId,
        id: IncidentId,
        others: Vec<IncidentId>,
        p: &Pending,
        fold: &mut Fold<'_>,
    ) {
        let mut id = self.follow(id);
        let entity = fold.graph.id(ground);
        let fails = self
            .incidents
            .get(&id)
            .is_some_and(|state| state.fires_on(entity));
        let text = if fails {
            format!("{entity}, which it depends on, fails")
        } else {
            format!("what depends on {entity} fails within {TOGETHER_S} s of each other")
        };
        let fact = Evidence::new(EvidenceKind::Topology, others.len() as f64 + 1.0, text);
        for other in others {
            let why = Why {
                actor: model::Actor::ENGINE.0,
                event: None,
                because: vec![fact.clone()],
            };
            id = self.merge(id, other, &why, fold).unwrap_or(id);
        }
        self.take_in(id, ground, p.t, fact, fold);
    }

    /// When most neighbours of a thing start at once, the thing itself is in it, however silent.
    pub(crate) fn bring_in_hub(&mut self, p: &Pending, id: IncidentId, system: &Text, fold: &Fold<'_>) {
        let alert = self.waiting(p.alert);
        let Some(node) = alert.spot.node.map(NodeId) else {
            return;
        };
        if fold.graph.near(node).is_none() {
            return;
        }
        let settle = secs(fold.settings.grouping.settle_s);
        let mut starting: Vec<NodeId> = self
            .systems
            .get(system)
            .into_iter()
            .flat_map(|s| s.ring.iter())
            .filter(|f| p.t - settle <= f.t && f.t < p.t + settle)
            .filter_map(|f| f.node.map(NodeId))
            .collect();
        starting.sort_unstable();
        starting.dedup();
        let mut silent = Vec::new();
        for hub in fold.graph.neighbours(node) {
            let around = fold.graph.neighbours(*hub);
            let together = starting
                .iter()
                .filter(|n| around.binary_search(n).is_ok())
                .count();
            if around.len() >= 4 && together >= 4.max(around.len().div_ceil(2)) {
                silent.push((*hub, together, around.len()));
            }
        }
        for (hub, together, around) in silent {
            let text = format!(
                "{together} of {around} neighbours of {} started together",
                fold.graph.id(hub)
            );
            let fact = Evidence::new(EvidenceKind::Topology, together as f64, text);
            self.take_in(id, hub, p.t, fact, fold);
        }
    }

    /// Takes a thing that raises no alert of its own into an incident, or keeps it there.
    fn take_in(&mut self, id: IncidentId, thing: NodeId, t: Time, fact: Evidence, fold: &Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        let entity = fold.graph.id(thing);
        let known = state.places.iter().any(|place| place.entity == *entity);
        let Some(place) = state.place_mut(entity, Some(thing.0), t) else {
            return;
        };
        place.last = place.last.max(t);
        if !known {
            state.because.push(fact);
        }
    }

    /// Incidents that began with this one, each with all that everything that alerts in it depends on.
    fn begun_with(
        &self,
        id: IncidentId,
        p: &Pending,
        within_s: f64,
        system: &Text,
        fold: &Fold<'_>,
    ) -> Vec<Begun> {
        let (Some(entry), Some(own)) = (self.systems.get(system), self.incidents.get(&id)) else {
            return Vec::new();
        };
        let begun = |other: &IncidentId| {
            let state = self.incidents.get(other).filter(|state| {
                *other != id
                    && state.is_open()
                    && !state.background
                    && state.begun.since(p.t).as_secs_f64().abs() <= within_s
                    && self.parted(own, (*other, state)).is_none()
            })?;
            let alerting = state.places.iter().filter(|place| place.alerts);
            let needs = alerting.map(|place| {
                let node = place.node.map(NodeId);
                node.map_or(Vec::new(), |node| {
                    fold.graph.ring(node, Direction::Down, HOPS - 1)
                })
            });
            let all = needs.reduce(|mut all, needs| {
                all.retain(|thing| needs.binary_search(thing).is_ok());
                all
            });
            Some((*other, all?))
        };
        entry.live.iter().filter_map(begun).collect()
    }

    /// In what time a tool asks everything once, so that what goes silent together is said by then: one that polls asks
    /// each thing at a moment of its own.
    pub(crate) fn round_s(&self, id: AlertId, fold: &Fold<'_>) -> f64 {
        let source = self
            .alerts
            .get(&id)
            .and_then(|alert| self.sources.get(&alert.source));
        match source.and_then(|source| source.interval_s) {
            Some(interval_s) => TOGETHER_S + interval_s,
            None => fold.settings.grouping.reach_unknown_s,
        }
    }

    /// What several things that fell silent in a round of their tool, and still are, stand behind.
    fn shared_grounds(&self, own: NodeId, p: &Pending, system: &Text, fold: &Fold<'_>) -> Vec<NodeId> {
        let graph = fold.graph;
        let settle = secs(fold.settings.grouping.settle_s);
        let round_s = self.round_s(p.alert, fold);
        let is_silent = |id| {
            let alert = self.alerts.get(&id);
            alert.is_some_and(|a| a.kind == AlertKind::Absent && a.firing())
        };
        let ring = self.systems.get(system).into_iter().flat_map(|s| s.ring.iter());
        let mut silent: Vec<NodeId> = ring
            .rev()
            .filter(|f| p.t - secs(round_s) <= f.t && f.t < p.t + settle && is_silent(f.alert))
            .filter_map(|f| f.node.map(NodeId))
            .take(LOOKED_AT)
            .chain([own])
            .collect();
        silent.sort_unstable();
        silent.dedup();
        if silent.len() < TOGETHER_MIN {
            return Vec::new();
        }
        let ways: Vec<Vec<NodeId>> = silent
            .iter()
            .map(|&n| graph.ring(n, Direction::Down, HOPS))
            .collect();
        let shared = |ground: &NodeId| {
            // The last step before the ground, of each that stands behind it.
            let mut last_steps: Vec<NodeId> = ways
                .iter()
                .filter(|way| way.binary_search(ground).is_ok())
                .filter_map(|way| {
                    let mut next = graph.up(*ground).iter().copied();
                    next.find(|n| way.binary_search(n).is_ok())
                })
                .collect();
            let behind = last_steps.len();
            last_steps.sort_unstable();
            let most = last_steps.chunk_by(|a, b| a == b).map(<[NodeId]>::len).max();
            silent.binary_search(ground).is_err()
                && behind >= TOGETHER_MIN
                && behind - most.unwrap_or(0) >= OTHER_WAYS_MIN
        };
        graph
            .ring(own, Direction::Down, HOPS)
            .into_iter()
            .filter(shared)
            .collect()
    }
}
