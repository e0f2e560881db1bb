//! Silence of an alert whose sender used to repeat it: it is stale, which is said, and is no recovery.
//!
//! How long its sender waits before it says the same again is learned from the gaps between its repeats: their mean and
//! mean deviation, as TCP estimates round trips (RFC 6298). After several such gaps without a word nobody says any more
//! that the condition holds, so it keeps its incident open no longer and asks for no page. That needs a sender that still
//! speaks of others: one that is silent altogether is sick itself, and what it said last stands until `life.stale_s`.

use model::{AlertId, ChangeKind, Evidence, EvidenceKind, Span, Time};

use crate::{
    engine::{Engine, Timer, What},
    fold::Fold,
    settings::{Life, secs},
    state::alert::Habit,
};

/// Repeats that must have been seen before they are a habit.
const REPEATS_MIN: u32 = 3;
/// No alert is stale before it was silent for this long, in seconds.
const AGE_MIN_S: f64 = 900.0;
/// No sender is believed to repeat what holds more seldom than this, in seconds: the default of Alertmanager.
const RHYTHM_MAX_S: f64 = 4.0 * 3600.0;
/// By what share of itself a rhythm may be missed.
const RHYTHM_SHARE: f64 = 0.25;
/// Repeats after which a steady one is known to be steady.
const STEADY_MIN: u32 = 2;
/// What is as steady at longer gaps is the run of a job, of which each fails anew, in seconds.
const STEADY_MAX_S: f64 = 1800.0;
/// By what share of itself its gap may stray then. It begins at a half, of which each gap that is alike takes an eighth.
const STEADY_SHARE: f64 = 0.45;
/// Repeats over which the gaps are averaged.
const MEMORY: f64 = 8.0;

impl Habit {
    /// Its sender said the same again after so many seconds.
    pub(crate) fn repeated(&mut self, gap_s: f64) {
        self.repeats = self.repeats.saturating_add(1);
        if self.repeats == 1 {
            (self.repeat_s, self.repeat_stray_s) = (gap_s, gap_s / 2.0);
            return;
        }
        self.repeat_stray_s += (libm::fabs(gap_s - self.repeat_s) - self.repeat_stray_s) / MEMORY;
        self.repeat_s += (gap_s - self.repeat_s) / MEMORY;
    }

    /// Whether its sender says the same again after about as long as it did so far. The next time that a schedule or a
    /// chance brings is as far away only by chance.
    pub(crate) fn repeats_in_time(&self, gap_s: f64) -> bool {
        self.repeats > 0
            && gap_s <= RHYTHM_MAX_S
            && libm::fabs(gap_s - self.repeat_s) <= self.repeat_s * RHYTHM_SHARE
    }

    /// Whether it is said again as steadily as only something that holds is: after about as long as at least twice before,
    /// and those two were alike. That is as good as a key.
    pub(crate) fn repeats_steadily(&self, gap_s: f64) -> bool {
        self.repeats >= STEADY_MIN
            && gap_s <= STEADY_MAX_S
            && self.repeat_stray_s <= self.repeat_s * STEADY_SHARE
            && self.repeats_in_time(gap_s)
    }

    /// After how many seconds of silence it is stale; `None` where its sender is not known to repeat it.
    fn stale_age_s(&self, life: &Life) -> Option<f64> {
        let known = self.repeats >= REPEATS_MIN && life.stale_repeats > 0.0;
        let gap_s = self.repeat_s + 2.0 * self.repeat_stray_s;
        known.then(|| (life.stale_repeats * gap_s).max(AGE_MIN_S).min(life.stale_s))
    }
}

impl Engine {
    /// An alert fires: looks whether it has gone silent when that could be.
    pub(crate) fn watch_silence(&mut self, id: AlertId, fold: &Fold<'_>) {
        let Some(alert) = self.alerts.get(&id) else { return };
        if alert.stale_due.is_some() || alert.incident.is_none() || !alert.firing() {
            return;
        }
        if let Some(age_s) = alert.habit.stale_age_s(&fold.settings.life) {
            let due = (alert.heard_at + secs(age_s)).max(fold.time);
            self.look_stale_at(id, due);
        }
    }

    fn look_stale_at(&mut self, id: AlertId, due: Time) {
        self.alerts
            .get_mut(&id)
            .expect("looked up by the caller")
            .stale_due = Some(due);
        self.timers.insert((due, Timer::Stale(id)));
    }

    /// The timer of an alert that may have gone stale.
    pub(crate) fn look_stale(&mut self, id: AlertId, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        alert.stale_due = None;
        let Some(age_s) = alert.habit.stale_age_s(&fold.settings.life) else {
            return;
        };
        let (age, silent, gap_s) = (secs(age_s), fold.time.since(alert.heard_at), alert.habit.repeat_s);
        let Some(incident) = alert.incident.filter(|_| alert.firing()) else {
            return;
        };
        let (due, source) = (alert.heard_at + age, alert.source.clone());
        let holds = self
            .incidents
            .get(&incident)
            .is_some_and(|state| state.is_open() && state.members.get(&id).is_some_and(|m| m.firing));
        if !holds {
            return;
        }
        if due > fold.time {
            return self.look_stale_at(id, due);
        }
        let spoke = self.sources.get(&source).map(|source| source.heard_at);
        if spoke.is_none_or(|at| fold.time.since(at) > secs(age_s / 2.0)) {
            return self.look_stale_at(id, fold.time + age);
        }
        let state = self.incidents.get_mut(&incident).expect("looked up above");
        state.set_firing(id, false);
        state.members.get_mut(&id).expect("looked up above").stale = true;
        state.stale += 1;
        self.count_ending(id, None);
        let every = Span::from_secs(gap_s as i64);
        let text = format!(
            "its sender repeated it every {every} and is silent of it for {silent}; stale, not recovered"
        );
        let because = vec![Evidence::new(EvidenceKind::Quiet, silent.as_secs_f64(), text)];
        let what = What::new(ChangeKind::Note).alert(id).from("firing").to("stale");
        self.change(incident, what, because, fold);
        self.roll_up(incident, fold);
        self.wake_for_end(incident, fold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_after_several_of_its_gaps() {
        let life = Life::default();
        let mut habit = Habit::default();
        (0..3).for_each(|_| habit.repeated(60.0));
        assert_eq!(
            habit.stale_age_s(&life),
            Some(AGE_MIN_S),
            "never before a quarter of an hour"
        );
        (0..50).for_each(|_| habit.repeated(300.0));
        let age_s = habit.stale_age_s(&life).unwrap();
        assert!(
            (1500.0..1600.0).contains(&age_s),
            "five gaps of five minutes: {age_s}"
        );
        (0..50).for_each(|_| habit.repeated(40_000.0));
        assert_eq!(
            habit.stale_age_s(&life),
            Some(life.stale_s),
            "never after what is configured"
        );
        assert_eq!(Habit::default().stale_age_s(&life), None);
    }
}
