//! How an alert stands and how bad it is, from the fields and the words in which plain JSON says so.

use super::{
    field_names::*,
    guess::{Guess, name_of},
    wording::*,
};
use crate::{level, source::prelude::*};

/// The state, from a word, a flag, or an end that is named.
pub(super) fn state_of(
    guess: &Guess<'_>,
    f: &Fields<'_>,
    severity: Option<&Value>,
    d: &mut Draft,
) -> Option<State> {
    let exact = |v: &Value| !v.is_boolean() && scalar(v).is_some_and(|w| state::word(&w).is_some());
    // `event: alert` says what kind of message it is.
    let plainly = |v: &Value| exact(v) && !scalar(v).is_some_and(|w| is_noun(&w));
    let within = |v: &Value| scalar(v).is_some_and(|w| state::within(&w).is_some());
    // A level that says that all is well is plainer than a word within a name.
    let well = severity
        .and_then(name_of)
        .is_some_and(|w| state::word(&w) == Some(State::Resolved));
    let found = guess
        .find(&STATE, plainly)
        // `status: {"id": 5, "name": "Closed"}`
        .or_else(|| {
            guess.find(&STATE[..STATES], |v| {
                v.is_object() && name_of(v).is_some_and(|w| state::word(&w).is_some())
            })
        })
        // That something ended or began says little of how: `sync_end` may have failed.
        .or_else(|| guess.find(&STATE, |v| !well && within(v) && !is_of_a_run(v)))
        .or_else(|| guess.find(&STATE, |v| !well && within(v)))
        .or_else(|| guess.find(&STATE_IF_KNOWN, |v| if well { plainly(v) } else { exact(v) }));
    let known = if let Some(v) = found {
        let word = name_of(v).unwrap_or_default();
        if !v.is_object() {
            f.mark(v);
        }
        let known = state::word(&word).or_else(|| state::within(&word));
        // `status: critical` says how bad it is, too; `alert` is a level to syslog alone.
        if known == Some(State::Firing) && level::word(&word).is_some() && !is_noun(&word) {
            d.severity_word(Some(word.clone()));
        }
        d.label("state", word);
        known
    } else if let Some(over) = guess.flag(&[
        "resolved", "isresolved", "isrecovered", "isclosed", "recovered", "fixed", "cleared", "closed",
        "passing", "passed", "healthy", "isup", "isok", "backtonormal",
    ]) {
        Some(if over { State::Resolved } else { State::Firing })
    } else if let Some(holds) = guess.flag(&[
        "firing", "isfiring", "active", "isactive", "isopen", "triggered", "down", "failing",
    ]) {
        Some(if holds { State::Firing } else { State::Resolved })
    } else if let Some(state) = of_the_thing(guess, severity, d) {
        Some(state)
    } else if let Some(state) = guess
        .flag(&SUCCEEDED)
        .and_then(|well| how_it_ended(well, guess, severity))
    {
        Some(state)
    } else if let Some((code, state)) = guess.find(&EXIT, Value::is_i64).and_then(|code| {
        let ended = how_it_ended(code.as_i64() == Some(0), guess, severity);
        Some((code, ended?))
    }) {
        d.label("state", scalar(code).unwrap_or_default());
        Some(state)
    } else if let Some(v) = guess.find(&STATE, |v| !well && exact(v)) {
        f.mark(v);
        let word = scalar(v).unwrap_or_default();
        let known = state::word(&word);
        d.label("state", word);
        known
    } else {
        let ended = guess.time(&ENDED, |v| when::value(v, None).is_some());
        let kind = guess
            .find(&STATE_IF_KNOWN, |v| !well && within(v))
            .and_then(scalar);
        match ended {
            Some(_) => Some(State::Resolved),
            None => kind.and_then(|word| state::within(&word)),
        }
    };
    // `status: PENDING` beside `eventType: alert-created`: it waits for somebody, and the event says what happened.
    let known = match known {
        Some(State::Info) => guess
            .find(&["eventtype", "event", "action"], within)
            .and_then(scalar)
            .and_then(|word| state::within(&word))
            .or(known),
        None => guess
            .ends_in(&STATE_ENDS, &STATE_BEFORE, |v| exact(v))
            .and_then(|v| {
                let word = scalar(v)?;
                f.mark(v);
                let known = state::word(&word);
                d.label("state", word);
                known
            }),
        known => known,
    };
    let known = known.or_else(|| over_by_title(guess, f, severity, d));
    let taken = || guess.flag(&["isacknowledged", "acknowledged", "isacked"]) == Some(true);
    let known = match known {
        None | Some(State::Firing) if taken() => Some(State::Acked),
        known => known,
    };
    d.state(known);
    known
}

