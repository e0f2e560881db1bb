//! Two things that fail of themselves, of which neither can be why the other fails, are two faults, however near in time.
//!
//! In a small system everything is near everything, so time alone joins. But an alert that says that its thing is down or
//! that its disk is full speaks of an inside, and what is inside one thing is no symptom of another that it does not need, does not
//! serve and stands on no ground with. What a fault at a place can be and do is what its dependencies say: it comes from
//! below, and shows above. A thing above that fails already, because of something else, is no witness.

use std::collections::BTreeMap;

use model::{AlertId, EvidenceKind, IncidentId, Text};
use topology::{Direction, Graph, NodeId, NodeKind};

use crate::{
    cause::{AlertKind, breaks_by_itself, said_ground},
    engine::Engine,
    fold::Fold,
    grouping::{
        ground::{COMMON, STANDS, said},
        pending::{Kind, Pending},
        verdict::{Placement, Verdict, name},
    },
    settings::secs,
    state::{alert::Alert, incident::State},
};

/// Steps along dependencies over which one thing's failure shows at another: as far as causes are looked for.
const HOPS: u32 = 4;
/// Members of an incident of which it is asked whether they fail of themselves.
const LOOKED_AT: usize = 256;
/// For so long what is down explains what is found down behind it.
const STAYS_DOWN_S: f64 = 3600.0;

/// Something that failed of itself.
struct Failure<'a> {
    at: NodeId,
    says: Text,
    named: Option<&'a str>,
    /// What it needs, and what of that others may stand on as well; sorted.
    below: Vec<NodeId>,
    grounds: Vec<NodeId>,
}

/// What places need, walked once for each place. It is asked from above always: what everything needs is walked down to
/// from one place, but not up from to all.
type Needs = BTreeMap<NodeId, Vec<NodeId>>;

impl Failure<'_> {
    fn of<'a>(alert: &'a Alert, at: NodeId, graph: &Graph) -> Failure<'a> {
        let below = graph.ring(at, Direction::Down, HOPS);
        let ground = |node: &NodeId| {
            alert.kind == AlertKind::Absent
                || matches!(
                    graph.kind(*node),
                    NodeKind::Host | NodeKind::Coordination | NodeKind::Other
                )
        };
        let grounds = below.iter().copied().filter(ground).collect();
        Failure {
            at,
            says: said(alert),
            named: said_ground(&alert.title, &alert.text),
            grounds,
            below,
        }
    }
}

fn holds(sorted: &[NodeId], node: NodeId) -> bool {
    sorted.binary_search(&node).is_ok()
}

impl Engine {
    /// Leaves of the live incidents those that the alert can have to do with; if it has to do with none of them, it begins
    /// another.
    pub(crate) fn judge_own(
        &self,
        p: &Pending,
        live: &mut Vec<IncidentId>,
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        if live.is_empty() || p.kind != Kind::New {
            return None;
        }
        // What needed what when it happened, if that was otherwise, is not what the graph says now.
        let alert = self.alerts.get(&p.alert).filter(|alert| !alert.spot.past)?;
        let (root, at) = match self.fails_itself(p.alert, fold) {
            Some(node) => (p.alert, node),
            None => {
                // A call that fails is failed by what was called, or below that.
                let from = NodeId(alert.spot.callee.or(alert.spot.node)?);
                match self.coming_below(alert, from, p, fold) {
                    Some(below) => below,
                    None => {
                        self.leave_nearest(from, live, fold);
                        return None;
                    }
                }
            }
        };
        let failure = Failure::of(self.alerts.get(&root)?, at, fold.graph);
        let mut needs = Needs::new();
        let mut kept: Vec<IncidentId> = Vec::with_capacity(live.len());
        for id in live.iter() {
            let state = self.incidents.get(id);
            if state.is_none_or(|state| self.may_be_one(&failure, state, &mut needs, fold)) {
                kept.push(*id);
            }
        }
        if kept.is_empty() {
            let text = format!(
                "{} fails of itself: nothing that is live needs it, serves it or stands where it stands",
                name(fold.graph.id(at))
            );
            return Some(Verdict::new(
                Placement::Apart,
                0.8,
                EvidenceKind::Onset,
                1.0,
                text,
            ));
        }
        *live = kept;
        None
    }

    /// The place of an alert that says that its thing failed of itself.
    fn fails_itself(&self, id: AlertId, fold: &Fold<'_>) -> Option<NodeId> {
        let alert = self.alerts.get(&id)?;
        let own = alert.spot.known && alert.spot.callee.is_none();
        let breaks = || breaks_by_itself(alert.kind, &alert.title, alert.severity);
        // By its name: the topology may be another one than when the alert was last heard.
        (own && alert.firing() && breaks())
            .then(|| fold.graph.find(&alert.spot.entity))
            .flatten()
    }

