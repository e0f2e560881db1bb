//! Enrichment tables: read at the start, and anew on SIGHUP or when a file changes.
//!
//! New tables come into force together or not at all: while one of the files cannot be used, the old ones stay.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use stream::NewTables;

use crate::config::Table;

/// Pause between two looks at the files.
const PAUSE: Duration = Duration::from_secs(1);

/// Size and time of last change of each file; `None` for one that cannot be looked at.
type Stamp = Vec<Option<(u64, SystemTime)>>;

/// Reads the tables; says which file is wrong, and how.
pub(crate) fn read(list: &[Table]) -> Result<wire::Tables, String> {
    let mut tables = wire::Tables::default();
    for (i, table) in list.iter().enumerate() {
        let named =
            |error: &dyn std::fmt::Display| format!("decode.tables[{i}].file: {}: {error}", table.file);
        let text =
            std::fs::read_to_string(&table.file).map_err(|e| named(&format!("cannot be read: {e}")))?;
        tables.add(&table.key, &text).map_err(|e| named(&e))?;
    }
    Ok(tables)
}

/// Looks after the files of the tables while the pipeline runs.
pub(crate) struct Watch {
    list: Vec<Table>,
    to: NewTables,
    asked: Arc<AtomicBool>,
    looked: Instant,
    /// Of what was read last, whether it could be used or not.
    read: Stamp,
    /// Of the last look.
    seen: Stamp,
}

impl Watch {
    /// Of files that are about to be read: what changes from now on is noticed.
    pub(crate) fn new(list: Vec<Table>) -> Watch {
        let stamp = stamp(&list);
        Watch {
            list,
            to: NewTables::default(),
            asked: Arc::default(),
            looked: Instant::now(),
            read: stamp.clone(),
            seen: stamp,
        }
    }

    /// Where new tables go.
    pub(crate) fn new_tables(&self) -> NewTables {
        self.to.clone()
    }

    /// To be set by a signal that asks for the tables to be read.
    pub(crate) fn asked(&self) -> Arc<AtomicBool> {
        self.asked.clone()
    }

    /// Reads the tables if somebody asked, or if a file changed and has been left alone since the last look: one that
    /// is being written is not half read.
    pub(crate) fn look(&mut self) {
        let asked = self.asked.swap(false, Ordering::AcqRel);
        if !asked && self.looked.elapsed() < PAUSE {
            return;
        }
        self.looked = Instant::now();
        let now = stamp(&self.list);
        let changed = now != self.read && now == self.seen;
        self.seen.clone_from(&now);
        if asked || changed {
            self.read = now;
            match read(&self.list) {
                Ok(tables) => {
                    self.to.put(tables);
                    tracing::info!(tables = self.list.len(), "the tables were read anew");
                }
                Err(error) => tracing::error!(error, "the tables stay as they were"),
            }
        }
    }
}

fn stamp(list: &[Table]) -> Stamp {
    let of = |table: &Table| {
        let file = std::fs::metadata(&table.file).ok()?;
        Some((file.len(), file.modified().ok()?))
    };
    list.iter().map(of).collect()
}
