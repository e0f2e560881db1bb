//! Whether another fault begins in a system that is burning already.

use model::{AlertId, EvidenceKind, IncidentId, Span, Text, Time};
use topology::{Direction, NodeId};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        pending::{Kind, Pending},
        verdict::{Placement, Verdict},
    },
    settings::secs,
    state::system::System,
};

/// The rate of the last 30 s is compared with that of the settlement.
pub(crate) const LOOK_BACK_S: f64 = 30.0;
/// So long after it began an incident is still unfolding, whatever comes.
const UNFOLDING_S: f64 = 20.0;
/// Symptoms are several from this many on: chatter comes in twos and threes.
pub(crate) const SEVERAL: usize = 4;
/// At a distance three are enough: one fault has two faces at once, the call that fails and what is called.
const ELSEWHERE_MIN: usize = 3;
/// They begin together within so many steps of each other: what is called, and what calls, the same thing.
const ELSEWHERE_HOPS: u32 = 2;

/// Another fault begins beside a live one.
pub(crate) struct Onset {
    pub verdict: Verdict,
    /// All that speaks for it is the distance.
    pub elsewhere: bool,
}

impl Engine {
    /// Something is live: does another fault begin beside it? Either its own symptoms start again together, beyond
    /// what the habit of their sources explains, or a burst of new ones comes that is five times the rate of late, or
    /// several begin together where it never was.
    /// `behind`: look at what came before the alert instead of what comes after it.
    pub(crate) fn judge_onset(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        live: &[IncidentId],
        behind: bool,
        fold: &Fold<'_>,
    ) -> Option<Onset> {
        if p.kind == Kind::Unnoticed {
            return None;
        }
        let settle_s = fold.settings.grouping.settle_s;
        let interval = self.interval_s(p.alert);
        let entry = self.systems.get(system)?;
        let youngest = self.youngest(live)?;
        let state = self.incidents.get(&youngest)?;
        let age = p.t.since(state.begun).as_secs_f64();
        let (again, fresh, expected, again_before, fresh_before);
        let from = if behind {
            p.t - secs(settle_s) + Span::from_nanos(1)
        } else {
            p.t
        };
        match near {
            None if self.arrives_in_order(fold) => {
                // On arrival it is counted among those that wait; when it settles it no longer is.
                let own = u32::from(!behind);
                again = entry.again + own * u32::from(p.kind == Kind::Again);
                fresh = entry.new + own * u32::from(p.kind == Kind::New) + again;
                expected = entry.expected + f64::from(own) * p.repeats;
                again_before =
                    entry.settled.iter().filter(|s| s.again).count() as f64 * settle_s / LOOK_BACK_S;
                fresh_before = entry.settled.len() as f64 * settle_s / LOOK_BACK_S;
            }
            // By event time: what waits for its settlement is not what comes within ten seconds, or not all of it.
            near => {
                let (mut now, mut before, mut habit) = ((0, 0), (0, 0), 0.0);
                for f in &entry.ring {
                    let inside =
                        |near: &[NodeId]| f.node.is_some_and(|n| near.binary_search(&NodeId(n)).is_ok());
                    if !near.is_none_or(inside) {
                        continue;
                    }
                    let ahead = f.t.since(from).as_secs_f64();
                    if (0.0..settle_s).contains(&ahead) {
                        now = (now.0 + u32::from(f.again), now.1 + 1);
                        habit += f.repeats;
                    } else if (-LOOK_BACK_S..0.0).contains(&ahead) {
                        before = (before.0 + u32::from(f.again), before.1 + 1);
                    }
                }
                (again, fresh) = now;
                expected = habit;
                again_before = f64::from(before.0) * settle_s / LOOK_BACK_S;
                fresh_before = f64::from(before.1) * settle_s / LOOK_BACK_S;
            }
        }
        let starts_again = f64::from(again) - 2.0 * expected >= SEVERAL as f64
            && f64::from(again) >= 3.0 * again_before + 1.0;
        if starts_again && fresh == again && self.only_returns(youngest, from - secs(LOOK_BACK_S)) {
            return None;
        }
        let burst = age > 90.0 + 2.0 * interval
            && fresh >= 8
            && f64::from(fresh) >= 5.0 * (fresh_before + 1.0)
            && f64::from(fresh) >= 0.2 * state.shown as f64;
        if age <= UNFOLDING_S {
            return None;
        }
        let elsewhere = !(starts_again || burst);
        let (count, text) = if !elsewhere {
            let text = format!(
                "{fresh} fresh symptoms within {settle_s} s ({fresh_before:.1} usual), {again} of them those of \
                 {youngest} again ({again_before:.1} usual, {expected:.1} by habit)"
            );
            (f64::from(fresh), text)
        } else {
            let count = self.elsewhere(p, entry, live, from, fold)?;
            let text = format!(
                "{count} fresh symptoms within {settle_s} s, and nothing that is live was ever within a step of them"
            );
            (count as f64, text)
        };
        let place = Placement::Open { beside: true };
        Some(Onset {
            verdict: Verdict::new(place, 0.8, EvidenceKind::Onset, count, text),
            elsewhere,
        })
    }

