//! Two incidents become one.
//!
//! The older of two open ones keeps its id, because the links, tickets and acknowledgements that point to it have
//! pointed to it longest; what is open goes before what is over. The other one ends as `merged` with a link to it, and
//! hands over all it has: alerts, page, acknowledgement. Whoever follows an id, ours or a consumer, arrives at the one
//! that is left.

use model::{
    AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, PageState, Severity, Text,
};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    life::record::status_word,
    many::many,
    state::incident::State,
};

use super::{LINKS_MAX, Why};

impl Engine {
    /// The incident that one is part of by now; itself, if it never became part of another.
    pub(crate) fn follow(&self, id: IncidentId) -> IncidentId {
        let mut at = id;
        // Only what is whole takes others in, so there are no circles.
        while let Some(next) = self.incidents.get(&at).and_then(|state| state.merged_into)
            && self.incidents.get(&next).is_some()
        {
            at = next;
        }
        at
    }

    /// An alert beyond those that its incident lists was not moved when that became part of another.
    pub(crate) fn follow_merges(&mut self, id: AlertId) {
        let Some(home) = self.alerts.get(&id).and_then(|alert| alert.incident) else {
            return;
        };
        let now = self.follow(home);
        if now != home
            && let Some(alert) = self.alerts.get_mut(&id)
        {
            alert.incident = Some(now);
        }
    }

    /// Makes two incidents one; gives the one that is left, or nothing where that makes no sense.
    pub(crate) fn merge(
        &mut self,
        one: IncidentId,
        other: IncidentId,
        why: &Why,
        fold: &mut Fold<'_>,
    ) -> Option<IncidentId> {
        let rank = |id: IncidentId| {
            let state = self.incidents.get(&id).filter(|state| !state.background)?;
            (state.status != IncidentStatus::Merged).then_some((!state.is_open(), state.opened_at, id))
        };
        let (one, other) = (rank(one)?, rank(other)?);
        let (keep, gone) = (one.min(other).2, one.max(other).2);
        if keep == gone {
            return None;
        }
        let asks = |id: IncidentId| {
            self.incidents
                .get(&id)
                .and_then(|state| self.pageable(state, fold))
        };
        let asked = (asks(keep), asks(gone));
        let taken = self.take_apart(gone, keep, fold)?;
        let state = self.incidents.get_mut(&keep).expect("ranked above");
        let kept_before = state.status;
        let said = |text: String| {
            let mut because = why.because.clone();
            because.push(Evidence::new(EvidenceKind::Resolved, taken.alerts as f64, text));
            because
        };
        let gives = said(format!(
            "{} of it: to count in {keep} from now on",
            many(taken.alerts, "alert")
        ));
        let gains = said(format!("it brings {}", many(taken.alerts, "alert")));
        state.absorb(
            gone,
            &taken,
            fold.settings.limits.members_max,
            fold.settings.grouping.activity_decay_s,
        );
        let what = |kind: ChangeKind| {
            let what = What::new(kind).actor(why.actor.clone());
            match &why.event {
                Some(event) => what.event(event),
                None => what,
            }
        };
        self.change(gone, what(ChangeKind::Merged).to(keep.to_string()), gives, fold);
        self.change(keep, what(ChangeKind::Merged).from(gone.to_string()), gains, fold);
        self.hand_over(keep, kept_before, gone, &taken, asked, fold);
        for alert in taken.members.keys() {
            let Some(alert) = self
                .alerts
                .get(alert)
                .filter(|alert| alert.incident == Some(keep))
            else {
                continue;
            };
            let quieted = alert.quieted.as_ref().map(|q| q.reason.clone());
            self.say_episode(alert.episode, Some(keep), quieted.as_deref(), None, fold);
        }
        self.enliven(&taken.system, keep);
        self.after_move(keep, fold);
        self.wake_at(gone, fold.time, fold);
        Some(keep)
    }

