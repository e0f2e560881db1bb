//! Enrichment tables that are replaced while the pipeline runs.
//!
//! What a table adds to an event is written to the journal with it, so a replay sees what was added then, whatever the
//! tables say by now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wire::Tables;

/// Hands new tables to the workers. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct NewTables {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How many times tables were put.
    version: AtomicU64,
    tables: Mutex<Tables>,
}

impl NewTables {
    /// Puts tables in force; every worker takes them before the next batch that it reads.
    pub fn put(&self, tables: Tables) {
        *self.shared.tables.lock().unwrap_or_else(PoisonError::into_inner) = tables;
        self.shared.version.fetch_add(1, Ordering::Release);
    }

    /// The tables, if they are newer than `seen`, which is the version taken last.
    pub(crate) fn newer(&self, seen: &mut u64) -> Option<Tables> {
        let version = self.shared.version.load(Ordering::Acquire);
        if version == *seen {
            return None;
        }
        *seen = version;
        let tables = self.shared.tables.lock().unwrap_or_else(PoisonError::into_inner);
        Some(tables.clone())
    }
}
