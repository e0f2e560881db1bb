//! The life of an incident: it opens, alerts join and end, it resolves, and perhaps begins again.

use std::collections::BTreeMap;

use model::{
    AlertId, ChangeKind, Context, ContextClass, Event, Evidence, EvidenceKind, IncidentId, IncidentStatus,
    Owner, Page, PageState, Severity, Span, Time,
};

use crate::{
    alert::Alert,
    engine::{Engine, Timer, What},
    fold::Fold,
    incident::{Decaying, Face, Member, State},
    settings::secs,
    settle::{Pending, Placement, Verdict},
};

/// Incidents that an alert remembers to have been in.
const PAST_MAX: usize = 4;
const DAY_S: i64 = 86_400;

impl Engine {
    pub(crate) fn open_incident(
        &mut self,
        p: &Pending,
        verdict: &Verdict,
        beside: bool,
        fold: &mut Fold<'_>,
    ) -> IncidentId {
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
        let (dedup_key, onset, system, node) = (
            alert.dedup_key.clone(),
            alert.onset,
            alert.spot.system.clone(),
            alert.spot.node,
        );
        let id = self.mint(&dedup_key, onset);
        let mut state = new_state(alert, p.alert, p.t, fold);
        state.because.clone_from(&verdict.because);
        state.late = fold.time.since(p.t) > secs(fold.settings.life.lateness_s);
        self.incidents.insert(id, state);
        self.open.insert(id);
        self.alerts.get_mut(&p.alert).expect("looked up above").opened = Some(id);
        self.enliven(&system, id);
        if beside {
            self.credit(p, id, &system, node, fold);
        } else {
            self.bring_in_hub(p, id, &system, fold);
        }
        id
    }

    /// The id of an incident that this alert opens; `n` counts those that it opened with the same onset before.
    fn mint(&self, dedup_key: &str, onset: Time) -> IncidentId {
        (0u32..)
            .map(|n| IncidentId::new(&self.domain, dedup_key, onset, n))
            .find(|id| self.incidents.get(id).is_none())
            .expect("fewer than 2^32 incidents are remembered")
    }

    fn enliven(&mut self, system: &model::Text, id: IncidentId) {
        let incidents = &self.incidents;
        let last = |id: IncidentId| {
            incidents
                .get(&id)
                .map_or((Time::MIN, Time::MIN), |s| (s.last, s.begun))
        };
        self.systems.entry(system, Default::default).enliven(id, last);
    }

    /// The burst that is coming belongs to the incident that it opens beside another.
    fn credit(
        &mut self,
        p: &Pending,
        id: IncidentId,
        system: &model::Text,
        node: Option<u32>,
        fold: &Fold<'_>,
    ) {
        let until = p.t + secs(fold.settings.grouping.settle_s);
        let near = self.near(node, fold);
        let mut coming = Vec::new();
        for (number, t) in &self.order {
            if *t < p.t || *t >= until {
                continue;
            }
            let Some(other) = self.pending.get(number) else {
                continue;
            };
            let Some(alert) = self.alerts.get(&other.alert) else {
                continue;
            };
            let inside = near.as_ref().is_none_or(|near| {
                alert
                    .spot
                    .node
                    .is_some_and(|n| near.binary_search(&topology::NodeId(n)).is_ok())
            });
            if other.kind != crate::settle::Kind::Unnoticed && alert.spot.system == *system && inside {
                coming.push((alert.spot.entity.clone(), alert.spot.node));
            }
        }
        let state = self.incidents.get_mut(&id).expect("opened just now");
        for (entity, node) in coming {
            if let Some(place) = state.place_mut(&entity, node, p.t) {
                place.activity.value += 1.0;
            }
            state.activity.value += 1.0;
        }
    }

