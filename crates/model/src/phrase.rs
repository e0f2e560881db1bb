//! Which words say a state, and whether a phrase says nothing else.

use crate::mask;

/// What a recovery says at the end of its title, and what the alert said that it ends.
const ENDS: [(&str, &str); 16] = [
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
    ("reconnected", "disconnected"),
    ("passed", "failed"),
    ("passing", "failing"),
    ("succeeded", "failed"),
    ("ok", "failed"),
    ("operational", "degraded"),
];

/// Further words of state.
const STATES: [&str; 23] = [
    "problem",
    "resolved",
    "recovery",
    "firing",
    "fired",
    "alert",
    "alarm",
    "alerting",
    "triggered",
    "retriggered",
    "renotify",
    "normal",
    "fixed",
    "open",
    "opened",
    "closed",
    "cleared",
    "clear",
    "started",
    "ended",
    "update",
    "outage",
    "missing",
];

/// Those that say how bad it is.
pub(crate) const LEVELS: [&str; 6] = ["critical", "crit", "error", "warning", "warn", "unknown"];

/// They speak of the alert and not of the thing: at the end of a title nothing stands for them.
pub(crate) const OVER: [&str; 3] = ["resolved", "cleared", "closed"];

/// What leads to a state, and what follows it without saying more.
pub(crate) const LINKS: [&str; 20] = [
    "is", "are", "was", "were", "has", "have", "been", "be", "now", "back", "again", "went", "came", "gone",
    "returned", "to", "state", "status", "became", "re",
];
/// Before how long it took.
pub(crate) const LASTED: [&str; 4] = ["after", "for", "in", "since"];

/// A phrase that says no more than a state is short.
const PHRASE_BYTES_MAX: usize = 64;

/// What a message is, and what it is of. The latter tells two conditions apart.
pub(crate) const MESSAGES: [&str; 7] = [
    "incident",
    "issue",
    "violation",
    "event",
    "notification",
    "notice",
    "message",
];
pub(crate) const THINGS: [&str; 6] = ["service", "host", "node", "monitor", "check", "site"];

/// Whether a phrase says a state and names nothing, but what `nouns` holds.
pub(crate) fn says_state(phrase: &str, nouns: &[&str]) -> bool {
    let says = |word: &str| {
        is_state(word) || is_filler(word) || [&LINKS[..], &LASTED, nouns].iter().any(|of| is_one_of(word, of))
    };
    phrase.trim().eq_ignore_ascii_case("no data")
        || phrase.len() <= PHRASE_BYTES_MAX && words(phrase).any(is_state) && words(phrase).all(says)
}

pub(crate) fn words(phrase: &str) -> impl Iterator<Item = &str> {
    let is_word = |word: &&str| !word.is_empty();
    phrase.split(|c: char| !c.is_alphanumeric()).filter(is_word)
}

pub(crate) fn is_state(word: &str) -> bool {
    let ends = |(well, ill): &(&str, &str)| well.eq_ignore_ascii_case(word) || ill.eq_ignore_ascii_case(word);
    is_one_of(word, &STATES) || is_one_of(word, &LEVELS) || ENDS.iter().any(ends)
}

/// A number, what it counts (`3m`, `5 minutes`), and a level by number (`P2`, `Sev1`).
pub(crate) fn is_filler(word: &str) -> bool {
    let level = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let is_level = level.len() == 1 && is_one_of(&word[..word.len() - 1], &["p", "s", "sev", "severity"]);
    word.starts_with(|c: char| c.is_ascii_digit())
        || is_level && level.as_bytes()[0].is_ascii_digit()
        || mask::is_time(word)
}

pub(crate) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// The word by which an alert began that ends with this one.
pub(crate) fn ended_by(word: &str) -> Option<&'static str> {
    ENDS.iter()
        .find(|(well, _)| well.eq_ignore_ascii_case(word))
        .map(|(_, ill)| *ill)
}
