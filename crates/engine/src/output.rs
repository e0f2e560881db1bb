//! What leaves a shard: outputs of the fold, rows of its state, and its books.

use model::{Change, DomainTag, Incident, IncidentId, Text, Time};
use serde::{Deserialize, Serialize};

use crate::Grounds;

/// One output of the fold, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A change record for `stormfold.changes`.
    Change(Box<Change>),
    /// The present truth about an incident, for `stormfold.incidents`.
    Incident(Box<Incident>),
    /// An incident is forgotten: a tombstone for `stormfold.incidents`.
    Forget(IncidentId),
    /// The event that was the `input`-th of this shard (from 0) belongs to an episode; only with `Settings::placements`.
    Event {
        /// Number of the input within the shard's life, from 0.
        input: u64,
        /// The episode; `None` for an event that concerns no alert.
        episode: Option<EpisodeId>,
    },
    /// Where an episode, and with it all its events, belongs by now; only with `Settings::placements`. The last one counts.
    Episode {
        /// Stream time at which that was said.
        at: Time,
        /// The episode.
        episode: EpisodeId,
        /// Its incident, or the one it would have joined if it is suppressed.
        incident: Option<IncidentId>,
        /// Why it is suppressed.
        suppressed: Option<Text>,
        /// That it belongs there, 0 to 1; `None`: as was said before.
        probability: Option<f64>,
        /// What that probability rests on.
        grounds: Option<Box<Grounds>>,
    },
}

/// A run of events of one alert that are placed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpisodeId {
    /// Of the domain.
    pub domain: DomainTag,
    /// Number within the domain.
    pub number: u64,
}

/// One row of a shard's state. A later row with the same key replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    /// Unique within the shard.
    pub key: String,
    /// Versioned bytes; `None` when the row is gone.
    pub value: Option<Vec<u8>>,
}

/// Why a shard cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The rows were written by another version of the fold.
    #[error("the checkpoint was written by fold version {found}, this build reads {FROM} to {FOLD}",
        FROM = crate::FOLD_READS_FROM, FOLD = crate::FOLD_VERSION)]
    Version {
        /// The version that wrote it.
        found: u32,
    },
    /// A row that cannot be read.
    #[error("state row {key}: {reason}")]
    Row {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The books of a shard, in events since its beginning; part of its state, so they survive a restart. They balance:
/// `events = new + repeats + resolved + redelivered + superseded + dropped + other + shed + passed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Inputs folded, of any kind.
    pub inputs: u64,
    /// Events folded.
    pub events: u64,
    /// Events that began an alert, or began it again.
    pub new: u64,
    /// Events that repeated a firing alert.
    pub repeats: u64,
    /// Events that resolved an alert, or a resolved alert again.
    pub resolved: u64,
    /// Events seen before.
    pub redelivered: u64,
    /// Events older than the state of their alert.
    pub superseded: u64,
    /// Events that a rule dropped.
    pub dropped: u64,
    /// Changes, acknowledgements, heartbeats and the like.
    pub other: u64,
    /// Events later than the lateness; also counted above.
    pub late: u64,
    /// Alerts placed nowhere for a reason; a view of `new` and `repeats`.
    pub suppressed: u64,
    /// Events of alerts that are kept quiet, in an incident or without one, as they came; events dropped by rule, and
    /// recoveries for which no firing came.
    pub quiet: u64,
    /// Recoveries for which no firing came within the lateness; a view of `resolved`.
    pub unmatched: u64,
    /// Alerts for which a page was held, and those of them that recovered before anybody was paged.
    pub held: u64,
    /// See `held`.
    pub spared: u64,
    /// Silences and windows that were not understood, or too many.
    pub quiets_refused: u64,
    /// Commands of operators that could not be carried out.
    pub commands_refused: u64,
    /// Events for whose alert there was no room, by `limits.alerts_max`.
    pub shed: u64,
    /// Critical events of which nothing could be kept: each opened an incident of its own.
    pub passed: u64,
    /// Alerts that were forgotten while they fired, to make room for critical ones.
    pub displaced: u64,
    /// Ids of events, ended incidents, and rows of what was learned that were forgotten before their time, by a limit.
    #[serde(default)]
    pub forgotten_early: u64,
    /// Events that passed a threshold uncounted, because there was no room for one more tally.
    #[serde(default)]
    pub uncounted: u64,
    /// Domains that were forgotten to make room for others, by `limits.domains_max`.
    #[serde(default)]
    pub domains_forgotten: u64,
    /// Events of domains for which there was no room; also counted in `shed`, `passed`, `dropped` or `other`.
    #[serde(default)]
    pub domains_refused: u64,
    /// Incidents opened.
    pub incidents: u64,
    /// Pages due.
    pub pages: u64,
    /// With `Settings::oracle`: alerts for which a scan of all open incidents finds one, and those of them for which the
    /// best that it finds is among the candidates.
    #[serde(default)]
    pub sought: u64,
    /// See `sought`.
    #[serde(default)]
    pub found: u64,
    /// Words on alerts, and recoveries, that overtook what they are about and were not kept for it, because they were too
    /// many or too long.
    #[serde(default)]
    pub ahead_lost: u64,
}

impl Books {
    /// Adds the books of another part.
    pub fn add(&mut self, other: &Books) {
        self.inputs += other.inputs;
        self.events += other.events;
        self.new += other.new;
        self.repeats += other.repeats;
        self.resolved += other.resolved;
        self.redelivered += other.redelivered;
        self.superseded += other.superseded;
        self.dropped += other.dropped;
        self.quiets_refused += other.quiets_refused;
        self.other += other.other;
        self.late += other.late;
        self.suppressed += other.suppressed;
        self.quiet += other.quiet;
        self.unmatched += other.unmatched;
        self.held += other.held;
        self.spared += other.spared;
        self.commands_refused += other.commands_refused;
        self.shed += other.shed;
        self.passed += other.passed;
        self.displaced += other.displaced;
        self.forgotten_early += other.forgotten_early;
        self.uncounted += other.uncounted;
        self.ahead_lost += other.ahead_lost;
        self.domains_forgotten += other.domains_forgotten;
        self.domains_refused += other.domains_refused;
        self.incidents += other.incidents;
        self.pages += other.pages;
        self.sought += other.sought;
        self.found += other.found;
    }
}
