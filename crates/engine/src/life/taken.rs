//! What people and paging systems say of an incident: somebody has it, puts it off, gives it back, or ends it.
//!
//! They name it by its id (label `incident_id`, or as the key under which they were paged: `incident_key`, the dedup
//! key with or without the sender's name before it), or by the dedup key of one of its alerts. An event that names an
//! incident of ours by id is about that incident, whatever its kind: a paging system that echoes our own page is no alert.
//! What was done is said by label `action`, or by a paging system's own word for it.

use std::collections::VecDeque;

use model::{
    AlertId, ChangeKind, Event, EventKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, Status, Time,
};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    grouping::pending::Pending,
    settings::secs,
    state::{ahead, alert::Alert},
};

/// Minutes that something is put off for where nobody says how long.
const SNOOZE_MINS: i64 = 60;

/// Words about one waiting alert that are kept until it is settled.
const SAID_MAX: usize = 8;

/// What somebody did with an incident.
enum Deed {
    Acknowledge,
    GiveBack,
    Snooze,
    Resolve,
}

impl Deed {
    /// By the word for it, ours or that of a paging system (PagerDuty's `incident.unacknowledged`, Opsgenie's
    /// `UnAcknowledge`); without a word that is known, by what the event is.
    fn of(event: &Event) -> Option<Deed> {
        let said = ["action", "event_type"]
            .iter()
            .find_map(|label| event.labels.get(label));
        let word = said.and_then(|said| said.rsplit('.').next()).unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "snooze" | "snoozed" => Some(Deed::Snooze),
            "unacknowledge" | "unacknowledged" | "unsnooze" | "snoozeended" => Some(Deed::GiveBack),
            "resolve" | "resolved" | "close" | "closed" => Some(Deed::Resolve),
            "acknowledge" | "acknowledged" => Some(Deed::Acknowledge),
            _ if event.kind == EventKind::Ack => Some(Deed::Acknowledge),
            _ if event.kind == EventKind::Alert && event.status == Status::Resolved => Some(Deed::Resolve),
            _ => None,
        }
    }
}

impl Engine {
    /// The incident of ours that an event names by its id, be it only announced so far.
    pub(crate) fn named(&self, event: &Event) -> Option<IncidentId> {
        let colon = event.dedup_key.bytes().rposition(|b| b == b':');
        let key = &event.dedup_key[colon.map_or(0, |at| at + 1)..];
        ["incident_id", "incident_key"]
            .iter()
            .filter_map(|label| event.labels.get(label))
            .chain([key])
            .filter_map(|id| id.parse::<IncidentId>().ok())
            .map(|id| self.follow(id))
            .find(|id| self.incidents.get(id).is_some() || self.tentative.get(id).is_some())
    }

    /// Somebody says something of an incident.
    pub(crate) fn take(&mut self, event: &Event, fold: &mut Fold<'_>) {
        // An echo of our own page is no word: it neither waits nor comes after one.
        if Deed::of(event).is_none() {
            return;
        }
        let named = self.named(event);
        let alert = AlertId::new(&self.domain, &event.dedup_key);
        let by_alert = || self.alerts.get(&alert)?.incident.map(|id| self.follow(id));
        match named.or_else(by_alert) {
            Some(id) if self.incidents.get(&id).is_some() => self.take_of(id, event, fold),
            // It has no place yet: what was said is done as soon as it has one, before anybody is paged.
            announced => {
                let means = |p: &Pending| p.alert == alert || announced.is_some() && p.announced == announced;
                let waits = |number: &u64| self.pending.get(number).is_some_and(means);
                if let Some(number) = self.order.keys().copied().find(waits)
                    && let Some(pending) = self.pending.get_mut(&number)
                    && pending.said.len() < SAID_MAX
                {
                    pending.said.push(event.clone());
                } else if named.is_none() && event.kind == EventKind::Ack {
                    self.say_ahead(alert, event, fold);
                }
            }
        }
    }

    /// Somebody says something of an alert that does not fire: it may have overtaken it, so it is kept for the lateness.
    fn say_ahead(&mut self, alert: AlertId, event: &Event, fold: &Fold<'_>) {
        if event.dedup_key.is_empty() || self.alerts.get(&alert).is_some_and(Alert::firing) {
            return;
        }
        let until = fold.time + secs(fold.settings.life.lateness_s);
        let lost = ahead::keep(&mut self.meta.said_ahead, until, ahead::deed(event));
        self.meta.books.ahead_lost += lost;
    }

    /// What was said of an alert, observed at `t`, before it came. What was said before it began is no word on it.
    pub(crate) fn said_ahead(&mut self, id: AlertId, t: Time, fold: &Fold<'_>) -> Vec<Event> {
        if self.meta.said_ahead.is_empty() {
            return Vec::new();
        }
        let (mut said, mut kept) = (Vec::new(), VecDeque::new());
        for (until, event) in std::mem::take(&mut self.meta.said_ahead) {
            let of_it = AlertId::new(&self.domain, &event.dedup_key) == id && event.ts >= t;
            match of_it && until >= fold.time {
                true => said.push(event),
                false => kept.push_back((until, event)),
            }
        }
        self.meta.books.ahead_lost += said.len().saturating_sub(SAID_MAX) as u64;
        said.truncate(SAID_MAX);
        self.meta.said_ahead = kept;
        said
    }

