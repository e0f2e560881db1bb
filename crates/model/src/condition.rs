//! What condition a title speaks of, whatever it says of its state.
//!
//! Many senders write the state into the title, and some give nothing else by which a recovery meets its alert:
//! `PROBLEM: x` and `OK: x`, `[Triggered on {host:web-1}] x` and `[Recovered on {host:web-1}] x`, `Problem: x` and
//! `Resolved in 3m 5s: x`, `x is CRITICAL` and `x is OK`, `x went down` and `x came back up`, `linkDown` and `linkUp`.
//!
//! A word of state says the state only where nothing else can stand: alone between brackets, before a colon, dash or full
//! stop at the beginning, behind a dash at the end, and behind `is`, `has`, `went` and their like. At the very end of a title it may be
//! all that tells what is wrong (`link down`, `host unreachable`): there only the word of a recovery gives way, to that
//! of what it ends. Anywhere else it is a word like others: `Available memory is low`, `Scale up failed`; but for the four
//! states of a check in capitals where a clause ends or a place follows: `Disk CRITICAL on web1` and `Disk OK on web1`.

use crate::{
    Text,
    phrase::{
        LASTED, LEVELS, LINKS, MESSAGES, OVER, THINGS, ended_by, is_filler, is_one_of, is_state, says_state,
        words,
    },
};

/// The states of a check (Nagios and its kin), as they stand in the midst of a title.
const CHECKED: [&str; 4] = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];
/// What may follow them. Before a noun they say what sort of thing it is: `CRITICAL errors`.
const PLACES: [&str; 5] = ["on", "at", "for", "in", "of"];

/// What is up or down. A rate or a scale goes up and down, and neither ends the other: `TRAFFIC_UP`, `TRAFFIC_DOWN`.
const STANDING: [&str; 23] = [
    "link",
    "node",
    "host",
    "port",
    "interface",
    "iface",
    "peer",
    "neighbor",
    "neighbour",
    "service",
    "session",
    "bgp",
    "tunnel",
    "vpn",
    "server",
    "instance",
    "site",
    "device",
    "router",
    "switch",
    "gateway",
    "circuit",
    "volume",
];

/// What goes up and down without ever being down, where any other thing may stand before the word.
const MOVING: [&str; 10] = [
    "scale", "scaled", "scaling", "scales", "rate", "traffic", "usage", "trend", "ramp", "price",
];

/// The title without a leading word of state: `PROBLEM: x`, `[OK] x`, `RECOVERY - x` all become `x`.
pub fn strip_status_prefix(title: &str) -> &str {
    let mut title = title.trim();
    while let Some(head) = head(title)
        && says_state(head.phrase, &MESSAGES)
        && !head.rest.is_empty()
    {
        title = head.rest;
    }
    title
}

/// What makes the end of a condition of its words.
const NO_LONGER: &str = " no longer ";

/// The condition of a title, the same from the alert to its recovery.
pub fn condition(title: &str) -> Text {
    let still = title.contains(NO_LONGER).then(|| title.replace(NO_LONGER, " "));
    let mut rest = without_marks(still.as_deref().unwrap_or(title));
    let mut out = Text::with_capacity(rest.len());
    while let Some(head) = head(rest).or_else(|| cry(rest)) {
        if head.rest.is_empty() {
            break;
        }
        if says_state(head.phrase, &THINGS) || says_state(head.phrase, &MESSAGES) {
            if head.is_marked && !out.is_empty() {
                // `[name] [🔴 Down] why`: what follows a marked state behind a name are its details.
                return out;
            }
            if let Some(thing) = words(head.phrase).find(|word| is_one_of(word, &THINGS)) {
                out.push_str(thing);
                out.push_str(": ");
            }
        } else if head.is_bracket {
            // `[P2] [Triggered] x`
            out.push_str(&rest[..rest.len() - head.rest.len()]);
        } else {
            break;
        }
        rest = head.rest;
    }
    out.push_str(&without_end(&without_check(without_tail(rest))));
    out
}

/// The words in which a title says its state: `Resolved in 3m 5s` of `Resolved in 3m 5s: x`, `is down` of `x is down`.
pub fn state_said(title: &str) -> Option<&str> {
    let mut rest = without_marks(title);
    while let Some(head) = head(rest).or_else(|| cry(rest))
        && !head.rest.is_empty()
    {
        if says_state(head.phrase, &THINGS) || says_state(head.phrase, &MESSAGES) {
            return Some(head.phrase);
        }
        if !head.is_bracket {
            break;
        }
        rest = head.rest;
    }
    let before = without_tail(rest);
    if before.len() < rest.len() {
        return Some(rest[before.len()..].trim());
    }
    end_of(rest).map(|end| &rest[end.at..])
}

