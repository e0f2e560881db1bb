//! A recovery that nobody's firing answers to: without a key of its own it may mean an alert of other words.
//!
//! Asked is only what fires in the same place by the same tool, of that what began there last, and only what would have
//! this recovery's key but for its title, so nothing that the sender calls by a key of its own. If it could mean several
//! alerts it is taken for none.

use model::{AlertId, Event, Status, Time, ends_by_words, is_about_the_same, is_derived};

use crate::{
    engine::{Engine, Timer},
    fold::Fold,
    settings::secs,
    state::{ahead, alert::Alert, spot, system::NEAR_MAX},
};

/// What a recovery means by its words.
enum Meant {
    One(AlertId),
    /// Nothing that fires; it may still come.
    Nothing,
    /// It could be either of several, or of one that is not remembered to fire there.
    Unclear,
}

impl Engine {
    /// The alert that an event is of: the one of its key, or the one that a recovery without a firing means by its
    /// words; and whether it is a recovery of what may still come.
    pub(crate) fn alert_of(&self, event: &Event, fold: &Fold<'_>) -> (AlertId, bool) {
        let id = fold.alert_id(&self.domain, &event.dedup_key);
        let fired = self.alerts.get(&id).is_some_and(|alert| alert.count > 0);
        if fired || event.status != Status::Resolved {
            return (id, false);
        }
        match self.meant(event, fold) {
            Meant::One(meant) => (meant, false),
            Meant::Nothing => (id, is_derived(event)),
            Meant::Unclear => (id, false),
        }
    }

    fn meant(&self, event: &Event, fold: &Fold<'_>) -> Meant {
        let candidates = self.meant_of(event, Alert::firing, fold);
        match candidates.as_deref() {
            Some([one]) => Meant::One(*one),
            Some([]) => Meant::Nothing,
            _ => Meant::Unclear,
        }
    }

    /// The alert that a recovery ended by its words when it came first.
    pub(crate) fn ended_by(&self, event: &Event, fold: &Fold<'_>) -> Option<AlertId> {
        let by_it = |alert: &Alert| alert.status == Status::Resolved && alert.state_at == event.ts;
        match self.meant_of(event, by_it, fold).as_deref() {
            Some([one]) => Some(*one),
            _ => None,
        }
    }

    /// Alerts of the place that a recovery could mean by its words; `None` where more may have begun there than is
    /// remembered.
    fn meant_of(&self, event: &Event, of: impl Fn(&Alert) -> bool, fold: &Fold<'_>) -> Option<Vec<AlertId>> {
        let spot = spot::locate_then(event, fold);
        let keys = self.place_keys(&spot);
        // What began before, and nobody repeats, fires no more.
        let not_stale = fold.time - secs(fold.settings.life.stale_s);
        let mut candidates = Vec::new();
        for place in keys.iter().filter_map(|key| self.places.get(key)) {
            let began_first = place.near.front().map_or(Time::MIN, |(t, _)| *t);
            if place.near.len() >= NEAR_MAX && began_first > not_stale {
                return None;
            }
            candidates.extend(place.near.iter().map(|(_, id)| *id));
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates.retain(|id| {
            let alert = self.alerts.get(id);
            alert.is_some_and(|alert| of(alert) && means(event, alert))
        });
        Some(candidates)
    }

    /// A recovery without a firing: what it means by its words may still come. Of one key the newest counts.
    pub(crate) fn keep_recovery(&mut self, event: &Event, fold: &Fold<'_>) {
        let same = |(_, kept): &(_, Event)| kept.dedup_key == event.dedup_key;
        let kept = self.meta.recovered_ahead.iter().position(same);
        if let Some(at) = kept {
            if self.meta.recovered_ahead[at].1.ts > event.ts {
                return;
            }
            self.meta.recovered_ahead.remove(at);
        }
        let until = fold.time + secs(fold.settings.life.lateness_s);
        let lost = ahead::keep(&mut self.meta.recovered_ahead, until, ahead::recovery(event));
        self.meta.books.ahead_lost += lost;
    }

    /// The recovery that overtook the alert which it means by its words, if one did and can mean no other.
    pub(crate) fn overtaken_by(&mut self, id: AlertId, fold: &Fold<'_>) -> Option<Event> {
        if self.meta.recovered_ahead.is_empty() {
            return None;
        }
        let alert = self.alerts.get(&id).filter(|alert| alert.firing())?;
        let meant = |(until, event): &(_, Event)| *until >= fold.time && means(event, alert);
        let at = self.meta.recovered_ahead.iter().position(meant)?;
        let recovery = &self.meta.recovered_ahead[at].1;
        let others = self.meant_of(recovery, Alert::firing, fold)?;
        if others.iter().any(|other| *other != id) {
            return None;
        }
        // It was kept as that of an alert of its own, and is none.
        let own = AlertId::new(&self.domain, &recovery.dedup_key);
        let unmatched = self.alerts.get(&own).filter(|alert| alert.count == 0)?;
        let due = unmatched.unmatched_until?;
        // It resolves anew; what said the same before it stays without a firing.
        self.meta.books.resolved -= 1;
        let source = self.sources.entry(&recovery.source, Default::default);
        source.resolves = source.resolves.saturating_sub(1);
        self.meta.books.quiet += unmatched.uncounted.events.saturating_sub(1);
        self.timers.remove(&(due, Timer::Unmatched(own)));
        self.alerts.remove(&own);
        let (_, recovery) = self.meta.recovered_ahead.remove(at)?;
        Some(recovery)
    }

    /// The recovery that overtook an alert was placed nowhere when it came, and is not counted with what it ends.
    pub(crate) fn leave_where_placed(&mut self, id: AlertId) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        if alert.incident.is_none() && alert.uncounted.events > 0 {
            alert.uncounted.events -= 1;
            self.meta.books.quiet += 1;
        }
    }

    /// The recoveries of a key were forgotten.
    pub(crate) fn forget_recovery(&mut self, key: &str) {
        self.meta
            .recovered_ahead
            .retain(|(_, event)| event.dedup_key != key);
    }
}

/// Whether a recovery can be that of an alert by its words, and would have the alert's key but for them.
fn means(event: &Event, alert: &Alert) -> bool {
    alert.source == event.source
        && alert.state_at <= event.ts
        && is_about_the_same(event, &alert.dedup_key)
        && ends_by_words(&alert.title, &event.title)
}
