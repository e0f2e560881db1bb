//! What alerts themselves say of belonging together, where the topology is silent: who calls whom, which copy is of
//! which service, what runs on which machine; and what keeps beginning together.
//!
//! Systems that one alert links are kin, and kin of kin too; a family is one system, as a component of the topology
//! would be. The topology is never outvoted: what it knows to be apart stays apart, and a family has at most one of its
//! components. Nothing is concluded from shared labels, nor from equal words, unless two tell the same at the same
//! moment: words say that it is the same symptom, not that it is the same cause. A family grows to [`KIN_MAX`] and no further: in
//! more than that something always happens somewhere, and time says nothing.

use std::collections::BTreeMap;

use model::{AlertId, Event, Labels, Span, Text, Time};
use serde::{Deserialize, Serialize};
use topology::{Graph, LARGE_SYSTEM_NODES, is_loopback};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::behind::USUAL_DECAY_S,
    settings::secs,
    state::{
        spot::alone,
        system::{NEAR_MAX, RING_MAX},
    },
};

/// A system among its kin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kin {
    /// A system nearer to the head of the family; the head names itself.
    pub up: Text,
    /// Systems below, itself included; true of a head only.
    pub size: u32,
}

/// When a system broke out, and what broke out beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outbreaks {
    pub first: Time,
    pub last: Time,
    pub times: u32,
    /// How often each of at most [`BESIDE_MAX`] others began with it.
    pub beside: BTreeMap<Text, u32>,
}

/// One outbreak of late.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LateOutbreak {
    pub name: Text,
    pub at: Time,
    /// What its first alert says, volatile words masked.
    pub template: Text,
}

/// Seconds of silence after which a system breaks out anew.
const OUTBREAK_S: i64 = 600;
/// Two that begin within so many seconds and an evaluation interval of their source begin together.
const BESIDE_S: f64 = 60.0;
/// Systems are kin when they began together so often, in this share of the outbreaks of the rarer one, and this many
/// times oftener than chance would have it.
const TOGETHER: u32 = 2;
const TOGETHER_SHARE: f64 = 0.5;
const LIFT: f64 = 2.0;
/// Once is enough where both say the same words at the same evaluation: words so alike, within so many seconds.
const ALIKE: f64 = 0.9;
const ALIKE_S: f64 = 1.0;
const BESIDE_MAX: usize = 16;
/// Outbreaks of late among which company is looked for.
const LATE_MAX: usize = 16;

