//! The incidents as their topic has them, for whoever asks over HTTP: all that are not over, and the last that are.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use stream::log::Record;

/// Ended incidents that are kept, at most.
const ENDED_MAX: usize = 1_000;
/// Bytes of records that are kept, at most; above it the oldest that ended go first.
const BYTES_MAX: usize = 256 << 20;

/// What the topic says by now.
#[derive(Default)]
pub(crate) struct View {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    incidents: BTreeMap<String, Entry>,
    /// Ids in the order in which they ended.
    ended: VecDeque<String>,
    bytes: usize,
}

struct Entry {
    status: String,
    revision: u64,
    record: Arc<[u8]>,
}

/// As much of a record as is looked at here.
#[derive(Deserialize)]
struct Head {
    incident_id: String,
    status: String,
    revision: u64,
}

impl View {
    /// Takes what the topic says anew.
    pub(crate) fn take(&self, records: Vec<Record>) {
        let mut state = self.lock();
        records.into_iter().for_each(|record| state.apply(record));
    }

    /// The record of one incident.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<[u8]>> {
        self.lock().incidents.get(id).map(|entry| entry.record.clone())
    }

    /// Records of the incidents behind `after` whose status is one of `statuses`, in the order of their ids.
    pub(crate) fn list(&self, statuses: &[&str], after: &str, limit: usize) -> Vec<(String, Arc<[u8]>)> {
        let state = self.lock();
        let behind = state
            .incidents
            .range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        let wanted = behind.filter(|(_, entry)| statuses.contains(&entry.status.as_str()));
        wanted
            .take(limit)
            .map(|(id, entry)| (id.clone(), entry.record.clone()))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, record: Record) {
        let Some(value) = record.value else {
            let id = record
                .key
                .as_deref()
                .and_then(|k| std::str::from_utf8(k).ok())
                .unwrap_or_default();
            self.remove(id);
            return;
        };
        let Ok(head) = serde_json::from_slice::<Head>(&value) else {
            return;
        };
        if self
            .incidents
            .get(&head.incident_id)
            .is_some_and(|known| known.revision >= head.revision)
        {
            return;
        }
        self.remove(&head.incident_id);
        self.bytes += value.len();
        if is_over(&head.status) {
            self.ended.push_back(head.incident_id.clone());
        }
        let entry = Entry {
            status: head.status,
            revision: head.revision,
            record: value.into(),
        };
        self.incidents.insert(head.incident_id, entry);
        while self.ended.len() > ENDED_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.ended.pop_front() else {
                break;
            };
            // It may have been reopened since, or have ended once more.
            if self.incidents.get(&oldest).is_some_and(|e| is_over(&e.status))
                && !self.ended.contains(&oldest)
            {
                self.remove(&oldest);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        if let Some(entry) = self.incidents.remove(id) {
            self.bytes -= entry.record.len();
        }
    }
}

fn is_over(status: &str) -> bool {
    matches!(status, "resolved" | "merged")
}

#[cfg(test)]
mod tests {
    use stream::log::TopicPartition;

    use super::*;

    fn record(id: &str, revision: u64, status: &str) -> Record {
        let value =
            serde_json::json!({"incident_id": id, "revision": revision, "status": status}).to_string();
        Record {
            at: TopicPartition::new(&"i".into(), 0),
            offset: 0,
            timestamp: None,
            key: Some(id.into()),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    #[test]
    fn the_latest_revision_counts_and_tombstones_forget() {
        let view = View::default();
        let ids = |statuses: &[&str]| -> Vec<String> {
            view.list(statuses, "", 10)
                .into_iter()
                .map(|(id, _)| id)
                .collect()
        };
        for r in [
            record("b", 2, "open"),
            record("a", 1, "open"),
            record("b", 1, "resolved"),
        ] {
            view.lock().apply(r);
        }
        assert_eq!(ids(&["open"]), ["a", "b"]);
        view.lock().apply(record("a", 2, "resolved"));
        assert_eq!(ids(&["open"]), ["b"]);
        assert_eq!(ids(&["resolved"]), ["a"]);
        assert_eq!(view.list(&["open"], "b", 10).len(), 0);
        view.lock().apply(Record {
            value: None,
            ..record("b", 3, "")
        });
        assert!(view.get("b").is_none());
        for n in 0..ENDED_MAX + 5 {
            view.lock().apply(record(&format!("e{n:06}"), 1, "resolved"));
        }
        let state = view.lock();
        assert_eq!(state.incidents.len(), ENDED_MAX);
        assert_eq!(
            state.bytes,
            state.incidents.values().map(|e| e.record.len()).sum::<usize>()
        );
    }
}