/// Whether a name of an event says only that something began or ended.
fn is_of_a_run(value: &Value) -> bool {
    let words = value.as_str().map(state::tokens).unwrap_or_default();
    words
        .iter()
        .any(|word| among(word, &["start", "started", "end", "ended"]))
}

/// What a yes or no says that is of a thing and not of an alert about it: a disk may be full on what is up. So that all is
/// well ends an alert only where nothing else is told of the thing.
fn of_the_thing(guess: &Guess<'_>, severity: Option<&Value>, d: &Draft) -> Option<State> {
    let up = guess
        .flag(&[
            "up", "isonline", "online", "isalive", "alive", "isreachable", "reachable",
        ])
        .or_else(|| {
            guess
                .flag(&["isdown", "offline", "isoffline", "failed"])
                .map(|bad| !bad)
        })?;
    if !up {
        return Some(State::Firing);
    }
    (!may_be_bad(severity) && is_called_as_a_thing(guess, d)).then_some(State::Resolved)
}

/// Whether it has no other name than what is watched or has run.
fn is_called_as_a_thing(guess: &Guess<'_>, d: &Draft) -> bool {
    const THINGS: [&str; 5] = ["monitor", "check", "sensor", "target", "endpoint"];
    // Beside a host or a service it is as often what happened to that.
    const NAMED: [&str; 3] = ["name", "displayname", "label"];
    let is_it = |v: &Value| name_of(v).is_some_and(|name| name == d.title);
    let is_some = |v: &Value| name_of(v).is_some();
    let is_alone = || guess.find(&HOST, is_some).is_none() && guess.find(&SERVICE, is_some).is_none();
    d.title.is_empty()
        || [&THINGS[..], &WATCHED, &RAN]
            .iter()
            .any(|names| guess.find(names, is_it).is_some())
        || guess.find(&NAMED, is_it).is_some() && is_alone()
}

/// What ran and failed fires; that it went well ends that, but nothing that is called bad: an evaluation went well, too.
fn how_it_ended(well: bool, guess: &Guess<'_>, severity: Option<&Value>) -> Option<State> {
    let named = || guess.find(&RAN, |v| name_of(v).is_some()).is_some();
    match well {
        true => (named() && !may_be_bad(severity)).then_some(State::Resolved),
        false => ran(guess).then_some(State::Firing),
    }
}

/// Whether it names something that runs and ends.
fn ran(guess: &Guess<'_>) -> bool {
    let is_some = |v: &Value| name_of(v).is_some();
    guess.find(&RAN, is_some).is_some() || guess.find(&RAN_ID, is_some).is_some()
}

/// Whether a level is told that is not plainly a mild one.
fn may_be_bad(severity: Option<&Value>) -> bool {
    let Some(word) = severity.and_then(name_of) else {
        return false;
    };
    let level = level::word(&word)
        .or_else(|| number(&word, false))
        .or_else(|| in_words(&word));
    let is_mild = level.is_some_and(|level| level != Severity::Unknown && level < Severity::Warning);
    !is_mild && state::word(&word) != Some(State::Resolved)
}