/// Systems in one family; as many as a component of the topology may have before it is divided, twice, because copies
/// and machines are names too.
const KIN_MAX: u32 = 64;
/// Names of which families and outbreaks are remembered in a domain; beyond, nothing more is learned.
const NAMES_MAX: usize = 8192;
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
    /// Learns from a new alert which systems belong together, and gives it that of its family.
    pub(crate) fn learn_kin(&mut self, id: AlertId, event: &Event, fold: &Fold<'_>) {
        let alert = self.alerts.get(&id).expect("made on arrival");
        let (spot, named) = (&alert.spot, !alert.spot.entity.is_empty());
        if named && (spot.known || spot.is_alone()) {
            let system = spot.system.clone();
            let is_service = |name: &str| self.is_service(name);
            for other in linked_systems(event, &spot.entity.clone(), is_service, fold.graph) {
                self.make_kin(&system, &other, fold.graph);
            }
        }
        self.join_family(id);
    }

    /// Whether a name was heard as that of a service: a host of the same name is another thing.
    fn is_service(&self, name: &str) -> bool {
        let keys = [self.head(&alone(name)), alone(name)];
        let mut heard = keys
            .iter()
            .filter_map(|key| self.places.get(key))
            .flat_map(|place| &place.near);
        heard.any(|(_, id)| {
            let alert = self.alerts.get(id).filter(|alert| *alert.spot.entity == *name);
            alert.is_some_and(|alert| alert.service.is_some() && alert.host.as_deref() != Some(name))
        })
    }

    /// Gives an alert the system of its family by now.
    pub(crate) fn join_family(&mut self, id: AlertId) {
        let Some(alert) = self.alerts.get(&id) else { return };
        if alert.spot.family == self.meta.families {
            return;
        }
        let system = self.head(&alert.spot.system);
        let families = self.meta.families;
        let spot = &mut self.alerts.get_mut(&id).expect("looked up above").spot;
        spot.family = families;
        spot.system = system;
    }

    pub(crate) fn head(&self, system: &Text) -> Text {
        let mut at = system;
        // Families hang on the larger one, so the way up is short.
        while let Some(kin) = self.kin.get(at)
            && kin.up != *at
        {
            at = &kin.up;
        }
        at.clone()
    }

    fn make_kin(&mut self, a: &Text, b: &Text, graph: &Graph) {
        let (a, b) = (self.head(a), self.head(b));
        let size = |system: &Text| self.kin.get(system).map_or(1, |kin| kin.size);
        let (of_a, of_b) = (size(&a), size(&b));
        if a == b || of_a + of_b > KIN_MAX || self.kin.len() >= NAMES_MAX {
            return;
        }
        let (things_a, things_b) = (things(&a, graph), things(&b, graph));
        if (things_a > 1 && things_b > 1) || things_a.max(things_b) > LARGE_SYSTEM_NODES {
            return;
        }
        let (head, other) = if (things_b, of_b, &a) > (things_a, of_a, &b) {
            (b, a)
        } else {
            (a, b)
        };
        let up = head.clone();
        self.kin.insert(other.clone(), Kin { up, size: 0 });
        let (up, size) = (head.clone(), of_a + of_b);
        self.kin.insert(head.clone(), Kin { up, size });
        self.meta.families += 1;
        self.merge_systems(&other, &head);
    }

    /// A fresh symptom of a name that the topology does not know: what keeps beginning together belongs together.
    pub(crate) fn note_outbreak(&mut self, id: AlertId, t: Time, fold: &Fold<'_>) {
        let Some(alert) = self.alerts.get(&id) else { return };
        if alert.spot.known || alert.spot.entity.is_empty() || !alert.spot.is_alone() {
            return;
        }
        let name = alone(&alert.spot.entity);
        let template = fold.memos.titles.borrow_mut().template(&alert.title);
        if self.outbreaks.len() >= NAMES_MAX && self.outbreaks.get(&name).is_none() {
            return;
        }
        let mut own = self.outbreaks.get(&name).cloned().unwrap_or(Outbreaks {
            first: t,
            last: Time::MIN,
            times: 0,
            beside: BTreeMap::new(),
        });
        let anew = own.times == 0 || t.since(own.last) > Span::from_secs(OUTBREAK_S);
        own.last = own.last.max(t);
        if !anew {
            self.outbreaks.insert(name, own);
            return;
        }
        own.times += 1;
        let beside_s = BESIDE_S + self.interval_s(id);
        let began = secs(beside_s);
        let mut kin = Vec::new();
        let watched = self.meta.since.unwrap_or(t);
        let few = self.meta.late.front().is_some_and(|late| {
            let rate = self.meta.late.len() as f64 / t.since(late.at).as_secs_f64().max(1.0);
            LIFT * rate * 2.0 * ALIKE_S <= 1.0
        });
        for late in &self.meta.late {
            let LateOutbreak { name: other, at, .. } = late;
            if *other == name || t.since(*at) > began || at.since(t) > began {
                continue;
            }
            let Some(theirs) = self.outbreaks.get_mut(other) else {
                continue;
            };
            if own.beside.len() >= BESIDE_MAX && !own.beside.contains_key(other) {
                continue;
            }
            let together = own.beside.entry(other.clone()).or_default();
            *together += 1;
            let n = f64::from(*together);
            let by_chance = |since: Time| {
                let life = t.since(since).as_secs_f64();
                f64::from(own.times) * f64::from(theirs.times) * 2.0 * beside_s / life.max(1.0)
            };
            let first = own.first.min(theirs.first);
            // Where few begin at all, it counts as well that both were silent for as long as anything was watched.
            let since = if few { first.min(watched) } else { first };
            let alike = libm::fabs(t.since(*at).as_secs_f64()) <= ALIKE_S
                && strsim::sorensen_dice(&late.template, &template) >= ALIKE;
            if (*together >= TOGETHER || alike)
                && n >= TOGETHER_SHARE * f64::from(own.times.min(theirs.times))
                && n >= LIFT * by_chance(if *together >= TOGETHER { first } else { since })
            {
                kin.push(other.clone());
            }
            if theirs.beside.len() < BESIDE_MAX || theirs.beside.contains_key(&name) {
                *theirs.beside.entry(name.clone()).or_default() += 1;
            }
        }
        self.outbreaks.insert(name.clone(), own);
        if self.meta.late.len() == LATE_MAX {
            self.meta.late.pop_front();
        }
        self.meta.late.push_back(LateOutbreak {
            name: name.clone(),
            at: t,
            template,
        });
        for other in kin {
            self.make_kin(&name, &other, fold.graph);
        }
        self.join_family(id);
    }

    /// Names that were not heard since `oldest` leave their families, so that a system does not grow for ever by what is gone.
    pub(crate) fn forget_kin(&mut self, oldest: Time) {
        for (_, name) in self.outbreaks.select(|_, own| (own.last < oldest).then_some(())) {
            self.outbreaks.remove(&name);
        }
        let mut heads = BTreeMap::new();
        for (up, name) in self.kin.select(|_, kin| Some(kin.up.clone())) {
            if up != name {
                *heads.entry(up).or_insert(0u32) += 1;
            }
        }
        // Only what nothing hangs on; the rest follows when that is gone.
        let gone = self.kin.select(|name, kin| {
            let heard = self.outbreaks.get(name).is_some() || self.systems.get(name).is_some();
            (!heard && kin.up != *name && !heads.contains_key(name)).then_some(())
        });
        for (_, name) in gone {
            let head = self.head(&name);
            self.kin.remove(&name);
            if let Some(kin) = self.kin.get_mut(&head) {
                kin.size = kin.size.saturating_sub(1);
            }
        }
    }

    /// What was two systems is one.
    pub(crate) fn merge_systems(&mut self, from: &Text, into: &Text) {
        if let Some(place) = self.places.remove(from) {
            let target = self.places.entry(into, Default::default);
            target.near.extend(place.near);
            target.near.make_contiguous().sort_by_key(|(t, id)| (*t, *id));
            let surplus = target.near.len().saturating_sub(NEAR_MAX);
            target.near.drain(..surplus);
        }
        let Some(old) = self.systems.remove(from) else {
            return;
        };
        let target = self.systems.entry(into, Default::default);
        target.again += old.again;
        target.new += old.new;
        target.expected += old.expected;
        target.named_service |= old.named_service;
        for (source, sender) in old.senders {
            target.senders.entry(source).or_default().add(sender);
        }
        target.newest = target.newest.max(old.newest);
        target.openings.join(old.openings, USUAL_DECAY_S);
        target.tentative.extend(&old.tentative);
        target.settled.extend(old.settled);
        target.settled.make_contiguous().sort_by_key(|settled| settled.t);
        target.ring.extend(old.ring);
        target
            .ring
            .make_contiguous()
            .sort_by_key(|fresh| (fresh.t, fresh.alert));
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
        let mut alerts: Vec<AlertId> = Vec::new();
        for number in self.order.keys() {
            let Some(pending) = self.pending.get(number) else {
                continue;
            };
            alerts.push(pending.alert);
            if pending.system == *from {
                self.pending.get_mut(number).expect("looked up above").system = into.clone();
            }
        }
        let learning = self.learning.keys();
        alerts.extend(
            learning
                .iter()
                .filter_map(|number| Some(self.learning.get(number)?.alert)),
        );
        for id in alerts {
            self.join_family(id);
        }
    }
}