    /// When most neighbours of a thing start at once, the thing itself is in it, however silent.
    fn bring_in_hub(&mut self, p: &Pending, id: IncidentId, system: &model::Text, fold: &Fold<'_>) {
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
        let Some(node) = alert.spot.node.map(topology::NodeId) else {
            return;
        };
        if fold.graph.near(node).is_none() {
            return;
        }
        let settle = secs(fold.settings.grouping.settle_s);
        let mut starting: Vec<topology::NodeId> = self
            .systems
            .get(system)
            .into_iter()
            .flat_map(|s| s.ring.iter())
            .filter(|f| p.t - settle <= f.t && f.t < p.t + settle)
            .filter_map(|f| f.node.map(topology::NodeId))
            .collect();
        starting.sort_unstable();
        starting.dedup();
        let mut silent = Vec::new();
        for hub in fold.graph.neighbours(node) {
            let around = fold.graph.neighbours(*hub);
            let together = starting
                .iter()
                .filter(|n| around.binary_search(n).is_ok())
                .count();
            if around.len() >= 4 && together >= 4.max(around.len().div_ceil(2)) {
                silent.push((*hub, together, around.len()));
            }
        }
        let state = self.incidents.get_mut(&id).expect("opened just now");
        for (hub, together, around) in silent {
            let entity = fold.graph.id(hub).clone();
            let text = format!("{together} of {around} neighbours of {entity} started together");
            if let Some(place) = state.place_mut(&entity, Some(hub.0), p.t) {
                place.last = place.last.max(p.t);
                state
                    .because
                    .push(Evidence::new(EvidenceKind::Topology, together as f64, text));
            }
        }
    }

    /// The day's list of what is too little to open an incident in this system.
    pub(crate) fn background(&mut self, p: &Pending, verdict: &Verdict, fold: &Fold<'_>) -> IncidentId {
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
        let day = Time::from_secs(p.t.secs().div_euclid(DAY_S) * DAY_S);
        let key = compact_str::format_compact!("background/{}", alert.spot.system);
        let id = IncidentId::new(&self.domain, &key, day, 0);
        if self.incidents.get(&id).is_none() {
            let mut state = new_state(alert, p.alert, p.t, fold);
            state.background = true;
            state.title = format!("Background of {}", alert.spot.system);
            state.because.clone_from(&verdict.because);
            self.incidents.insert(id, state);
            self.open.insert(id);
        }
        id
    }

    /// The alert that opened an incident fires again after its end.
    pub(crate) fn relapse(&mut self, id: IncidentId, p: &Pending, verdict: &Verdict, fold: &mut Fold<'_>) {
        let system = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait")
            .spot
            .system
            .clone();
        self.enliven(&system, id);
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if state.is_open() {
            return;
        }
        // Members that went elsewhere meanwhile do not fire here.
        for member in state.members.keys().copied().collect::<Vec<_>>() {
            if self
                .alerts
                .get(&member)
                .is_none_or(|alert| alert.incident != Some(id))
            {
                state.set_firing(member, false);
            }
        }
        state.status = IncidentStatus::Open;
        state.resolved_at = None;
        state.reopened = true;
        state.acknowledged_by = None;
        if state.page.state == PageState::Closed {
            state.page.state = PageState::None;
            state.paged_severity = None;
        }
        self.open.insert(id);
        let what = What::new(ChangeKind::Reopened)
            .alert(p.alert)
            .event(&p.event_id)
            .from("resolved")
            .to("open");
        self.change(id, what, verdict.because.clone(), fold);
    }

    /// Makes an alert a member of an incident, or goes on with it there.
    pub(crate) fn join(&mut self, id: IncidentId, p: &Pending, verdict: &Verdict, fold: &mut Fold<'_>) {
        let passive = matches!(verdict.place, Placement::Join { passive: true, .. });
        let background = matches!(verdict.place, Placement::Background);
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
        let stays = alert.incident == Some(id);
        if !stays {
            self.leave(p.alert, fold);
        }
        let alert = self
            .alerts
            .get_mut(&p.alert)
            .expect("alerts are remembered while they wait");
        let past = alert.past.contains(&id);
        alert.incident = Some(id);
        alert.passive = passive;
        alert.muted = None;
        let alert = alert.clone();
        let (opens, fires_again) = {
            let members_max = fold.settings.limits.members_max;
            let state = self
                .incidents
                .get_mut(&id)
                .expect("placed into a remembered incident");
            let opens = state.alerts == 0;
            let known = past || stays || state.members.contains_key(&p.alert);
            if !known {
                state.alerts += 1;
                state.shown += 1;
                if let Some(callee) = alert.spot.callee {
                    *state.callees.entry(callee).or_default() += 1;
                }
            }
            let listed = state.members.contains_key(&p.alert);
            let fires_again = state.set_firing(p.alert, alert.firing()) && stays;
            if !listed && !stays {
                state.firing += u64::from(alert.firing());
            }
            state.events += 1;
            state.first_event_at = state.first_event_at.min(p.t);
            state.last_event_at = state.last_event_at.max(p.t);
            state.touched_at = fold.time;
            if !passive {
                state.joined_at = if stays { state.joined_at } else { fold.time };
                state.ended = if alert.firing() { None } else { state.ended };
            }
            let parent = state.parent_of(p.alert, &alert);
            if let Some(member) = state.members.get_mut(&p.alert) {
                member.severity = alert.severity;
                member.passive &= passive;
                member.count += 1;
                member.last_at = member.last_at.max(p.t);
                member.first_at = member.first_at.min(p.t);
            } else if state.members.len() < members_max {
                let member = Member {
                    first_at: p.t,
                    last_at: p.t,
                    joined_at: fold.time,
                    count: 1,
                    firing: alert.firing(),
                    severity: alert.severity,
                    passive,
                    parent,
                    probability: verdict.probability,
                    because: verdict.because.clone(),
                    runner_up: verdict.runner_up.clone(),
                    face: Face::of(&alert),
                };
                state.members.insert(p.alert, member);
            }
            if !alert.firing() && state.firing == 0 && state.ended.is_none() {
                state.ended = Some(alert.state_at);
            }
            state.unassessed = true;
            (opens, fires_again)
        };
        if !passive && !background {
            self.keep_alive(id, p.alert, p.t, p.fresh, fold.settings.grouping.activity_decay_s);
        }
        self.say_episode(
            p.episode,
            Some(id),
            alert.quieted.as_ref().map(|q| q.reason.as_str()),
            fold,
        );
        if !stays {
            let kind = if opens {
                ChangeKind::Opened
            } else {
                ChangeKind::Joined
            };
            if opens && !background {
                self.meta.books.incidents += 1;
            }
            let what = What::new(kind).alert(p.alert).event(&p.event_id);
            self.change(id, what, verdict.because.clone(), fold);
        } else if fires_again {
            self.note(id, p.alert, "it fires again", "resolved", "firing", fold);
        }
        self.look_quiet(p.alert, fold);
        self.roll_up(id, fold);
        self.consider_page(id, fold);
        self.wake_for_end(id, fold);
    }

