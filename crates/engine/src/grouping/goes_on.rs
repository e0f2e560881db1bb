//! Several incidents come back at once, each to its own.
//!
//! A watcher that restarts says that all is well, and a minute later that all fires, of things that have nothing to do with
//! each other. Coming together they would look like one new fault. But what recovered and comes back before its incident is
//! over for want of quiet goes on in it; and that several recover at once and come back at once, each in another one, and
//! nothing else comes or burns there, says something of who watches and nothing of a fault. What was mended one by one and
//! then fails together is a fault, and rings.

use std::collections::BTreeSet;

use model::{AlertId, EvidenceKind, IncidentId, Text, Time};
use topology::NodeId;

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        onset::SEVERAL,
        pending::Pending,
        verdict::{Placement, Verdict},
    },
    settings::secs,
};

impl Engine {
    /// The open incident to which an alert comes back while several others come back to theirs.
    pub(crate) fn judge_goes_on(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        live: &[IncidentId],
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let (home, well_at) = self
            .comes_back(p.alert, p.t)
            .filter(|(home, _)| self.lasts(*home, p.t, fold))?;
        let (settle, quiet) = (
            secs(fold.settings.grouping.settle_s),
            secs(fold.settings.life.resolve_quiet_s),
        );
        let inside = |node: Option<u32>| {
            near.is_none_or(|near| node.is_some_and(|n| near.binary_search(&NodeId(n)).is_ok()))
        };
        let ring = self.systems.get(system)?.ring.iter();
        let together = ring.filter(|f| p.t - settle < f.t && f.t < p.t + settle && inside(f.node));
        let mut homes = BTreeSet::from([home]);
        let (mut first, mut last) = (well_at, well_at);
        for other in together {
            let (there, well_at) = self.comes_back(other.alert, p.t - settle)?;
            (first, last) = (first.min(well_at), last.max(well_at));
            if !homes.contains(&there) && !self.lasts(there, p.t, fold) {
                return None;
            }
            homes.insert(there);
        }
        let belongs = homes.len() >= SEVERAL
            && last.since(first) < settle
            && live.iter().all(|id| self.only_returns(*id, p.t - quiet));
        belongs.then(|| {
            let several = homes.len();
            let text =
                format!("it is back before its incident was over, as are {several} that recovered at once, each in its own");
            Verdict::new(
                Placement::Relapse(home),
                0.85,
                EvidenceKind::Relapse,
                several as f64,
                text,
            )
        })
    }

    /// The incident to which an alert comes back at `t` or later, and when it had recovered by its sender's word.
    fn comes_back(&self, id: AlertId, t: Time) -> Option<(IncidentId, Time)> {
        let alert = self.alerts.get(&id)?;
        let home = alert.incident.filter(|_| alert.back_at >= Some(t))?;
        Some((home, alert.well_at?))
    }

    /// Whether all of an incident had recovered, not for so long that it was over, and what fires of it is back.
    fn lasts(&self, id: IncidentId, t: Time, fold: &Fold<'_>) -> bool {
        let Some(state) = self.incidents.get(&id) else {
            return false;
        };
        let quiet = secs(fold.settings.life.resolve_quiet_s);
        let back = match state.firing {
            0 => state.ended.is_some_and(|ended| t.since(ended) <= quiet),
            _ => self.only_returns(id, t - quiet),
        };
        back && state.is_open() && !state.background
    }
}
