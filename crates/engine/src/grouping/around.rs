//! Which live incidents an alert could join: how near they are to it, and how active.

use model::{Evidence, EvidenceKind, IncidentId, Text, Time, template};
use topology::{Direction, NodeId, NodeKind};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{member::STICK_S, pending::Pending, verdict::name},
    many::many,
    state::{alert::Alert, incident::State},
};

/// For so long a warning is waited for to come true. A condition that a tool foresees is minutes away; one that holds for
/// hours without getting worse is another matter.
const WORSENS_S: f64 = 600.0;
/// Two levels of one rule say this much the same.
const ALIKE: f64 = 0.7;

impl Engine {
    /// How the alert's entity and the incident's are related, as evidence.
    pub(crate) fn relation(&self, alert: &Alert, state: &State, fold: &Fold<'_>) -> Option<Evidence> {
        if state.place(&alert.spot.entity).is_some() {
            let text = format!("also on {}", name(&alert.spot.entity));
            return Some(Evidence::new(EvidenceKind::Entity, 0.0, text));
        }
        if let Some(node) = alert.spot.node {
            let around = fold.graph.rings(NodeId(node), Direction::Any, 4);
            let hops_to = |node: Option<u32>| {
                around
                    .iter()
                    .find(|(n, _)| Some(n.0) == node)
                    .map(|(_, hops)| *hops)
            };
            let near = state
                .places
                .iter()
                .filter_map(|place| Some((hops_to(place.node)?, place)))
                .min_by(|a, b| {
                    a.0.cmp(&b.0)
                        .then(b.1.last.cmp(&a.1.last))
                        .then(a.1.entity.cmp(&b.1.entity))
                });
            return near.map(|(hops, place)| {
                let text = format!(
                    "{} from {} in the topology",
                    many(hops, "hop"),
                    name(&place.entity)
                );
                Evidence::new(EvidenceKind::Topology, f64::from(hops), text)
            });
        }
        let text = match alert.spot.is_alone() {
            true => format!("alerts link it with {}", name(alert.spot.head())),
            false => format!("both in {}", alert.spot.system),
        };
        Some(Evidence::new(EvidenceKind::Label, 1.0, text))
    }

    /// The best of the live incidents for an alert with its score, and the next best.
    pub(crate) fn best(
        &self,
        p: &Pending,
        live: &[IncidentId],
        fold: &Fold<'_>,
    ) -> (IncidentId, f64, Option<(IncidentId, f64)>) {
        let grouping = &fold.settings.grouping;
        let alert = self.waiting(p.alert);
        let decay = grouping.activity_decay_s;
        let mut ranked: Vec<(f64, Time, IncidentId)> = live
            .iter()
            .map(|id| {
                let state = self.incidents.get(id).expect("live incidents are remembered");
                let mut score = state
                    .place(&alert.spot.entity)
                    .map_or(0.0, |place| place.activity.left(p.t, decay));
                if let Some(node) = alert.spot.node {
                    for neighbour in fold.graph.call_neighbours(NodeId(node)) {
                        let place = state.places.iter().find(|place| place.node == Some(neighbour.0));
                        score += grouping.weight_neighbour
                            * place.map_or(0.0, |place| place.activity.left(p.t, decay));
                    }
                }
                score += grouping.weight_system * state.activity.left(p.t, decay)
                    + 1e-6 * libm::exp(-p.t.since(state.last).as_secs_f64() / 300.0);
                if p.fresh && alert.showed_in(*id) {
                    // It has shown this symptom before: as likely as the source repeats.
                    score *= self
                        .sources
                        .get(&alert.source)
                        .map_or(0.1, |source| source.repeat_share());
                }
                (score, state.begun, *id)
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        (ranked[0].2, ranked[0].0, ranked.get(1).map(|r| (r.2, r.0)))
    }

    /// Live incidents that an alert may join: quiet for less than the reach, and in a large system active near it.
    pub(crate) fn live(
        &self,
        system: &Text,
        alert: &Alert,
        near: Option<&[NodeId]>,
        t: Time,
        reach: f64,
        fold: &Fold<'_>,
    ) -> Vec<IncidentId> {
        let Some(entry) = self.systems.get(system) else {
            return Vec::new();
        };
        let fits = |id: &IncidentId, s: &State| self.fits(*id, s, alert, near, t, reach, fold);
        entry
            .live
            .iter()
            .filter(|id| self.incidents.get(id).is_some_and(|state| fits(id, state)))
            .copied()
            .collect()
    }

    /// Whether an alert may join an incident of its system.
    #[expect(
        clippy::too_many_arguments,
        reason = "the index and its oracle must ask the same"
    )]
    pub(crate) fn fits(
        &self,
        id: IncidentId,
        s: &State,
        alert: &Alert,
        near: Option<&[NodeId]>,
        t: Time,
        reach: f64,
        fold: &Fold<'_>,
    ) -> bool {
        s.is_open()
            && (near.is_some() || t.since(s.last).as_secs_f64() <= reach || worsens(s, alert, t))
            && s.begun.since(t).as_secs_f64() <= reach
            && near.is_none_or(|near| self.linked(s, alert, near, t, reach, fold))
            && !explained_elsewhere(s, alert, fold)
            && self.kept_apart(id, s, alert, fold).is_none()
    }