    /// A repeat of a member goes on where it is.
    pub(crate) fn repeat(&mut self, id: IncidentId, alert_id: AlertId, t: Time, fold: &mut Fold<'_>) {
        let mut news = self.count_event(id, alert_id, t, fold);
        let alert = self.alerts.get(&alert_id).expect("members are remembered");
        let (firing, passive) = (alert.firing(), alert.passive);
        if !passive {
            self.keep_alive(id, alert_id, t, false, fold.settings.grouping.activity_decay_s);
        }
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if state.set_firing(alert_id, firing) {
            news = true;
            if firing {
                state.ended = None;
                self.note(id, alert_id, "it fires again", "resolved", "firing", fold);
            }
        }
        if news {
            self.look_quiet(alert_id, fold);
            self.roll_up(id, fold);
            self.consider_page(id, fold);
        }
    }

    /// Counts an event of a member; says whether it changed the member's severity.
    pub(crate) fn count_event(&mut self, id: IncidentId, alert: AlertId, t: Time, fold: &Fold<'_>) -> bool {
        let severity = self.alerts.get(&alert).map(|alert| alert.severity);
        let Some(state) = self.incidents.get_mut(&id) else {
            return false;
        };
        state.events += 1;
        state.last_event_at = state.last_event_at.max(t);
        state.first_event_at = state.first_event_at.min(t);
        state.touched_at = fold.time;
        if let Some(member) = state.members.get_mut(&alert) {
            // A firing that its recovery overtook still says how bad it was.
            let before = member.severity;
            member.severity = severity.unwrap_or(before);
            member.count += 1;
            member.last_at = member.last_at.max(t);
            member.first_at = member.first_at.min(t);
            return member.severity != before;
        }
        false
    }

    /// A member has recovered.
    pub(crate) fn member_ended(
        &mut self,
        id: IncidentId,
        alert: AlertId,
        event: &Event,
        fold: &mut Fold<'_>,
    ) {
        self.count_event(id, alert, event.ts, fold);
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        state.stop_firing(alert);
        let over = state.firing == 0;
        if over {
            state.ended = Some(state.ended.map_or(event.ts, |ended| ended.max(event.ts)));
        }
        self.note(id, alert, "it recovered", "firing", "resolved", fold);
        self.roll_up(id, fold);
        if over {
            self.wake_for_end(id, fold);
        }
    }

