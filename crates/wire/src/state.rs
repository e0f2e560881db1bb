//! Words for the state of an alert.

use model::{EventKind, Status};

use crate::{draft::Draft, lower::among};

/// What a word says of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Firing,
    Resolved,
    /// Somebody took it; it still holds.
    Acked,
    /// Neither: no data, pending, for reading.
    Info,
}

/// The state that a word stands for in most tools; `None` when it says nothing we know.
pub(crate) fn word(text: &str) -> Option<State> {
    Some(match crate::lower::trimmed(text, &mut [0; 24])? {
        b"firing" | b"alerting" | b"alert" | b"triggered" | b"trigger" | b"problem" | b"open" | b"opened"
        | b"active" | b"new" | b"critical" | b"crit" | b"down" | b"alarm" | b"failing" | b"failed"
        | b"failure" | b"warning" | b"warn" | b"error" | b"unhealthy" | b"created" | b"create"
        | b"started" | b"activated" | b"fired" | b"fire" | b"unreachable" | b"re-triggered"
        | b"retriggered" | b"renotify" | b"raised" | b"degraded" | b"ongoing" | b"unresolved"
        | b"reopened" | b"reopen" | b"escalated" | b"breached" | b"outage" | b"on" | b"true"
        | b"investigating" | b"identified" | b"anomaly" | b"anomalous" | b"fail" | b"not ok"
        | b"incident" | b"unavailable" | b"not responding" | b"unresponsive" | b"offline" | b"crashed"
        | b"lost" | b"alarming" | b"breach" | b"breaching" | b"missing" | b"major" | b"minor"
        | b"violated" | b"err" | b"fatal" | b"disconnected" | b"late" | b"expiring" | b"detected"
        | b"confirmed" | b"red" | b"yellow" | b"orange" => State::Firing,
        b"resolved"
        | b"resolve"
        | b"ok"
        | b"closed"
        | b"close"
        | b"recovered"
        | b"recovery"
        | b"recover"
        | b"up"
        | b"normal"
        | b"clear"
        | b"cleared"
        | b"inactive"
        | b"healthy"
        | b"passing"
        | b"deactivated"
        | b"fixed"
        | b"done"
        | b"success"
        | b"succeeded"
        | b"successful"
        | b"completed"
        | b"expired"
        | b"ended"
        | b"end"
        | b"cancelled"
        | b"canceled"
        | b"off"
        | b"false"
        | b"good"
        | b"online"
        | b"operational"
        | b"solved"
        | b"returned to normal"
        | b"complete"
        | b"passed"
        | b"pass"
        | b"available"
        | b"responding"
        | b"reporting"
        | b"restored"
        | b"back to normal"
        | b"finished"
        | b"stable"
        | b"reset"
        | b"green"
        | b"dismissed"
        | b"improved"
        | b"resume"
        | b"resumed"
        | b"reachable"
        | b"connected"
        | b"reconnected"
        | b"mitigated"
        | b"merged" => State::Resolved,
        b"acknowledged"
        | b"acknowledge"
        | b"acked"
        | b"ack"
        | b"in progress"
        | b"in_progress"
        | b"acknowledgement"
        | b"assigned"
        | b"down (acknowledged)" => State::Acked,
        b"info" | b"unknown" | b"no data" | b"nodata" | b"no_data" | b"insufficient_data" | b"pending"
        | b"suppressed" | b"shelved" | b"blackout" | b"silenced" | b"snoozed" | b"test" | b"paused"
        | b"muted" | b"monitoring" => State::Info,
        _ => return None,
    })
}