/// What may say a state at the beginning of a title, and what is behind it.
struct Head<'a> {
    phrase: &'a str,
    is_bracket: bool,
    /// There is a sign between the brackets, as in `[🔴 Down]`.
    is_marked: bool,
    rest: &'a str,
}

fn head(title: &str) -> Option<Head<'_>> {
    let bracketed = title.strip_prefix('[').and_then(|t| t.split_once(']'));
    let (phrase, rest) = bracketed.or_else(|| {
        let colon = title.find(':').map(|at| (at, 1));
        let dash = find(title, " - ").map(|at| (at, 3));
        let stop = find(title, ". ").map(|at| (at, 2));
        let (at, long) = colon.into_iter().chain(dash).chain(stop).min()?;
        Some((&title[..at], &title[at + long..]))
    })?;
    // `[Triggered on {host:web-1}] x` names its place.
    let place = find(phrase, " on {");
    Some(Head {
        phrase: &phrase[..place.unwrap_or(phrase.len())],
        is_bracket: bracketed.is_some(),
        is_marked: bracketed.is_some() && phrase.contains(is_sign),
        rest: rest.trim_start_matches([':', '-', ' ']),
    })
}

/// Where a sign stands first. That it stands nowhere, as most often, is told much sooner than where it does.
fn find(text: &str, sign: &str) -> Option<usize> {
    text.contains(sign).then(|| text.find(sign)).flatten()
}

/// `PROBLEM disk is full`: a state in capitals before a title that is not.
fn cry(title: &str) -> Option<Head<'_>> {
    let (phrase, rest) = title.split_once(' ')?;
    let is_cry = |word: &str| {
        !word.bytes().any(|b| b.is_ascii_lowercase())
            && word == word.to_uppercase()
            && word != word.to_lowercase()
    };
    let next = rest.split(' ').next().unwrap_or_default();
    (is_cry(phrase) && !is_cry(next) && says_state(phrase, &[])).then_some(Head {
        phrase,
        is_bracket: false,
        is_marked: false,
        rest,
    })
}

/// Without `- RESOLVED` or `(Down)` at the end. A level in brackets tells two rules apart: `CPU (warning)`, `CPU (critical)`.
fn without_tail(title: &str) -> &str {
    if title.contains(" - ")
        && let Some((before, phrase)) = title.rsplit_once(" - ")
        && says_state(phrase, &MESSAGES)
    {
        return before.trim_end();
    }
    let inner = title.strip_suffix([')', ']']);
    match inner.and_then(|t| t.rsplit_once(['(', '['])) {
        Some((before, phrase))
            if !before.trim().is_empty()
                && says_state(phrase, &MESSAGES)
                && !words(phrase).any(|word| is_one_of(word, &LEVELS)) =>
        {
            before.trim_end()
        }
        _ => title,
    }
}

/// With `~` for the state of a check in the midst of the title, where that is not all in capitals.
fn without_check(title: &str) -> Text {
    if !title.contains(char::is_lowercase) {
        return title.into();
    }
    let mut out = Text::with_capacity(title.len());
    let mut words = title.split(' ').peekable();
    let mut follows_word = false;
    while let Some(word) = words.next() {
        let state = word.trim_end_matches([':', ',', ';']);
        let goes_on =
            |next: &&str| next.starts_with(['-', '–', '—', '|', '(', '[', ':']) || PLACES.contains(next);
        let ends = words
            .peek()
            .is_some_and(|next| state.len() < word.len() || goes_on(next));
        if follows_word && ends && CHECKED.contains(&state) {
            out.push('~');
            out.push_str(&word[state.len()..]);
        } else {
            out.push_str(word);
        }
        if words.peek().is_some() {
            out.push(' ');
        }
        follows_word = word.contains(char::is_alphanumeric);
    }
    out
}

/// What stands between words.
const BETWEEN: [char; 3] = [' ', '=', ':'];
/// What may follow a state at the end of a title.
const STILL: [&str; 2] = ["again", "now"];

/// What a title says at its end of its state.
struct End<'a> {
    at: usize,
    /// Said in words: `is down`, `has recovered`.
    is_said: bool,
    state: &'a str,
}