    /// Forgets live incidents that not even an alert as late as allowed could join.
    pub(crate) fn prune_live(&mut self, system: &Text, fold: &Fold<'_>) {
        let grouping = &fold.settings.grouping;
        let longest = grouping.reach_s.max(grouping.reach_unknown_s)
            + grouping.interval_max_s
            + fold.settings.life.lateness_s;
        let over = |id: &IncidentId| {
            self.incidents
                .get(id)
                .is_none_or(|s| !s.is_open() || fold.time.since(s.last).as_secs_f64() > longest)
        };
        let Some(entry) = self.systems.get(system) else {
            return;
        };
        if !entry.live.iter().any(over) {
            return;
        }
        let kept: Vec<IncidentId> = entry.live.iter().filter(|id| !over(id)).copied().collect();
        self.systems.get_mut(system).expect("looked up above").live = kept;
    }

    pub(crate) fn youngest(&self, live: &[IncidentId]) -> Option<IncidentId> {
        live.iter()
            .filter_map(|id| Some((self.incidents.get(id)?.begun, *id)))
            .max()
            .map(|(_, id)| id)
    }

    /// Nodes that a fault here can share an incident with; `None`: the whole system.
    pub(crate) fn near(&self, node: Option<u32>, fold: &Fold<'_>) -> Option<Vec<NodeId>> {
        fold.graph.near(NodeId(node?)).map(<[NodeId]>::to_vec)
    }

    /// Whether an incident was active near the alert within the reach; a hub links for a short time only.
    pub(crate) fn linked(
        &self,
        state: &State,
        alert: &Alert,
        near: &[NodeId],
        t: Time,
        reach: f64,
        fold: &Fold<'_>,
    ) -> bool {
        let hub = alert.spot.node.is_some_and(|n| fold.graph.is_hub(NodeId(n)));
        state.places.iter().any(|place| {
            let Some(node) = place.node.map(NodeId) else {
                return false;
            };
            if near.binary_search(&node).is_err() {
                return false;
            }
            let own = alert.spot.node.map(NodeId);
            let between_hubs = (hub || fold.graph.is_hub(node)) && own != Some(node);
            // A hub that fails itself takes along what depends on it, for as long as it fails.
            let takes_along = between_hubs
                && place.alerts
                && own.is_some_and(|own| fold.graph.ring(own, Direction::Down, 3).contains(&node));
            let reach = match (takes_along, between_hubs) {
                (true, _) if state.fires_on(&place.entity) => reach.max(STICK_S as f64),
                (false, true) => fold.settings.grouping.hub_link_s,
                _ => reach,
            };
            t.since(place.last).as_secs_f64() <= reach
        })
    }
}

/// Whether an incident is a milder word on the very thing of this alert, which still holds: a disk that will fill, and then
/// is full.
fn worsens(state: &State, alert: &Alert, t: Time) -> bool {
    // Of what no topology knows only a name is known, which is often that of the host: there the words must be alike.
    (alert.spot.known || alike(state, alert))
        && state.place(&alert.spot.entity).is_some()
        && state.shown <= 1
        && state.firing > 0
        && state.severity < alert.severity
        && t.since(state.last).as_secs_f64() <= WORSENS_S
        && state.places.iter().all(|place| place.entity == alert.spot.entity)
}

/// Whether an alert says nearly what opened an incident.
fn alike(state: &State, alert: &Alert) -> bool {
    let Some(opener) = state.members.get(&state.opener) else {
        return false;
    };
    strsim::sorensen_dice(&template(&opener.face.title), &template(&alert.title)) >= ALIKE
}

/// Whether an incident's alerts name what fails them, and this one has nothing to do with that nor with any of them: two
/// callers of one silent database are not one fault when one of them says that somebody else fails it.
fn explained_elsewhere(state: &State, alert: &Alert, fold: &Fold<'_>) -> bool {
    let Some((callee, &named)) = state.callees.iter().max_by_key(|(name, named)| (**named, *name)) else {
        return false;
    };
    let (Some(node), Some(callee)) = (alert.spot.node, fold.graph.find(callee).map(|node| node.0)) else {
        return false;
    };
    if named < 2 || u64::from(named) * 2 < state.alerts || alert.spot.callee == Some(callee) || node == callee
    {
        return false;
    }
    if fold.graph.kind(NodeId(node)) == NodeKind::Host {
        // A machine fails with whatever stands on it.
        return false;
    }
    let mut related = fold.graph.ring(NodeId(node), Direction::Down, 3);
    related.extend(fold.graph.ring(NodeId(node), Direction::Up, 3));
    let in_it = |n: &NodeId| n.0 == callee || state.places.iter().any(|place| place.node == Some(n.0));
    !related.iter().any(in_it)
}
