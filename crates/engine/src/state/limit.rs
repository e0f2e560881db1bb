//! What a domain keeps at most, and what happens there.
//!
//! Alerts and open incidents are counted in state and the limits decided here, in the fold, so a replay sheds what the
//! live worker shed. Before the limit is reached room is made by forgetting what ended longest ago. When nothing is left
//! to forget, what is mildest is shed first. A critical alert that finds no room takes that of the milder one that was
//! silent longest; where all is critical it passes by: it opens an incident and is paged for like any other, but nothing
//! is kept of it, so nothing else joins it and nobody is told of its end. Whatever is shed is counted, and said by an
//! alert of our own.

use model::{
    AlertId, ChangeKind, Event, EventKind, Evidence, EvidenceKind, IncidentId, Severity, Span, Status, Text,
    Time,
};

use crate::{
    Books, EpisodeId,
    engine::{Engine, Timer, What},
    fold::Fold,
    grouping::open::new_state,
    state::{alert::Alert, spot},
};

/// Seconds between two looks for what can be forgotten; a look costs as much as everything that is kept.
const LOOK_S: i64 = 60;
/// The share of all alerts, and the least number, that make room for critical ones at once.
const DISPLACED_SHARE: usize = 64;
/// Seconds between two times that our own alert says what was shed, and without any after which it is over.
const SAY_S: i64 = 60;
const OVER_S: i64 = 600;
/// The key of our own alert.
const OWN_KEY: &str = "stormfold/limit";

/// The room that an alert of this severity may use, in fiftieths.
fn share(severity: Severity) -> usize {
    match severity {
        Severity::Critical => 50,
        Severity::Error => 49,
        Severity::Warning => 47,
        Severity::Notice | Severity::Info | Severity::Unknown => 45,
    }
}

impl Engine {
    /// Makes room for an alert that is not known yet; gives the episode of one for which there is none.
    pub(crate) fn find_room(&mut self, event: &Event, fold: &mut Fold<'_>) -> Option<u64> {
        let limit = fold.settings.limits.alerts_max;
        let room = limit / 50 * share(event.severity) + limit % 50;
        if self.alerts.len() < room || self.alerts.get(&self.alert_of(event, fold).0).is_some() {
            return None;
        }
        self.forget_ended(room, fold);
        if self.alerts.len() < room {
            return None;
        }
        if event.status == Status::Resolved {
            return Some(self.shed(event, "a recovery of an alert that is not known", fold));
        }
        if event.severity < Severity::Critical {
            return Some(self.shed(event, "shed", fold));
        }
        self.displace(fold);
        (self.alerts.len() >= room).then(|| self.pass_by(event, limit, fold))
    }

    /// Whether an alert that nothing is live around may still open an incident.
    pub(crate) fn may_open(&self, severity: Severity, fold: &Fold<'_>) -> bool {
        severity == Severity::Critical || self.open.len() < fold.settings.limits.open_incidents_max
    }

    /// Takes an event of a domain for which there is no room; nothing outlives it but the numbers.
    pub(crate) fn refuse(&mut self, event: &Event, input: u64, fold: &mut Fold<'_>) {
        // Another domain says it.
        self.meta.limit_said = Some(fold.time);
        self.meta.books.events += 1;
        let number = if event.kind != EventKind::Alert || event.status == Status::Info {
            self.meta.books.other += 1;
            None
        } else if let Some(dropped) = self.dropped(event, fold) {
            Some(dropped)
        } else if event.status == Status::Firing && event.severity == Severity::Critical {
            Some(self.pass_by(event, fold.settings.limits.domains_max, fold))
        } else {
            self.meta.books.shed += 1;
            self.meta.episodes += 1;
            let max = fold.settings.limits.domains_max;
            let reason = format!("limit: shed, {max} domains are kept already");
            self.say_episode(self.meta.episodes, None, Some(&reason), None, fold);
            Some(self.meta.episodes)
        };
        let domain = self.tag;
        fold.placed(input, number.map(|number| EpisodeId { domain, number }));
    }

    /// Our own alert says that there was no room for other domains.
    pub(crate) fn say_domains(&mut self, books: &Books, fold: &mut Fold<'_>) {
        let max = fold.settings.limits.domains_max;
        let text = || {
            format!(
                "{} events of domains beyond the {max} that a partition keeps were shed so far, {} critical ones passed by.",
                books.shed, books.passed
            )
        };
        self.say_own(text, fold);
    }

    /// Whether nothing goes on, nothing that somebody said holds, and nothing was heard since `before`.
    pub(crate) fn is_idle(&self, before: Time) -> bool {
        let waiting = self.pending.len() + self.learning.len() + self.tentative.len();
        let said = self.quiets.len() + self.bonds.len();
        self.open.is_empty() && waiting + said == 0 && self.meta.heard.is_none_or(|at| at < before)
    }