fn end_of(title: &str) -> Option<End<'_>> {
    // Most titles end in a word that is part of no state.
    let mut words = title.rsplit(BETWEEN).map(bare).filter(|word| !word.is_empty());
    let may_end = |word: &str| is_state(word) || is_filler(word) || is_one_of(word, &STILL);
    if !words.next().is_some_and(may_end) {
        return None;
    }
    let tokens: Vec<(usize, &str)> = tokens(title).collect();
    let word = |n: usize| tokens.get(n).map_or("", |(_, word)| *word);
    let is_arrow = |n: usize| matches!(word(n), "->" | "=>" | "→");
    let mut end = tokens.len();
    // `after 5 minutes`
    let lasted = tokens
        .iter()
        .rev()
        .take_while(|(_, word)| is_filler(word))
        .count();
    if lasted > 0 && end > lasted && is_one_of(word(end - lasted - 1), &LASTED) {
        end -= lasted + 1;
    }
    while end > 0 && is_one_of(word(end - 1), &STILL) {
        end -= 1;
    }
    let last = end.checked_sub(1).filter(|last| is_state(word(*last)))?;
    let said = last - usize::from(last > 0 && is_one_of(word(last - 1), &["not"]));
    let mut start = said;
    while start > 0 {
        let leads = is_one_of(word(start - 1), &LINKS) || is_arrow(start - 1);
        // `WARNING -> CRITICAL`
        let turns = is_arrow(start) && is_state(word(start - 1));
        if !(leads || turns) {
            break;
        }
        start -= 1;
    }
    // Nothing would be left to speak of.
    (start > 0).then(|| End {
        at: tokens[start].0,
        is_said: start < said,
        state: word(last),
    })
}

/// What a title says at its end of its state gives way: all of it where it is said in words, else the word of a recovery to
/// that of what it ends.
fn without_end(title: &str) -> Text {
    let Some(end) = end_of(title) else {
        return camel(title);
    };
    let before = title[..end.at].trim_end();
    let mut out = camel(before);
    if !end.is_said && end.state.eq_ignore_ascii_case("up") && moves(before) {
        return camel(title);
    }
    if end.is_said {
        out.push_str(" ~");
    } else if !is_one_of(end.state, &OVER) {
        out.push(' ');
        match ended_by(end.state) {
            Some(ill) => out.push_str(ill),
            None => out.push_str(&end.state.to_lowercase()),
        }
    }
    out
}

/// `linkUp` ends `linkDown`, `NodeReady` ends `NodeNotReady`, `AP_CONNECTED` ends `AP_DISCONNECTED`: the last part of a
/// word of several says it, too.
fn camel(title: &str) -> Text {
    let mut out = Text::with_capacity(title.len());
    for piece in title.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        // `AP_CONNECTED`, `node_reachable`: the last of several parts of one word.
        if let Some(of) = out.strip_suffix('_')
            && piece == word
            && (!word.eq_ignore_ascii_case("up") || stands(of))
            && let Some(ill) = ended_by(word)
        {
            let is_loud = word.chars().all(char::is_uppercase);
            out.push_str(&if is_loud {
                ill.to_uppercase()
            } else {
                ill.to_owned()
            });
            continue;
        }
        let last = word.rfind(char::is_uppercase).unwrap_or(0);
        let (start, hump) = word.split_at(last);
        let start = start.strip_suffix("Not").unwrap_or(start);
        let of = &start[start.rfind(char::is_uppercase).unwrap_or(0)..];
        let is_camel = start.ends_with(char::is_lowercase) && (hump != "Up" || stands(of));
        match is_camel.then(|| ended_by(hump)).flatten() {
            Some(ill) => {
                out.push_str(start);
                out.push_str(&ill[..1].to_uppercase());
                out.push_str(&ill[1..]);
            }
            _ => out.push_str(word),
        }
        out.push_str(&piece[word.len()..]);
    }
    out
}

/// Whether the last word of a text names what is up or down.
fn stands(text: &str) -> bool {
    is_one_of(last_word(text), &STANDING)
}

/// Whether the last word of a text names what goes up and down.
pub(crate) fn moves(text: &str) -> bool {
    is_one_of(last_word(text), &MOVING)
}

fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or(text)
}

/// The words of a title with where each begins, without the marks around them.
fn tokens(title: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    title.split(BETWEEN).filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        let bare = bare(word);
        (!bare.is_empty()).then_some((start, bare))
    })
}

/// A word without the marks around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['.', ',', ';', '!', '*', '"', '\'', '(', ')', '[', ']'])
}

/// Signs that no language is written in: an emoji, a tick.
fn is_sign(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric()
}

