//! What is down behind what is down belongs to it, whichever was looked at first.
//!
//! Tools look at a router and at what stands behind it at moments of their own, some every five minutes, and some look again
//! several times before they say so. So a parent may be heard of long after its children or long before them. What does
//! not answer is explained by what it needs and does not answer either, for as long as that lasts.

use model::{AlertId, Evidence, EvidenceKind, IncidentId, Severity, Time};
use topology::{Direction, NodeId};

use crate::{
    cause::AlertKind,
    engine::Engine,
    fold::Fold,
    grouping::{
        own::HOPS,
        pending::{Kind, Pending},
        verdict::{Placement, Verdict, name},
    },
    lineage::Why,
    settings::secs,
    state::alert::Alert,
};

/// For so long what is down explains what is found down behind it.
const STAYS_DOWN_S: f64 = 3600.0;
/// So much later what something needs may be found down than that: two looks of a tool that looks every five minutes, or one
/// and the looks by which others make sure of it. What was down for longer was down of itself.
const SEEN_LATER_S: f64 = 600.0;

/// An incident that began with something that was found down, over how many steps it needs what is down now, and the alert.
type Above = (u32, IncidentId, AlertId);

impl Engine {
    /// What is down below or above this alert, which is down as well.
    pub(crate) fn judge_down(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        self.judge_behind_down(p, alert, fold)
            .or_else(|| self.judge_below_down(p, alert, fold))
    }

    /// It does not answer, and something that it needs did not before it and does not still: it belongs to that, however
    /// late it is seen. What a tool calls unreachable is so for as long as its parent is down.
    fn judge_behind_down(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        let node = alert.spot.node.map(NodeId)?;
        if alert.kind != AlertKind::Absent || alert.spot.past || p.kind != Kind::New {
            return None;
        }
        let below = fold.graph.rings(node, Direction::Down, HOPS);
        let parents = self.heard_around(alert).filter_map(|id| {
            let other = self.alerts.get(&id)?;
            let at = NodeId(other.spot.node?);
            let (_, hops) = below.iter().find(|(node, hops)| *node == at && *hops > 0)?;
            let lasts = p.t.since(other.onset) <= secs(STAYS_DOWN_S);
            let home = self.down_still(id).filter(|_| lasts)?;
            let state = self.incidents.get(&home)?;
            let apart = self.kept_apart(home, state, alert, fold);
            apart.is_none().then_some((*hops, (home, id)))
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

    /// It is down, and what needs it was found down before it and is still: whatever was looked at first, that is why. What
    /// is critical stands for itself, so that its team is called at once and not when the page of what is above is due again.
    fn judge_below_down(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        if alert.severity == Severity::Critical {
            return None;
        }
        let above = self.down_above(p, alert, fold);
        let joins = |(_, home, _): &&Above| {
            let state = self.incidents.get(home);
            state.is_some_and(|state| self.kept_apart(*home, state, alert, fold).is_none())
        };
        let &(hops, home, child) = above.iter().find(joins)?;
        let fact = self.behind(child, hops)?;
        Some(Verdict {
            because: vec![fact],
            ..Verdict::new(
                Placement::Across(home),
                0.9,
                EvidenceKind::Topology,
                0.0,
                String::new(),
            )
        })
    }

    /// Makes one of the incident of what is down and those of all that was found down behind it and is still.
    pub(crate) fn gather_above(&mut self, id: IncidentId, p: &Pending, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get(&p.alert) else {
            return;
        };
        let mut whole = id;
        for (hops, other, child) in self.down_above(p, alert, fold) {
            let (Some(own), Some(state)) = (self.incidents.get(&whole), self.incidents.get(&other)) else {
                continue;
            };
            if other == whole || self.parted(own, (other, state)).is_some() {
                continue;
            }
            let why = Why {
                actor: model::Actor::ENGINE.0,
                event: None,
                because: self.behind(child, hops).into_iter().collect(),
            };
            whole = self.merge(whole, other, &why, fold).unwrap_or(whole);
        }
    }

    /// Incidents that began with something that was found down, needs what this alert says is down, and is down still; the
    /// oldest first, with how far away it is. Both must not answer: a state as *degraded* below explains no absence.
    fn down_above(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Vec<Above> {
        let node = self
            .fails_itself(p.alert, fold)
            .filter(|_| alert.kind == AlertKind::Absent && !alert.spot.past && p.kind == Kind::New);
        let Some(node) = node else {
            return Vec::new();
        };
        let mut found: Vec<(Time, u32, IncidentId, AlertId)> = self
            .heard_around(alert)
            .filter_map(|id| {
                let other = self.alerts.get(&id).filter(|_| id != p.alert)?;
                let together = p.t.since(other.onset) <= secs(SEEN_LATER_S)
                    && other.onset.since(p.t) <= secs(STAYS_DOWN_S);
                let home = self.down_still(id).filter(|_| together)?;
                let state = self.incidents.get(&home).filter(|state| state.opener == id)?;
                let below = fold.graph.rings(NodeId(other.spot.node?), Direction::Down, HOPS);
                let (_, hops) = below.iter().find(|(at, hops)| *at == node && *hops > 0)?;
                Some((state.begun, *hops, home, id))
            })
            .collect();
        found.sort_unstable_by_key(|(begun, _, home, _)| (*begun, *home));
        found.dedup_by_key(|(_, _, home, _)| *home);
        found
            .into_iter()
            .map(|(_, hops, home, id)| (hops, home, id))
            .collect()
    }

    /// That something that is down needs what is found down later.
    fn behind(&self, child: AlertId, hops: u32) -> Option<Evidence> {
        let child = self.alerts.get(&child)?;
        let text = format!("{}, which needs it, is down", name(&child.spot.entity));
        Some(Evidence::new(EvidenceKind::Topology, f64::from(hops), text))
    }

    /// The open incident that an alert carries which says still that its thing does not answer.
    fn down_still(&self, id: AlertId) -> Option<IncidentId> {
        let alert = self.alerts.get(&id)?;
        let lasts = alert.kind == AlertKind::Absent && alert.firing() && alert.flap.since.is_none();
        let home = alert.incident.filter(|_| lasts)?;
        let state = self.incidents.get(&home)?;
        let member = state.members.get(&id)?;
        let fires = member.firing && !member.stale && !member.passive;
        (fires && state.is_open() && !state.background).then_some(home)
    }

    /// What was heard of late around an alert.
    fn heard_around(&self, alert: &Alert) -> impl Iterator<Item = AlertId> {
        let keys = self.place_keys(&alert.spot);
        let heard = keys.into_iter().filter_map(|key| self.places.get(&key));
        heard.flat_map(|place| place.near.iter().map(|(_, id)| *id))
    }
}