    /// Ends an incident that becomes part of another; gives what it held.
    fn take_apart(&mut self, gone: IncidentId, keep: IncidentId, fold: &Fold<'_>) -> Option<State> {
        let state = self.incidents.get_mut(&gone)?;
        let taken = state.clone();
        state.status = IncidentStatus::Merged;
        state.merged_into = Some(keep);
        state.resolved_at = Some(fold.time);
        state.snoozed_until = None;
        state.storm = false;
        state.page_at = None;
        state.members.clear();
        state.suppressed.clear();
        state.suppressed_unlisted = 0;
        state.held.clear();
        (state.alerts, state.firing, state.stale, state.events) = (0, 0, 0, 0);
        state.unsaid = [0; 2];
        state.unassessed = false;
        if let Some(system) = self.systems.get_mut(&taken.system) {
            system.live.retain(|live| *live != gone);
        }
        self.open.remove(&gone);
        for alert in taken.members.keys().chain([&taken.opener]) {
            let Some(alert) = self.alerts.get_mut(alert) else {
                continue;
            };
            for place in alert
                .past
                .iter_mut()
                .chain(&mut alert.incident)
                .chain(alert.opened.as_deref_mut())
            {
                if *place == gone {
                    *place = keep;
                }
            }
        }
        Some(taken)
    }

    /// Acknowledgement and page go over to the one that is left.
    ///
    /// Whoever has a part has the whole, unless the other part asks for more than they took. What was owed for the part
    /// that ends is owed for the whole; its own page is closed, so that nobody is rung for an id that is gone.
    fn hand_over(
        &mut self,
        keep: IncidentId,
        kept_before: IncidentStatus,
        gone: IncidentId,
        taken: &State,
        (kept_asks, taken_asks): (Option<Severity>, Option<Severity>),
        fold: &mut Fold<'_>,
    ) {
        let state = self.incidents.get_mut(&keep).expect("the one that is left");
        let (kept_has, taken_has) = (state.acknowledged_by.is_some(), taken.acknowledged_by.is_some());
        if let Some(who) = &taken.acknowledged_by
            && taken.is_open()
            && state.is_open()
        {
            if kept_has {
                state.acknowledged_team = None;
                state.acknowledged_severity = state.acknowledged_severity.max(taken.acknowledged_severity);
            } else if kept_asks.is_none_or(|severity| severity <= taken.acknowledged_severity) {
                state.acknowledged_by = Some(who.clone());
                state.acknowledged_severity = taken.acknowledged_severity;
                state.acknowledged_team = None;
                state.status = taken.status;
                state.snoozed_until = taken.snoozed_until;
                let until = taken.snoozed_until;
                let (kind, to) = match taken.status {
                    IncidentStatus::Snoozed => (ChangeKind::Snoozed, "snoozed"),
                    _ => (ChangeKind::Acknowledged, "acknowledged"),
                };
                let text = format!("{who} has what became part of it");
                let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, text)];
                let what = What::new(kind)
                    .from(status_word(kept_before))
                    .to(to)
                    .actor(who.clone());
                self.change(keep, what, because, fold);
                if let Some(until) = until {
                    self.wake_at(keep, until, fold);
                }
            }
        }
        if taken.page.state != PageState::Due {
            return;
        }
        let goes_on = self.incidents.get(&keep).is_some_and(State::is_open);
        let old = self.incidents.get_mut(&gone).expect("it became part of another");
        old.page.state = PageState::Closed;
        old.paged_teams.clear();
        for team in &taken.paged_teams {
            let text = if goes_on {
                format!("it goes on in {keep}")
            } else {
                "it is over".to_owned()
            };
            let because = vec![Evidence::new(EvidenceKind::Resolved, 1.0, text)];
            self.change(
                gone,
                What::new(ChangeKind::PageClosed).to(team.clone()),
                because,
                fold,
            );
        }
        let state = self.incidents.get_mut(&keep).expect("the one that is left");
        if !goes_on {
            return;
        }
        let covered = |state: &State| {
            state.acknowledged_by.is_some()
                && taken_asks.is_none_or(|asks| asks <= state.acknowledged_severity)
        };
        if state.page.state == PageState::Due {
            let worst = state.paged_severity.max(taken.paged_severity);
            let of_worst = [&*state, taken]
                .into_iter()
                .filter(|part| part.paged_severity == worst);
            let knew: Vec<Text> = of_worst
                .flat_map(|part| part.paged_teams.iter().filter(|team| part.knows(team)))
                .cloned()
                .collect();
            let told: Vec<Text> = taken
                .paged_teams
                .iter()
                .filter(|team| !state.paged_teams.contains(team))
                .cloned()
                .collect();
            state.paged_teams.splice(0..0, told);
            state.last_page_at = state.last_page_at.max(taken.last_page_at);
            state.page.first_due_at = [state.page.first_due_at, taken.page.first_due_at]
                .into_iter()
                .flatten()
                .min();
            // Where one part is taken and the other is not, what rang for that other one was heard by nobody yet.
            if !kept_has || taken_has || covered(state) {
                state.told_of_less = state.paged_teams.clone();
                state.told_of_less.retain(|team| !knew.contains(team));
                state.paged_severity = worst;
            }
        } else if !covered(state)
            && let Some(severity) = taken_asks.max(kept_asks)
        {
            self.hold_failed(keep, fold);
            self.assess(keep, fold);
            let since = taken.page.first_due_at.unwrap_or(fold.time);
            self.page(
                keep,
                None,
                severity,
                format!("{gone} became part of it, for which somebody is paged since {since}"),
                fold,
            );
            let state = self.incidents.get_mut(&keep).expect("the one that is left");
            state.page.first_due_at = taken.page.first_due_at.or(state.page.first_due_at);
        }
    }

    /// What follows from other members: how bad it is, who is to be paged, when it ends.
    pub(super) fn after_move(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        self.watch_all(id, fold);
        self.roll_up(id, fold);
        self.consider_page(id, fold);
        self.wake_for_end(id, fold);
    }
}

