//! An alert in its incident: it joins, repeats, recovers, leaves.

use model::{AlertId, ChangeKind, Event, Evidence, EvidenceKind, IncidentId, Span, Time};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    grouping::{
        pending::Pending,
        verdict::{Placement, Verdict},
    },
    lineage::callee,
    settings::{Merge, secs},
    state::{
        alert::Alert,
        incident::{Face, Member, State},
        seldom::Scarce,
    },
};

/// A repeat of one episode keeps its incident going for this long; one stuck alert that is resent for days does not.
pub(crate) const STICK_S: i64 = 900;

impl Engine {
    /// Makes an alert a member of an incident, or goes on with it there.
    pub(crate) fn join(&mut self, id: IncidentId, p: &Pending, verdict: &Verdict, fold: &mut Fold<'_>) {
        let passive = matches!(verdict.place, Placement::Join { passive: true, .. });
        let background = matches!(verdict.place, Placement::Background);
        let alert = self.waiting(p.alert);
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
        let uncounted = std::mem::take(&mut alert.uncounted);
        let alert = alert.clone();
        if alert.listed.is_some() {
            self.unlist(p.alert, &verdict.because, fold);
        }
        let heard = p.due - secs(fold.settings.grouping.settle_s);
        let (opens, was, fires_again) = {
            let members_max = fold.settings.limits.members_max;
            let state = self
                .incidents
                .get_mut(&id)
                .expect("placed into a remembered incident");
            let opens = state.alerts == 0;
            let events = 1 + uncounted.events;
            let (first, last) = uncounted.span.unwrap_or((p.t, p.t));
            let (first, last) = (first.min(p.t), last.max(p.t));
            let known = past || stays || state.members.contains_key(&p.alert);
            if !known {
                state.alerts += 1;
                state.shown += 1;
                if let Some(callee) = callee(&alert, fold) {
                    *state.callees.entry(callee).or_default() += 1;
                }
            }
            let listed = state.members.contains_key(&p.alert);
            let was = state.state_word(p.alert);
            let fires_again = state.set_firing(p.alert, alert.firing()) && stays;
            if !listed && !stays {
                state.firing += u64::from(alert.firing());
            }
            state.events += events;
            state.first_event_at = state.first_event_at.min(first);
            state.last_event_at = state.last_event_at.max(last);
            state.touched_at = fold.time;
            state.heard_at = state.heard_at.max(Some(heard));
            if !passive {
                state.joined_at = if stays { state.joined_at } else { fold.time };
                state.ended = if alert.firing() { None } else { state.ended };
                state.returning &= !alert.firing();
            }
            let parent = state.parent_of(p.alert, &alert);
            if let Some(member) = state.members.get_mut(&p.alert) {
                member.severity = alert.severity;
                member.passive &= passive;
                member.count += events;
                member.last_at = member.last_at.max(last);
                member.first_at = member.first_at.min(first);
            } else if state.members.len() < members_max {
                let member = Member {
                    first_at: first,
                    last_at: last,
                    joined_at: fold.time,
                    count: events,
                    firing: alert.firing(),
                    stale: false,
                    passed_on: None,
                    severity: alert.severity,
                    passive,
                    parent,
                    probability: verdict.probability,
                    because: verdict.because.clone(),
                    runner_up: verdict.runner_up.clone().map(Box::new),
                    face: Face::of(&alert, &fold.settings.merge),
                };
                state.members.insert(p.alert, Box::new(member));
            }
            if !alert.firing() && state.firing == 0 && state.ended.is_none() {
                state.ended = Some(alert.state_at);
            }
            state.unassessed = true;
            (opens, was, fires_again)
        };
        if !passive && !background {
            self.keep_alive(id, p.alert, p.t, p.fresh, fold.settings.grouping.activity_decay_s);
        }
        self.say_episode(
            p.episode,
            Some(id),
            alert.quieted.as_ref().map(|q| q.reason.as_str()),
            Some(verdict),
            fold,
        );
        if opens && !background {
            self.meta.books.incidents += 1;
        }
        self.reconcile(p, Some(id), &verdict.because, fold);
        if !stays {
            self.say_joined(id, p, verdict, opens, fold);
        } else if fires_again {
            self.say_state(id, p.alert, was, fold);
        }
        if !stays {
            self.bind(id, p.alert, fold);
        }
        self.enter_storm(id, fold);
        self.roll_up(id, fold);
        self.watch(p.alert, fold);
        self.look_quiet(p.alert, fold);
        let now_quiet = self
            .alerts
            .get(&p.alert)
            .is_some_and(|alert| alert.quieted.is_some());
        if now_quiet && alert.quieted.is_none() {
            // What waited with it; the first is counted with its suppression.
            self.meta.books.quiet += uncounted.events;
        }
        self.take_ahead(id, p, fold);
        self.consider_page(id, fold);
        self.pass_on(id, p.alert, fold);
        self.watch_silence(p.alert, fold);
        self.wake_for_end(id, fold);
    }

