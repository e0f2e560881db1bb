//! An alert on its way to its incident.

use model::{AlertId, Event, IncidentId, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{engine::Waits, state::pack::by_name};

/// An alert that waits for its settlement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub alert: AlertId,
    pub t: Time,
    pub due: Time,
    pub fresh: bool,
    /// It came anew: its habit is judged by what was beside it.
    #[serde(default)]
    pub comes: bool,
    /// It fired already, and its tool says by a key that it is the same.
    #[serde(default)]
    pub named_again: bool,
    pub kind: Kind,
    /// The system that counts it until then.
    pub system: Text,
    /// The share of its source's alerts that repeat, as it was on arrival.
    pub repeats: f64,
    pub weight: u8,
    pub episode: u64,
    pub event_id: Text,
    /// Where it was announced to join, in a change record.
    pub announced: Option<IncidentId>,
    /// What people said of it meanwhile.
    #[serde(default, with = "by_name")]
    pub said: Vec<Event>,
    #[serde(default)]
    pub look: Look,
}

impl Pending {
    pub(crate) fn waits(&self) -> Waits {
        Waits {
            t: self.t,
            announced: self.announced,
        }
    }
}

/// How often its tool has looked when a waiting alert is settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Look {
    #[default]
    First,
    /// It was put off until another look.
    Second,
    /// It was kept out after the first look; another one may take it in.
    After,
    /// It was kept out and fires for longer than it ever did.
    Overdue,
}

/// How a waiting alert was counted in its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Not at all: no fresh symptom, or a chronic one.
    Unnoticed,
    /// A symptom that the youngest incident has shown before.
    Again,
    /// Another one.
    New,
}
