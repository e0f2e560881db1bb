//! A part of an incident becomes an incident of its own, or one alert moves to another.
//!
//! The part begins under an id of its own and names where it comes from. Whoever has the whole has the part. A page is
//! owed for the part by itself, because its owner may be another team; what was paged for the whole stays with it.

use model::{AlertId, ChangeKind, IncidentId, Text};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    grouping::open::new_state,
    state::{
        alert::Alert,
        incident::{Decaying, Face, Member, State},
    },
};

use super::Why;

impl Engine {
    /// Parts `alerts` from an incident; gives the new one. Nothing happens where nobody would go, or nobody stay.
    pub(super) fn split(
        &mut self,
        id: IncidentId,
        alerts: &[AlertId],
        why: &Why,
        fold: &mut Fold<'_>,
    ) -> Option<IncidentId> {
        let state = self
            .incidents
            .get(&id)
            .filter(|state| state.is_open() && !state.background)?;
        let here = |alert: &AlertId| {
            self.alerts
                .get(alert)
                .is_some_and(|alert| alert.incident == Some(id))
        };
        let going: Vec<AlertId> = state
            .members
            .keys()
            .filter(|alert| alerts.contains(alert) && here(alert))
            .copied()
            .collect();
        let staying = state
            .members
            .keys()
            .any(|alert| !alerts.contains(alert) && here(alert));
        let opener = going
            .iter()
            .copied()
            .min_by_key(|alert| (state.members.get(alert).map(|m| m.first_at), *alert))?;
        if !staying {
            return None;
        }
        let (status, by, covers) = (
            state.status,
            state.acknowledged_by.clone(),
            state.acknowledged_severity,
        );
        let snoozed = state.snoozed_until;
        let (system, first_at) = (
            self.alerts.get(&opener)?.spot.system.clone(),
            state.members.get(&opener)?.first_at,
        );
        let next = self.mint(opener);
        let mut part = new_state(self.alerts.get(&opener)?, opener, first_at, fold);
        part.split_from = Some(id);
        part.because.clone_from(&why.because);
        (part.status, part.acknowledged_by, part.acknowledged_severity) = (status, by, covers);
        part.snoozed_until = snoozed;
        part.apart.insert(id);
        self.incidents.insert(next, part);
        self.open.insert(next);
        self.incidents
            .get_mut(&id)
            .expect("looked up above")
            .apart
            .insert(next);
        self.enliven(&system, next);
        self.change(
            id,
            said(ChangeKind::Split, why).to(next.to_string()),
            why.because.clone(),
            fold,
        );
        self.change(
            next,
            said(ChangeKind::Opened, why).alert(opener).from(id.to_string()),
            why.because.clone(),
            fold,
        );
        for alert in going {
            self.hand(alert, id, next, why, fold);
            let what = || {
                said(ChangeKind::Moved, why)
                    .alert(alert)
                    .from(id.to_string())
                    .to(next.to_string())
            };
            self.change(id, what(), why.because.clone(), fold);
            if alert != opener {
                self.change(next, what(), why.because.clone(), fold);
            }
        }
        if let Some(alert) = self.alerts.get_mut(&opener) {
            alert.opened = Some(Box::new(next));
        }
        if let Some(until) = snoozed {
            self.wake_at(next, until, fold);
        }
        self.after_move(id, fold);
        self.after_move(next, fold);
        Some(next)
    }

    /// Moves one alert to another incident, which is open.
    pub(super) fn move_alert(
        &mut self,
        alert: AlertId,
        to: IncidentId,
        why: &Why,
        fold: &mut Fold<'_>,
    ) -> bool {
        let open = |id: IncidentId| {
            self.incidents
                .get(&id)
                .is_some_and(|state| state.is_open() && !state.background)
        };
        let Some(known) = self.alerts.get(&alert) else {
            return false;
        };
        let Some(from) = known.incident.filter(|from| *from != to) else {
            return false;
        };
        if !open(to) || !open(from) {
            return false;
        }
        self.hand(alert, from, to, why, fold);
        let what = || {
            said(ChangeKind::Moved, why)
                .alert(alert)
                .from(from.to_string())
                .to(to.to_string())
        };
        self.change(from, what(), why.because.clone(), fold);
        self.change(to, what(), why.because.clone(), fold);
        self.after_move(from, fold);
        self.after_move(to, fold);
        true
    }

    /// Takes an alert out of one incident and puts it into another; where an operator said so, it stays there.
    fn hand(&mut self, id: AlertId, from: IncidentId, to: IncidentId, why: &Why, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        alert.move_on(Some(to));
        alert.past.retain(|past| *past != to);
        alert.opened = alert.opened.take().filter(|opened| **opened != from);
        let alert = alert.clone();
        let Some(giver) = self.incidents.get_mut(&from) else {
            return;
        };
        let member = giver.give(id, &alert, fold);
        let suppressed = giver.unsuppress(id);
        let Some(taker) = self.incidents.get_mut(&to) else {
            return;
        };
        taker.take_in(id, member, &alert, fold);
        if let Some(suppressed) = suppressed {
            taker.suppress(suppressed, fold.settings.limits.members_max);
        }
        taker.pinned.insert(id, why.actor.clone());
        self.bind(to, id, fold);
        let quieted = alert.quieted.as_ref().map(|q| q.reason.as_str());
        self.say_episode(alert.episode, Some(to), quieted, None, fold);
    }
}