    /// Says that an alert joined, or opened the incident, unless that was announced already.
    fn say_joined(
        &mut self,
        id: IncidentId,
        p: &Pending,
        verdict: &Verdict,
        opens: bool,
        fold: &mut Fold<'_>,
    ) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let announced = state.revision > 0;
        let kind = match p.announced {
            _ if opens && !announced => ChangeKind::Opened,
            Some(elsewhere) if elsewhere != id => ChangeKind::Moved,
            Some(_) if opens => {
                // The announcement is settled: now it has a record.
                self.urgent.insert(id);
                return;
            }
            Some(_) if state.revision > state.published => return self.publish_soon(id, fold),
            // The last record went out between the announcement and now, so this one needs a revision of its own.
            Some(_) => ChangeKind::Note,
            None => ChangeKind::Joined,
        };
        let mut what = What::new(kind).alert(p.alert).event(&p.event_id);
        if let Some(elsewhere) = p.announced
            && kind == ChangeKind::Moved
        {
            what = what.from(elsewhere.to_string()).to(id.to_string());
        }
        self.change(id, what, verdict.because.clone(), fold);
    }

    /// A repeat of a member goes on where it is. `holds`: nothing ended since it began to fire, however long ago its tool
    /// said so last.
    pub(crate) fn repeat(
        &mut self,
        id: IncidentId,
        alert_id: AlertId,
        t: Time,
        holds: bool,
        fold: &mut Fold<'_>,
    ) {
        let mut news = self.count_event(id, alert_id, t, fold);
        let alert = self.alerts.get(&alert_id).expect("members are remembered");
        let (firing, passive) = (alert.firing(), alert.passive);
        let stuck = holds && t.since(alert.onset) > Span::from_secs(STICK_S);
        if !passive && !stuck {
            self.keep_alive(id, alert_id, t, false, fold.settings.grouping.activity_decay_s);
        }
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        let was = state.state_word(alert_id);
        let too_old = fold.time >= state.opened_at + secs(fold.settings.life.age_max_s);
        if state.set_firing(alert_id, firing) {
            news = true;
            if firing {
                state.ended = None;
                self.say_state(id, alert_id, was, fold);
            }
        }
        if news {
            self.look_quiet(alert_id, fold);
            self.roll_up(id, fold);
            self.consider_page(id, fold);
            self.pass_on(id, alert_id, fold);
        }
        self.watch_silence(alert_id, fold);
        if too_old {
            // Its next pause is later by this.
            self.wake_for_end(id, fold);
        }
    }

    /// Counts an event of a member that changes nothing else, or one that its settlement will count.
    pub(crate) fn count_quietly(&mut self, id: AlertId, t: Time) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        if alert.unsettled > 0 || alert.count == 0 {
            alert.uncounted.add(t);
        } else if let Some(state) = alert
            .incident
            .and_then(|incident| self.incidents.get_mut(&incident))
        {
            state.count(id, t);
        }
    }

    /// Counts an event of a member; says whether it changed the member's severity.
    pub(crate) fn count_event(&mut self, id: IncidentId, alert: AlertId, t: Time, fold: &Fold<'_>) -> bool {
        let waits = self.alerts.get(&alert).is_some_and(|alert| alert.unsettled > 0);
        if waits {
            self.count_quietly(alert, t);
        }
        let known = self.alerts.get(&alert);
        let severity = known.map(|alert| alert.severity);
        let merge = &fold.settings.merge;
        let face = known.filter(|_| merge.any()).map(|alert| Face::of(alert, merge));
        let Some(state) = self.incidents.get_mut(&id) else {
            return false;
        };
        if !waits {
            state.count(alert, t);
        }
        state.touched_at = fold.time;
        state.heard_at = Some(fold.time);
        if let Some(member) = state.members.get_mut(&alert) {
            // A firing that its recovery overtook still says how bad it was.
            let before = member.severity;
            member.severity = severity.unwrap_or(before);
            if let Some(face) = face {
                member.face = face;
            }
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
        let was = state.state_word(alert);
        state.stop_firing(alert);
        let over = state.firing == 0;
        if over {
            state.ended = Some(state.ended.map_or(event.ts, |ended| ended.max(event.ts)));
        }
        self.hold_spared(id, alert, fold);
        self.say_state(id, alert, was, fold);
        self.roll_up(id, fold);
        if over {
            self.wake_for_end(id, fold);
        } else {
            self.look_hushed(id, fold);
        }
    }

    /// Takes an alert out of the incident it is in, which keeps it as its past.
    pub(crate) fn leave(&mut self, alert_id: AlertId, fold: &mut Fold<'_>) {
        let alert = self.alerts.get_mut(&alert_id).expect("members are remembered");
        let Some(id) = alert.incident else { return };
        alert.move_on(None);
        let t = alert.habit.last.unwrap_or(alert.state_at);
        let quieted = alert.quieted.take().is_some();
        self.watch(alert_id, fold);
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if !state.is_open() {
            // What is over stays as it was written down.
            return;
        }
        if state.unsuppress(alert_id).is_none() && quieted {
            state.suppressed_unlisted = state.suppressed_unlisted.saturating_sub(1);
        }
        state.held.remove(&alert_id);
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

    /// Marks what keeps an incident going: fresh alerts, and repeats of an episode that is not stuck.
    pub(crate) fn keep_alive(
        &mut self,
        incident: IncidentId,
        id: AlertId,
        t: Time,
        fresh: bool,
        decay_s: f64,
    ) {
        let alert = self
            .alerts
            .get(&id)
            .expect("alerts are remembered while they are members");
        // Nor does one that flaps: it is near everything in time, so nothing follows from its being near.
        let moving = alert.flap.since.is_none()
            && alert
                .habit
                .start
                .is_none_or(|start| t.since(start) <= Span::from_secs(STICK_S));
        let (entity, node) = (alert.spot.entity.clone(), alert.spot.node);
        let Some(state) = self.incidents.get_mut(&incident) else {
            return;
        };
        if moving {
            state.last = state.last.max(t);
        }
        if let Some(place) = state.place_mut(&entity, node, t) {
            place.alerts = true;
            if moving {
                place.last = place.last.max(t);
            }
            if fresh {
                place.activity.add(t, decay_s);
            }
        }
        if fresh {
            state.activity.add(t, decay_s);
        }
    }

    /// A change of one alert that says nothing but its kind.
    pub(crate) fn note(
        &mut self,
        incident: IncidentId,
        alert: AlertId,
        text: &str,
        from: &str,
        to: &str,
        fold: &mut Fold<'_>,
    ) {
        let what = What::new(ChangeKind::Note).alert(alert).from(from).to(to);
        self.change(
            incident,
            what,
            vec![Evidence::new(EvidenceKind::Resolved, 1.0, text)],
            fold,
        );
    }
}

impl State {
    /// Counts an event of a member.
    fn count(&mut self, alert: AlertId, t: Time) {
        self.events += 1;
        self.last_event_at = self.last_event_at.max(t);
        self.first_event_at = self.first_event_at.min(t);
        if let Some(member) = self.members.get_mut(&alert) {
            member.count += 1;
            member.last_at = member.last_at.max(t);
            member.first_at = member.first_at.min(t);
        }
    }

    /// Whether a member fires, is stale or recovered, in a word. Beyond the listed ones only firing ones are spoken of.
    fn state_word(&self, id: AlertId) -> &'static str {
        match self.members.get(&id) {
            Some(member) if member.stale => "stale",
            Some(member) if !member.firing => "resolved",
            _ => "firing",
        }
    }

    /// Sets whether a listed member fires, and the count with it; says whether that changed.
    pub(crate) fn set_firing(&mut self, id: AlertId, firing: bool) -> bool {
        let Some(member) = self.members.get_mut(&id) else {
            return false;
        };
        if std::mem::take(&mut member.stale) {
            self.stale = self.stale.saturating_sub(1);
        }
        if member.firing == firing {
            return false;
        }
        member.firing = firing;
        member.passed_on = member.passed_on.filter(|_| firing);
        self.firing = if firing {
            self.firing + 1
        } else {
            self.firing.saturating_sub(1)
        };
        true
    }

    /// A member fires no more; beyond the listed ones only their number is known.
    pub(crate) fn stop_firing(&mut self, id: AlertId) {
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
    pub(crate) fn of(alert: &Alert, merge: &Merge) -> Face {
        Face {
            text: if merge.text.is_some() {
                alert.text.clone().into()
            } else {
                Scarce::default()
            },
            labels: alert.merged_labels(merge).into(),
            dedup_key: alert.dedup_key.clone(),
            title: alert.title.clone(),
            service: alert.service.clone(),
            host: alert.host.clone(),
            entity: alert.spot.entity.clone(),
            rarity: alert.rarity,
            season: alert.season.clone(),
        }
    }
}
