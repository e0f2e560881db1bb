//! Names that rows have by the thousand, each by its place.
//!
//! Only ever appended to: a place that changes its name misreads every row there is. A name that is not here is spelt out
//! in each row, which costs bytes and nothing else.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::FixedState;

use super::NUMBERS;

/// The names.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "dedup_key", "source", "title", "text", "service", "host", "labels", "spot", "class", "kind", "status",
    "state_at", "severity", "severity_at", "said", "onset", "first_at", "count", "heard_at", "heard_from",
    "starts_at", "stale_due", "rarity", "season", "listed", "minted", "episode", "back_at", "unsettled", "uncounted",
    "settled", "incident", "past", "opened", "passive", "muted", "quieted", "habit", "flap", "serial", "family",
    "entity", "node", "host_node", "caller", "callee", "system", "known", "events", "span", "log", "offset", "index",
    "last", "start", "first", "episodes", "alone", "recent", "recent_at", "judged", "gap_s", "stray", "level", "seen",
    "repeat_s", "repeat_stray_s", "repeats", "came", "pace", "minute", "minute_at", "minute_max", "overdue", "part",
    "dense", "mates", "value", "at", "last_at", "joined_at", "firing", "stale", "parent", "probability",
    "because", "runner_up", "face", "incident_id", "margin", "revision", "opener", "background", "late", "opened_at",
    "updated_at", "begun", "first_event_at", "last_event_at", "touched_at", "alerts", "shown", "members",
    "suppressed", "held", "activity", "places", "callees", "acknowledged_severity", "page", "page_at", "causes",
    "context", "owner", "changes", "similar", "assessed", "unassessed", "related", "wake", "publish_at",
    "published_at", "published", "resolved_at", "ended", "team",
    "also_notify", "mode", "state", "seq", "first_due_at", "reason", "score", "rank", "confidence", "similarity",
    "cause", "resolved", "info", "unknown", "notice", "warning", "error", "critical", "open", "none", "observe",
    "due", "closed", "alerting", "change", "isolated", "time",
    "topology", "label", "ownership", "coverage", "resource", "latency",
    "traffic", "other", "hours", "tentative", "again", "new", "expected", "named_service", "ring", "senders",
    "newest", "openings", "t", "symptom", "alert", "near", "minutes", "symptoms", "histogram", "firings",
    "recoveries", "high", "pauses", "gaps", "interval_s", "times", "beside", "since", "until",
];

const _: () = assert!(NAMES.len() <= NUMBERS, "the codes behind are taken");

static PLACES: LazyLock<HashMap<&str, usize, FixedState>> =
    LazyLock::new(|| NAMES.iter().copied().zip(0..).collect());

/// The place of a name.
pub(super) fn place(name: &str) -> Option<usize> {
    PLACES.get(name).copied()
}

/// The name at a place.
pub(super) fn at(place: usize) -> Option<&'static str> {
    NAMES.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_place() {
        assert_eq!(PLACES.len(), NAMES.len());
    }
}
