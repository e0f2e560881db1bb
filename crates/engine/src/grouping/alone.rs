//! Nothing is live around an alert: it comes back to what it was in, is too little to be an incident, or begins one.

use std::collections::BTreeSet;

use model::{AlertId, EvidenceKind, IncidentId, Text};
use topology::NodeId;

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        onset::SEVERAL,
        pending::Pending,
        verdict::{Placement, Verdict, name},
    },
    life::returning::RECENT_MIN,
    lineage::said_by,
    noise::habit::RECENT_S,
    settings::secs,
    state::{alert::Alert, incident::State},
};

/// An alert that opened an incident alone and comes alone again within this time belongs to it still if that is not over;
/// within the longer one where it had come alone before that as well: it is a habit in the making, not another fault each
/// time. What is over takes it back within `life.reopen_s` only.
const LONE_AGAIN_S: f64 = 1800.0;
const LONE_HABIT_S: f64 = RECENT_S;
/// Where nothing but hosts is known, this many different symptoms within the settlement open an incident.
const BACKGROUND_SYMPTOMS: usize = 4;

impl Engine {
    /// Nothing is live here: a relapse, too little, or the beginning of an incident.
    pub(crate) fn judge_alone(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Verdict {
        let alert = self.waiting(p.alert);
        let ahead = self.ahead(p, system, near, fold);
        self.judge_opener(p, alert, &ahead, system, near, fold)
            .or_else(|| self.judge_former(p, alert, &ahead, fold))
            .or_else(|| self.judge_member(p, alert, &ahead, fold))
            .or_else(|| self.judge_had(alert, &ahead))
            .or_else(|| self.judge_next(alert, &ahead, p, fold))
            .or_else(|| self.judge_bygone(p, alert, system, near, fold))
            .or_else(|| self.judge_background(p, system, fold))
            .or_else(|| self.judge_behind_down(p, alert, fold))
            .or_else(|| self.judge_ground(p, alert, fold))
            .or_else(|| self.judge_quiet(p, alert, fold))
            .or_else(|| self.judge_passing(p, alert, fold))
            .unwrap_or_else(|| self.judge_first(alert, system, fold))
    }

    /// The incident, with its state, if the alert may come back to it.
    fn returns(&self, home: IncidentId, alert: &Alert, fold: &Fold<'_>) -> Option<(IncidentId, &State)> {
        let state = self.incidents.get(&home).filter(|state| !state.background)?;
        let apart = self.kept_apart(home, state, alert, fold);
        apart.is_none().then_some((home, state))
    }

    /// Whether all of these showed in an incident before.
    fn nothing_new(&self, ahead: &[AlertId], home: IncidentId) -> bool {
        ahead
            .iter()
            .all(|other| self.alerts.get(other).is_some_and(|other| other.showed_in(home)))
    }

    /// Whether what lies ahead is too little for another fault, and all of it showed in an incident before.
    fn only_a_little_again(&self, ahead: &[AlertId], home: IncidentId) -> bool {
        let again: BTreeSet<AlertId> = ahead.iter().copied().collect();
        again.len() < SEVERAL && self.nothing_new(ahead, home)
    }

    /// It comes back to the incident that it opened, which is over or lies quiet.
    fn judge_opener(
        &self,
        p: &Pending,
        alert: &Alert,
        ahead: &[AlertId],
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let (home, state) = self.returns(self.follow(*alert.opened.as_deref()?), alert, fold)?;
        if let Some(ended) = state.ended
            && let age = p.t.since(ended).as_secs_f64()
            && age <= fold.settings.life.reopen_s
            && self.only_a_little_again(ahead, home)
            && !self.another_since(home, system, near)
            && !self.is_of_others(alert, home, near)
        {
            let text = format!("it opened this incident, which ended {age:.0} s before");
            return Some(relapse(home, 0.9, EvidenceKind::Relapse, age, text));
        }
        let quiet = p.t.since(state.last).as_secs_f64();
        let habit = alert.habit.recent(p.t) >= RECENT_MIN;
        let again_s = if habit { LONE_HABIT_S } else { LONE_AGAIN_S };
        let alone = state.shown <= 1 && ahead.iter().all(|other| *other == p.alert);
        (state.is_open() && quiet <= again_s && alone).then(|| {
            let text = format!("the same symptom alone again, {quiet:.0} s after");
            relapse(home, 0.85, EvidenceKind::Relapse, quiet, text)
        })
    }

    /// It comes back to an incident that others opened and that ended a short while ago.
    fn judge_former(
        &self,
        p: &Pending,
        alert: &Alert,
        ahead: &[AlertId],
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let opened = alert.opened.as_deref().map(|home| self.follow(*home));
        let home = alert.incident.filter(|home| Some(*home) != opened)?;
        let (home, state) = self.returns(home, alert, fold)?;
        let age = p.t.since(state.ended?).as_secs_f64();
        let soon = age <= fold.settings.life.lateness_s.min(fold.settings.life.reopen_s);
        (!state.is_open() && soon && self.nothing_new(ahead, home)).then(|| {
            let text = format!(
                "it was in this incident, which ended {age:.0} s before, and nothing new came with it"
            );
            relapse(home, 0.85, EvidenceKind::Relapse, age, text)
        })
    }

    /// It had recovered and comes back to the incident in which the same symptom fires still, of another part of the same
    /// thing: that is not over. What else fires there keeps an incident open and says nothing of what comes back.
    fn judge_member(
        &self,
        p: &Pending,
        alert: &Alert,
        ahead: &[AlertId],
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let (home, state) = self.returns(alert.incident?, alert, fold)?;
        let came_back = alert.back_at.is_some_and(|back| back >= p.t);
        let same = |id: &AlertId| {
            self.alerts
                .get(id)
                .is_some_and(|other| other.class == alert.class)
        };
        let still_fires = state.members.iter().any(|(id, member)| {
            *id != p.alert && member.firing && !member.stale && !member.passive && same(id)
        });
        let quiet = fold.time.since(state.touched_at);
        let belongs = state.is_open()
            && came_back
            && still_fires
            && quiet <= secs(fold.settings.life.reopen_s)
            && self.only_a_little_again(ahead, home);
        belongs.then(|| {
            let text =
                "the same symptom fires in this incident still, and nothing new came with it".to_owned();
            relapse(home, 0.85, EvidenceKind::Relapse, quiet.as_secs_f64(), text)
        })
    }

    /// It comes back to the open incident that somebody has: whoever took it has it until it ends, and knows of this alert.
    fn judge_had(&self, alert: &Alert, ahead: &[AlertId]) -> Option<Verdict> {
        let home = alert.incident?;
        let state = self.incidents.get(&home)?;
        let who = state.acknowledged_by.as_ref()?;
        let had = state.is_open() && !state.background && alert.severity <= state.acknowledged_severity;
        (had && self.nothing_new(ahead, home)).then(|| {
            let text = format!("{who} has it, and nothing new came with it");
            relapse(home, 0.9, EvidenceKind::Actor, 1.0, text)
        })
    }

    /// The same symptom of the same thing under another key, as of a pod that was replaced or of the next run of a job:
    /// what ended by its sender's word a short while ago, and showed nothing else, is not over.
    fn judge_next(&self, alert: &Alert, ahead: &[AlertId], p: &Pending, fold: &Fold<'_>) -> Option<Verdict> {
        let like = |id: &AlertId| {
            let other = self.alerts.get(id);
            other.is_some_and(|other| other.class == alert.class)
        };
        if alert.spot.entity.is_empty() || !ahead.iter().all(like) {
            return None;
        }
        let quiet = secs(fold.settings.life.resolve_quiet_s);
        let goes_on = |id: IncidentId| {
            let (_, state) = self.returns(id, alert, fold)?;
            let ended = state.ended.filter(|ended| p.t.since(*ended) <= quiet)?;
            let meanwhile = state.begun.since(p.t) <= quiet;
            let belongs = meanwhile && state.is_open() && state.firing == 0 && state.members.keys().all(like);
            belongs.then_some((ended, id))
        };
        let begun = self.meta.begun.iter().map(|(_, id)| self.follow(*id));
        let (ended, home) = begun.filter_map(goes_on).max()?;
        // What was observed before and arrives now came while it lasted.
        let age = p.t.since(ended).as_secs_f64().max(0.0);
        let text =
            format!("the same symptom of the same thing, which ended {age:.0} s before and is not over");
        Some(relapse(home, 0.85, EvidenceKind::Relapse, age, text))
    }

    /// It was observed while an incident around it burned that was over before it arrived. What is over is final when the
    /// lateness has passed.
    fn judge_bygone(
        &self,
        p: &Pending,
        alert: &Alert,
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let reach = self.reach_s(alert, fold);
        let burned = |id: &IncidentId| {
            let (_, state) = self.returns(*id, alert, fold)?;
            let ended = state.ended.filter(|ended| p.t <= *ended)?;
            let over = state.resolved_at.filter(|_| !state.is_open())?;
            let around = near.is_none_or(|near| self.linked(state, alert, near, p.t, reach, fold));
            let belongs = around
                && state.system == *system
                && state.over_at.is_none()
                && fold.time.since(over) <= secs(fold.settings.life.lateness_s)
                && state.begun.since(p.t).as_secs_f64() <= reach
                && p.t.since(state.last).as_secs_f64() <= reach;
            belongs.then_some((ended, *id))
        };
        let begun = self.meta.begun.iter().map(|(_, id)| self.follow(*id));
        let (ended, home) = begun.filter_map(|id| burned(&id)).max()?;
        let before = ended.since(p.t).as_secs_f64();
        let text = format!("observed {before:.0} s before this incident ended, and received after that");
        if alert.firing() {
            return Some(relapse(home, 0.85, EvidenceKind::Late, before, text));
        }
        let place = Placement::Join {
            incident: home,
            passive: true,
        };
        Some(Verdict::new(place, 0.85, EvidenceKind::Late, before, text))
    }

    /// Too few symptoms of a mere host to open anything.
    fn judge_background(&self, p: &Pending, system: &Text, fold: &Fold<'_>) -> Option<Verdict> {
        if p.weight > 0 || !self.bare(p.alert) {
            return None;
        }
        let settle_s = fold.settings.grouping.settle_s;
        let ring = self.systems.get(system).into_iter().flat_map(|s| s.ring.iter());
        let symptoms: BTreeSet<u64> = ring
            .filter(|f| p.t <= f.t && f.t < p.t + secs(settle_s))
            .map(|f| f.symptom)
            .chain([self.symptom(p.alert)])
            .collect();
        let seen = symptoms.len();
        (seen < BACKGROUND_SYMPTOMS).then(|| {
            let text = format!("only {seen} symptoms within {settle_s} s");
            Verdict::new(
                Placement::Background,
                0.5,
                EvidenceKind::Background,
                seen as f64,
                text,
            )
        })
    }

    /// A warning that always passes by itself.
    fn judge_passing(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        let ends_s = self.passes(p, fold)?;
        let (alone, episodes) = (alert.habit.alone, alert.habit.episodes);
        let text =
            format!("came alone {alone} of {episodes} times, over by itself within {ends_s} s; alone now");
        let place = Placement::Muted(compact_str::format_compact!("passing: {text}"));
        let share = f64::from(alone) / f64::from(episodes);
        Some(Verdict::new(place, 0.0, EvidenceKind::Chronic, share, text))
    }

    /// It opens an incident; what people keep it apart from is said.
    fn judge_first(&self, alert: &Alert, system: &Text, fold: &Fold<'_>) -> Verdict {
        let text = format!("nothing related was live around {}", name(&alert.spot.entity));
        let open = Placement::Open { beside: false };
        let mut verdict = Verdict::new(open, 1.0, EvidenceKind::First, 1.0, text);
        let live = self.systems.get(system).into_iter().flat_map(|s| &s.live);
        verdict.because.extend(live.filter_map(|id| {
            let bond = self.kept_apart(*id, self.incidents.get(id)?, alert, fold)?;
            Some(said_by(
                &bond.by,
                &format!("that it never belongs with what {id} holds"),
            ))
        }));
        verdict
    }

    /// Whether an alert was in another incident before, with others that were not in this one: what shows in many faults is
    /// a sign of none of them. In a large system what was in an incident may only have been near it.
    fn is_of_others(&self, alert: &Alert, home: IncidentId, near: Option<&[NodeId]>) -> bool {
        let Some(state) = self.incidents.get(&home).filter(|_| near.is_none()) else {
            return false;
        };
        let mut past = alert
            .past
            .iter()
            .map(|id| self.follow(*id))
            .filter(|id| *id != home);
        past.any(|id| {
            let Some(other) = self.incidents.get(&id) else {
                return false;
            };
            let in_both = other.members.keys().filter(|id| state.members.contains_key(id));
            let shared = in_both.count().saturating_sub(1);
            let others = other.members.len().saturating_sub(1);
            let all = others + state.members.len().saturating_sub(1) - shared;
            others > 0 && 2 * shared < all
        })
    }

    /// Whether another fault began around an alert since an incident of it did. What comes back is the last thing that
    /// happened there: an alert that opens every incident, as that of a front does, is no sign of the last but one.
    fn another_since(&self, home: IncidentId, system: &Text, near: Option<&[NodeId]>) -> bool {
        let newest = self.systems.get(system).and_then(|system| system.newest);
        let Some((_, newest)) = newest.filter(|(_, id)| self.follow(*id) != home) else {
            return false;
        };
        let states = (self.incidents.get(&newest), self.incidents.get(&home));
        let (Some(newest), Some(home)) = states else {
            return false;
        };
        let around = |near: &[NodeId]| {
            let mut nodes = newest.places.iter().filter_map(|place| place.node);
            nodes.any(|node| near.binary_search(&NodeId(node)).is_ok())
        };
        newest.begun > home.begun && near.is_none_or(around)
    }
}

fn relapse(home: IncidentId, probability: f64, kind: EvidenceKind, value: f64, text: String) -> Verdict {
    Verdict::new(Placement::Relapse(home), probability, kind, value, text)
}
