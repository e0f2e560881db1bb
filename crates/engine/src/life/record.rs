//! The incident record: what holds is put into words and numbers, at once for news, else once a second.

use model::{
    Counts, Incident, IncidentId, IncidentStatus, Membership, Severity, Span, Status, SuppressedAlert, Text,
};

use crate::{
    Output,
    engine::{Engine, Timer, version},
    fold::Fold,
    noise::usual::Rarity,
    settings::secs,
    state::incident::{Member, State},
};

/// Suppressed alerts that a record lists; all are counted.
const SUPPRESSED_MAX: usize = 32;
/// Seconds within which what joined a large incident is judged at the latest.
const ASSESS_S: i64 = 10;
/// Services, entities and teams that a record lists.
const NAMES_MAX: usize = 64;

impl Engine {
    /// Marks a record as due within a second of stream time.
    pub(crate) fn publish_soon(&mut self, id: IncidentId, fold: &Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if state.publish_at.is_some() || self.urgent.contains(&id) {
            return;
        }
        let pause = match state.storm {
            true => secs(fold.settings.storm.publish_s),
            false => Span::from_secs(1),
        };
        let at = state
            .published_at
            .map_or(fold.time, |at| (at + pause).max(fold.time));
        state.publish_at = Some(at);
        self.timers.insert((at, Timer::Publish(id)));
    }

    /// Publishes what is due at the end of a step.
    pub(crate) fn publish_urgent(&mut self, fold: &mut Fold<'_>) {
        while let Some(id) = self.urgent.pop_first() {
            self.say_coalesced(id, fold);
            if self.worth_assessing(id, fold) {
                self.assess(id, fold);
            }
            if self.urgent.contains(&id) {
                // Its cause or owner changed just now; the record comes with that.
                continue;
            }
            let Some(state) = self.incidents.get_mut(&id) else {
                continue;
            };
            if let Some(at) = state.publish_at.take() {
                self.timers.remove(&(at, Timer::Publish(id)));
            }
            state.published_at = Some(fold.time);
            if state.unassessed {
                let at = fold.time + Span::from_secs(ASSESS_S);
                state.publish_at = Some(at);
                self.timers.insert((at, Timer::Publish(id)));
            }
            let news = state.revision > state.published;
            state.published = state.revision;
            if fold.settings.last_records_only || !news {
                continue;
            }
            if let Some(incident) = self.record(id, fold) {
                fold.out.push(Output::Incident(Box::new(incident)));
            }
        }
    }

    /// Whether what changed can matter for cause and owner: ranking hundreds of alerts anew for each that joins a storm
    /// would cost most and say least. Over, small, grown by an eighth, or some seconds old.
    fn worth_assessing(&self, id: IncidentId, fold: &Fold<'_>) -> bool {
        self.incidents.get(&id).is_some_and(|state| {
            let (at, alerts) = state.assessed;
            !state.is_open()
                || state.alerts <= 16
                || state.alerts >= alerts + alerts / 8
                || fold.time.since(at) >= Span::from_secs(ASSESS_S)
        })
    }

    /// The present truth about an incident.
    pub(crate) fn record(&self, id: IncidentId, fold: &Fold<'_>) -> Option<Incident> {
        let state = self.incidents.get(&id)?;
        let mut services: Vec<Text> = state
            .members
            .values()
            .filter_map(|m| m.face.service.clone())
            .collect();
        let mut entities: Vec<Text> = state
            .members
            .values()
            .map(|m| m.face.entity.clone())
            .filter(|e| !e.is_empty())
            .collect();
        for names in [&mut services, &mut entities] {
            names.sort_unstable();
            names.dedup();
            names.truncate(NAMES_MAX);
        }
        let alerts = self.representatives(state, fold.settings.limits.representatives_max);
        let mut flags: Vec<Text> = Vec::new();
        for (flag, holds) in [
            ("background", state.background),
            (
                "flapping",
                state.is_open()
                    && state.members.keys().any(|a| {
                        self.alerts
                            .get(a)
                            .is_some_and(|a| a.flap.since.is_some() && a.incident == Some(id))
                    }),
            ),
            ("late", state.late),
            ("passed_by", state.passed),
            ("reopened", state.reopened),
            ("returning", state.returning),
            ("storm", state.storm),
        ] {
            if holds {
                flags.push(Text::const_new(flag));
            }
        }
        Some(Incident {
            incident_id: id,
            revision: state.revision,
            status: state.status,
            flags,
            severity: state.severity,
            title: state.title.clone(),
            summary: summary(state) + &self.also_told(state).unwrap_or_default(),
            opened_at: state.opened_at,
            updated_at: state.updated_at,
            resolved_at: state.resolved_at,
            first_event_at: state.first_event_at,
            last_event_at: state.last_event_at,
            counts: Counts {
                alerts: state.alerts,
                firing: state.firing,
                stale: state.stale,
                resolved: state.alerts.saturating_sub(state.firing + state.stale),
                events: state.events,
                suppressed: state.suppressed.len() as u64 + state.suppressed_unlisted,
            },
            services,
            entities,
            domain: self.domain.clone(),
            context: state.context.clone(),
            causes: state.causes.clone(),
            owner: state.owner.clone(),
            also_notify: state.also_notify.clone(),
            page: state.page.clone(),
            alerts_truncated: (alerts.len() as u64) < state.alerts,
            alerts,
            suppressed: self.suppressed(state),
            changes: state.changes.clone(),
            similar: state.similar.clone(),
            rarity: state.rarity.clone(),
            links: Vec::new(),
            merged_into: state.merged_into,
            merged_from: state.merged_from.clone(),
            split_from: state.split_from,
            related: state.related.clone(),
            because: state.because.clone(),
            engine: version(fold),
        })
    }