/// How many things the topology knows in a system; 0 where it knows none of them.
fn things(system: &Text, graph: &Graph) -> usize {
    graph.find(system).map_or(0, |node| graph.component_size(node))
}

/// Systems that an alert links with its own: those of the ends of a call, of its copy, of its machine.
fn linked_systems(
    event: &Event,
    entity: &Text,
    is_service: impl Fn(&str) -> bool,
    graph: &Graph,
) -> Vec<Text> {
    let said = |kind: &str| {
        event
            .entities
            .get(kind)
            .or_else(|| event.labels.get(kind))
            .filter(|name| !name.trim().is_empty() && !is_loopback(name))
    };
    let none = Labels::new();
    let service = |name: &str| graph.resolve_names(Some(name), None, &none, &none);
    let mut found: Vec<topology::Resolved> = ENDS.iter().filter_map(|kind| said(kind)).map(service).collect();
    // A tool that reports on others names its own machine and copy, not theirs.
    if event
        .service
        .as_deref()
        .is_some_and(|own| service(own).name == *entity)
    {
        // What is scraped and names others calls its own names `exported_…`; the instance is who was asked.
        let exports = event.labels.iter().any(|(name, _)| name.starts_with("exported_"));
        found.extend(said("instance").filter(|_| !exports).map(service));
        let host = event.host.as_deref().filter(|name| !is_loopback(name));
        let host = host.map(|host| graph.resolve_names(None, Some(host), &none, &none));
        found.extend(host.filter(|host| host.subject.is_some() || !is_service(&host.name)));
    }
    found.extend(topology::traced_base(entity).map(service));
    found
        .into_iter()
        .filter(|other| !other.name.is_empty() && other.name != *entity)
        .map(|other| match other.subject {
            Some(node) => graph.id(graph.component(node)).clone(),
            None => alone(&other.name),
        })
        .collect()
}