    /// Forgets every incident, of which none is open.
    pub(crate) fn forget_all(&mut self, fold: &mut Fold<'_>) {
        for id in self.incidents.keys() {
            self.forget_incident(id, fold);
        }
    }

    /// Counts an event that is shed, and says so.
    fn shed(&mut self, event: &Event, what: &str, fold: &mut Fold<'_>) -> u64 {
        self.meta.books.shed += 1;
        self.meta.episodes += 1;
        let number = self.meta.episodes;
        let limit = fold.settings.limits.alerts_max;
        let reason = format!("limit: {what}, {limit} alerts are kept already");
        self.say_episode(number, None, Some(&reason), None, fold);
        self.say_limit(event.severity, fold);
        number
    }

    /// Forgets alerts that ended and are in no open incident, the longest silent first.
    fn forget_ended(&mut self, room: usize, fold: &Fold<'_>) {
        if self
            .meta
            .looked
            .is_some_and(|at| fold.time.since(at) < Span::from_secs(LOOK_S))
        {
            return;
        }
        self.meta.looked = Some(fold.time);
        let mut ended = self.alerts.select(|_, alert| {
            let open = |id: IncidentId| self.open.contains(&id);
            (alert.unsettled == 0
                && !(alert.firing() && alert.muted.is_none())
                && !alert.incident.is_some_and(open))
            .then_some(alert.heard_at)
        });
        ended.sort_unstable();
        // Enough for the next minute too.
        let surplus = (self.alerts.len() + 1).saturating_sub(room) + room / 16;
        for (_, id) in ended.into_iter().take(surplus) {
            self.drop_alert(id);
        }
    }

    /// Critical alerts take the room of the mildest that were silent longest.
    fn displace(&mut self, fold: &mut Fold<'_>) {
        let mut milder = self.alerts.select(|_, alert| {
            (alert.unsettled == 0 && alert.severity < Severity::Critical)
                .then_some((alert.severity, alert.heard_at))
        });
        milder.sort_unstable();
        let most = (self.alerts.len() / DISPLACED_SHARE).max(1);
        for (_, id) in milder.into_iter().take(most) {
            self.meta.books.displaced += 1;
            if let Some((incident, episode)) = self
                .alerts
                .get(&id)
                .and_then(|alert| Some((alert.incident?, alert.episode)))
                && let Some(state) = self.incidents.get_mut(&incident).filter(|state| state.is_open())
            {
                state.unsuppress(id);
                state.held.remove(&id);
                state.stop_firing(id);
                let text = "it makes room for a critical alert; what becomes of it is not followed any more";
                let because = vec![Evidence::new(
                    EvidenceKind::Limit,
                    fold.settings.limits.alerts_max as f64,
                    text,
                )];
                self.say_episode(episode, Some(incident), None, None, fold);
                self.change(incident, What::new(ChangeKind::Left).alert(id), because, fold);
                self.roll_up(incident, fold);
                self.wake_for_end(incident, fold);
            }
            self.drop_alert(id);
        }
        self.say_limit(Severity::Critical, fold);
    }

    /// Forgets an alert whatever refers to it.
    fn drop_alert(&mut self, id: AlertId) {
        let Some(alert) = self.alerts.remove(&id) else {
            return;
        };
        if let Some(due) = alert.flap.due {
            self.timers.remove(&(due, Timer::Flap(id)));
        }
        if let Some(due) = alert.unmatched_until {
            self.timers.remove(&(due, Timer::Unmatched(id)));
        }
        self.firing.forget(id);
    }

    /// Opens an incident for a critical alert of which nothing can be kept.
    fn pass_by(&mut self, event: &Event, limit: usize, fold: &mut Fold<'_>) -> u64 {
        self.meta.books.passed += 1;
        self.meta.episodes += 1;
        let number = self.meta.episodes;
        let alert_id = AlertId::new(&self.domain, &event.dedup_key);
        let alert = Alert::new(event, spot::locate_then(event, fold), fold.time);
        let text = "no room is left to keep it: nothing joins it, and nobody is told of its end";
        let because = vec![Evidence::new(EvidenceKind::Limit, limit as f64, text)];
        // Each of its events passes by itself, so each has an id of its own.
        let id = IncidentId::new(
            &self.domain,
            &event.dedup_key,
            alert.onset,
            u32::MAX - self.meta.books.passed as u32,
        );
        let mut state = new_state(&alert, alert_id, event.ts, fold);
        state.because.clone_from(&because);
        state.passed = true;
        let member = crate::lineage::unlisted(&alert, fold);
        state.take_in(alert_id, Box::new(member), &alert, fold);
        self.alerts.insert(alert_id, alert);
        self.incidents.insert(id, state);
        self.say_episode(number, Some(id), None, None, fold);
        self.change(
            id,
            What::new(ChangeKind::Opened)
                .alert(alert_id)
                .event(&event.event_id),
            because,
            fold,
        );
        self.assess(id, fold);
        self.page(id, None, event.severity, "it is critical".to_owned(), fold);
        self.publish_urgent(fold);
        if fold.settings.last_records_only
            && let Some(last) = self.record(id, fold)
        {
            fold.out.push(crate::Output::Incident(Box::new(last)));
        }
        if let Some(state) = self.incidents.remove(&id) {
            for (at, timer) in [
                (state.wake, Timer::Incident(id)),
                (state.publish_at, Timer::Publish(id)),
            ] {
                if let Some(at) = at {
                    self.timers.remove(&(at, timer));
                }
            }
        }
        self.alerts.remove(&alert_id);
        self.meta.books.incidents += 1;
        self.say_limit(Severity::Critical, fold);
        number
    }

