//! The last dead letters, for whoever asks over HTTP why something is missing while the log is in use by this process.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use stream::log::Record;

/// Letters that are kept, at most.
pub(crate) const KEPT: usize = 100;
/// Bytes of an original that are shown.
const SHOWN_BYTES: usize = 400;

/// What was refused of late.
#[derive(Default)]
pub(crate) struct Letters(Mutex<VecDeque<Value>>);

impl Letters {
    /// Takes what was refused anew. A letter that comes again, because its topic is read anew, is one.
    pub(crate) fn take(&self, records: Vec<Record>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            let letter = letter(&record);
            if kept.iter().any(|known| known["letter"] == letter["letter"]) {
                continue;
            }
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(letter);
        }
    }

    /// The newest first.
    pub(crate) fn list(&self) -> Value {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        json!({"deadletters": kept.iter().rev().collect::<Vec<_>>()})
    }
}

/// Its name is that of `stormfold deadletters`.
fn letter(record: &Record) -> Value {
    let header = |name: &str| record.header(name).unwrap_or_default();
    let bytes = record.value.as_deref().unwrap_or_default();
    let begins = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]);
    json!({
        "letter": format!("{}@{}", record.at.partition, record.offset),
        "at": record.timestamp.map(|at| at.to_string()),
        "reason": header("reason"),
        "stage": header("stage"),
        "path": header("path"),
        "source": header("source"),
        "origin": header("origin"),
        "bytes": bytes.len(),
        "begins": begins,
    })
}
