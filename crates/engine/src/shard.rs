//! A journal partition: stream time, timers, routing to the engines of its domains.

use model::{Incident, IncidentId, Input, Time};

use crate::{Books, Output, RestoreError, Settings, StateRow};

/// One journal partition.
pub struct Shard {
    settings: Settings,
    time: Time,
    books: Books,
}

impl Shard {
    /// A shard that has seen nothing.
    pub fn new(settings: Settings) -> Shard {
        Shard { settings, time: Time::MIN, books: Books::default() }
    }

    /// Folds inputs in their order and appends what follows from them. Total: no error, no I/O.
    pub fn step(&mut self, batch: &[Input], out: &mut Vec<Output>) {
        let _ = (batch, out, &self.settings);
        self.books.inputs += batch.len() as u64;
    }

    /// Lets stream time run to `to`, as a progress record would.
    pub fn progress(&mut self, to: Time, out: &mut Vec<Output>) {
        let _ = out;
        self.time = self.time.max(to);
    }

    /// Stream time: the running maximum of what was received; `Time::MIN` before the first input.
    pub fn stream_time(&self) -> Time {
        self.time
    }

    /// The next point of stream time at which something changes without an input.
    pub fn next_deadline(&self) -> Option<Time> {
        None
    }

    /// The version of the topology in force; empty means none.
    pub fn topology_version(&self) -> &str {
        ""
    }

    /// The present truth about one incident.
    pub fn incident(&self, id: IncidentId) -> Option<Incident> {
        let _ = id;
        None
    }

    /// The present truth about every incident remembered, in the order of their ids.
    pub fn incidents(&self) -> Vec<Incident> {
        Vec::new()
    }

    /// The books.
    pub fn books(&self) -> Books {
        self.books
    }

    /// Rows that changed since the last call (all of them after [`Shard::new`]), ordered by key.
    pub fn dirty_rows(&mut self) -> Vec<StateRow> {
        Vec::new()
    }

    /// A shard from the newest row of each key; order does not matter. No rows at all give a new shard.
    pub fn restore(settings: Settings, rows: impl IntoIterator<Item = StateRow>) -> Result<Shard, RestoreError> {
        let _ = rows.into_iter().count();
        Ok(Shard::new(settings))
    }
}