    /// Our own alert says that a limit was reached.
    pub(crate) fn say_limit(&mut self, severity: Severity, fold: &mut Fold<'_>) {
        let books = self.meta.books;
        let (alerts, open) = (self.alerts.len(), self.open.len());
        let text = || {
            format!(
                "{} events were shed so far, {} alerts displaced, {} critical ones passed by; the last one was {severity}. \
                 {} things were forgotten before their time, {} events passed a threshold uncounted. \
                 {} events that overtook what they are about were not kept. \
                 {alerts} alerts are kept, {open} incidents open.",
                books.shed,
                books.displaced,
                books.passed,
                books.forgotten_early,
                books.uncounted,
                books.ahead_lost,
            )
        };
        self.say_own(text, fold);
    }

    /// Our own alert fires, at most once a minute while what it tells of lasts.
    fn say_own(&mut self, text: impl FnOnce() -> String, fold: &mut Fold<'_>) {
        let last = self.meta.limit_said;
        if self.meta.limit_at.replace(fold.time).is_none() {
            let due = fold.time + Span::from_secs(OVER_S);
            self.timers.insert((due, Timer::Limit));
        }
        if last.is_some_and(|at| fold.time.since(at) < Span::from_secs(SAY_S)) {
            return;
        }
        self.meta.limit_said = Some(fold.time);
        let own = self.own_event(Status::Firing, text(), fold.time);
        self.meta.books.events += 1;
        self.arrive(&own, fold);
    }

    /// Nothing was shed for a while: our own alert is over.
    pub(crate) fn look_limit(&mut self, fold: &mut Fold<'_>) {
        let Some(last) = self.meta.limit_at else { return };
        let due = last + Span::from_secs(OVER_S);
        if due > fold.time {
            self.timers.insert((due, Timer::Limit));
            return;
        }
        (self.meta.limit_at, self.meta.limit_said) = (None, None);
        let own = self.own_event(Status::Resolved, "nothing is shed any more".to_owned(), fold.time);
        self.meta.books.events += 1;
        self.arrive(&own, fold);
    }

    /// When our own alert is looked at again, from the counters.
    pub(crate) fn limit_due(&self) -> Option<Time> {
        Some(self.meta.limit_at? + Span::from_secs(OVER_S))
    }

    fn own_event(&self, status: Status, text: String, at: Time) -> Event {
        Event {
            event_id: compact_str::format_compact!("{OWN_KEY}/{}", at.nanos()),
            source: Text::const_new("stormfold"),
            dedup_key: Text::const_new(OWN_KEY),
            severity: Severity::Error,
            title: Text::const_new("A limit is reached, alerts are shed"),
            text: text.into(),
            ..Event::bare(status, at)
        }
    }

    /// Once a day what was not heard for `alert_memory_days` is forgotten, with what was learned of its like.
    pub(crate) fn sweep(&mut self, fold: &Fold<'_>) {
        let day = Span::from_hours(24);
        if self.meta.swept.is_some_and(|at| fold.time.since(at) < day) {
            return;
        }
        let first = self.meta.swept.replace(fold.time).is_none();
        if first {
            return;
        }
        let oldest = fold.time - day * i64::from(fold.settings.limits.alert_memory_days);
        let old = |at: Time| at < oldest;
        let alerts = self.alerts.select(|_, alert| {
            let open = |id: IncidentId| self.open.contains(&id);
            (old(alert.heard_at) && alert.unsettled == 0 && !alert.incident.is_some_and(open)).then_some(())
        });
        for (_, id) in alerts {
            self.drop_alert(id);
        }
        let systems = self.systems.select(|_, system| {
            let idle =
                system.live.is_empty() && system.tentative.is_empty() && system.again + system.new == 0;
            (idle && system.ring.back().is_none_or(|fresh| old(fresh.t))).then_some(())
        });
        for (_, key) in systems {
            self.systems.remove(&key);
        }
        for (_, key) in self
            .places
            .select(|_, place| place.near.back().is_none_or(|(t, _)| old(*t)).then_some(()))
        {
            self.places.remove(&key);
        }
        for (_, key) in self
            .classes
            .select(|_, habit| habit.judged.is_none_or(old).then_some(()))
        {
            self.classes.remove(&key);
        }
        self.forget_tallies(fold);
        self.forget_kin(oldest);
        self.forget_together(oldest);
    }
}
