//! What a budget of errors tells was there before.
//!
//! An objective looks back over an hour or more, so its alert comes minutes after those that saw the errors themselves, when
//! time alone connects the two no more. It is never the first sign of a fault: it belongs to what still burns at its thing or at
//! what that needs.

use model::{EvidenceKind, IncidentId, Time};
use topology::{Direction, NodeId};

use crate::{
    cause::tells_of_before,
    engine::Engine,
    fold::Fold,
    grouping::{
        own::HOPS,
        pending::Pending,
        verdict::{Placement, Verdict, name},
    },
    settings::secs,
    state::alert::Alert,
};

/// The shorter windows of the usual rules are an hour and six; what began longer ago would have burned it before.
const WINDOW_S: f64 = 3600.0;

impl Engine {
    /// It tells of what burns at its thing, or the nearest below, for a while already.
    pub(crate) fn judge_budget(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        if alert.spot.entity.is_empty() || !tells_of_before(&alert.title) {
            return None;
        }
        let node = alert.spot.node.map(NodeId);
        let below = node.map_or(Vec::new(), |node| fold.graph.rings(node, Direction::Down, HOPS));
        let burns = |id| -> Option<(u32, std::cmp::Reverse<Time>, IncidentId)> {
            let other = self.alerts.get(&id).filter(|_| id != p.alert)?;
            let hops = if other.spot.entity == alert.spot.entity {
                0
            } else {
                let at = NodeId(other.spot.node?);
                below.iter().find(|(node, _)| *node == at)?.1
            };
            let home = other.incident?;
            let state = self.incidents.get(&home)?;
            let member = state.members.get(&id)?;
            let meanwhile = other.onset <= p.t && p.t.since(other.onset) <= secs(WINDOW_S);
            let burns = meanwhile && state.is_open() && !state.background && !member.stale && !member.passive;
            let apart = self.kept_apart(home, state, alert, fold);
            (burns && apart.is_none()).then_some((hops, std::cmp::Reverse(other.onset), home))
        };
        let (hops, since, home) = self.heard_around(alert).filter_map(burns).min()?;
        let text = format!(
            "a budget tells of what was before: {} fails for {:.0} s",
            if hops == 0 {
                name(&alert.spot.entity)
            } else {
                "what it needs"
            },
            p.t.since(since.0).as_secs_f64()
        );
        let place = Placement::Across(home);
        Some(Verdict::new(
            place,
            0.85,
            EvidenceKind::Topology,
            f64::from(hops),
            text,
        ))
    }
}
