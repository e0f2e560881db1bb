//! How usual an alert is: how often its like (same entity, source and words) came before, and at which hours of the week.
//!
//! *Rarity* is told by the episodes of the last weeks, which fade over four: `never_seen`, `rare` (not more than one a
//! week), `frequent`. *Season* is the share of all earlier episodes that came in this hour of the week or one beside it,
//! in UTC; an even spread gives .018, a job that runs every Monday at four gives 1. It is told once four episodes over two
//! weeks are known. Both are said of each alert and decide nothing.

use model::{AlertId, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{engine::Engine, fold::Fold, settings::secs, state::incident::Decaying};

const WEEK_S: f64 = 7.0 * 86_400.0;
const HOUR_S: i64 = 3600;
const HOURS: i64 = 168;
/// Weeks over which episodes fade.
const WEEKS: f64 = 4.0;
/// Episodes, and the weeks over which they came, from which on a season is told.
const SEASON_EPISODES_MIN: u32 = 4;
const SEASON_WEEKS_MIN: f64 = 2.0;
/// Episodes by hour that are remembered; beyond, all are halved, so that last year fades.
const EPISODES_MAX: u32 = 512;

/// How rare an alert is by what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rarity {
    NeverSeen,
    Rare,
    Frequent,
}

impl Rarity {
    /// As records have it.
    pub(crate) const fn name(self) -> Text {
        Text::const_new(match self {
            Rarity::NeverSeen => "never_seen",
            Rarity::Rare => "rare",
            Rarity::Frequent => "frequent",
        })
    }
}

/// When alerts of one class came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Usual {
    first: Time,
    recent: Decaying,
    /// Sorted by hour; most have one.
    hours: Vec<(u8, u32)>,
}

impl Usual {
    fn new(t: Time) -> Usual {
        Usual {
            first: t,
            recent: Decaying { value: 0.0, at: t },
            hours: Vec::new(),
        }
    }

    fn count(&mut self, t: Time) {
        self.recent.add(t, WEEKS * WEEK_S);
        match self.hours.binary_search_by_key(&hour(t), |(hour, _)| *hour) {
            Ok(at) => self.hours[at].1 += 1,
            Err(at) => self.hours.insert(at, (hour(t), 1)),
        }
        if self.episodes() > EPISODES_MAX {
            self.hours.iter_mut().for_each(|(_, n)| *n /= 2);
            self.hours.retain(|(_, n)| *n > 0);
        }
    }

    fn episodes(&self) -> u32 {
        self.hours.iter().map(|(_, n)| n).sum()
    }

    /// When one of them last came.
    pub(crate) fn last(&self) -> Time {
        self.recent.at
    }

    /// `since`: when the first alert of the domain came.
    fn rarity(&self, t: Time, since: Time) -> Rarity {
        let weeks = (t.since(since).as_secs_f64() / WEEK_S).clamp(1.0, WEEKS);
        match self.recent.left(t, WEEKS * WEEK_S) / weeks {
            _ if self.hours.is_empty() => Rarity::NeverSeen,
            rate if rate <= 1.0 => Rarity::Rare,
            _ => Rarity::Frequent,
        }
    }

    fn season(&self, t: Time) -> Option<f64> {
        let all = self.episodes();
        let weeks = t.since(self.first).as_secs_f64() / WEEK_S;
        if all < SEASON_EPISODES_MIN || weeks < SEASON_WEEKS_MIN {
            return None;
        }
        let now = i64::from(hour(t));
        let near = [-1, 0, 1].map(|by| (now + by).rem_euclid(HOURS) as u8);
        let there = self.hours.iter().filter(|(hour, _)| near.contains(hour));
        let there: u32 = there.map(|(_, n)| n).sum();
        Some(f64::from(there) / f64::from(all))
    }
}

/// The hour of the week, from Monday 00:00 UTC.
fn hour(t: Time) -> u8 {
    // 1970 began on a Thursday.
    (t.secs().div_euclid(HOUR_S) + 3 * 24).rem_euclid(HOURS) as u8
}

impl Engine {
    /// An episode begins: notes how usual that is, and counts it.
    pub(crate) fn note_usual(&mut self, id: AlertId, t: Time, fold: &Fold<'_>) {
        // Whoever says that it was two days ago has not been watched for two days.
        let watched = t.max(fold.time - secs(fold.settings.life.lateness_s));
        let since = *self.meta.since.get_or_insert(watched);
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        let usual = self.usual.entry(&alert.class, || Usual::new(t));
        alert.rarity = Some(usual.rarity(t, since));
        alert.season = usual.season(t).map(Box::new);
        usual.count(t);
    }
}

#[cfg(test)]
mod tests {
    use model::Span;

    use super::*;

    #[test]
    fn every_monday_at_four_is_a_season() {
        let begin: Time = "2026-03-02T04:00:00Z".parse().unwrap();
        assert_eq!(hour(begin), 4);
        let mut usual = Usual::new(begin);
        assert_eq!(usual.rarity(begin, begin), Rarity::NeverSeen);
        for week in 0..4 {
            usual.count(begin + Span::from_hours(week * HOURS));
        }
        let next = begin + Span::from_hours(4 * HOURS) + Span::from_mins(70);
        assert_eq!(usual.season(next), Some(1.0));
        assert_eq!(usual.season(next + Span::from_hours(12)), Some(0.0));
        assert_eq!(usual.rarity(next, begin), Rarity::Rare);
        (0..6).for_each(|i| usual.count(next + Span::from_mins(i)));
        assert_eq!(usual.rarity(next, begin), Rarity::Frequent);
    }
}
