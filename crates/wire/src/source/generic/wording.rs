//! What words of plain JSON say: whether they name something, or only what kind of message it is.

use crate::level;
use crate::source::prelude::*;

/// Whether a text only says that it is an alert.
pub(super) fn is_bare_noun(text: &str) -> bool {
    const NOUNS: [&str; 8] = [
        "monitor", "check", "event", "issue", "notification", "finding", "webhook", "message",
    ];
    among(text, &NOUNS)
}

/// `target: production` names where software goes to, and no machine.
pub(super) fn is_environment(name: &str) -> bool {
    const ENVIRONMENTS: [&str; 8] = [
        "production", "prod", "staging", "stage", "preview", "development", "dev", "qa",
    ];
    among(name, &ENVIRONMENTS)
}

/// Whether a text says what kind of message it is (`alert.fired`, `incident_created`, `on-degraded`) rather than what
/// happened.
pub(super) fn is_kind_of_message(text: &str) -> bool {
    const NOUNS: [&str; 18] = [
        "on", "alerts", "incidents", "status", "state", "detection", "policy", "alert", "incident", "issue",
        "problem", "event", "monitor", "check", "deployment", "notification", "snitch", "activity",
    ];
    let has = |of: fn(char) -> bool| text.contains(of);
    let sentence = has(char::is_whitespace) || has(char::is_uppercase) && has(char::is_lowercase);
    let mut words = text.split(['.', '_', ':', '-']);
    !sentence && words.clone().count() > 1 && words.any(|word| among(word, &NOUNS))
}

pub(super) fn is_test(title: &str) -> bool {
    const TESTS: [&str; 6] = [
        "this is a test", "test notification", "test message", "test alert from", "webhook test",
        "test webhook",
    ];
    let said = title.to_ascii_lowercase().replace(['_', '-'], " ");
    TESTS.iter().any(|t| said.contains(t))
}

/// Whether a kind of message is about a delivery of software: `deploy`, `deployment.succeeded`, `release_created`.
pub(super) fn delivers(kind: &str) -> bool {
    const DELIVERIES: [&str; 10] = [
        "deployment", "deploy", "release", "change", "rollback", "flag", "build", "audit", "audits", "push",
    ];
    let first = kind.split(['.', '_', ':', '-']).next();
    first.is_some_and(|word| among(word, &DELIVERIES))
}

/// Whether a text names something: a state, a level, a number or an address does not.
pub(super) fn names_something(text: &str) -> bool {
    state::word(text).is_none()
        && level::word(text).is_none()
        && text.parse::<f64>().is_err()
        && !is_environment(text)
        && !is_answer(text)
        && !is_path(text)
        && !text.starts_with('<')
        && !crate::draft::is_web_address(text)
        && when::any(text, None).is_none()
}

/// `HTTP 503` is what a server said.
fn is_answer(text: &str) -> bool {
    let rest = text.strip_prefix("HTTP").unwrap_or_default().trim_start();
    rest.len() == 3 && rest.bytes().all(|b| b.is_ascii_digit())
}

/// `organizations/1/sources/2/findings/3` says where something is kept.
pub(super) fn is_path(text: &str) -> bool {
    text.matches('/').count() >= 3 && !text.contains(char::is_whitespace)
}

/// Whether a kind of message is about an alert: `incident.created`, `issue_impact_change`.
pub(super) fn is_kind_of_alert(kind: &str) -> bool {
    const ALERTS: [&str; 7] = [
        "alert", "alerts", "alarm", "incident", "issue", "problem", "outage",
    ];
    is_kind_of_message(kind) && kind.split(['.', '_', ':', '-']).any(|word| among(word, &ALERTS))
}

/// Words for what fires that name it as well.
pub(super) fn is_noun(word: &str) -> bool {
    among(word.trim(), &["alert", "incident"])
}

/// `Critical Incident`, `Sev 1`: the level in a name of a few words.
pub(super) fn in_words(name: &str) -> Option<Severity> {
    if level::word(name).is_some() {
        return None;
    }
    let words: Vec<&str> = name.split_whitespace().collect();
    match words[..] {
        [word] => enumerated(word),
        [] => None,
        _ if words.len() > 3 => None,
        _ => level::word(&words.concat()).or_else(|| words.iter().find_map(|word| level::word(word))),
    }
}

/// `SEVERITY_HIGH`, `kCritical`: a level behind words that only say that it is one, as enumerations are written.
fn enumerated(name: &str) -> Option<Severity> {
    const OF_LEVELS: [&str; 11] = [
        "k", "severity", "sev", "level", "priority", "prio", "alert", "alarm", "criticality", "importance",
        "log",
    ];
    let words = state::tokens(name);
    let (last, before) = words.split_last()?;
    let known = !before.is_empty() && before.iter().all(|word| OF_LEVELS.contains(&word.as_str()));
    known.then(|| level::word(last)).flatten()
}

/// Numbers as most tools mean them: 1 to 5 with 1 the worst; more is worse on the scales to 10 (CVSS) and to 100; levels
/// of log records go by tens.
pub(super) fn number(word: &str, is_log_level: bool) -> Option<Severity> {
    let scale = |n: f64| match n {
        n if n >= 9.0 => Severity::Critical,
        n if n >= 7.0 => Severity::Error,
        n if n >= 4.0 => Severity::Warning,
        _ => Severity::Notice,
    };
    let n: f64 = word.parse().ok().filter(|n| (0.0..=100.0).contains(n))?;
    Some(match word {
        "1" => Severity::Critical,
        "2" => Severity::Error,
        "3" => Severity::Warning,
        "4" => Severity::Notice,
        "5" => Severity::Info,
        "10" | "20" if is_log_level => Severity::Info,
        "30" if is_log_level => Severity::Warning,
        "40" if is_log_level => Severity::Error,
        "50" | "60" if is_log_level => Severity::Critical,
        _ if n == 0.0 => return None,
        _ if n <= 10.0 => scale(n),
        _ => scale(n / 10.0),
    })
}

/// `5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278`
pub(super) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').take(6).collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
}
