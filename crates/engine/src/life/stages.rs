//! The life of an incident: how bad it is, when it is over, when it begins again, when it is forgotten.

use model::{
    AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, PageState, Severity, Span, Time,
};

use crate::{
    engine::{Engine, Timer, What},
    fold::Fold,
    grouping::{open::day_of, pending::Pending, verdict::Verdict},
    many::many,
    settings::secs,
    state::incident::State,
};

impl Engine {
    /// The alert that opened an incident fires again after its end.
    pub(crate) fn relapse(&mut self, id: IncidentId, p: &Pending, verdict: &Verdict, fold: &mut Fold<'_>) {
        let system = self.waiting(p.alert).spot.system.clone();
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
        }
        // What was told of it, be it with another's page, is over.
        state.paged_severity = None;
        state.told_of_less.clear();
        state.told_with = None;
        state.over_at = None;
        self.open.insert(id);
        let what = What::new(ChangeKind::Reopened)
            .alert(p.alert)
            .event(&p.event_id)
            .from("resolved")
            .to("open");
        self.change(id, what, verdict.because.clone(), fold);
        self.watch_all(id, fold);
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
        let before = state.severity;
        state.note_relief(severity, fold);
        if severity >= before || state.revision == 0 {
            state.milder_since = None;
        }
        if severity < before && state.revision > 0 {
            // What dances around a threshold is as bad as its worst; it is called milder when that lasts.
            let since = *state.milder_since.get_or_insert(fold.time);
            let at = since + secs(fold.settings.life.deescalate_s);
            if fold.time < at {
                return self.wake_at(id, at, fold);
            }
            state.milder_since = None;
        }
        state.severity = severity;
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
        let mut at = if state.firing == 0 {
            state.touched_at + secs(fold.settings.life.resolve_quiet_s)
        } else {
            state.heard() + secs(fold.settings.life.stale_s)
        };
        let quiet = state.touched_at + secs(fold.settings.life.resolve_quiet_s);
        if quiet > fold.time && !self.history.knows(id) {
            at = at.min(quiet);
        }
        if state.background {
            at = at.max(day_of(state.begun) + Span::from_hours(24));
        }
        if !state.background && state.firing > 0 {
            // What is heard until then moves the pause at which it is too old.
            let limit = state.opened_at + secs(fold.settings.life.age_max_s);
            at = at.min(if fold.time < limit {
                limit
            } else {
                old_at(state, fold)
            });
        }
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
        let today = state.background && fold.time < day_of(state.begun) + Span::from_hours(24);
        let (over, stale) = (
            !today && state.firing == 0 && quiet >= secs(fold.settings.life.resolve_quiet_s),
            !today && fold.time.since(state.heard()) >= secs(fold.settings.life.stale_s),
        );
        let old = fold.time >= old_at(state, fold);
        let (firing, background) = (state.firing, state.background);
        if over && !stale && self.wait_for_return(id, fold) {
            return;
        }
        if over || stale {
            self.end(id, !over, fold);
            self.forget_or_wait(id, fold);
        } else if old && firing > 0 && !background {
            self.succeed(id, fold);
            self.forget_or_wait(id, fold);
        } else {
            if quiet >= secs(fold.settings.life.resolve_quiet_s) {
                self.remember(id, fold);
            }
            self.look_snoozed(id, fold);
            self.look_recovering(id, fold);
            self.roll_up(id, fold);
            self.judge_page(id, fold);
            self.wake_for_end(id, fold);
        }
    }

    /// Ends an incident because all of it ended, or went silent.
    fn end(&mut self, id: IncidentId, stale: bool, fold: &mut Fold<'_>) {
        let state = self.incidents.get(&id).expect("looked up by the caller");
        let silent = state.firing + state.stale;
        let quiet = fold
            .time
            .since(if stale { state.heard() } else { state.touched_at });
        let because = if silent > 0 {
            let text = format!(
                "{} went silent for {quiet} without a recovery; stale, not recovered",
                many(silent, "alert")
            );
            vec![Evidence::new(EvidenceKind::Quiet, quiet.as_secs_f64(), text)]
        } else {
            let elsewhere = self.fire_elsewhere(id);
            let ended = match (elsewhere, state.alerts) {
                (1.., n) => format!("{elsewhere} of its {n} alerts count elsewhere by now, the others ended"),
                (0, 1) => "its alert ended".to_owned(),
                (0, n) => format!("all {n} alerts ended"),
            };
            vec![
                Evidence::new(EvidenceKind::Resolved, state.alerts as f64, ended),
                Evidence::new(
                    EvidenceKind::Quiet,
                    quiet.as_secs_f64(),
                    format!("quiet for {quiet}"),
                ),
            ]
        };
        if stale {
            self.count_silence(id);
        }
        self.finish(id, What::new(ChangeKind::Resolved), because, fold);
    }

    /// How many members fire still, but in no incident or in another one: what left as a habit has not recovered.
    fn fire_elsewhere(&self, id: IncidentId) -> usize {
        let Some(state) = self.incidents.get(&id) else {
            return 0;
        };
        let members = state.members.keys().filter_map(|alert| self.alerts.get(alert));
        members
            .filter(|alert| alert.firing() && alert.incident != Some(id))
            .count()
    }

    /// An incident is over: `what` says by whom.
    pub(crate) fn finish(&mut self, id: IncidentId, what: What, because: Vec<Evidence>, fold: &mut Fold<'_>) {
        self.say_coalesced(id, fold);
        let why = because.first().cloned();
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let from = state.status;
        state.status = IncidentStatus::Resolved;
        state.returning = false;
        state.resolved_at = Some(fold.time);
        state.snoozed_until = None;
        state.storm = false;
        state.ended.get_or_insert(state.last_event_at);
        let worst = state.members.values().map(|m| m.severity).max();
        state.severity = worst.unwrap_or(state.severity);
        self.open.remove(&id);
        self.hold_failed(id, fold);
        let what = what.from(crate::life::record::status_word(from)).to("resolved");
        self.change(id, what, because, fold);
        self.remember(id, fold);
        if let Some(why) = why {
            self.close_page(id, &why, fold);
        }
        self.watch_all(id, fold);
        self.wake_at(id, fold.time, fold);
    }

    /// Nobody said when the alerts that still fire ended.
    fn count_silence(&mut self, id: IncidentId) {
        let firing = self.incidents.get(&id).map(|state| state.members.iter());
        let silent: Vec<AlertId> = firing
            .into_iter()
            .flatten()
            .filter(|(_, member)| member.firing)
            .map(|(alert, _)| *alert)
            .collect();
        for alert in silent {
            self.count_ending(alert, None);
        }
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
        self.forget_incident(id, fold);
    }

    /// Forgets an incident that is over, and with it what was remembered for its sake.
    pub(crate) fn forget_incident(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        if let Some(at) = state.wake {
            self.timers.remove(&(at, Timer::Incident(id)));
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

impl State {
    /// What was paged for is over once it has been milder for as long as an incident must be quiet to be over: when it gets
    /// worse again, that is paged for anew.
    fn note_relief(&mut self, severity: Severity, fold: &Fold<'_>) {
        let worse_again = severity > self.severity;
        if let Some(since) = self.relieved_since
            && worse_again
            && fold.time.since(since) >= secs(fold.settings.life.resolve_quiet_s)
        {
            self.paged_severity = self.paged_severity.min(Some(self.severity));
            self.told_of_less.clear();
        }
        let is_relieved = self.paged_severity.is_some_and(|paged| severity < paged);
        self.relieved_since = is_relieved.then(|| self.relieved_since.unwrap_or(fold.time));
    }
}

/// How many times `age_max_s` an incident that never pauses may last.
const AGE_HARD: i64 = 7;

/// When an incident is too old: after the age limit at its first pause, for to cut through what burns would only tear it in
/// two; at the latest after seven times the limit. One that was silent before the limit goes on in no other: it ends when
/// its silence has lasted.
fn old_at(state: &State, fold: &Fold<'_>) -> Time {
    let limit = secs(fold.settings.life.age_max_s);
    let pause = state.touched_at + secs(fold.settings.life.resolve_quiet_s);
    let hard = state.opened_at + limit * AGE_HARD;
    if pause < state.opened_at + limit {
        hard
    } else {
        pause.min(hard)
    }
}
