//! Room in what a domain remembers beside its alerts and open incidents: ids of events, what was learned of classes, hosts
//! and sources, tallies of thresholds, incidents that are over.
//!
//! All of it is counted in state and bounded here, in the fold. At a bound what was not heard longest is forgotten before
//! its time, a sixteenth at once, so that a look at everything is paid for by what came since the last one. What cannot
//! be forgotten without a wrong answer is not: a system in which something lives, a tally that still counts, an incident
//! that may go on. A threshold that has no room to count lets pass: to call for too much is better than not to call. What
//! was forgotten early or passed uncounted is counted, and said by our own alert.

use model::{Severity, Span, Time};

use crate::{
    engine::Engine,
    fold::Fold,
    settings::secs,
    state::table::{Key, Table},
};

/// Seconds between two looks at tables of which it is not sure that anything can be forgotten.
const LOOK_S: i64 = 60;
/// The share of a full table that is forgotten at once.
const SHARE: usize = 16;

/// Forgets the rows that were not heard longest, if there are more than `max`; how many.
fn forget_oldest<K: Key, V: serde::Serialize + serde::de::DeserializeOwned>(
    table: &mut Table<K, V>,
    max: usize,
    heard: impl Fn(&V) -> Option<Time>,
) -> u64 {
    if table.len() <= max {
        return 0;
    }
    let surplus = table.len() - max + max / SHARE;
    let oldest = table.select(|_, row| heard(row));
    let mut forgotten = 0;
    for (_, key) in oldest.into_iter().take(surplus) {
        table.remove(&key);
        forgotten += 1;
    }
    forgotten
}

impl Engine {
    /// Forgets what is beyond the bounds; `before`: what [`Engine::lacked_room`] gave before this step.
    pub(crate) fn make_room(&mut self, before: u64, fold: &mut Fold<'_>) {
        let limits = &fold.settings.limits;
        let early = self.seen.forget_beyond(limits.seen_max)
            + forget_oldest(&mut self.endings, limits.classes_max, |endings| {
                Some(endings.at.unwrap_or(Time::MIN))
            })
            + forget_oldest(&mut self.usual, limits.classes_max, |usual| Some(usual.last()))
            + forget_oldest(&mut self.classes, limits.alerts_max, |habit| {
                Some(habit.judged.unwrap_or(Time::MIN))
            })
            + forget_oldest(&mut self.places, limits.alerts_max, |place| {
                Some(place.near.back().map_or(Time::MIN, |(t, _)| *t))
            })
            + forget_oldest(&mut self.sources, limits.classes_max, |source| {
                Some(source.heard_at)
            });
        self.meta.books.forgotten_early += early;
        let over = self.incidents.len() - self.open.len();
        if (self.systems.len() > limits.alerts_max || over > limits.ended_incidents_max)
            && self.may_look(fold)
        {
            let open = &self.open;
            let systems = forget_oldest(&mut self.systems, limits.alerts_max, |system| {
                let rests = !system.live.iter().any(|id| open.contains(id)) && system.tentative.is_empty();
                let last = system.ring.back().map_or(Time::MIN, |fresh| fresh.t);
                (rests && system.again + system.new == 0).then_some(last)
            });
            let ended = self.forget_ended_incidents(fold);
            self.meta.books.forgotten_early += systems + ended;
        }
        if self.lacked_room() > before {
            self.say_limit(Severity::Unknown, fold);
        }
    }

    /// How often there was no room so far.
    pub(crate) fn lacked_room(&self) -> u64 {
        self.meta.books.forgotten_early + self.meta.books.uncounted
    }

    /// Whether a look at everything is due; it is then taken.
    fn may_look(&mut self, fold: &Fold<'_>) -> bool {
        let due = |at| fold.time.since(at) >= Span::from_secs(LOOK_S);
        let may = self.meta.room_at.is_none_or(due);
        if may {
            self.meta.room_at = Some(fold.time);
        }
        may
    }

    /// Incidents that ended longest ago are forgotten before their time, but none that may still go on.
    fn forget_ended_incidents(&mut self, fold: &mut Fold<'_>) -> u64 {
        let max = fold.settings.limits.ended_incidents_max;
        let over = self.incidents.len() - self.open.len();
        if over <= max {
            return 0;
        }
        let life = &fold.settings.life;
        let final_since = fold.time - secs(life.lateness_s + life.reopen_s);
        let ended = self
            .incidents
            .select(|_, state| state.resolved_at.filter(|at| *at < final_since));
        let mut forgotten = 0;
        for (_, id) in ended.into_iter().take(over - max + max / SHARE) {
            self.forget_incident(id, fold);
            forgotten += 1;
        }
        forgotten
    }

    /// Whether there is room for one more tally, once those are forgotten in which nothing counts any more.
    pub(crate) fn room_for_tally(&mut self, fold: &Fold<'_>) -> bool {
        let max = fold.settings.limits.tallies_max;
        if self.tallies.len() >= max && self.may_look(fold) {
            self.forget_tallies(fold);
        }
        self.tallies.len() < max
    }

    /// Tallies that hold nothing within the window of any threshold, however late it may come, are forgotten.
    pub(crate) fn forget_tallies(&mut self, fold: &Fold<'_>) {
        let thresholds = fold.settings.suppress.thresholds.iter();
        let window = thresholds.map(|rule| rule.window_s).fold(0.0, f64::max);
        let since = fold.time - secs(window + fold.settings.life.lateness_s);
        for (_, key) in self
            .tallies
            .select(|_, tally| tally.last().is_none_or(|last| last < since).then_some(()))
        {
            self.tallies.remove(&key);
        }
    }
}