    /// Takes an alert out of the incident it is in, which keeps it as its past.
    pub(crate) fn leave(&mut self, alert_id: AlertId, fold: &mut Fold<'_>) {
        let alert = self.alerts.get_mut(&alert_id).expect("members are remembered");
        let Some(id) = alert.incident.take() else { return };
        if !alert.past.contains(&id) {
            if alert.past.len() == PAST_MAX {
                alert.past.remove(0);
            }
            alert.past.push(id);
        }
        let t = alert.habit.last.unwrap_or(alert.state_at);
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if !state.is_open() {
            // What is over stays as it was written down.
            return;
        }
        // Its sender said nothing of a recovery, but the alert counts elsewhere from now on.
        state.stop_firing(alert_id);
        if state.firing == 0 && state.ended.is_none() {
            state.ended = Some(t.min(state.last_event_at));
        }
        let silent = fold.time.since(state.touched_at);
        let text = format!("it counts elsewhere from now on; here nothing was heard for {silent}");
        let because = vec![Evidence::new(EvidenceKind::Episode, silent.as_secs_f64(), text)];
        self.change(id, What::new(ChangeKind::Left).alert(alert_id), because, fold);
        self.roll_up(id, fold);
        self.wake_for_end(id, fold);
    }

    /// The severity of an incident: the worst of its firing members, or of all once none fires.
    pub(crate) fn roll_up(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        let Some(severity) = state
            .members
            .values()
            .filter(|m| m.firing)
            .map(|m| m.severity)
            .max()
        else {
            return;
        };
        let before = std::mem::replace(&mut state.severity, severity);
        if severity == before || state.revision == 0 {
            return;
        }
        let kind = if severity > before {
            ChangeKind::Escalated
        } else {
            ChangeKind::Deescalated
        };
        // The first members only make known what the incident is; that is no escalation of it.
        if kind == ChangeKind::Escalated && before == Severity::Unknown && state.revision <= 1 {
            return;
        }
        let text = format!("its worst firing alert is {severity}");
        let because = vec![Evidence::new(EvidenceKind::Severity, severity as u8 as f64, text)];
        let what = What::new(kind).from(before.as_str()).to(severity.as_str());
        self.change(id, what, because, fold);
    }

    /// When an incident could end, or go stale.
    pub(crate) fn wake_for_end(&mut self, id: IncidentId, fold: &Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        if !state.is_open() {
            return;
        }
        let wait = if state.firing == 0 {
            fold.settings.life.resolve_quiet_s
        } else {
            fold.settings.life.stale_s
        };
        let at = state.touched_at + secs(wait);
        self.wake_at(id, at, fold);
    }

    /// The timer of an incident.
    pub(crate) fn wake(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        state.wake = None;
        if !state.is_open() {
            self.forget_or_wait(id, fold);
            return;
        }
        let quiet = fold.time.since(state.touched_at);
        let (over, stale) = (
            state.firing == 0 && quiet >= secs(fold.settings.life.resolve_quiet_s),
            quiet >= secs(fold.settings.life.stale_s),
        );
        if over || stale {
            self.finish(id, stale && !over, fold);
            self.forget_or_wait(id, fold);
        } else {
            self.judge_page(id, fold);
            self.wake_for_end(id, fold);
        }
    }

    /// Ends an incident.
    fn finish(&mut self, id: IncidentId, stale: bool, fold: &mut Fold<'_>) {
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let (from, quiet) = (state.status, fold.time.since(state.touched_at));
        state.status = IncidentStatus::Resolved;
        state.resolved_at = Some(fold.time);
        state.ended.get_or_insert(state.last_event_at);
        let because = if stale {
            let text = format!(
                "{} alerts went silent for {quiet} without a recovery; stale, not recovered",
                state.firing
            );
            vec![Evidence::new(EvidenceKind::Quiet, quiet.as_secs_f64(), text)]
        } else {
            vec![
                Evidence::new(
                    EvidenceKind::Resolved,
                    state.alerts as f64,
                    format!("all {} alerts ended", state.alerts),
                ),
                Evidence::new(
                    EvidenceKind::Quiet,
                    quiet.as_secs_f64(),
                    format!("quiet for {quiet}"),
                ),
            ]
        };
        let severity = state
            .members
            .values()
            .map(|m| m.severity)
            .max()
            .unwrap_or(state.severity);
        state.severity = severity;
        self.open.remove(&id);
        let what = What::new(ChangeKind::Resolved)
            .from(crate::record::status_word(from))
            .to("resolved");
        self.change(id, what, because, fold);
        self.remember(id, fold);
        self.close_page(id, fold);
    }

