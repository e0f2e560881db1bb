//! Something becomes known under which the younger of two incidents would never have been opened.
//!
//! It was opened because nothing related was live around its first alert. When a late alert shows that something was, or
//! a dependency becomes known that makes the older one related, and it had been heard within the reach, then the younger
//! one's first alert would have joined the older one. Then, and only then, the two become one. What began as another fault beside a
//! live one, or so large a burst that it would have, stays apart; so does what an operator parted.

use model::{AlertId, Evidence, EvidenceKind, IncidentId, Time};
use topology::NodeId;

use crate::{engine::Engine, fold::Fold, grouping::pending::Pending, settings::secs, state::incident::State};

use super::Why;

/// A burst of so many alerts within the settlement begins another fault beside a live one that is older than this.
const BURST: usize = 8;
const BURST_AGE_S: f64 = 90.0;

impl Engine {
    /// An alert was settled behind the beginning of another incident: had it come in time, that may not have begun.
    pub(crate) fn bridge(&mut self, id: IncidentId, p: &Pending, fold: &mut Fold<'_>) {
        // What flaps is near everything in time, and so a witness of nothing.
        let Some(alert) = self
            .alerts
            .get(&p.alert)
            .filter(|alert| alert.flap.since.is_none())
        else {
            return;
        };
        let Some(system) = self.systems.get(&alert.spot.system) else {
            return;
        };
        let later = |id: &IncidentId| self.incidents.get(id).map(|state| state.begun > p.t);
        if !system.live.iter().any(|id| later(id) == Some(true)) {
            return;
        }
        let others: Vec<IncidentId> = system.live.iter().copied().filter(|other| *other != id).collect();
        let late = fold.time.since(p.t).as_secs_f64();
        for other in others {
            let id = self.follow(id);
            // Only what began on different sides of the alert was parted by its absence.
            let later = |id: IncidentId| self.incidents.get(&id).map(|state| state.begun > p.t);
            if later(id) == later(other) {
                continue;
            }
            let text = format!("an alert of {} that came {late:.0} s later connects them", p.t);
            self.merge_if_one(id, other, Evidence::new(EvidenceKind::Late, late, text), fold);
        }
    }

    /// Two incidents are related by what has become known: are they one?
    pub(crate) fn merge_if_one(&mut self, a: IncidentId, b: IncidentId, fact: Evidence, fold: &mut Fold<'_>) {
        let Some((gap, younger)) = self.would_have_joined(a, b, fold) else {
            return;
        };
        let text = format!("{younger} would have begun within it, {gap:.0} s after an alert of it");
        let why = Why {
            actor: model::Actor::ENGINE.0,
            event: None,
            because: vec![fact, Evidence::new(EvidenceKind::Time, gap, text)],
        };
        self.merge(a, b, &why, fold);
    }

    /// Whether the younger would have joined the older; the seconds between them, and the younger one.
    fn would_have_joined(&self, a: IncidentId, b: IncidentId, fold: &Fold<'_>) -> Option<(f64, IncidentId)> {
        let begun = |id: IncidentId| {
            self.incidents
                .get(&id)
                .map(|state| (state.first_event_at, state.begun, id))
        };
        let (one, other) = (begun(a)?, begun(b)?);
        let (older, younger) = (one.min(other).2, one.max(other).2);
        let (old, young) = (self.incidents.get(&older)?, self.incidents.get(&younger)?);
        let whole = |state: &State| state.is_open() && !state.background;
        if older == younger || !whole(old) || !whole(young) || self.parted(old, (younger, young)).is_some() {
            return None;
        }
        if young
            .because
            .first()
            .is_none_or(|why| why.kind != EvidenceKind::First)
        {
            return None;
        }
        let opener = self.alerts.get(&young.opener)?;
        let start = young.first_event_at;
        let gap = start.since(self.heard_before(old, start)?).as_secs_f64();
        let reach = self.reach_s(opener, fold);
        let settle = secs(fold.settings.grouping.settle_s);
        let burst = young.begun + settle;
        let burst = young
            .members
            .values()
            .filter(|m| young.begun <= m.first_at && m.first_at < burst)
            .count();
        let age = young.begun.since(old.begun).as_secs_f64();
        if gap > reach || (burst >= BURST && age > BURST_AGE_S + 2.0 * self.interval_s(young.opener)) {
            return None;
        }
        if let Some(near) = self.near(opener.spot.node, fold) {
            let inside = |node: Option<u32>| node.is_some_and(|n| near.binary_search(&NodeId(n)).is_ok());
            old.places.iter().any(|place| inside(place.node)).then_some(())?;
        }
        Some((gap, younger))
    }

    /// When an incident was last heard at or before `t`, by the first and last alert of each member that carries it.
    fn heard_before(&self, state: &State, t: Time) -> Option<Time> {
        let flaps = |id: &AlertId| {
            self.alerts
                .get(id)
                .is_some_and(|alert| alert.flap.since.is_some())
        };
        let carriers = state
            .members
            .iter()
            .filter(|(id, member)| !member.passive && !flaps(id));
        let heard = carriers.flat_map(|(_, member)| [member.first_at, member.last_at]);
        heard.filter(|at| *at <= t).max()
    }
}