fn said(kind: ChangeKind, why: &Why) -> What {
    let what = What::new(kind).actor(why.actor.clone());
    match &why.event {
        Some(event) => what.event(event),
        None => what,
    }
}

impl State {
    /// Gives an alert away.
    fn give(&mut self, id: AlertId, alert: &Alert, fold: &Fold<'_>) -> Box<Member> {
        let member = self
            .members
            .remove(&id)
            .unwrap_or_else(|| Box::new(unlisted(alert, fold)));
        self.alerts = self.alerts.saturating_sub(1);
        self.shown = self.shown.saturating_sub(1);
        self.firing = self.firing.saturating_sub(u64::from(member.firing));
        self.stale = self.stale.saturating_sub(u64::from(member.stale));
        self.events = self.events.saturating_sub(member.count);
        self.held.remove(&id);
        self.pinned.remove(&id);
        if let Some(callee) = callee(alert, fold)
            && let Some(named) = self.callees.get_mut(&callee)
        {
            *named = named.saturating_sub(1);
        }
        let entity = &member.face.entity;
        if !self.members.values().any(|other| other.face.entity == *entity) {
            // How active it was there goes with what was active.
            let decay_s = fold.settings.grouping.activity_decay_s;
            if let Some(place) = self.place(entity) {
                let at = self.activity.at.max(place.activity.at);
                let left = self.activity.left(at, decay_s) - place.activity.left(at, decay_s);
                self.activity = Decaying {
                    value: left.max(0.0),
                    at,
                };
            }
            self.places.retain(|place| place.entity != *entity);
        }
        if self.opener == id
            && let Some((next, _)) = self
                .members
                .iter()
                .min_by_key(|(other, member)| (member.first_at, **other))
        {
            self.opener = *next;
        }
        if self.firing == 0 {
            self.ended.get_or_insert(member.last_at.min(self.last_event_at));
        }
        self.unassessed = true;
        member
    }

    /// Takes an alert in as it was elsewhere.
    pub(crate) fn take_in(&mut self, id: AlertId, member: Box<Member>, alert: &Alert, fold: &Fold<'_>) {
        if let Some(known) = self.members.remove(&id) {
            // It was here before: its former stay counts already.
            self.alerts = self.alerts.saturating_sub(1);
            self.shown = self.shown.saturating_sub(1);
            self.firing = self.firing.saturating_sub(u64::from(known.firing));
        }
        self.alerts += 1;
        self.shown += 1;
        self.firing += u64::from(member.firing);
        self.stale += u64::from(member.stale);
        self.events += member.count;
        self.begun = self.begun.min(member.first_at);
        self.last = self.last.max(member.last_at);
        self.first_event_at = self.first_event_at.min(member.first_at);
        self.last_event_at = self.last_event_at.max(member.last_at);
        self.touched_at = fold.time;
        self.heard_at = self.heard_at.max(Some(member.last_at.min(fold.time)));
        self.joined_at = fold.time;
        if member.firing {
            self.ended = None;
        }
        if let Some(callee) = callee(alert, fold) {
            *self.callees.entry(callee).or_default() += 1;
        }
        if !member.passive {
            self.activity
                .add(member.last_at, fold.settings.grouping.activity_decay_s);
        }
        if !member.passive
            && let Some(place) = self.place_mut(&member.face.entity, alert.spot.node, member.last_at)
        {
            place.alerts = true;
            place.last = place.last.max(member.last_at);
            place
                .activity
                .add(member.last_at, fold.settings.grouping.activity_decay_s);
        }
        if self.members.len() < fold.settings.limits.members_max {
            self.members.insert(id, member);
        }
        self.unassessed = true;
    }
}

/// The entity that an alert says fails it.
pub(crate) fn callee(alert: &Alert, fold: &Fold<'_>) -> Option<Text> {
    // What is about a call to itself names nobody else.
    let callee = alert
        .spot
        .callee
        .filter(|callee| alert.spot.node != Some(*callee))?;
    let callee = fold.graph.id(topology::NodeId(callee));
    (!callee.is_empty()).then(|| callee.clone())
}

/// What is known of an alert beyond those that its incident lists.
pub(crate) fn unlisted(alert: &Alert, fold: &Fold<'_>) -> Member {
    Member {
        first_at: alert.first_at,
        last_at: alert.state_at,
        joined_at: fold.time,
        count: 1,
        firing: alert.firing(),
        stale: false,
        passed_on: None,
        severity: alert.severity,
        passive: alert.passive,
        parent: None,
        probability: 1.0,
        because: Vec::new(),
        runner_up: None,
        face: Face::of(alert, &fold.settings.merge),
    }
}
