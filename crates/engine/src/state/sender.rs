//! What is known of a tool in one system: does it say when a condition ends, and does it say the same again while it holds.
//!
//! Both decide what it means that an alert fires which was firing already. A tool that repeats says that it still holds,
//! hours later too. One that reports changes only has lost a recovery on the way, so it is the next condition. And one
//! tool may watch two systems under rules of two teams, only one of which sends recoveries; so it is asked per system.

use serde::{Deserialize, Serialize};

use crate::{engine::Engine, fold::Fold};
use model::{AlertId, Event, Text};

/// What one tool said in one system.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sender {
    /// Firings (without those that say the same again by a key of its own), recoveries, and firings of what was firing
    /// already, a new episode each.
    pub firings: u64,
    pub recoveries: u64,
    pub again: u64,
    /// Firings of what was firing already, whether a new episode or not.
    #[serde(default)]
    pub repeats: u64,
}

/// Tools of a system that are told apart; of others nothing is known.
const SENDERS_MAX: usize = 64;
/// Firings without any recovery from which on a tool is known to send none.
const KNOWN_MIN: u64 = 20;
/// Repeats for each recovery up to which a tool is one that reports changes only: what it seems to repeat is what follows
/// on a recovery that got lost, and half of them do not get lost.
const REPEATS_SHARE: f64 = 0.5;

impl Sender {
    /// Whether a condition whose end it did not say still holds, so many seconds after its last word. While nothing is
    /// known of it, and where it does not repeat, for `unknown_s` seconds.
    fn still_holds(&self, silent_s: f64, unknown_s: f64, severity_changed: bool) -> bool {
        let never_ends = (self.recoveries as f64) < 0.1 * self.firings as f64;
        match self.firings {
            0..KNOWN_MIN if self.recoveries == 0 => silent_s <= unknown_s,
            KNOWN_MIN.. if never_ends => false,
            // It says a change of severity as well, and that is no end.
            KNOWN_MIN.. if self.reports_changes() && !severity_changed => false,
            _ => self.again >= self.recoveries || silent_s <= unknown_s,
        }
    }

    /// Whether too little was heard of it to know what it does.
    fn is_new(&self) -> bool {
        self.firings < KNOWN_MIN
    }

    /// Whether it speaks of a condition when that changes, and not again while it holds.
    fn reports_changes(&self) -> bool {
        self.repeats as f64 <= REPEATS_SHARE * self.recoveries as f64
    }

    pub(crate) fn add(&mut self, other: Sender) {
        self.firings += other.firings;
        self.recoveries += other.recoveries;
        self.again += other.again;
        self.repeats += other.repeats;
    }
}

impl Engine {
    /// Notes what the tool of an alert just said there.
    pub(crate) fn note_sender(&mut self, id: AlertId, note: impl FnOnce(&mut Sender)) {
        let Some(alert) = self.alerts.get(&id) else { return };
        let (system, source) = (alert.spot.system.clone(), alert.source.clone());
        let senders = &mut self.systems.entry(&system, Default::default).senders;
        if senders.len() < SENDERS_MAX || senders.contains_key(&source) {
            note(senders.entry(source).or_default());
        }
    }

    /// Whether an alert that is firing still holds although nothing was said of it for so long.
    ///
    /// `severity_changed`: it says another severity now than before.
    pub(crate) fn still_holds(
        &self,
        system: &Text,
        source: &Text,
        silent_s: f64,
        severity_changed: bool,
        fold: &Fold<'_>,
    ) -> bool {
        let unknown_s = 2.0 * fold.settings.grouping.reach_unknown_s;
        let senders = self.systems.get(system).map(|system| &system.senders);
        let sender = senders
            .and_then(|senders| senders.get(source))
            .copied()
            .unwrap_or_default();
        // A tool that says an end nowhere says none here, either, however little it said here so far.
        let nowhere = self.sources.get(source).is_some_and(|tool| tool.never_resolves());
        (sender.recoveries > 0 || !nowhere) && sender.still_holds(silent_s, unknown_s, severity_changed)
    }

    /// Whether a tool of which little is known says by a key of its own that what fires is what fired before. Nearly
    /// every tool means that by it (<https://developer.pagerduty.com/docs/events-api-v2-overview>); a key that we made
    /// up says only that it is alike.
    /// Of one that is known, what comes in its rhythm is the same still; and so is, without a key, what keeps coming as
    /// steadily as only a check does.
    pub(crate) fn named_again(&self, system: &Text, event: &Event, rhythm: Rhythm, fold: &Fold<'_>) -> bool {
        if fold.memos.titles.borrow_mut().is_derived(event) {
            return rhythm.steady;
        }
        let senders = self.systems.get(system).map(|system| &system.senders);
        let is_new = senders
            .and_then(|senders| senders.get(&event.source))
            .is_none_or(Sender::is_new);
        is_new || rhythm.in_time
    }
}

/// How what fires and is said again fits in with how it was said before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rhythm {
    /// After about as long as before.
    pub in_time: bool,
    /// The same, never otherwise, and alone.
    pub steady: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_of_changes_says_twice_begins_anew() {
        let changes = Sender {
            firings: 100,
            recoveries: 80,
            again: 20,
            repeats: 20,
        };
        assert!(!changes.still_holds(120.0, 600.0, false));
        assert!(
            changes.still_holds(120.0, 600.0, true),
            "a change of severity is no end"
        );
        let repeats = Sender {
            repeats: 300,
            ..changes
        };
        assert!(repeats.still_holds(120.0, 600.0, false));
        assert!(!repeats.still_holds(700.0, 600.0, false));
        let few = Sender {
            firings: 10,
            recoveries: 8,
            again: 2,
            repeats: 2,
        };
        assert!(few.still_holds(120.0, 600.0, false));
    }
}
