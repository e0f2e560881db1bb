//! What is known of a tool in one system: does it say when a condition ends, and does it say the same again while it holds.
//!
//! Both decide what it means that an alert fires which was firing already. A tool that repeats says that it still holds,
//! hours later too. One that reports changes only has lost a recovery on the way, so it is the next condition. And one
//! tool may watch two systems under rules of two teams, only one of which sends recoveries; so it is asked per system.

use serde::{Deserialize, Serialize};

use crate::{engine::Engine, fold::Fold};
use model::{AlertId, Text};

/// What one tool said in one system.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sender {
    /// Firings, recoveries, and firings of what was firing already, a new episode each.
    pub firings: u64,
    pub recoveries: u64,
    pub again: u64,
}

/// Tools of a system that are told apart; of others nothing is known.
const SENDERS_MAX: usize = 64;
/// Firings without any recovery from which on a tool is known to send none.
const KNOWN_MIN: u64 = 20;

impl Sender {
    /// Whether a condition whose end it did not say still holds, so many seconds after its last word. While nothing is
    /// known of it, and where it does not repeat, for `unknown_s` seconds.
    fn still_holds(&self, silent_s: f64, unknown_s: f64) -> bool {
        let never_ends = (self.recoveries as f64) < 0.1 * self.firings as f64;
        match self.firings {
            0..KNOWN_MIN if self.recoveries == 0 => silent_s <= unknown_s,
            KNOWN_MIN.. if never_ends => false,
            _ => self.again >= self.recoveries || silent_s <= unknown_s,
        }
    }

    pub(crate) fn add(&mut self, other: Sender) {
        self.firings += other.firings;
        self.recoveries += other.recoveries;
        self.again += other.again;
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
    pub(crate) fn still_holds(&self, system: &Text, source: &Text, silent_s: f64, fold: &Fold<'_>) -> bool {
        let unknown_s = 2.0 * fold.settings.grouping.reach_unknown_s;
        let senders = self.systems.get(system).map(|system| &system.senders);
        let sender = senders
            .and_then(|senders| senders.get(source))
            .copied()
            .unwrap_or_default();
        // A tool that says an end nowhere says none here, either, however little it said here so far.
        let nowhere = self.sources.get(source).is_some_and(|tool| tool.never_resolves());
        (sender.recoveries > 0 || !nowhere) && sender.still_holds(silent_s, unknown_s)
    }
}