    /// An alert has its place: what was said of it before is done there. Only the last word of each source: nobody is rung for
    /// what was given back and taken again.
    pub(crate) fn take_ahead(&mut self, id: IncidentId, p: &Pending, fold: &mut Fold<'_>) {
        for (at, event) in p.said.iter().enumerate() {
            let mut later = p.said.iter().skip(at + 1);
            if !later.any(|other| other.source == event.source && other.ts >= event.ts) {
                self.take_of(id, event, fold);
            }
        }
    }

    fn take_of(&mut self, id: IncidentId, event: &Event, fold: &mut Fold<'_>) {
        if !self.incidents.get(&id).is_some_and(|state| state.is_open()) {
            return;
        }
        let who = event.labels.get("actor").unwrap_or(&event.source).to_owned();
        let Some(deed) = Deed::of(event).filter(|deed| self.is_newest_word(id, deed, event, fold)) else {
            return;
        };
        match deed {
            Deed::Snooze => {
                let default = fold.time + model::Span::from_mins(SNOOZE_MINS);
                self.snooze(id, event, &who, event.ends_at.unwrap_or(default), fold);
            }
            Deed::GiveBack => {
                self.give_back(id, event, &who, format!("{who} gave it back"), fold);
            }
            Deed::Resolve => {
                let text = format!("{who} says it is over");
                let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, text)];
                let what = What::new(ChangeKind::Resolved).event(&event.event_id).actor(who);
                let state = self.incidents.get_mut(&id).expect("looked up above");
                state.over_at = Some(event.ts);
                state.ended = Some(state.ended.map_or(event.ts, |ended| ended.max(event.ts)));
                self.finish(id, what, because, fold);
            }
            Deed::Acknowledge => self.acknowledge(id, event, &who, fold),
        }
    }

    /// Whether a source said nothing later of an incident: its words may overtake each other, for the lateness. Clocks of two
    /// sources are not compared, and one that is ahead does not outlive the word: what is said of times to come is said now,
    /// and what was given back longer ago than words overtake each other is believed, for then it rings.
    fn is_newest_word(&mut self, id: IncidentId, deed: &Deed, event: &Event, fold: &Fold<'_>) -> bool {
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let overtaken = state.word.as_deref().is_some_and(|(source, at)| {
            let late = at.since(event.ts) > secs(fold.settings.life.lateness_s);
            *source == event.source && event.ts < *at && !(late && matches!(deed, Deed::GiveBack))
        });
        if !overtaken {
            state.word = Some(Box::new((event.source.clone(), event.ts.min(fold.time))));
        }
        !overtaken
    }

    /// Somebody takes it: until it ends, or until when they say. Where `acknowledged` is the state of an alert, its end is
    /// that of the alert.
    fn acknowledge(&mut self, id: IncidentId, event: &Event, who: &str, fold: &mut Fold<'_>) {
        let until = event.ends_at.filter(|_| event.status == Status::Info);
        if until.is_some_and(|until| until <= fold.time) {
            return;
        }
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let from = crate::life::record::status_word(state.status);
        state.status = IncidentStatus::Acknowledged;
        state.acknowledged_by = Some(who.into());
        state.acknowledged_severity = state.severity;
        state.acknowledged_team = Some(state.owner.team.clone());
        state.snoozed_until = until;
        let what = What::new(ChangeKind::Acknowledged)
            .event(&event.event_id)
            .from(from)
            .to("acknowledged")
            .actor(who);
        let text = match until {
            Some(until) => format!("{who} took it until {until}"),
            None => format!("{who} took it"),
        };
        let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, text)];
        self.change(id, what, because, fold);
        if let Some(until) = until {
            self.wake_at(id, until, fold);
        }
    }

    fn snooze(&mut self, id: IncidentId, event: &Event, who: &str, until: Time, fold: &mut Fold<'_>) {
        if until <= fold.time {
            return;
        }
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let from = crate::life::record::status_word(state.status);
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
        let from = crate::life::record::status_word(state.status);
        state.status = IncidentStatus::Open;
        state.acknowledged_by = None;
        state.snoozed_until = None;
        state.given_back = true;
        self.change(id, what.from(from).to("open"), because, fold);
        self.judge_page(id, fold);
    }

    /// The time for which somebody took an incident, or put it off, may be over.
    pub(crate) fn look_snoozed(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let Some(until) = state.snoozed_until else {
            return;
        };
        if until > fold.time {
            return self.wake_at(id, until, fold);
        }
        let because = vec![Evidence::new(
            EvidenceKind::Quiet,
            0.0,
            match state.status {
                IncidentStatus::Snoozed => "the time it was put off for is over",
                _ => "the time for which it was taken is over",
            },
        )];
        self.reopen_for_all(id, What::new(ChangeKind::Note), because, fold);
    }
}