    /// What is kept quiet, the worst first.
    fn suppressed(&self, state: &State) -> Vec<SuppressedAlert> {
        let mut all: Vec<SuppressedAlert> = state.suppressed.values().cloned().collect();
        for kept in &mut all {
            // It may have got worse since.
            if let Some(alert) = self.alerts.get(&kept.alert_id) {
                kept.severity = alert.severity;
            }
        }
        all.sort_by_key(|s| (std::cmp::Reverse(s.severity), s.since, s.alert_id));
        all.truncate(SUPPRESSED_MAX);
        all
    }

    /// Members that stand for all: the earliest of each title first, then the worst.
    fn representatives(&self, state: &State, most: usize) -> Vec<Membership> {
        let mut order: Vec<_> = state.members.iter().collect();
        order.sort_by_key(|(id, member)| (member.passive, member.first_at, **id));
        let mut titles: Vec<&str> = Vec::new();
        let mut first = Vec::new();
        let mut rest = Vec::new();
        for entry in order {
            let title = entry.1.face.title.as_str();
            if state.members.len() <= most || !titles.contains(&title) {
                titles.push(title);
                first.push(entry);
            } else {
                rest.push(entry);
            }
        }
        rest.sort_by_key(|(id, member)| (std::cmp::Reverse(member.severity), member.first_at, **id));
        first.extend(rest);
        first
            .into_iter()
            .take(most)
            .map(|(id, member)| Membership {
                alert_id: *id,
                dedup_key: member.face.dedup_key.clone(),
                title: member.face.title.clone(),
                text: (*member.face.text).clone(),
                labels: (*member.face.labels).clone(),
                service: member.face.service.clone(),
                host: member.face.host.clone(),
                rarity: member.face.rarity.map(Rarity::name),
                season: member.face.season.as_deref().copied(),
                severity: member.severity,
                stale: member.stale,
                status: if member.firing || member.stale {
                    Status::Firing
                } else {
                    Status::Resolved
                },
                first_at: member.first_at,
                last_at: member.last_at,
                count: member.count,
                rate: rate(member),
                joined_at: member.joined_at,
                parent: member.parent,
                probability: member.probability,
                because: member.because.clone(),
                runner_up: member.runner_up.as_deref().cloned(),
            })
            .collect()
    }
}

/// Events a minute, where there are several at different times.
fn rate(member: &Member) -> Option<f64> {
    let minutes = member.last_at.since(member.first_at).as_secs_f64() / 60.0;
    (minutes > 0.0 && member.count > 1).then(|| (member.count - 1) as f64 / minutes)
}

/// What, where, since when, why, in plain words.
fn summary(state: &State) -> String {
    if let Some(whole) = state.merged_into {
        return format!("Became part of {whole}.");
    }
    let mut text = format!(
        "{} {}",
        state.alerts,
        if state.alerts == 1 { "alert" } else { "alerts" }
    );
    let mut entities: Vec<&str> = state
        .members
        .values()
        .map(|m| m.face.entity.as_str())
        .filter(|e| !e.is_empty())
        .collect();
    entities.sort_unstable();
    entities.dedup();
    match entities.as_slice() {
        [] => {}
        [one] => text.push_str(&format!(" on {one}")),
        [first, second] => text.push_str(&format!(" on {first} and {second}")),
        [first, second, rest @ ..] => {
            text.push_str(&format!(" on {first}, {second} and {} more", rest.len()))
        }
    }
    text.push_str(&format!(" since {}", state.first_event_at));
    if let Some(cause) = state.causes.first() {
        text.push_str(&format!(
            "; probable cause {} ({:.0} %)",
            cause.entity,
            cause.score * 100.0
        ));
        if let Some(because) = cause.because.first() {
            text.push_str(&format!(": {}", because.text));
        }
    }
    if state.severity == Severity::Unknown {
        text.push_str("; its senders gave no severity");
    }
    text.push('.');
    text
}

/// The word of a status in a change record.
pub(crate) fn status_word(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "open",
        IncidentStatus::Acknowledged => "acknowledged",
        IncidentStatus::Snoozed => "snoozed",
        IncidentStatus::Resolved => "resolved",
        IncidentStatus::Merged => "merged",
    }
}
