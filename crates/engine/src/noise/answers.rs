//! How a thing usually answers. Several rules measure the same: slow as served, as called, at the median, at the tail. What
//! each of them counts alone is too little to know the habit by, and what they count together is not.
//!
//! It mutes nothing critical, and no other kind of trouble: two resources are two things, and so are two lines of a log.

use model::{AlertId, Severity, Span, Time};

use crate::{
    cause::AlertKind,
    engine::Engine,
    noise::habit::ALONE_HIGH,
    state::alert::{Alert, Habit},
};

/// What other rules said of a thing says less of this one, so it must nearly always have come to nothing.
const SHARE: f64 = 0.8;
/// What several rules say within a minute, they say of one episode.
const ONE_EPISODE: Span = Span::from_secs(60);

impl Engine {
    /// How the thing of an alert usually answers, by all rules.
    pub(crate) fn answers(&self, alert: &Alert) -> Option<&Habit> {
        self.classes.get(&answers_key(alert)?)
    }

    /// Whether a thing keeps answering so, by any rule that says so, and alone.
    pub(crate) fn answers_so(&self, alert: &Alert, weight: u8, t: Time) -> bool {
        let habit = self.answers(alert);
        weight == 1
            && alert.severity < Severity::Critical
            && habit.is_some_and(|habit| {
                habit.level_at(t) > weight && habit.alone >= ALONE_HIGH && habit.share() >= SHARE
            })
    }

    /// Counts an episode of a rated alert in the habit of its thing.
    pub(crate) fn learn_answers(&mut self, id: AlertId, alone: bool, t: Time) {
        let Some(key) = self.alerts.get(&id).and_then(answers_key) else {
            return;
        };
        let fresh = || Habit {
            first: Some(t),
            ..Habit::default()
        };
        let habit = self.classes.entry(&key, fresh);
        if habit.judged.is_none_or(|judged| t.since(judged) > ONE_EPISODE) {
            habit.judge(alone, t, false);
        }
    }
}

/// What the answers are that an alert speaks of: slow, given or taken, or wrong.
pub(crate) fn answering(alert: &Alert) -> Option<AlertKind> {
    match alert.kind {
        AlertKind::Latency | AlertKind::Asking => Some(AlertKind::Latency),
        AlertKind::Error => Some(AlertKind::Error),
        _ => None,
    }
}

/// The row of how the thing of an alert answers, if that is what the alert speaks of.
fn answers_key(alert: &Alert) -> Option<u64> {
    let kind = answering(alert)?;
    let mut hash = model::Hash128::new("answers");
    hash.part(alert.spot.system.as_bytes())
        .part(alert.source.as_bytes())
        .part(alert.spot.entity.as_bytes())
        .part(kind.as_str().as_bytes());
    Some((hash.finish() >> 64) as u64)
}
