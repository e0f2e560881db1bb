//! What the pipeline counts about itself. Plain atomics: whoever shows them reads them when asked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Raises it.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    /// Reads it.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }
    /// Reads it.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:ident,)+) => {
        /// Counts and gauges of a pipeline, summed over its workers.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[doc = $doc])+ pub $name: $kind,)+ }

        impl Counters {
            /// Name, meaning, value, and whether it only rises; for a metrics page.
            pub fn all(&self) -> Vec<Counted> {
                vec![$(Counted {
                    name: stringify!($name),
                    meaning: concat!($($doc),+).trim_ascii_start(),
                    value: self.$name.get() as f64,
                    rises: stringify!($kind).len() == "Count".len() && stringify!($kind).as_bytes()[0] == b'C',
                }),+]
            }
        }
    };
}

/// One number as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Its name, without prefix or unit suffix of the metrics page.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How large it is.
    pub value: f64,
    /// Whether it only rises.
    pub rises: bool,
}

counters! {
    /// Records read from raw topics.
    Count raw_records,
    /// Bytes of the values of records read from raw topics.
    Count raw_bytes,
    /// Records without a value in raw topics.
    Count raw_tombstones,
    /// Inputs written to the journal that came from a raw topic.
    Count ingested_inputs,
    /// Things understood in raw records that the fold need not see.
    Count ingested_nothing,
    /// Progress records written to the journal.
    Count progress_records,
    /// Records refused and written to the dead letters.
    Count dead_letters,
    /// Things refused beyond the limit of dead letters for one record.
    Count dead_letters_cut,
    /// Journal records folded.
    Count folded_inputs,
    /// Journal records that could not be read and were passed over.
    Count unreadable_inputs,
    /// Journal records that were quarantined because the fold panicked on them.
    Count quarantined_inputs,
    /// Change records written.
    Count changes,
    /// Incident records written.
    Count incidents,
    /// Incidents forgotten.
    Count incidents_forgotten,
    /// Records that were too large to be written.
    Count oversize_records,
    /// Transactions committed by ingest.
    Count ingest_commits,
    /// Transactions committed by correlate.
    Count correlate_commits,
    /// Time spent in commits of ingest.
    Count ingest_commit_nanos,
    /// Time spent in commits of correlate.
    Count correlate_commit_nanos,
    /// Time spent folding.
    Count fold_nanos,
    /// Checkpoints written.
    Count checkpoints,
    /// State rows written.
    Count state_rows,
    /// Bytes of state rows written.
    Count state_bytes,
    /// Partitions restored.
    Count restores,
    /// Time spent restoring.
    Count restore_nanos,
    /// Inputs folded again while restoring.
    Count refolded_inputs,
    /// Errors after which a worker started over.
    Count rebuilds,
    /// Committed positions found beyond the end of their log.
    Count recreated_topics,
    /// Journal partitions held here.
    Gauge partitions_held,
    /// By how much the newest raw record that was written lies behind the present.
    Gauge ingest_lag_ms,
    /// By how much the stream time of the slowest partition lies behind the present.
    Gauge stream_time_lag_ms,
}