    /// Thirty days after its end an incident is forgotten.
    fn forget_or_wait(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let Some(resolved_at) = state.resolved_at else {
            return;
        };
        let at = resolved_at + Span::from_hours(24) * i64::from(fold.settings.life.forget_days);
        if fold.time < at {
            self.wake_at(id, at, fold);
            return;
        }
        if let Some(at) = state.publish_at {
            self.timers.remove(&(at, Timer::Publish(id)));
        }
        for alert in state.members.keys().copied().collect::<Vec<_>>() {
            self.forget_alert(alert, id, fold);
        }
        self.urgent.remove(&id);
        if fold.settings.last_records_only
            && let Some(last) = self.record(id, fold)
        {
            fold.out.push(crate::Output::Incident(Box::new(last)));
        }
        self.incidents.remove(&id);
        fold.out.push(crate::Output::Forget(id));
    }

    /// Forgets an alert with the last incident it was in.
    fn forget_alert(&mut self, alert_id: AlertId, id: IncidentId, fold: &Fold<'_>) {
        let Some(alert) = self.alerts.get_mut(&alert_id) else {
            return;
        };
        alert.past.retain(|past| *past != id);
        if alert.incident == Some(id) {
            alert.incident = None;
        }
        let old = fold.time.since(alert.heard_at)
            >= Span::from_hours(24) * i64::from(fold.settings.limits.alert_memory_days);
        if old && alert.incident.is_none() && alert.past.is_empty() && alert.unsettled == 0 {
            self.alerts.remove(&alert_id);
        }
    }
}

fn new_state(alert: &Alert, opener: AlertId, t: Time, fold: &Fold<'_>) -> State {
    State {
        revision: 0,
        status: IncidentStatus::Open,
        system: alert.spot.system.clone(),
        opener,
        background: false,
        late: false,
        reopened: false,
        opened_at: fold.time,
        updated_at: fold.time,
        resolved_at: None,
        ended: None,
        begun: t,
        last: t,
        first_event_at: t,
        last_event_at: t,
        touched_at: fold.time,
        joined_at: fold.time,
        events: 0,
        alerts: 0,
        firing: 0,
        shown: 0,
        members: BTreeMap::new(),
        suppressed: BTreeMap::new(),
        activity: Decaying { value: 0.0, at: t },
        places: Vec::new(),
        callees: BTreeMap::new(),
        severity: alert.severity,
        paged_severity: None,
        acknowledged_by: None,
        acknowledged_severity: Severity::Unknown,
        snoozed_until: None,
        page: Page {
            state: PageState::None,
            mode: fold.settings.page.mode,
            seq: 0,
            first_due_at: None,
            reason: "".into(),
        },
        page_at: None,
        last_page_at: None,
        paged_team: None,
        owner_since: None,
        title: String::new(),
        causes: Vec::new(),
        context: Context {
            class: ContextClass::Unclear,
            confidence: 0.0,
            because: Vec::new(),
        },
        owner: Owner {
            team: fold.settings.page.default_team.as_str().into(),
            entity: None,
            because: Vec::new(),
        },
        also_notify: Vec::new(),
        changes: Vec::new(),
        similar: Vec::new(),
        rarity: None,
        because: Vec::new(),
        assessed: (fold.time, 0),
        unassessed: true,
        merged_into: None,
        merged_from: Vec::new(),
        split_from: None,
        wake: None,
        publish_at: None,
        published_at: None,
        published: 0,
    }
}

impl State {
    /// Sets whether a listed member fires, and the count with it; says whether that changed.
    fn set_firing(&mut self, id: AlertId, firing: bool) -> bool {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.firing != firing) else {
            return false;
        };
        member.firing = firing;
        self.firing = if firing {
            self.firing + 1
        } else {
            self.firing.saturating_sub(1)
        };
        true
    }

    /// A member fires no more; beyond the listed ones only their number is known.
    fn stop_firing(&mut self, id: AlertId) {
        if !self.members.contains_key(&id) {
            self.firing = self
                .firing
                .saturating_sub(u64::from(self.alerts > self.members.len() as u64));
        } else {
            self.set_firing(id, false);
        }
    }

    /// The member that a new one hangs on most: on the same entity the latest, else the latest of all.
    fn parent_of(&self, id: AlertId, alert: &Alert) -> Option<AlertId> {
        self.members
            .iter()
            .filter(|(other, member)| **other != id && !member.passive)
            .max_by_key(|(other, member)| (member.face.entity == alert.spot.entity, member.first_at, **other))
            .map(|(other, _)| *other)
    }
}

impl Face {
    pub(crate) fn of(alert: &Alert) -> Face {
        Face {
            dedup_key: alert.dedup_key.clone(),
            title: alert.title.clone(),
            service: alert.service.clone(),
            host: alert.host.clone(),
            entity: alert.spot.entity.clone(),
        }
    }
}