    /// What fails of itself below the place of an alert and waits for its settlement still: the nearest.
    fn coming_below(
        &self,
        alert: &Alert,
        from: NodeId,
        p: &Pending,
        fold: &Fold<'_>,
    ) -> Option<(AlertId, NodeId)> {
        let settle = secs(fold.settings.grouping.settle_s);
        let ring = &self.systems.get(&alert.spot.system)?.ring;
        let waits = |id: AlertId| self.alerts.get(&id).is_some_and(|a| a.incident.is_none());
        let coming: Vec<(AlertId, NodeId)> = ring
            .iter()
            .filter(|f| f.t > p.t - settle && f.t < p.t + settle && waits(f.alert))
            .filter_map(|f| Some((f.alert, self.fails_itself(f.alert, fold)?)))
            .collect();
        if coming.is_empty() {
            return None;
        }
        let below = fold.graph.rings(from, Direction::Down, HOPS);
        let mut below = below.iter();
        below.find_map(|(node, _)| coming.iter().find(|(_, at)| at == node).copied())
    }

    /// Whether a failure can have to do with an incident: it may come from a place of it, or show at one that nothing else
    /// explains, or both may come from a ground.
    fn may_be_one(&self, failure: &Failure<'_>, state: &State, needs: &mut Needs, fold: &Fold<'_>) -> bool {
        let graph = fold.graph;
        let roots = self.roots(state, fold);
        let names = |alert: &Alert| said_ground(&alert.title, &alert.text);
        let alike = |other: &Alert| {
            said(other) == failure.says || (failure.named.is_some() && names(other) == failure.named)
        };
        // The same at two places is a sign of something that they have in common.
        let mut others = roots.iter().filter_map(|(id, _)| self.alerts.get(id));
        if others.any(alike) {
            return true;
        }
        state.places.iter().any(|place| {
            let Some(node) = place.node.map(NodeId) else {
                return true;
            };
            if holds(&failure.below, node) {
                return true;
            }
            let needs = needs
                .entry(node)
                .or_insert_with(|| graph.ring(node, Direction::Down, HOPS));
            if holds(needs, failure.at) {
                // It suffers from something else; that it says that it is down itself explains nothing.
                return !roots
                    .iter()
                    .any(|(_, other)| *other != node && holds(needs, *other));
            }
            let stands = |kind: &&str| {
                let name = graph.labels(failure.at).get(kind).filter(|name| !name.is_empty());
                name.is_some_and(|name| {
                    graph.labels(node).get(kind) == Some(name) && graph.label_share(kind, name) <= COMMON
                })
            };
            STANDS.iter().any(stands) || failure.grounds.iter().any(|ground| holds(needs, *ground))
        })
    }

    /// It does not answer, and something that it needs did not before it and does not still: it belongs to that, however
    /// late it is seen. What a tool calls unreachable is so for as long as its parent is down.
    pub(crate) fn judge_behind_down(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        let node = alert.spot.node.map(NodeId)?;
        if alert.kind != AlertKind::Absent || alert.spot.past || p.kind != Kind::New {
            return None;
        }
        let below = fold.graph.rings(node, Direction::Down, HOPS);
        let down = |id: AlertId| {
            let other = self.alerts.get(&id)?;
            let lasts = other.kind == AlertKind::Absent
                && other.firing()
                && other.flap.since.is_none()
                && p.t.since(other.onset) <= secs(STAYS_DOWN_S);
            let home = other.incident.filter(|_| lasts)?;
            let state = self
                .incidents
                .get(&home)
                .filter(|s| s.is_open() && !s.background)?;
            let fires = state
                .members
                .get(&id)
                .is_some_and(|m| m.firing && !m.stale && !m.passive);
            (fires && self.kept_apart(home, state, alert, fold).is_none()).then_some((home, id))
        };
        let keys = self.place_keys(&alert.spot);
        let heard = keys.iter().filter_map(|key| self.places.get(key));
        let parents = heard.flat_map(|place| &place.near).filter_map(|(_, id)| {
            let at = NodeId(self.alerts.get(id)?.spot.node?);
            let (_, hops) = below.iter().find(|(node, hops)| *node == at && *hops > 0)?;
            Some((*hops, down(*id)?))
        });
        let nearest = parents.min();
        let (hops, (home, parent)) = nearest?;
        let parent = self.alerts.get(&parent)?;
        let text = format!("{}, which it needs, is down still", name(&parent.spot.entity));
        let place = Placement::Across(home);
        Some(Verdict::new(
            place,
            0.9,
            EvidenceKind::Topology,
            f64::from(hops),
            text,
        ))
    }

    /// What fails of itself in an incident, and where.
    fn roots(&self, state: &State, fold: &Fold<'_>) -> Vec<(AlertId, NodeId)> {
        let members = state.members.iter().filter(|(_, member)| !member.passive);
        members
            .take(LOOKED_AT)
            .filter_map(|(id, _)| Some((*id, self.fails_itself(*id, fold)?)))
            .collect()
    }

    /// Of several live incidents those stay in which what fails of itself is nearest below a place, if that is anywhere.
    fn leave_nearest(&self, node: NodeId, live: &mut Vec<IncidentId>, fold: &Fold<'_>) {
        if live.len() < 2 {
            return;
        }
        let below = fold.graph.rings(node, Direction::Down, HOPS);
        let steps = |id: &IncidentId| {
            let roots = self.roots(self.incidents.get(id)?, fold);
            let mut at = below.iter();
            at.find(|(node, _)| roots.iter().any(|(_, root)| root == node))
                .map(|(_, hops)| *hops)
        };
        if let Some(nearest) = live.iter().filter_map(steps).min() {
            live.retain(|id| steps(id) == Some(nearest));
        }
    }
}
