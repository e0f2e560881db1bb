//! What condition a title speaks of, whatever it says of its state.
//!
//! Many senders write the state into the title, and some give nothing else by which a recovery meets its alert:
//! `PROBLEM: x` and `OK: x`, `[Triggered on {host:web-1}] x` and `[Recovered on {host:web-1}] x`, `Problem: x` and
//! `Resolved in 3m 5s: x`, `x is CRITICAL` and `x is OK`, `linkDown` and `linkUp`.

use crate::Text;

/// Words before a title that say the state, not the condition.
const STATUS_WORDS: [&str; 23] = [
    "problem",
    "ok",
    "resolved",
    "recovery",
    "recovered",
    "firing",
    "alert",
    "alarm",
    "alerting",
    "triggered",
    "critical",
    "warning",
    "warn",
    "no data",
    "down",
    "up",
    "fixed",
    "closed",
    "cleared",
    "open",
    "update",
    "re-triggered",
    "renotify",
];

/// First words of the notices of Nagios and its kin, in capitals and without a mark behind.
const NOTICES: [&str; 2] = ["PROBLEM ", "RECOVERY "];

/// What a recovery says at the end of its title, and what the alert said that it ends.
const ENDS: [(&str, &str); 13] = [
    ("up", "down"),
    ("ready", "unready"),
    ("reachable", "unreachable"),
    ("online", "offline"),
    ("recovered", "failed"),
    ("restored", "lost"),
    ("available", "unavailable"),
    ("healthy", "unhealthy"),
    ("responding", "unresponsive"),
    ("connected", "disconnected"),
    ("passed", "failed"),
    ("passing", "failing"),
    ("succeeded", "failed"),
];

/// Levels that stand behind one of these are the state.
const BEFORE_LEVEL: [&str; 5] = ["is", "are", "now", "state", "status"];
const LEVELS: [&str; 7] = ["critical", "warning", "unknown", "ok", "normal", "down", "up"];

/// The title without a leading word of state: `PROBLEM: x`, `[OK] x`, `RECOVERY - x` all become `x`.
pub fn strip_status_prefix(title: &str) -> &str {
    let mut title = title.trim();
    loop {
        let (word, rest) = match title.strip_prefix('[').and_then(|t| t.split_once(']')) {
            Some((word, rest)) => (word, Some(rest)),
            None => {
                let end = title
                    .find(|c: char| !c.is_ascii_alphabetic())
                    .unwrap_or(title.len());
                let after = title[end..].trim_start();
                (
                    &title[..end],
                    after.strip_prefix(':').or_else(|| after.strip_prefix("- ")),
                )
            }
        };
        // `[FIRING:2] x` counts its alerts behind the word, `[Triggered on {host:a}] x` names its place.
        let word = word.split(" on {").next().unwrap_or(word);
        let word = word.split(':').next().unwrap_or(word).trim();
        let Some(rest) = rest.map(|r| r.trim_start_matches([':', '-', ' '])) else {
            return title;
        };
        if rest.is_empty() || !STATUS_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word)) {
            return title;
        }
        title = rest;
    }
}

/// The condition of a title, the same from the alert to its recovery.
///
/// Words of state count as such only where they say it: at the end, before a colon or `alert:` at the beginning, behind `is`, on
/// either side of an arrow, or as the last part of a word in camel case. `Available memory is low` speaks of memory.
pub(crate) fn condition(title: &str) -> Text {
    let title = title.replace(" no longer ", " ");
    let marks = |c: char| !c.is_ascii() && !c.is_alphanumeric() || matches!(c, '*' | ' ');
    let mut title = title.trim_matches(marks);
    for notice in NOTICES {
        title = title.strip_prefix(notice).unwrap_or(title);
    }
    title = strip_status_prefix(strip_lasted(title));
    let mut out = Text::with_capacity(title.len());
    let (mut before, mut between) = ("", "");
    let mut rest = title;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        let gap = tail.find(char::is_alphabetic).unwrap_or(tail.len());
        let (after, next) = tail.split_at(gap);
        let said = matches!(between, " " | ": " | ":" | "=") && is_one_of(before, &BEFORE_LEVEL);
        if (said || is_arrow(between) || is_arrow(after)) && is_one_of(word, &LEVELS) {
            out.push('~');
        } else {
            let heads = after.starts_with(':') || after == " " && next.starts_with("alert:");
            let states = next.is_empty() || before.is_empty() && heads;
            out.push_str(&began(word, states));
        }
        out.push_str(after);
        (before, between) = (word, after);
        rest = next;
    }
    out
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