    /// Whether everything that fires in an incident had recovered by its sender's word, and came back just now. While it
    /// is not over for want of quiet, what comes back goes on: a line that drops takes the same hosts along each time.
    pub(crate) fn only_returns(&self, id: IncidentId, since: Time) -> bool {
        let Some(state) = self.incidents.get(&id) else {
            return false;
        };
        let fires = state.members.iter().filter(|(_, member)| member.firing);
        let came_back = |id: &AlertId| {
            let alert = self.alerts.get(id);
            alert
                .and_then(|alert| alert.back_at)
                .is_some_and(|back| back >= since)
        };
        fires.map(|(id, _)| id).all(came_back)
    }

    /// How many symptoms begin together around an alert that is new to the live incidents, if they are several, and none
    /// of these incidents was ever at any of their places or a step away from it, nor is its probable cause. A fault
    /// spreads to the next place first, so what begins at several places far from it is another one.
    fn elsewhere(
        &self,
        p: &Pending,
        system: &System,
        live: &[IncidentId],
        from: Time,
        fold: &Fold<'_>,
    ) -> Option<usize> {
        let node = NodeId(self.alerts.get(&p.alert)?.spot.node?);
        if p.kind != Kind::New {
            return None;
        }
        let until = from + secs(fold.settings.grouping.settle_s);
        let coming = || {
            let ahead = system
                .ring
                .iter()
                .filter(|f| from <= f.t && f.t < until && !f.again);
            ahead.filter_map(|f| Some((NodeId(f.node?), f.symptom)))
        };
        if coming().count() < ELSEWHERE_MIN {
            return None;
        }
        let around = fold.graph.ring(node, Direction::Any, ELSEWHERE_HOPS);
        let (mut places, mut symptoms): (Vec<NodeId>, Vec<u64>) = coming()
            .filter(|(node, _)| around.binary_search(node).is_ok())
            .unzip();
        symptoms.sort_unstable();
        symptoms.dedup();
        places.sort_unstable();
        places.dedup();
        let beside = |place: NodeId| {
            let next = |n: &NodeId| *n == place || fold.graph.neighbours(*n).binary_search(&place).is_ok();
            places.iter().any(next)
        };
        let states = || live.iter().filter_map(|id| self.incidents.get(id));
        let apart = states()
            .flat_map(|state| &state.places)
            .all(|place| place.node.is_some_and(|node| !beside(NodeId(node))));
        // It is at its cause, too, though that be silent: what runs in a zone that fails is next to it.
        let suspects = states().filter_map(|state| fold.graph.find(&state.causes.first()?.entity));
        (symptoms.len() >= ELSEWHERE_MIN && apart && !suspects.into_iter().any(beside))
            .then_some(symptoms.len())
    }
}
