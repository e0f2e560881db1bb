//! What alerts themselves say of belonging together, where no topology says it: who calls whom, which copy is of which
//! service, what runs on which machine.
//!
//! Names that one alert links are kin, and kin of kin too; they form one system, as a component of the topology would.
//! Nothing is concluded from equal words or shared labels. A system grows to [`KIN_MAX`] names and no further: in more
//! than that something always happens somewhere, and time says nothing.

use model::{AlertId, Event, Labels, Text};
use serde::{Deserialize, Serialize};
use topology::Graph;

use crate::{
    engine::Engine,
    fold::Fold,
    system::{NEAR_MAX, RING_MAX},
};

/// A name among its kin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kin {
    /// A name nearer to the head of the family; the head names itself.
    pub up: Text,
    /// Names below, itself included; true of a head only.
    pub size: u32,
}

/// Names in one family; as many as a topology's system may have before it is divided, twice, because copies and
/// machines are names too.
const KIN_MAX: u32 = 64;
/// Labels that name the other end of a call.
const ENDS: [&str; 10] = [
    "caller",
    "callee",
    "peer",
    "peer_service",
    "peer.service",
    "source_service",
    "destination_service",
    "destination_workload",
    "upstream",
    "upstream_service",
];

impl Engine {
    /// Learns from a new alert that the topology does not know which names belong together, and gives it the system of
    /// its family.
    pub(crate) fn learn_kin(&mut self, id: AlertId, event: &Event, fold: &mut Fold<'_>) {
        let alert = self.alerts.get(&id).expect("made on arrival");
        if alert.spot.known || alert.spot.entity.is_empty() || !stands_alone(&alert.spot.system) {
            return;
        }
        let entity = alert.spot.entity.clone();
        for other in linked_names(event, &entity, fold.graph) {
            self.make_kin(&entity, &other);
        }
        self.join_family(id);
    }

    /// The system of an alert's family by now.
    pub(crate) fn join_family(&mut self, id: AlertId) {
        let Some(alert) = self.alerts.get(&id) else { return };
        if alert.spot.known || alert.spot.family == self.meta.families || !stands_alone(&alert.spot.system) {
            return;
        }
        let system = system_of(&self.head(&alert.spot.entity));
        let families = self.meta.families;
        let spot = &mut self.alerts.get_mut(&id).expect("looked up above").spot;
        spot.family = families;
        spot.system = system;
    }

    fn head(&self, name: &Text) -> Text {
        let mut at = name;
        // Families hang on the larger one, so the way up is short.
        while let Some(kin) = self.kin.get(at)
            && kin.up != *at
        {
            at = &kin.up;
        }
        at.clone()
    }

    fn make_kin(&mut self, a: &Text, b: &Text) {
        let (a, b) = (self.head(a), self.head(b));
        if a == b {
            return;
        }
        let size = |name: &Text| self.kin.get(name).map_or(1, |kin| kin.size);
        let (of_a, of_b) = (size(&a), size(&b));
        if of_a + of_b > KIN_MAX {
            return;
        }
        let (head, other) = if (of_b, &a) > (of_a, &b) { (b, a) } else { (a, b) };
        let up = head.clone();
        self.kin.insert(other.clone(), Kin { up, size: 0 });
        let up = head.clone();
        let size = of_a + of_b;
        self.kin.insert(head.clone(), Kin { up, size });
        self.meta.families += 1;
        self.merge_systems(&system_of(&other), &system_of(&head));
    }

    /// What was two systems is one.
    fn merge_systems(&mut self, from: &Text, into: &Text) {
        if let Some(place) = self.places.remove(from) {
            let target = self.places.entry(into, Default::default);
            target.near.extend(place.near);
            target.near.make_contiguous().sort_by_key(|(t, id)| (*t, *id));
            let surplus = target.near.len().saturating_sub(NEAR_MAX);
            target.near.drain(..surplus);
        }
        let Some(old) = self.systems.remove(from) else { return };
        let target = self.systems.entry(into, Default::default);
        target.again += old.again;
        target.new += old.new;
        target.expected += old.expected;
        target.named_service |= old.named_service;
        target.tentative.extend(&old.tentative);
        target.settled.extend(old.settled);
        target.settled.make_contiguous().sort_by_key(|settled| settled.t);
        target.ring.extend(old.ring);
        target.ring.make_contiguous().sort_by_key(|fresh| (fresh.t, fresh.alert));
        let surplus = target.ring.len().saturating_sub(RING_MAX);
        target.ring.drain(..surplus);
        for id in old.tentative {
            if let Some(tentative) = self.tentative.get_mut(&id) {
                tentative.system = into.clone();
            }
        }
        for id in old.live {
            if let Some(state) = self.incidents.get_mut(&id) {
                state.system = into.clone();
                self.enliven(into, id);
            }
        }
        let waiting = self.order.keys().filter_map(|number| self.pending.get(number));
        let mut alerts: Vec<AlertId> = waiting.map(|pending| pending.alert).collect();
        let learning = self.learning.keys();
        alerts.extend(learning.iter().filter_map(|number| Some(self.learning.get(number)?.alert)));
        for id in alerts {
            self.join_family(id);
        }
    }
}

/// Whether nothing that the sender says stands in for a system, so that a family may.
fn stands_alone(system: &str) -> bool {
    system.starts_with(ALONE)
}

const ALONE: &str = "entity=";

fn system_of(head: &Text) -> Text {
    compact_str::format_compact!("{ALONE}{head}")
}

/// Names that an alert links with its entity: the ends of a call, its copy, its machine.
fn linked_names(event: &Event, entity: &Text, graph: &Graph) -> Vec<Text> {
    let said = |kind: &str| {
        event
            .entities
            .get(kind)
            .or_else(|| event.labels.get(kind))
            .filter(|name| !name.trim().is_empty())
    };
    let none = Labels::new();
    let service = |name: &str| graph.resolve_names(Some(name), None, &none, &none).name;
    let machine = |name: &str| graph.resolve_names(None, Some(name), &none, &none).name;
    let mut names: Vec<Text> = ENDS.iter().filter_map(|kind| said(kind)).map(service).collect();
    // A tool that reports on others names its own machine and copy, not theirs.
    if event.service.as_deref().is_some_and(|own| service(own) == *entity) {
        names.extend(said("instance").filter(|name| !is_loopback(name)).map(service));
        names.extend(event.host.as_deref().filter(|name| !is_loopback(name)).map(machine));
    }
    names.retain(|name| !name.is_empty() && name != entity);
    names
}

/// Every machine is this one to itself.
fn is_loopback(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name.starts_with("127.") || name.starts_with("localhost") || name.starts_with("0.0.0.0") || name.starts_with("[::1]")
}