fn is_arrow(between: &str) -> bool {
    matches!(between.trim(), "->" | "=>" | "→")
}

/// Without `Resolved in 3m 5s:`.
fn strip_lasted(title: &str) -> &str {
    let Some((head, rest)) = title.split_once(": ") else {
        return title;
    };
    let is_lasted = head.split_once(" in ").is_some_and(|(word, lasted)| {
        STATUS_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
            && lasted.starts_with(|c: char| c.is_ascii_digit())
    });
    if is_lasted { rest } else { title }
}

/// The word by which an alert began that ends with this one, in the same case: `Up` ends `Down`, `linkUp` ends `linkDown`,
/// `NodeReady` ends `NodeNotReady`.
fn began(word: &str, states: bool) -> Text {
    let lower = word.to_lowercase();
    if let Some((_, other)) = ENDS.iter().find(|(end, _)| states && *end == lower) {
        let first_is_great = word.starts_with(char::is_uppercase);
        return if first_is_great && word == word.to_uppercase() {
            other.to_uppercase().into()
        } else if first_is_great {
            compact_str::format_compact!("{}{}", other[..1].to_uppercase(), &other[1..])
        } else {
            (*other).into()
        };
    }
    let camel = |end: &str| {
        word.strip_suffix(end)
            .filter(|start| start.ends_with(char::is_lowercase))
    };
    match (camel("Up"), camel("NotReady")) {
        (Some(start), _) => compact_str::format_compact!("{start}Down"),
        (_, Some(start)) => compact_str::format_compact!("{start}Ready"),
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_state_are_no_part_of_a_title() {
        for (title, bare) in [
            ("PROBLEM: disk full", "disk full"),
            ("[OK] queue age", "queue age"),
            ("[Alerting] queue age", "queue age"),
            ("[FIRING:2] HighCpu", "HighCpu"),
            ("[Warn on {host:web-1}] HighCpu", "HighCpu"),
            ("RECOVERY - HTTP", "HTTP"),
            ("Warning lights", "Warning lights"),
            ("OK", "OK"),
            ("Down", "Down"),
        ] {
            assert_eq!(strip_status_prefix(title), bare);
        }
    }

    #[test]
    fn a_recovery_speaks_of_the_condition_that_it_ends() {
        for (alert, recovery) in [
            ("PROBLEM: disk full", "OK: disk full"),
            (
                "[Triggered on {host:web-1}] disk",
                "[Recovered on {host:web-1}] disk",
            ),
            ("Problem: High CPU", "Resolved in 3m 5s: High CPU"),
            (
                "** PROBLEM Service Alert: web-1/HTTP is CRITICAL **",
                "** RECOVERY Service Alert: web-1/HTTP is OK **",
            ),
            ("shop is WARNING", "shop is OK"),
            ("linkDown ifIndex 7", "linkUp ifIndex 7"),
            ("BGP neighbor 10.0.0.1 Down", "BGP neighbor 10.0.0.1 Up"),
            ("Monitor shop is DOWN", "Monitor shop is UP"),
            ("host unreachable", "host reachable"),
            ("Backup of vault failed", "Backup of vault recovered"),
            ("❌ FAILED: nightly", "✅ PASSED: nightly"),
            ("check-http failing", "check-http passing"),
            (
                "DOWN alert: shop (a.example.org) is DOWN",
                "UP alert: shop (a.example.org) is UP",
            ),
            ("NodeNotReady", "NodeReady"),
            ("Queue too long", "Queue no longer too long"),
            (
                "Check_MK: www/CPU WARNING -> CRITICAL",
                "Check_MK: www/CPU CRITICAL -> OK",
            ),
            // Nothing of the state is in it.
            ("Available memory is low", "Available memory is low"),
            ("3 nodes online", "3 nodes online"),
        ] {
            assert_eq!(condition(alert), condition(recovery), "{alert}");
        }
    }

    #[test]
    fn other_conditions_are_told_apart() {
        for (one, other) in [
            ("CPU warning", "CPU critical"),
            ("link down", "link flapping"),
            ("host unreachable", "host down"),
            ("Available memory is low", "Unavailable memory is low"),
        ] {
            assert_ne!(condition(one), condition(other), "{one}");
        }
    }
}
