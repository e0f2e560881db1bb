//! What people and paging systems say of an incident: somebody has it, puts it off, gives it back, or ends it.
//!
//! They name it by its id (label `incident_id`, or as the key under which they were paged: `incident_key`, the dedup
//! key), or by the dedup key of one of its alerts. An event that names an incident of ours by id is about that incident,
//! whatever its kind: a paging system that echoes our own page is no alert.

use model::{
    AlertId, ChangeKind, Event, EventKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, Status, Time,
};

use crate::{
    engine::{Engine, What},
    fold::Fold,
};

/// Minutes that something is put off for where nobody says how long.
const SNOOZE_MINS: i64 = 60;

impl Engine {
    /// The incident of ours that an event names by its id.
    pub(crate) fn named(&self, event: &Event) -> Option<IncidentId> {
        ["incident_id", "incident_key"]
            .iter()
            .filter_map(|label| event.labels.get(label))
            .chain([event.dedup_key.as_str()])
            .filter_map(|id| id.parse::<IncidentId>().ok())
            .find(|id| self.incidents.get(id).is_some())
            .map(|id| self.follow(id))
    }

    /// Somebody says something of an incident.
    pub(crate) fn take(&mut self, event: &Event, fold: &mut Fold<'_>) {
        let by_alert = || {
            self.alerts
                .get(&AlertId::new(&self.domain, &event.dedup_key))
                .and_then(|alert| alert.incident)
                .map(|id| self.follow(id))
        };
        let Some(id) = self.named(event).or_else(by_alert) else {
            return;
        };
        if !self.incidents.get(&id).is_some_and(|state| state.is_open()) {
            return;
        }
        let who = event.labels.get("actor").unwrap_or(&event.source).to_owned();
        match (event.labels.get("action"), event.kind, event.status) {
            (Some("snooze"), ..) => {
                let default = fold.time + model::Span::from_mins(SNOOZE_MINS);
                self.snooze(id, event, &who, event.ends_at.unwrap_or(default), fold);
            }
            (Some("unacknowledge" | "unsnooze"), ..) => {
                self.give_back(id, event, &who, format!("{who} gave it back"), fold);
            }
            (Some("resolve"), ..) | (None, EventKind::Alert, Status::Resolved) => {
                let text = format!("{who} says it is over");
                let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, text)];
                let what = What::new(ChangeKind::Resolved).event(&event.event_id).actor(who);
                let state = self.incidents.get_mut(&id).expect("looked up above");
                state.over_at = Some(event.ts);
                state.ended = Some(state.ended.map_or(event.ts, |ended| ended.max(event.ts)));
                self.finish(id, what, because, fold);
            }
            (Some("acknowledge"), ..) | (_, EventKind::Ack, _) => self.acknowledge(id, event, &who, fold),
            // An echo of our own page.
            _ => {}
        }
    }

    fn acknowledge(&mut self, id: IncidentId, event: &Event, who: &str, fold: &mut Fold<'_>) {
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let from = crate::record::status_word(state.status);
        state.status = IncidentStatus::Acknowledged;
        state.acknowledged_by = Some(who.into());
        state.acknowledged_severity = state.severity;
        state.acknowledged_team = Some(state.owner.team.clone());
        state.snoozed_until = None;
        let what = What::new(ChangeKind::Acknowledged)
            .event(&event.event_id)
            .from(from)
            .to("acknowledged")
            .actor(who);
        let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, format!("{who} took it"))];
        self.change(id, what, because, fold);
    }

    fn snooze(&mut self, id: IncidentId, event: &Event, who: &str, until: Time, fold: &mut Fold<'_>) {
        if until <= fold.time {
            return;
        }
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let from = crate::record::status_word(state.status);
        state.status = IncidentStatus::Snoozed;
        state.snoozed_until = Some(until);
        state.acknowledged_by = Some(who.into());
        state.acknowledged_severity = state.severity;
        state.acknowledged_team = Some(state.owner.team.clone());
        let what = What::new(ChangeKind::Snoozed)
            .event(&event.event_id)
            .from(from)
            .to("snoozed")
            .actor(who);
        let text = format!("{who} put it off until {until}");
        let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, text)];
        self.change(id, what, because, fold);
        self.wake_at(id, until, fold);
    }

    fn give_back(&mut self, id: IncidentId, event: &Event, who: &str, text: String, fold: &mut Fold<'_>) {
        let what = What::new(ChangeKind::Note).event(&event.event_id).actor(who);
        let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, text)];
        self.reopen_for_all(id, what, because, fold);
    }

    /// Nobody has it any more: it is open, and rings again if it is worth that.
    fn reopen_for_all(&mut self, id: IncidentId, what: What, because: Vec<Evidence>, fold: &mut Fold<'_>) {
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        if state.status == IncidentStatus::Open {
            return;
        }
        let from = crate::record::status_word(state.status);
        state.status = IncidentStatus::Open;
        state.acknowledged_by = None;
        state.snoozed_until = None;
        state.given_back = true;
        self.change(id, what.from(from).to("open"), because, fold);
        self.judge_page(id, fold);
    }

    /// The snooze of an incident may be over.
    pub(crate) fn look_snoozed(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(until) = self.incidents.get(&id).and_then(|state| state.snoozed_until) else {
            return;
        };
        if until > fold.time {
            return self.wake_at(id, until, fold);
        }
        let because = vec![Evidence::new(
            EvidenceKind::Quiet,
            0.0,
            "the time it was put off for is over",
        )];
        self.reopen_for_all(id, What::new(ChangeKind::Note), because, fold);
    }
}