/// A template may put the state where the title stands. It is asked last, and only for a recovery: all other words are
/// as often what happened, `Failed` and `Expired`.
fn over_by_title(
    guess: &Guess<'_>,
    f: &Fields<'_>,
    severity: Option<&Value>,
    d: &mut Draft,
) -> Option<State> {
    const OVER: [&str; 8] = [
        "resolved", "recovered", "recovery", "cleared", "fixed", "ok", "back to normal", "returned to normal",
    ];
    // What these say of is a fault as well when something bad is said of it: a valve that closed, a lease that ended.
    const OVER_UNLESS_BAD: [&str; 9] = [
        "closed", "normal", "up", "healthy", "online", "operational", "success", "completed", "ended",
    ];
    let is_bad = severity.and_then(name_of).is_some_and(|word| {
        let level = level::word(&word)
            .or_else(|| number(&word, false))
            .or_else(|| in_words(&word));
        level.is_some_and(|level| level >= Severity::Warning)
    });
    let is_over = |v: &Value| {
        let word = v.as_str().unwrap_or_default().trim();
        among(word, &OVER) || !is_bad && among(word, &OVER_UNLESS_BAD)
    };
    let title = guess.find(&["title", "subject"], is_over)?;
    f.mark(title);
    d.label("state", scalar(title)?);
    Some(State::Resolved)
}

/// `[RESOLVED] …`, `OK: …`, `[P1] …`: what the words before a title say, when nothing else does.
pub(super) fn words_of_the_title(d: &mut Draft) {
    // Longer than it is kept, it may say states without end.
    let title = Text::from(crate::bounds::prefix(&d.title, crate::draft::TITLE_BYTES_MAX));
    if d.status.is_none() {
        d.state(state::said(&title));
    }
    let before = &title[..title.len() - model::strip_status_prefix(&title).len()];
    let level = before
        .split(|c: char| !c.is_alphanumeric())
        .find(|word| level::word(word).is_some_and(|level| level != Severity::Info));
    if d.severity_original.is_none() {
        d.severity_word(level.map(Text::from));
    }
    // `Closed by Ann`
    if d.status.is_none()
        && let [word, "by", ..] = title.split_whitespace().collect::<Vec<_>>()[..]
    {
        d.state(state::word(word));
    }
    let begin = d.text.lines().next().unwrap_or_default();
    if d.status.is_none() && (state::ends_well(&title) || state::is_over(&title) || state::is_over(begin)) {
        d.state(Some(State::Resolved));
    }
}

/// What says how bad it is: a word before a number, and what we know before what we do not.
pub(super) fn severity_of<'v>(guess: &Guess<'v>) -> Option<&'v Value> {
    let fits = |v: &Value, known: &dyn Fn(&str) -> bool| {
        !v.is_boolean()
            && name_of(v).is_some_and(|word| word.len() <= 48 && !says_nothing(&word) && known(&word))
    };
    let is_word = |word: &str| level::word(word).is_some();
    let is_known = |word: &str| {
        is_word(word)
            || number(word, false).is_some()
            || in_words(word).is_some()
            || state::word(word).is_some()
    };
    // What stands anywhere may be of something else, so it never makes it milder than what nobody knows.
    let is_bad = |word: &str| level::word(word).is_some_and(|level| level >= Severity::Warning);
    guess
        .find(&SEVERITY_IN_WORDS, |v| fits(v, &is_word))
        .or_else(|| guess.find(&SEVERITY, |v| fits(v, &is_known)))
        .or_else(|| guess.deep(&SEVERITY_ANYWHERE, |v| fits(v, &is_bad)))
        .or_else(|| guess.find(&SEVERITY[..SEVERITIES], |v| fits(v, &|word| word.len() <= 24)))
}

/// Words that programs write for nothing.
fn says_nothing(word: &str) -> bool {
    among(word, &["null", "nil", "undefined", "n/a", "nan"])
}
