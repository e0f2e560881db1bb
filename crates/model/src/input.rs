//! What the engine folds: the records of the journal (`stormfold.journal`), in their total order.

use serde::{Deserialize, Serialize};

use crate::{Event, Text, Time, TopologyChange};

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Something a source said.
    Event(Box<Event>),
    /// How far the recorded time has come although nothing was said.
    Progress(Progress),
    /// A part of a whole topology; the last part puts it in force.
    TopologyPart(TopologyPart),
    /// A change of the topology.
    TopologyChange(Box<TopologyChange>),
    /// The input at this journal position panicked the fold and is left out from now on.
    Quarantine {
        /// Journal offset of the record.
        offset: u64,
        /// Why.
        reason: Text,
    },
}

/// How far the recorded time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Stream time is at least this.
    pub to: Time,
    /// The clock of the worker that wrote it; when `to` is far behind, pages are held. Absent on history topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Time>,
}

/// A topology document travels in the journal in parts, so that a replay of the journal needs nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopologyPart {
    /// Hash of the whole document, which names the version.
    pub version: Text,
    /// This part, from 0.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
    /// The JSON text of the part.
    pub json: String,
}
