//! Rules that keep events away before they are placed: what is dropped, and what counts only when enough of it comes.
//!
//! *Drop*: the event is counted; a critical one is named on the day's list of its system. *Threshold*: N occurrences, or N different alerts, within T for one
//! value of `per`; until then they wait without an incident, each with its reason. The one that reaches it goes on, and of
//! different alerts all that still fire go with it. With `reset` counting begins anew then, so every N-th passes; without
//! it all pass as long as the last T hold enough.

use std::collections::VecDeque;

use model::{AlertId, Event, Evidence, EvidenceKind, Hash128, Severity, Status, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{
    engine::Engine,
    fold::Fold,
    intake::enter::Entered,
    settings::{Threshold, secs},
    state::{alert::Alert, spot},
};

/// What came lately of one value of one rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    came: VecDeque<Came>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Came {
    alert: AlertId,
    t: Time,
    event_id: Text,
    weight: u8,
}

impl Tally {
    /// When the last that counts came.
    pub(crate) fn last(&self) -> Option<Time> {
        self.came.iter().map(|came| came.t).max()
    }
}

/// Occurrences that one tally remembers: no rule asks for more.
const COUNT_MAX: usize = 1000;

impl Engine {
    /// What a rule drops is counted and nothing else, but for the day's list, which names what is critical; gives the
    /// number of an episode of its own.
    pub(crate) fn dropped(&mut self, event: &Event, fold: &mut Fold<'_>) -> Option<u64> {
        let rules = &fold.settings.suppress.drop;
        if rules.is_empty() {
            return None;
        }
        let alert = Alert::new(event, spot::locate(event, fold.graph, fold.serial), fold.time);
        let rule = rules
            .iter()
            .find(|rule| rule.matchers.hold(&alert, Some(fold.graph)))?;
        let reason = format!("dropped by rule {}", rule.name);
        self.meta.books.dropped += 1;
        self.meta.books.quiet += 1;
        self.meta.episodes += 1;
        self.say_episode(self.meta.episodes, None, Some(&reason), None, fold);
        if alert.severity == Severity::Critical && event.status == Status::Firing {
            let id = AlertId::new(&self.domain, &event.dedup_key);
            self.list_dropped(id, &alert, &reason, fold);
        }
        Some(self.meta.episodes)
    }

    /// Counts an event that would be placed; `Some`: too few came so far, so it waits. When enough did, those that waited
    /// with it are placed, too.
    pub(crate) fn below_threshold(
        &mut self,
        id: AlertId,
        event: &Event,
        entered: Entered,
        fold: &mut Fold<'_>,
    ) -> Option<Text> {
        let alert = self.alerts.get(&id)?;
        let rule = fold
            .settings
            .suppress
            .thresholds
            .iter()
            .find(|rule| rule.matchers.hold(alert, Some(fold.graph)))?
            .clone();
        let wanted = (rule.count.max(1) as usize).min(COUNT_MAX);
        let key = key(&rule, alert);
        if self.tallies.get(&key).is_none() && !self.room_for_tally(fold) {
            self.meta.books.uncounted += 1;
            return None;
        }
        let tally = self.tallies.entry(&key, Default::default);
        let since = event.ts - secs(rule.window_s);
        tally
            .came
            .retain(|came| came.t > since && !(rule.distinct && came.alert == id));
        if tally.came.len() == COUNT_MAX {
            tally.came.pop_front();
        }
        tally.came.push_back(Came {
            alert: id,
            t: event.ts,
            event_id: event.event_id.clone(),
            weight: entered.weight,
        });
        let count = tally.came.len();
        if count < wanted {
            let what = if rule.distinct { "alerts" } else { "times" };
            return Some(compact_str::format_compact!(
                "{count} of {wanted} {what} within {} s, by rule {}",
                rule.window_s,
                rule.name
            ));
        }
        let came = tally.came.clone();
        if rule.reset {
            tally.came.clear();
        }
        for other in came {
            let waits = self
                .alerts
                .get(&other.alert)
                .is_some_and(|alert| alert.firing() && alert.incident.is_none() && alert.unsettled == 0);
            if other.alert != id && waits {
                // Its settlement counts the event that it waits with.
                let alert = self.alerts.get_mut(&other.alert).expect("looked up above");
                alert.uncounted.events = alert.uncounted.events.saturating_sub(1);
                let entered = Entered {
                    weight: other.weight,
                    ..entered
                };
                self.enqueue(other.alert, other.t, &other.event_id, entered, fold);
            }
        }
        None
    }

    /// An alert waits without an incident, for a reason; gives the number of its episode.
    pub(crate) fn wait(
        &mut self,
        id: AlertId,
        reason: Text,
        t: Time,
        entered: Entered,
        fold: &mut Fold<'_>,
    ) -> u64 {
        self.meta.books.suppressed += 1;
        let next = self.meta.episodes + 1;
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        if entered.fresh || alert.episode == 0 || alert.settled.is_some() {
            alert.episode = next;
            alert.settled = None;
            alert.uncounted = Default::default();
            self.meta.episodes = next;
        }
        alert.uncounted.add(t);
        let episode = alert.episode;
        // The first that waits; those that follow are counted as they come.
        self.meta.books.quiet += u64::from(alert.muted.is_none());
        alert.muted = Some(Box::new(reason.clone()));
        self.say_episode(episode, None, Some(&reason), None, fold);
        let because = [Evidence::new(EvidenceKind::Threshold, 1.0, reason.as_str())];
        self.list_quiet(id, "threshold", &reason, &because, fold);
        episode
    }
}

/// One tally per rule and value of `per`.
fn key(rule: &Threshold, alert: &Alert) -> u64 {
    let mut hash = Hash128::new("threshold");
    hash.part(rule.name.as_bytes());
    for label in &rule.per {
        let value = match label.as_str() {
            "service" => alert.service.as_deref(),
            "host" => alert.host.as_deref(),
            "source" => Some(alert.source.as_str()),
            "title" | "alertname" => Some(alert.title.as_str()),
            "entity" => Some(alert.spot.entity.as_str()),
            "dedup_key" => Some(alert.dedup_key.as_str()),
            label => alert.labels.get(label),
        };
        hash.maybe(value.map(str::as_bytes));
    }
    (hash.finish() >> 64) as u64
}