/// Without signs around it, and without `:fire:`, as chats write one.
pub(crate) fn without_marks(title: &str) -> &str {
    let bare = |title| str::trim_matches(title, |c| is_sign(c) || matches!(c, '*' | ' '));
    let title = bare(title);
    let code = title.strip_prefix(':').and_then(|t| t.split_once(':'));
    match code {
        Some((code, rest)) if !code.is_empty() && !code.contains(char::is_whitespace) => bare(rest),
        _ => title,
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
            ("JobFailed", "JobSucceeded"),
            ("AP_DISCONNECTED", "AP_CONNECTED"),
            ("node_unreachable", "node_reachable"),
            ("BgpPeerDown", "BgpPeerUp"),
            ("LINK_DOWN", "LINK_UP"),
            ("bgp_session_down", "bgp_session_up"),
            ("%BGP-5-PEER_DOWN", "%BGP-5-PEER_UP"),
            ("shop went down", "shop came back up"),
            ("Host web-1 is down", "Host web-1 is up again"),
            ("Server mail-2 is offline", "Server mail-2 is back online"),
            ("job etl is failing", "job etl has recovered"),
            ("Probe is not responding", "Probe is responding"),
            ("Node not ready", "Node ready"),
            ("Fan 2 failed", "Fan 2 OK"),
            ("Fan 2 failed", "Fan 2 recovered after 5 minutes"),
            (
                "Line protocol changed state to down",
                "Line protocol changed state to up",
            ),
            ("Incident opened: slow", "Incident closed: slow"),
            ("[Violation opened] slow", "[Violation closed] slow"),
            ("[Mailer] Alert: slow", "[Mailer] Closed: slow"),
            ("[P2] [Triggered] slow", "[P2] [Recovered] slow"),
            ("[ALERT - Critical] slow", "[RESOLVED - Critical] slow"),
            ("Fired:Sev1 slow", "Resolved:Sev1 slow"),
            ("Monitor is DOWN: shop", "Monitor is UP: shop"),
            ("Sensor Ping (Down)", "Sensor Ping (Up)"),
            ("Alert. Type: cpu", "Back to normal. Type: cpu"),
            ("disk = 94 - CRITICAL", "disk = 94 - CLEAR"),
            ("Queue is stuck - firing", "Queue is stuck - resolved"),
            ("Queue is stuck", "Queue is stuck resolved"),
            (":fire: slow", ":white_check_mark: slow"),
            ("🔴 slow", "🟢 slow"),
            ("[shop] [🔴 Down] timeout", "[shop] [✅ Up] 200 - OK"),
            ("PROBLEM disk full", "RECOVERY disk full"),
            ("[No data] lag of db", "[OK] lag of db"),
            ("Queue too long", "Queue no longer too long"),
            (
                "Check_MK: www/CPU WARNING -> CRITICAL",
                "Check_MK: www/CPU CRITICAL -> OK",
            ),
            ("Disk CRITICAL on web1", "Disk OK on web1"),
            ("Disk WARNING on web1", "Disk CRITICAL on web1"),
            ("Disk CRITICAL: / is full", "Disk OK: / is full"),
            ("PING CRITICAL - no answer", "PING OK - no answer"),
            ("Load UNKNOWN (nrpe)", "Load OK (nrpe)"),
            ("Camera disconnected!", "Camera reconnected!"),
            // Storage and sensors are down and up again.
            ("Volume down", "Volume up"),
            ("VolumeDown", "VolumeUp"),
            ("Sensor load down", "Sensor load up"),
            // Nothing of the state is in it.
            ("Available memory is low", "Available memory is low"),
            ("3 nodes online", "3 nodes online"),
        ] {
            assert_eq!(condition(alert), condition(recovery), "{alert}");
        }
    }

    #[test]
    fn the_words_of_a_state_are_found() {
        for (title, said) in [
            ("Resolved in 3m 5s: slow", Some("Resolved in 3m 5s")),
            ("[shop] [✅ Up] 200 - OK", Some("✅ Up")),
            ("Monitor is DOWN: shop", Some("Monitor is DOWN")),
            ("Sensor Ping (Down)", Some("(Down)")),
            ("Interface Gi1/0/7, changed state to up", Some("state to up")),
            ("Available memory is low", None),
            ("Scale up failed", Some("failed")),
            ("Down", None),
        ] {
            assert_eq!(state_said(title), said, "{title}");
        }
    }

    #[test]
    fn other_conditions_are_told_apart() {
        for (one, other) in [
            ("CPU warning", "CPU critical"),
            ("link down", "link flapping"),
            ("host unreachable", "host down"),
            ("Available memory is low", "Unavailable memory is low"),
            ("Scale up failed", "Scale down failed"),
            ("CPU (warning)", "CPU (critical)"),
            ("Host down: web", "Service down: web"),
            ("[a] [🔴 Down] timeout", "[b] [🔴 Down] timeout"),
            ("[web] [CRITICAL] disk", "[web] [CRITICAL] memory"),
            ("Disk CRITICAL on web1", "Disk CRITICAL on web2"),
            ("TRAFFIC_UP", "TRAFFIC_DOWN"),
            ("scale_up", "scale_down"),
            ("ScaleUp", "ScaleDown"),
            ("Scale up", "Scale down"),
            ("TrafficUp", "TrafficDown"),
            ("RATE_UP", "RATE_DOWN"),
            ("Many CRITICAL errors on web1", "Many WARNING errors on web1"),
            ("Log critical on web1", "Log warning on web1"),
            ("Log (CRITICAL) on web1", "Log (WARNING) on web1"),
            ("LOG CRITICAL - DISK", "LOG UNKNOWN - DISK"),
        ] {
            assert_ne!(condition(one), condition(other), "{one}");
        }
    }
}
