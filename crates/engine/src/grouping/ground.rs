//! A ground to which no edge leads: what stands on it says so by a label.
//!
//! Most inventories give the zone or the rack of a thing as a label of it and not as a thing of its own, and the rules over a
//! dead data source have nothing in common but its name. Systems that no edge connects begin an incident each, then. Several that
//! begin together, nearly all of them on one ground that carries but a part of everything, are one. Where only the alerts name
//! the ground nobody knows how much it carries; there they must all say the same as well. So are several that say that one
//! thing failed them which all of them use, a resolver or a certificate.

use std::collections::{BTreeMap, BTreeSet};

use model::{Evidence, EvidenceKind, IncidentId, Labels, Severity, Text, template};
use topology::{NodeId, NodeKind};

use crate::{
    cause::{GROUNDS, said_ground},
    engine::Engine,
    fold::Fold,
    grouping::{
        behind::{BEYOND_USUAL, TOGETHER_MIN, TOGETHER_S, USUAL_DECAY_S},
        pending::Pending,
        verdict::{Placement, Verdict},
    },
    lineage::Why,
    settings::secs,
    state::{alert::Alert, incident::State},
};

/// Labels of nodes that name where a thing stands, the most specific first.
pub(crate) const STANDS: [&str; 5] = ["rack", "zone", "availability_zone", "datacenter", "region"];
/// Of all that begins together, the share that stands on the ground.
const SHARE: f64 = 0.8;
/// A ground that carries a larger share of all things tells nothing apart.
pub(crate) const COMMON: f64 = 0.5;
/// Alerts that wait for their settlement of which it is asked where they stand.
const WAITING_MAX: usize = 64;
/// Members of an incident of which it is asked what they carry.
const MEMBERS_MAX: usize = 64;
/// So many other things must have been heard before it is known what all of them carry.
const OTHERS_MIN: usize = 3;
/// The label by which Kubernetes names the host of a pod.
pub(crate) const HOST: &str = "node";
/// The label by which Grafana names the data source that gave nothing to a rule, and the alerts that it raises then
/// (<https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states/>).
const SOURCE: &str = "datasource_uid";
const SOURCE_ALERTS: [&str; 2] = ["DatasourceNoData", "DatasourceError"];

