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
    /// Moves it.
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    /// Reads it.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the classes of a [`Spread`], in seconds.
pub const SPREAD_BOUNDS: [f64; 10] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// How durations are spread.
#[derive(Debug, Default)]
pub struct Spread {
    classes: [AtomicU64; SPREAD_BOUNDS.len()],
    count: AtomicU64,
    nanos: AtomicU64,
}

/// A spread as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spreading {
    /// How many were at most as long as each of [`SPREAD_BOUNDS`].
    pub classes: [u64; SPREAD_BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long all of them took, in seconds.
    pub sum: f64,
}

impl Spread {
    /// Adds one that took so many nanoseconds.
    pub fn add(&self, nanos: u64) {
        let seconds = nanos as f64 / 1e9;
        for (class, bound) in self.classes.iter().zip(SPREAD_BOUNDS) {
            if seconds <= bound {
                class.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
    /// Reads it.
    pub fn get(&self) -> Spreading {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Spreading {
            classes: std::array::from_fn(|i| read(&self.classes[i])),
            count: read(&self.count),
            sum: read(&self.nanos) as f64 / 1e9,
        }
    }
}

/// A value of a counter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// It only rises.
    Count(u64),
    /// It goes up and down.
    Gauge(i64),
    /// How durations are spread.
    Spread(Spreading),
}

impl Count {
    fn value(&self) -> Value {
        Value::Count(self.get())
    }
}

impl Gauge {
    fn value(&self) -> Value {
        Value::Gauge(self.get())
    }
}

impl Spread {
    fn value(&self) -> Value {
        Value::Spread(self.get())
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:ident,)+) => {
        /// Counts and gauges of a pipeline, summed over its workers.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[doc = $doc])+ pub $name: $kind,)+ }

        impl Counters {
            /// Name, meaning and value; for a metrics page.
            pub fn all(&self) -> Vec<Counted> {
                vec![$(Counted {
                    name: stringify!($name),
                    meaning: concat!($($doc),+).trim_ascii_start(),
                    value: self.$name.value(),
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
    pub value: Value,
}

counters! {
    /// Reads of records of raw topics: one that is read again after an error or a take-over counts again.
    Count raw_records,
    /// Bytes of the values of records of raw topics, counted as often as they are read.
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
    /// Time that a commit of ingest takes.
    Spread ingest_commit_nanos,
    /// Time that a commit of correlate takes.
    Spread correlate_commit_nanos,
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
    /// State rows read while restoring.
    Count restored_rows,
    /// Inputs folded again while restoring.
    Count refolded_inputs,
    /// Errors after which a worker started over.
    Count rebuilds,
    /// Committed positions found beyond the end of their log.
    Count recreated_topics,
    /// Positions of raw topics that were removed before they were read.
    Count raw_positions_lost,
    /// Journal partitions held here.
    Gauge partitions_held,
    /// Journal partitions that are being restored.
    Gauge restoring_partitions,
    /// Inputs that are still to be folded again in the partition that is being restored.
    Gauge restoring_inputs_left,
    /// Positions of raw topics, of the partitions held here, whose records are not in the journal yet.
    Gauge ingest_waiting_records,
    /// Age of the oldest raw record held here that is not in the journal yet; 0 for topics with history.
    Gauge ingest_waiting_ms,
    /// Positions of the journal, of the partitions held here, that are not folded yet.
    Gauge correlate_waiting_records,
    /// Age of the oldest journal record held here that is not folded yet.
    Gauge correlate_waiting_ms,
    /// When the last heartbeat was committed, in Unix time; 0 before the first.
    Gauge heartbeat_timestamp_ms,
    /// By how much the newest raw record that was written lies behind the present.
    Gauge ingest_lag_ms,
    /// By how much the stream time of the slowest partition lies behind the present.
    Gauge stream_time_lag_ms,
}
