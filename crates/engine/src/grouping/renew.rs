//! The topology changed: what rests on its nodes and components is looked up anew.
//!
//! Nodes are numbers within one version of the graph, and a system is named after a node of its component, so both mean
//! something else after a change. Entities are kept by name, and names hold: the places of open incidents, what waits
//! for its settlement and the fresh symptoms of late are found again by them. Systems that a new dependency connects become
//! one; where two incidents lived in them, and the younger would have begun within the older had the dependency been
//! known, so do they. Systems that lost a connection part, and an incident that lives in both parts takes alerts of both in.
//!
//! It is done once a domain, however many changes came at that point of stream time.

use model::{AlertId, Evidence, EvidenceKind, IncidentId, Text, Time};
use topology::{Graph, NodeId};

use crate::{
    engine::{Engine, Timer},
    fold::Fold,
    state::system::SystemKey,
};

impl Engine {
    /// What rests on the topology is to be looked up anew at this point of stream time, if anything is open.
    pub(crate) fn renew_soon(&mut self, serial: u32, now: Time) {
        if self.meta.serial != serial && !self.open.is_empty() {
            self.timers.insert((now, Timer::Renew));
        }
    }

    /// Looks up anew what rests on the topology, if that has changed.
    pub(crate) fn renew(&mut self, fold: &mut Fold<'_>) {
        if self.meta.serial == fold.serial {
            return;
        }
        self.meta.serial = fold.serial;
        for id in self.open.clone() {
            if let Some(state) = self.incidents.get_mut(&id) {
                for place in &mut state.places {
                    place.node = node(&place.entity, fold.graph);
                }
            }
        }
        let connected = self.move_systems(fold);
        self.renew_waiting(fold);
        for id in self.open.clone() {
            self.rehome(id, fold);
        }
        for (a, b, into) in connected {
            let text = format!("what was two systems is one around {into}");
            let (a, b) = (self.follow(a), self.follow(b));
            self.merge_if_one(a, b, Evidence::new(EvidenceKind::Topology, 1.0, text), fold);
        }
    }

    /// Systems whose component has another name by now become that one; gives the pairs of live incidents that are of
    /// one system since.
    fn move_systems(&mut self, fold: &Fold<'_>) -> Vec<(IncidentId, IncidentId, SystemKey)> {
        let mut connected = Vec::new();
        let mut names = self.systems.keys();
        names.extend(self.places.keys());
        names.sort_unstable();
        names.dedup();
        for from in names {
            let named = from.strip_prefix(crate::state::spot::ALONE).unwrap_or(&from);
            let Some(node) = node(named, fold.graph) else {
                continue;
            };
            let into = fold.graph.id(fold.graph.component(NodeId(node))).clone();
            if into == from {
                continue;
            }
            let live = |name: &Text| self.systems.get(name).map(|s| s.live.clone()).unwrap_or_default();
            for a in live(&from) {
                connected.extend(live(&into).into_iter().map(|b| (a, b, into.clone())));
            }
            self.merge_systems(&from, &into);
        }
        connected
    }

    /// An incident lives in the system of each of its places.
    fn rehome(&mut self, id: IncidentId, fold: &Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let mut homes: Vec<Text> = Vec::new();
        for place in &state.places {
            let Some(node) = place.node else { continue };
            let home = fold.graph.id(fold.graph.component(NodeId(node)));
            if !homes.contains(home) {
                homes.push(home.clone());
            }
        }
        let Some(first) = homes.first().cloned() else {
            return;
        };
        let alive = self
            .systems
            .get(&state.system)
            .is_some_and(|system| system.live.contains(&id));
        if !homes.contains(&state.system) {
            if let Some(system) = self.systems.get_mut(&state.system) {
                system.live.retain(|live| *live != id);
            }
            self.incidents.get_mut(&id).expect("looked up above").system = first;
        }
        if alive {
            for home in homes {
                self.enliven(&home, id);
            }
        }
    }

    fn renew_waiting(&mut self, fold: &Fold<'_>) {
        let waiting = self
            .order
            .keys()
            .filter_map(|number| Some(self.pending.get(number)?.alert));
        let mut alerts: Vec<AlertId> = waiting.collect();
        alerts.extend(
            self.learning
                .keys()
                .iter()
                .filter_map(|number| Some(self.learning.get(number)?.alert)),
        );
        for id in alerts {
            let Some(alert) = self.alerts.get_mut(&id) else {
                continue;
            };
            if let Some(node) = node(&alert.spot.entity, fold.graph) {
                alert.spot.node = Some(node);
                alert.spot.system = fold.graph.id(fold.graph.component(NodeId(node))).clone();
                alert.spot.known = true;
            } else {
                alert.spot.node = None;
            }
            // Where else it points is looked up when it is heard next.
            (alert.spot.host_node, alert.spot.caller, alert.spot.callee) = (None, None, None);
        }
        for id in self.tentative.keys() {
            if let Some(tentative) = self.tentative.get_mut(&id) {
                tentative.node = None;
            }
        }
        for key in self.systems.keys() {
            let Some(system) = self.systems.get_mut(&key) else {
                continue;
            };
            for fresh in &mut system.ring {
                let alert = self.alerts.get(&fresh.alert);
                fresh.node = alert.and_then(|alert| node(&alert.spot.entity, fold.graph));
            }
        }
    }
}

fn node(entity: &str, graph: &Graph) -> Option<u32> {
    graph.find(entity).map(|node| graph.thing(node).0)
}