/// What several things stand on.
enum Ground {
    /// A place, by the label of its nodes.
    Place(&'static str, Text),
    /// A source of data that rules ask.
    Source(Text),
    /// A label that the alerts themselves carry, or a label of their nodes that names no place, and what they all say.
    Told {
        kind: &'static str,
        name: Text,
        says: Text,
    },
    /// What the alerts say that failed them: a certificate, names that are not found.
    Words(&'static str),
}

/// What stands on one ground and began together.
struct Standing {
    /// Incidents of which everything does, oldest first.
    incidents: Vec<IncidentId>,
    because: Evidence,
}

impl Engine {
    /// It joins what began on the same ground, if enough others did.
    pub(crate) fn judge_ground(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        if let Some(verdict) = self.judge_host(p, alert, fold) {
            return Some(verdict);
        }
        let standing = self.standing(p, alert, fold)?;
        let apart = |id: &IncidentId| {
            let state = self.incidents.get(id)?;
            self.kept_apart(*id, state, alert, fold)
        };
        let home = standing.incidents.iter().find(|id| apart(id).is_none())?;
        let Evidence { kind, value, text } = standing.because;
        Some(Verdict::new(Placement::Across(*home), 0.9, kind, value, text))
    }

    /// Whether something in an incident is a host of this name. A service may bear the same name and is not meant.
    fn alerts_as_host(&self, state: &State, name: &str, fold: &Fold<'_>) -> bool {
        let mut places = state.places.iter().filter(|place| place.alerts);
        let Some(place) = places.find(|place| place.entity == *name) else {
            return false;
        };
        if let Some(node) = place.node {
            return fold.graph.kind(NodeId(node)) == NodeKind::Host;
        }
        let is_host = |id| {
            let alert: Option<&Alert> = self.alerts.get(id);
            let as_host = |alert: &Alert| alert.service.is_none() || alert.host.as_deref() == Some(name);
            alert.is_some_and(|alert| alert.spot.entity == *name && as_host(alert))
        };
        state.members.keys().take(MEMBERS_MAX).any(is_host)
    }

    /// It joins what its host is in, where no topology says what runs on that and the alert does.
    fn judge_host(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        let name = alert.labels.get(HOST).filter(|name| !name.is_empty())?;
        if alert.spot.known || alert.severity < Severity::Error || alert.spot.entity == *name {
            return None;
        }
        let reach = secs(fold.settings.grouping.reach_unknown_s);
        let burns = |id: &IncidentId| {
            let state = self.incidents.get(id).filter(|s| s.is_open() && !s.background)?;
            // Within reach of it, before and after.
            let meanwhile = p.t.since(state.last) <= reach && state.begun.since(p.t) <= reach;
            let here = meanwhile && self.alerts_as_host(state, name, fold);
            (here && self.kept_apart(*id, state, alert, fold).is_none()).then_some(*id)
        };
        let begun = self.meta.begun.iter().rev().map(|(_, id)| self.follow(*id));
        let home = begun.into_iter().find_map(|id| burns(&id))?;
        let text = format!("it runs on {name}, which is in it");
        Some(Verdict::new(
            Placement::Across(home),
            0.9,
            EvidenceKind::Label,
            1.0,
            text,
        ))
    }

    /// An alert is in an incident of its own or of another system: makes one of that and those that began with it on the
    /// same ground.
    pub(crate) fn stand_together(&mut self, id: IncidentId, p: &Pending, fold: &mut Fold<'_>) {
        let standing = self
            .alerts
            .get(&p.alert)
            .and_then(|alert| self.standing(p, alert, fold));
        let Some(Standing { incidents, because }) = standing else {
            return;
        };
        let why = Why {
            actor: model::Actor::ENGINE.0,
            event: None,
            because: vec![because],
        };
        let mut whole = id;
        for other in incidents {
            let own = self.incidents.get(&whole);
            let parted = own
                .zip(self.incidents.get(&other))
                .and_then(|(own, state)| self.parted(own, (other, state)));
            if other != whole && parted.is_none() {
                whole = self.merge(whole, other, &why, fold).unwrap_or(whole);
            }
        }
    }

    /// What began together with an alert on its most specific ground on which enough did.
    fn standing(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Standing> {
        let grounds = grounds(alert, fold);
        let within_s = match grounds.first()? {
            Ground::Place(..) => TOGETHER_S + self.interval_s(p.alert),
            Ground::Source(_) => self.round_s(p.alert, fold),
            Ground::Told { .. } | Ground::Words(_) => TOGETHER_S + self.interval_s(p.alert),
        };
        let mut begun: Vec<IncidentId> = self.meta.begun.iter().map(|(_, id)| self.follow(*id)).collect();
        begun.retain(|id| {
            let state = self.incidents.get(id).filter(|s| s.is_open() && !s.background);
            state.is_some_and(|state| p.t.since(state.newest()) <= secs(within_s))
        });
        begun.sort_unstable_by_key(|id| (self.incidents.get(id).map(|state| state.begun), *id));
        begun.dedup();
        grounds
            .iter()
            .find_map(|ground| self.standing_on(ground, &begun, within_s, p, alert, fold))
    }

    fn standing_on(
        &self,
        ground: &Ground,
        begun: &[IncidentId],
        within_s: f64,
        p: &Pending,
        alert: &Alert,
        fold: &Fold<'_>,
    ) -> Option<Standing> {
        let mut on = BTreeSet::from([&alert.spot.entity]);
        let mut off = BTreeSet::new();
        let mut incidents = Vec::new();
        for id in begun {
            let state = self.incidents.get(id)?;
            let stands = self.stands_on(ground, state, fold);
            let things = state.places.iter().filter(|place| place.alerts);
            let side = if stands { &mut on } else { &mut off };
            side.extend(things.map(|place| &place.entity));
            incidents.extend(stands.then_some(*id));
        }
        for number in self.order.keys().take(WAITING_MAX) {
            let begins = self.pending.get(number).filter(|other| other.comes);
            let waiting = begins.and_then(|other| self.alerts.get(&other.alert));
            let Some(waiting) = waiting.filter(|other| other.incident.is_none()) else {
                continue;
            };
            let side = if ground.holds(waiting, fold) {
                &mut on
            } else {
                &mut off
            };
            side.insert(&waiting.spot.entity);
        }
        let things = on.len();
        let usual = self.meta.begins.left(p.t, USUAL_DECAY_S) * within_s / USUAL_DECAY_S;
        let most =
            things as f64 >= SHARE * (things + off.len()) as f64 && things as f64 >= BEYOND_USUAL * usual;
        let (name, enough) = match ground {
            Ground::Place(kind, name) => (
                format!("{kind} {name}"),
                most && fold.graph.label_share(kind, name) <= COMMON,
            ),
            Ground::Source(name) => (format!("data source {name}"), true),
            Ground::Told { kind, name, .. } => (
                format!("{kind} {name} and say the same"),
                most && fold.graph.label_share(kind, name) <= COMMON && !self.all_tell(kind, name, &on),
            ),
            Ground::Words(kind) => (format!("{kind}, as they say"), most),
        };
        let text = format!("{things} things that begin together stand on {name}");
        (things >= TOGETHER_MIN && enough).then(|| Standing {
            incidents,
            because: Evidence::new(EvidenceKind::Label, things as f64, text),
        })
    }

    /// Whether most of what alerted of late, besides these things, carries a label too: what everything tells, tells
    /// nothing.
    fn all_tell(&self, kind: &str, name: &str, besides: &BTreeSet<&Text>) -> bool {
        let mut others: BTreeMap<&Text, bool> = BTreeMap::new();
        for (_, id) in &self.meta.begun {
            let members = self.incidents.get(&self.follow(*id)).map(|state| &state.members);
            for id in members
                .into_iter()
                .flat_map(|members| members.keys().take(MEMBERS_MAX))
            {
                if let Some(alert) = self.alerts.get(id).filter(|a| !besides.contains(&a.spot.entity)) {
                    *others.entry(&alert.spot.entity).or_default() |= alert.labels.get(kind) == Some(name);
                }
            }
        }
        let tell = others.values().filter(|tells| **tells).count();
        others.len() >= OTHERS_MIN && tell as f64 > COMMON * others.len() as f64
    }

    /// Whether everything that alerts in an incident stands on a ground.
    fn stands_on(&self, ground: &Ground, state: &State, fold: &Fold<'_>) -> bool {
        match ground {
            Ground::Place(kind, name) => {
                let mut things = state.places.iter().filter(|place| place.alerts);
                state.severity >= Severity::Error
                    && things.all(|place| stands_at(place.node, kind, name, fold))
            }
            Ground::Source(name) => {
                let mut members = state.members.keys();
                members.all(|id| self.alerts.get(id).and_then(data_source) == Some(name))
            }
            Ground::Told { .. } | Ground::Words(_) => {
                let mut members = state.members.keys();
                members.all(|id| self.alerts.get(id).is_some_and(|alert| ground.holds(alert, fold)))
            }
        }
    }
}

impl Ground {
    /// Whether an alert is of something that stands on it.
    fn holds(&self, alert: &Alert, fold: &Fold<'_>) -> bool {
        match self {
            Ground::Place(kind, name) => {
                alert.severity >= Severity::Error && stands_at(alert.spot.node, kind, name, fold)
            }
            Ground::Source(name) => data_source(alert) == Some(name),
            Ground::Told { kind, name, says } => {
                let tells = || alert.labels.get(kind) == Some(name);
                alert.severity >= Severity::Error
                    && (tells() || stands_at(alert.spot.node, kind, name, fold))
                    && said(alert) == *says
            }
            Ground::Words(kind) => {
                alert.severity >= Severity::Error && said_ground(&alert.title, &alert.text) == Some(kind)
            }
        }
    }
}

/// What an alert says, whatever the numbers.
pub(crate) fn said(alert: &Alert) -> Text {
    template(&alert.title)
}

fn stands_at(node: Option<u32>, kind: &str, name: &str, fold: &Fold<'_>) -> bool {
    node.is_some_and(|node| fold.graph.labels(NodeId(node)).get(kind) == Some(name))
}

/// What an alert's thing stands on, or what its rule asks.
fn grounds(alert: &Alert, fold: &Fold<'_>) -> Vec<Ground> {
    if let Some(source) = data_source(alert) {
        return vec![Ground::Source(source.into())];
    }
    if alert.severity < Severity::Error {
        return Vec::new();
    }
    let none = Labels::new();
    let node = alert.spot.node.map(NodeId);
    let labels = node.map_or(&none, |node| fold.graph.labels(node));
    let named =
        |labels: &Labels, kind| -> Option<Text> { Some(labels.get(kind).filter(|v| !v.is_empty())?.into()) };
    let places = STANDS
        .into_iter()
        .filter_map(|kind| Some(Ground::Place(kind, named(labels, kind)?)));
    // What only the alerts tell is known to be on all of one kind as little as on a few, and an image or a version by
    // itself is no place; so they must say the same, too.
    let told = GROUNDS.into_iter().filter_map(|kind| {
        let of_node = || named(labels, kind).filter(|_| !STANDS.contains(&kind));
        let name = named(&alert.labels, kind).or_else(of_node)?;
        let says = said(alert);
        Some(Ground::Told { kind, name, says })
    });
    let said = said_ground(&alert.title, &alert.text).map(Ground::Words);
    places.chain(told).chain(said).collect()
}

/// The data source that gave a rule nothing.
fn data_source(alert: &Alert) -> Option<&str> {
    let raised = SOURCE_ALERTS.iter().any(|title| alert.title.contains(title));
    alert.labels.get(SOURCE).filter(|name| raised && !name.is_empty())
}