/// The state that a longer word speaks of: `incident.triggered`, `POLICY_CLOSE_CRITICAL`, `SetToFiring`.
pub(crate) fn within(text: &str) -> Option<State> {
    if text.len() > 64 {
        return None;
    }
    let mut found = None;
    let tokens = tokens(text);
    // `OK_TO_FIRING`, `changed to OK`: what it became counts.
    if let Some(to) = tokens.iter().rposition(|t| t == "to")
        && let Some(became) = tokens.get(to + 1).and_then(|t| word(t))
    {
        return Some(became);
    }
    // `monitor.up`, `check_ok`; `scale_up` is something else.
    if let [.., of, "up" | "ok" | "online"] = &tokens.iter().map(String::as_str).collect::<Vec<_>>()[..]
        && [
            "monitor", "check", "site", "service", "host", "node", "device", "server", "status", "heartbeat",
        ]
        .contains(of)
    {
        return Some(State::Resolved);
    }
    // `AP_CONNECTED`; clients that are connected are counted.
    if tokens
        .last()
        .is_some_and(|t| t == "connected" || t == "reconnected")
    {
        return Some(State::Resolved);
    }
    for token in tokens {
        let state = match token.as_str() {
            "not" | "no" | "non" => return None,
            "resolve" | "resolved" | "recover" | "recovered" | "recovery" | "close" | "closed" | "clear"
            | "cleared" | "cancelled" | "canceled" | "cancel" | "end" | "ended" | "restored" | "normal" => {
                return Some(State::Resolved);
            }
            "acknowledge" | "acknowledged" | "acknowledgement" | "acked" | "ack" => State::Acked,
            "trigger" | "triggered" | "firing" | "fired" | "open" | "opened" | "reopened" | "created"
            | "started" | "start" | "failed" | "failure" | "failing" | "down" | "alarm" | "critical"
            | "error" | "warning" | "raised" | "breach" | "breached" | "violation" | "unhealthy"
            | "problem" | "exceeded" | "missing" | "disconnected" | "lost" => State::Firing,
            _ => continue,
        };
        if state == State::Acked || found.is_none() {
            found = Some(state);
        }
    }
    found
}

/// The state that a kind of event speaks of, where a recovery is believed only of what can be over: `alert.resolved`,
/// `Insight Closed`. A connection that was closed is no recovery.
pub(crate) fn of_kind(text: &str) -> Option<State> {
    const ENDS: [&str; 6] = ["alert", "alarm", "incident", "insight", "problem", "issue"];
    let state = within(text)?;
    let is_over = || {
        tokens(text)
            .windows(2)
            .any(|w| ENDS.contains(&w[0].as_str()) && within(&w[1]) == Some(State::Resolved))
    };
    (state != State::Resolved || is_over()).then_some(state)
}

