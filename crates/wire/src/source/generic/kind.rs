//! What plain JSON says that it is: an alert, or a sign of life, a test, a change.

use super::{
    field_names::{CALLED, OF_COMMIT, SEVERITIES, SEVERITY, TITLED},
    guess::Guess,
    wording::*,
};
use crate::source::prelude::*;

/// Labels that say what kind of message it is.
const KINDS: [&str; 7] = [
    "state", "type", "event_type", "kind", "eventType", "event", "topic",
];

/// Of a kind this much is looked at.
const KIND_BYTES_MAX: usize = 64;

/// Whether it is called a sign of life, whatever it says of its state.
pub(super) fn is_beat(d: &Draft) -> bool {
    KINDS
        .iter()
        .filter_map(|name| d.labels.get(name))
        .any(is_word_of_beat)
}

/// Whether a word says that something runs, which of an alert would say that it holds.
pub(super) fn says_that_it_lives(word: &str) -> bool {
    among(word, &["active", "activated", "on", "started", "true"])
}

fn is_word_of_beat(word: &str) -> bool {
    among(word, &["heartbeat", "ping", "keepalive", "keep-alive"])
}

/// Whether a sign of life says that it failed to come. That it is active or open says the opposite, so only what
/// speaks of a fault counts.
pub(super) fn stays_away(guess: &Guess<'_>, d: &Draft) -> bool {
    // Of a heartbeat these say that it did not come, whatever they say of an alert.
    const MISSES: [&str; 7] = [
        "absent", "expired", "late", "missed", "missing", "overdue", "timeout",
    ];
    let is_fault = |word: &str| {
        among(word, &MISSES) || state::word(word) == Some(State::Firing) && !says_that_it_lives(word)
    };
    let said = ["state", "status", "event", "action", "result"]
        .iter()
        .filter_map(|name| d.labels.get(name))
        .any(is_fault);
    let holds = guess.flag(&["isup", "isok", "healthy", "passing", "passed"]);
    let fails = guess.flag(&["down", "failing", "firing", "triggered"]);
    let last = d.title.split_whitespace().next_back().unwrap_or_default();
    let of_title = state::said(&d.title) == Some(State::Firing) || among(last, &MISSES);
    match holds.or(fails.map(|fails| !fails)) {
        Some(holds) => !holds,
        None => said || of_title,
    }
}

/// Whether what it says of itself is of an alert: what it is called, a state that no build has, a place where it holds.
/// An alert may name the build and the commit at fault.
fn speaks_of_alert(guess: &Guess<'_>, d: &Draft) -> bool {
    const ALERTS: [&str; 6] = ["alert", "alerts", "alarm", "incident", "problem", "outage"];
    const PLACES: [&str; 6] = ["host", "hostname", "service", "servicename", "node", "instance"];
    const OF_BUILDS: [&str; 32] = [
        "success", "succeeded", "successful", "passed", "failed", "failure", "failing", "errored", "error",
        "cancelled", "canceled", "running", "started", "pending", "queued", "created", "completed",
        "complete", "finished", "building", "broken", "fixed", "skipped", "blocked", "scheduled", "ready",
        "deployed", "stopped", "aborted", "rejected", "approved", "done",
    ];
    let named = KINDS
        .iter()
        .chain(&["action"])
        .filter_map(|name| d.labels.get(name))
        .any(|kind| {
            kind.split(['.', '_', ':', '-', ' '])
                .any(|word| among(word, &ALERTS))
        });
    let stated = d.labels.get("state").is_some_and(|said| {
        let of_build = said
            .split(['.', '_', ':', '-', ' '])
            .any(|word| among(word, &OF_BUILDS));
        state::word(said).or_else(|| state::within(said)).is_some() && !of_build
    });
    named
        || stated
        || guess.objects(&ALERTS) > 0
        || guess.says_outside(&ALERTS)
        || guess.says_outside(&PLACES)
}

/// Whether it stands around what delivers software: a pipeline and its build, a repository and what was pushed to it.
pub(super) fn is_delivery(guess: &Guess<'_>, d: &Draft) -> bool {
    const OF_PUSHES: [&str; 2] = ["pushdata", "qualitygate"];
    const PARTS: [&str; 7] = [
        "build", "pipeline", "workflow", "repository", "repo", "commit", "deployment",
    ];
    let of_commit = usize::from(guess.glance(&OF_COMMIT).is_some());
    // What says where it was deployed to tells of a build.
    let deployed = guess.glance(&["deployurl", "deploysslurl"]).is_some()
        && guess.glance(&["branch", "commitref", "buildid"]).is_some();
    // A push says `active` of its repository.
    deployed
        || guess.objects(&OF_PUSHES) > 0
        || guess.objects(&PARTS) + of_commit > 1 && !speaks_of_alert(guess, d)
}

/// Tests, beats and changes that say that they are.
pub(super) fn other_than_alert(d: &Draft) -> Option<OtherKind> {
    let kind = KINDS
        .iter()
        .find_map(|name| d.labels.get(name))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind == "test" || is_test(&d.title) {
        Some(OtherKind::Test)
    } else if is_word_of_beat(&kind) {
        Some(OtherKind::Heartbeat)
    } else if delivers(&kind)
        || d.severity_original.is_none()
            && ["resource", "action", "object_kind", "webhookEvent"]
                .iter()
                .filter_map(|name| d.labels.get(name))
                .any(delivers)
    {
        Some(OtherKind::Change)
    } else if matches!(kind.as_str(), "maintenance" | "downtime") {
        Some(OtherKind::Maintenance)
    } else {
        None
    }
}

/// Whether its kind says that it is of work that was announced, and nothing else: `MAINTENANCE_PLANNED`. What else is said
/// of such work may be that it went wrong.
pub(super) fn is_planned(guess: &Guess<'_>) -> bool {
    const PLANS: [&str; 6] = ["planned", "scheduled", "started", "created", "updated", "ended"];
    let kind = guess.glance(&["eventtype", "type", "event"]).unwrap_or_default();
    let words = words_of(&kind);
    let is_plan = |word: &String| among(word, &PLANS);
    words.iter().any(is_plan)
        && words.iter().any(|word| word == "maintenance")
        && words
            .iter()
            .all(|word| is_plan(word) || among(word, &["maintenance", "window"]))
}

/// Whether its kind says that somebody said something of it, which does not make it fire again: `CommentAdded`. What a
/// thing is called may hold the word: `comment-service.down`.
pub(super) fn is_remark(guess: &Guess<'_>) -> bool {
    let kinds = ["type", "eventtype", "kind", "event", "action"];
    kinds.iter().filter_map(|name| guess.glance(&[name])).any(|kind| {
        let words = words_of(&kind);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        matches!(
            words[..],
            [.., "comment" | "commented"] | [.., "comment", "added" | "created" | "posted" | "updated"]
        )
    })
}

/// Whether it bears the name of an alert and a level that is bad where it says what it is: whatever kind of thing is
/// beside them, it is not for reading alone.
pub(super) fn is_loud(guess: &Guess<'_>, d: &Draft) -> bool {
    d.severity >= Some(Severity::Error)
        && guess.says_outside(&SEVERITY[..SEVERITIES])
        && (guess.says_outside(&TITLED) || guess.says_outside(&CALLED))
}

fn words_of(kind: &str) -> Vec<String> {
    state::tokens(crate::bounds::prefix(kind, KIND_BYTES_MAX))
}
