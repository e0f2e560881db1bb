//! A recovery that nobody's firing answers to: without a key of its own it may mean an alert of other words.
//!
//! Asked is only what fires in the same place by the same tool, of that what began there last, and only what would have
//! this recovery's key but for its title, so nothing that the sender calls by a key of its own. If it could mean several
//! alerts it is taken for none.

use std::collections::VecDeque;

use model::{AlertId, Event, Status, dedup_key, ends_by_words};

use crate::{
    engine::{Engine, Timer},
    fold::Fold,
    settings::secs,
    state::{alert::Alert, spot},
};

/// Recoveries whose firings may still come, of a domain.
const AHEAD_MAX: usize = 64;

impl Engine {
    /// The alert that an event is of: the one of its key, or the one that a recovery without a firing means by its words.
    pub(crate) fn alert_of(&self, event: &Event, fold: &Fold<'_>) -> AlertId {
        let id = AlertId::new(&self.domain, &event.dedup_key);
        let fired = self.alerts.get(&id).is_some_and(|alert| alert.count > 0);
        if fired || event.status != Status::Resolved {
            return id;
        }
        self.meant(event, fold).unwrap_or(id)
    }

    fn meant(&self, event: &Event, fold: &Fold<'_>) -> Option<AlertId> {
        let spot = spot::locate_then(event, fold);
        let mut candidates: Vec<AlertId> = self
            .place_keys(&spot)
            .iter()
            .filter_map(|key| self.places.get(key))
            .flat_map(|place| place.near.iter().map(|(_, id)| *id))
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.retain(|id| {
            let alert = self.alerts.get(id);
            alert.is_some_and(|alert| alert.firing() && means(event, alert))
        });
        match candidates[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// A recovery without a firing: what it means by its words may still come.
    pub(crate) fn keep_recovery(&mut self, event: &Event, fold: &Fold<'_>) {
        if dedup_key(event) != event.dedup_key {
            return;
        }
        let until = fold.time + secs(fold.settings.life.lateness_s);
        let ahead = &mut self.meta.recovered_ahead;
        while ahead.len() >= AHEAD_MAX || ahead.front().is_some_and(|(until, _)| *until < fold.time) {
            ahead.pop_front();
        }
        ahead.push_back((until, event.clone()));
    }

    /// The recovery that overtook the alert which it means by its words, if one did.
    pub(crate) fn overtaken_by(&mut self, id: AlertId, fold: &Fold<'_>) -> Option<Event> {
        if self.meta.recovered_ahead.is_empty() {
            return None;
        }
        let alert = self.alerts.get(&id).filter(|alert| alert.firing())?;
        let ahead: &VecDeque<_> = &self.meta.recovered_ahead;
        let meant = |(until, event): &(_, Event)| *until >= fold.time && means(event, alert);
        let at = ahead.iter().position(meant)?;
        let (_, recovery) = self.meta.recovered_ahead.remove(at)?;
        // It was kept as that of an alert of its own, and is none.
        let own = AlertId::new(&self.domain, &recovery.dedup_key);
        let unmatched = self.alerts.get(&own).filter(|alert| alert.count == 0);
        if let Some(due) = unmatched.and_then(|alert| alert.unmatched_until) {
            self.timers.remove(&(due, Timer::Unmatched(own)));
            self.alerts.remove(&own);
            self.meta.books.resolved -= 1;
        }
        Some(recovery)
    }
}

/// Whether a recovery can be that of an alert by its words, and would have the alert's key but for them.
fn means(event: &Event, alert: &Alert) -> bool {
    let in_its_words = || Event {
        title: alert.title.clone(),
        ..event.clone()
    };
    alert.source == event.source
        && alert.state_at <= event.ts
        && ends_by_words(&alert.title, &event.title)
        && dedup_key(&in_its_words()) == alert.dedup_key
}