/// The state that a title says of itself: `Resolved in 3m: x`, `[x] [✅ Up]`, `x is down`.
pub(crate) fn said(title: &str) -> Option<State> {
    let phrase = model::state_said(title)?;
    let words = || {
        phrase
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    if words().any(|word| word.eq_ignore_ascii_case("not")) {
        return Some(State::Firing);
    }
    // `Incident closed` is no incident any more.
    let states = || words().filter_map(word);
    states()
        .find(|state| *state == State::Resolved)
        .or_else(|| states().next())
}

/// Whether a sentence ends in a word that says that all is well: `web1 is back up`, `Disk of db7 recovered`.
pub(crate) fn ends_well(sentence: &str) -> bool {
    let mut words = spoken(sentence).rev();
    let (Some(last), before) = (words.next(), words.next()) else {
        return false;
    };
    let over = among(last, &["recovered", "resolved", "cleared"]);
    let well = [
        "ok", "up", "normal", "healthy", "online", "operational", "restored", "fixed", "reachable",
    ];
    let links = ["is", "are", "was", "now", "back", "been", "to", "again"];
    let denied = ["not", "never", "be", "un"];
    // `never came back up`, `repeats until it is ok`
    let put_off = ["never", "until", "unless", "if", "when"];
    if words.any(|word| among(word, &put_off)) {
        return false;
    }
    before
        .is_some_and(|before| over && !among(before, &denied) || among(last, &well) && among(before, &links))
}

/// Whether a sentence says of something that it is over, and at most when or how: `x has been resolved after 3 checks`.
/// What it says is believed only without a word before that denies it or puts it off: `repeats until it is resolved`.
pub(crate) fn is_over(sentence: &str) -> bool {
    const OVER: [&str; 4] = ["resolved", "recovered", "cleared", "fixed"];
    const LINKS: [&str; 6] = ["is", "are", "was", "has", "have", "been"];
    const DENIES: [&str; 19] = [
        "not", "never", "no", "none", "cannot", "yet", "until", "when", "whenever", "once", "while", "if",
        "whether", "unless", "before", "after", "should", "must", "may",
    ];
    const BEHIND: [&str; 7] = ["after", "at", "by", "for", "in", "on", "since"];
    // More than one sentence says more than that.
    if sentence.trim_end().contains([';', '?', '!']) || sentence.contains(". ") {
        return false;
    }
    let words: Vec<String> = spoken(sentence).map(str::to_lowercase).collect();
    let said = |w: &[String]| LINKS.contains(&w[0].as_str()) && OVER.contains(&w[1].as_str());
    // Something is over: a word stands before.
    let Some(at) = words.windows(2).skip(1).position(said).map(|at| at + 1) else {
        return false;
    };
    let denied = words[..at]
        .iter()
        .any(|word| DENIES.contains(&word.as_str()) || word.ends_with("n't") || word.ends_with("n’t"));
    !denied
        && words
            .get(at + 2)
            .is_none_or(|word| BEHIND.contains(&word.as_str()))
}

/// Whether a sentence speaks of something that broke or was mended, which is what an alert does that says nothing else.
pub(crate) fn is_spoken_of(sentence: &str) -> bool {
    const SAID: [&str; 16] = [
        "alert", "critical", "down", "failed", "failing", "failure", "firing", "outage", "triggered",
        "unreachable", "unavailable", "unhealthy", "offline", "crashed", "exceeded", "degraded",
    ];
    ends_well(sentence) || spoken(sentence).any(|word| among(word, &SAID))
}

fn spoken(sentence: &str) -> impl DoubleEndedIterator<Item = &str> {
    sentence
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

/// The words of a name in any of the usual spellings, in lower case.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let (mut tokens, mut token, mut was_lower) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && was_lower {
            tokens.push(std::mem::take(&mut token));
        }
        if c.is_alphanumeric() {
            token.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    tokens.push(token);
    tokens.retain(|t| !t.is_empty());
    tokens
}

impl Draft {
    /// Takes a state: an acknowledgement is an event of another kind about an alert that still fires.
    pub(crate) fn state(&mut self, state: Option<State>) {
        match state {
            Some(State::Firing) => self.status = Some(Status::Firing),
            Some(State::Resolved) => self.status = Some(Status::Resolved),
            Some(State::Acked) => {
                self.kind = EventKind::Ack;
                self.status = Some(Status::Firing);
            }
            Some(State::Info) => self.status = Some(Status::Info),
            None => {}
        }
    }

    /// It fires, or it is over.
    pub(crate) fn over(&mut self, over: bool) {
        self.over_or_taken(over, false);
    }

    /// It fires and may be somebody's, or it is over.
    pub(crate) fn over_or_taken(&mut self, over: bool, taken: bool) {
        self.state(Some(match (over, taken) {
            (true, _) => State::Resolved,
            (false, true) => State::Acked,
            (false, false) => State::Firing,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_said_plainly() {
        for over in [
            "An alert for **shop** has been resolved after passing 2 time(s) in a row",
            "The incident has been resolved.",
            "Disk of db-1 was fixed by Ann",
        ] {
            assert!(is_over(over), "{over}");
        }
        for holds in [
            "Repeats every 30 minutes until it is resolved.",
            "The connection was closed unexpectedly",
            "The incident has not yet been resolved",
            "It hasn't been resolved",
            "Nobody is called again unless this is fixed",
            "What was fixed last week is back",
            "The name db-1 was resolved to 10.0.0.1",
            "Backups fail. The last one was restored",
            "Is fixed",
        ] {
            assert!(!is_over(holds), "{holds}");
        }
        assert!(ends_well("web1 is back up"));
        for holds in ["The replica never came back up", "Repeats until it is resolved"] {
            assert!(!ends_well(holds), "{holds}");
        }
    }

    #[test]
    fn a_recovery_is_of_what_can_be_over() {
        for (kind, want) in [
            ("com.acme.alert.resolved", Some(State::Resolved)),
            ("DevOps Guru Insight Closed", Some(State::Resolved)),
            ("IncidentClosed", Some(State::Resolved)),
            ("com.acme.alert.fired", Some(State::Firing)),
            ("com.acme.connection.closed", None),
            ("com.acme.alert.connection.closed", None),
            ("Connection Closed Unexpectedly", None),
            ("com.acme.session.ended", None),
        ] {
            assert_eq!(of_kind(kind), want, "{kind}");
        }
    }

    #[test]
    fn words_within_longer_ones() {
        for (text, want) in [
            ("incident.triggered", Some(State::Firing)),
            ("POLICY_CLOSE_CRITICAL", Some(State::Resolved)),
            ("POLICY_OPEN_WARNING", Some(State::Firing)),
            ("SetToFiring", Some(State::Firing)),
            ("ALERT_STATE_EVENT_END", Some(State::Resolved)),
            ("incident_acknowledged", Some(State::Acked)),
            ("FIRING_TO_OK", Some(State::Resolved)),
            ("OK_TO_FIRING", Some(State::Firing)),
            ("Not Responding", None),
            ("metric_update", None),
            ("monitor.up", Some(State::Resolved)),
            ("scale_up", None),
            ("AP_DISCONNECTED", Some(State::Firing)),
            ("AP_CONNECTED", Some(State::Resolved)),
            ("CONNECTED_CLIENTS", None),
        ] {
            assert_eq!(within(text), want, "{text}");
        }
    }
}