impl State {
    /// Takes in all that another incident held.
    fn absorb(&mut self, id: IncidentId, other: &State, members_max: usize, decay_s: f64) {
        let shared = other
            .members
            .keys()
            .filter(|alert| self.members.contains_key(alert))
            .count() as u64;
        self.alerts += other.alerts - shared;
        self.shown += other.shown.saturating_sub(shared);
        self.firing += other.firing;
        self.stale += other.stale;
        self.events += other.events;
        let mut coming: Vec<_> = other.members.iter().collect();
        coming.sort_by_key(|(alert, member)| (member.first_at, **alert));
        for (alert, member) in coming {
            if let Some(known) = self.members.get_mut(alert) {
                if member.last_at > known.last_at {
                    known.severity = member.severity;
                }
                known.first_at = known.first_at.min(member.first_at);
                known.last_at = known.last_at.max(member.last_at);
                known.count += member.count;
                known.firing |= member.firing;
                known.stale = (known.stale || member.stale) && !known.firing;
                known.passive &= member.passive;
            } else if self.members.len() < members_max {
                self.members.insert(*alert, member.clone());
            }
        }
        for suppressed in other.suppressed.values() {
            self.suppress(suppressed.clone(), members_max);
        }
        self.suppressed_unlisted += other.suppressed_unlisted;
        for (here, there) in self.unsaid.iter_mut().zip(other.unsaid) {
            *here += there;
        }
        self.held.extend(&other.held);
        self.tells_of.extend(&other.tells_of);
        self.pinned
            .extend(other.pinned.iter().map(|(alert, who)| (*alert, who.clone())));
        self.apart.extend(&other.apart);
        for (bond, sides) in &other.bonds {
            *self.bonds.entry(*bond).or_default() |= sides;
        }
        for (callee, named) in &other.callees {
            *self.callees.entry(callee.clone()).or_default() += named;
        }
        for place in &other.places {
            let t = place.activity.at;
            if let Some(own) = self.place_mut(&place.entity, place.node, t) {
                own.activity.join(place.activity, decay_s);
                own.alerts |= place.alerts;
                own.last = own.last.max(place.last);
            }
        }
        self.activity.join(other.activity, decay_s);
        self.ended = match self.firing {
            0 => self.ended.max(other.ended),
            _ => None,
        };
        self.begun = self.begun.min(other.begun);
        self.last = self.last.max(other.last);
        self.first_event_at = self.first_event_at.min(other.first_event_at);
        self.last_event_at = self.last_event_at.max(other.last_event_at);
        self.touched_at = self.touched_at.max(other.touched_at);
        self.heard_at = self.heard_at.max(other.heard_at);
        self.joined_at = self.joined_at.max(other.joined_at);
        self.late &= other.late;
        self.storm |= other.storm;
        self.unassessed = true;
        self.assessed.1 = 0;
        for from in std::iter::once(&id).chain(&other.merged_from) {
            if self.merged_from.len() < LINKS_MAX {
                self.merged_from.push(*from);
            }
        }
    }
}
