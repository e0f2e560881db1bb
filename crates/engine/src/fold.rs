//! What a step of the fold may look at and write to.

use std::cell::RefCell;

use model::{AlertId, AlertIds, Domain, Span, Time, Titles};
use topology::Graph;

use crate::{EpisodeId, Output, Settings, settings::secs};

/// The surroundings of one step: the graph in force, the time, the settings, and where outputs go.
pub(crate) struct Fold<'a> {
    pub graph: &'a Graph,
    /// Rises with every topology; names are resolved anew when it does.
    pub serial: u32,
    /// Stream time; within a timer its deadline.
    pub time: Time,
    /// The present as ingest last told it; `None` where nobody does, as in a replay of a file.
    pub present: Option<Time>,
    /// Since when it is in force.
    pub since: Time,
    /// Former ones, oldest first.
    pub past: &'a [Past],
    pub settings: &'a Settings,
    pub memos: &'a Memos,
    pub out: &'a mut Vec<Output>,
}

/// What follows from inputs alone and need not be derived anew while they keep coming; it is not written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memos {
    pub ids: RefCell<AlertIds>,
    pub titles: RefCell<Titles>,
}

/// A topology that was in force, until when.
pub(crate) struct Past {
    pub serial: u32,
    pub until: Time,
    pub graph: Graph,
}

impl Fold<'_> {
    /// How far stream time lies behind the present, if that is too far for news to be news.
    pub(crate) fn behind(&self) -> Option<Span> {
        let behind = self.present?.since(self.time);
        (behind > secs(self.settings.page.catch_up_s)).then_some(behind)
    }

    /// The topology that was in force at a point of event time, if that was another one than now; the oldest known for what is older.
    pub(crate) fn graph_before(&self, ts: Time) -> Option<&Graph> {
        if ts >= self.since {
            return None;
        }
        self.past
            .iter()
            .find(|past| ts < past.until)
            .map(|past| &past.graph)
    }

    /// The identity of the alert with this dedup key.
    pub(crate) fn alert_id(&self, domain: &Domain, dedup_key: &str) -> AlertId {
        self.memos.ids.borrow_mut().of(domain, dedup_key)
    }

    /// Says where the event of an input belongs.
    pub(crate) fn placed(&mut self, input: u64, episode: Option<EpisodeId>) {
        if self.settings.placements {
            self.out.push(Output::Event { input, episode });
        }
    }
}
