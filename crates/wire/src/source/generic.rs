//! Plain JSON by best guess, when no source knows the shape: the names that senders commonly choose, at the top or in
//! the usual wrappers. It needs words to say and one more sign of an alert; otherwise the body is refused.

use super::{
    carried::{carried, enveloped, fields_of, with_context},
    field_names::*,
    guess::{Guess, name_of, plain},
    prelude::*,
    wording::*,
};
use crate::level;

/// Bodies carried as text within each other, at most.
const CARRIED_MAX: usize = 3;

/// Decodes by best guess; `false` when there is too little to go by.
pub(crate) fn decode(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    within(value, source, sink, 0, true)
        // Named as nobody names things, but an alert by its name or its state.
        || one(value, &Guess::wide(value), source, sink, true)
        || within(value, source, sink, 0, false)
        || some(value, source, sink)
}

/// Of a list in which not all is readable, what plainly is an alert; each of the others is refused by itself.
fn some(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    for name in LISTS {
        let Some((key, Value::Array(items))) = fields_of(value).find(|(key, _)| plain(key) == name) else {
            continue;
        };
        if !items.iter().any(is_plainly_alert) {
            continue;
        }
        for (i, item) in items.iter().enumerate() {
            let item = with_context(item, value);
            if !(sink.inner(&item)
                || is_plainly_alert(&item) && one(&item, &Guess::new(&item), source, sink, true))
            {
                sink.unreadable(&format!("{key}.{i}"), "no alert");
            }
        }
        return true;
    }
    false
}

/// With `named`, only what has a name of its own, and not just the kind of message it is.
fn within(value: &Value, source: Option<&str>, sink: &mut Sink<'_>, depth: usize, named: bool) -> bool {
    if depth < CARRIED_MAX
        && let Some(carried) = carried(value)
    {
        let before = sink.count();
        // What an envelope holds as an object is read together with what stands around it, unless a source knows it.
        let reads = enveloped(value).is_none() || self::carried(&carried).is_some();
        if sink.inner(&carried)
            || reads && within(&with_context(&carried, value), source, sink, depth + 1, named)
        {
            return true;
        }
        sink.undo(before);
    }
    // What a search found.
    if let Some(Value::Array(hits)) = find(value, "hits.hits")
        && !hits.is_empty()
    {
        let before = sink.count();
        if hits.iter().all(|hit| sink.inner(hit)) {
            return true;
        }
        sink.undo(before);
    }
    for name in LISTS {
        let Some((_, Value::Array(items))) = fields_of(value).find(|(key, _)| plain(key) == name) else {
            continue;
        };
        if !items.is_empty() && items.iter().all(Value::is_object) {
            let before = sink.count();
            // The first that is none ends it: a long list of something else is not read through.
            let all = items.iter().all(|item| {
                sink.inner(item) || {
                    let item = with_context(item, value);
                    carried(&item).is_some() && within(&item, source, sink, depth + 1, named)
                        || one(&item, &Guess::new(&item), source, sink, named)
                }
            });
            if all {
                return true;
            }
            // All or none: half a list would be half read.
            sink.undo(before);
        }
    }
    one(value, &Guess::new(value), source, sink, named)
}

/// Whether a value by itself names an alert and says its state or how bad it is.
pub(crate) fn is_plainly_alert(value: &Value) -> bool {
    let guess = Guess::new(value);
    let named = |v: &Value| v.is_string() && scalar(v).is_some_and(|text| names_something(&text));
    let state = |v: &Value| v.is_string() && scalar(v).is_some_and(|word| state::word(&word).is_some());
    let level = |v: &Value| v.is_string() && scalar(v).is_some_and(|word| level::word(&word).is_some());
    (guess.find(&TITLED, named).is_some() || guess.find(&ALERT_NAMED, named).is_some())
        && (guess.find(&STATE, state).is_some()
            || guess.find(&STATE_IF_KNOWN, state).is_some()
            || guess.find(&SEVERITY, level).is_some())
}

fn one(value: &Value, guess: &Guess<'_>, source: Option<&str>, sink: &mut Sink<'_>, named: bool) -> bool {
    let f = sink.fields(value);
    let near = sink.context.near();
    let mut d = Draft::new(source.unwrap_or("generic"));
    let says = |text: &str| names_something(text) && !is_kind_of_message(text) && !is_bare_noun(text);
    d.title = guess
        .of_card(&f, &ALERT_NAMED, says)
        .or_else(|| guess.text(&f, &TITLED, says))
        .or_else(|| guess.noun_text(&f, &CALLED, says))
        .or_else(|| guess.text(&f, &WATCHED, says))
        .or_else(|| guess.name_of_object(&RULE).filter(|name| says(name)))
        .or_else(|| guess.text(&f, &TITLE, says))
        .or_else(|| {
            guess.text(&f, &TITLED, |text| {
                names_something(text) && !is_kind_of_message(text)
            })
        })
        // A rule may be called by a state: `unreachable`.
        .or_else(|| guess.text(&f, &ALERT_NAMED, |text| when::any(text, None).is_none()))
        .unwrap_or_default();
    // A kind of thing alone is no alert of that kind.
    let only_kind = d.title.is_empty();
    if only_kind && named {
        return false;
    }
    d.title = Some(d.title.clone())
        .filter(|title| !title.is_empty())
        .or_else(|| guess.text(&f, &KIND, says))
        .or_else(|| guess.text(&f, &TITLE, names_something))
        .or_else(|| guess.text(&f, &KIND, names_something))
        // `attack_type: SYN Flood`
        .or_else(|| {
            let kind = |v: &Value| v.as_str().is_some_and(|kind| says(kind) && kind.contains(' '));
            guess.ends_in(&["type"], &[], kind).and_then(scalar)
        })
        .or_else(|| guess.text(&f, &TITLE, |_| true))
        .unwrap_or_default();
    let severity = severity_of(guess);
    let known = state_of(guess, &f, severity, &mut d);
    d.ts = date_and_time(guess, near).or_else(|| time(guess, &f, &TS, near));
    let created = time(guess, &f, &CREATED, near);
    d.starts_at = time(guess, &f, &STARTS, near);
    d.ends_at = time(guess, &f, &ENDS, near);
    d.service = guess.name(&f, &SERVICE);
    d.host = host(guess, &f);
    guess.entities(&mut d);
    let over = d.status == Some(Status::Resolved);
    d.ts = d.ts.or(d.ends_at.filter(|_| over)).or(created);
    if d.ts.is_none() && d.starts_at.is_none() {
        d.ts = guess.any_time(near);
    }
    let title = d.title.clone();
    let text = guess.text(&f, &TEXT, |text| *text != *title);
    d.key = guess
        .glance(&KEY)
        .or_else(|| {
            guess
                .glance(&["hash"])
                .filter(|_| guess.glance(&OF_COMMIT).is_none())
        })
        .or_else(|| guess.own_id(&ID))
        // `Incident Number`
        .or_else(|| {
            guess
                .find_behind(&NUMBERED, &["number"], |v| scalar(v).is_some())
                .and_then(scalar)
        })
        .or_else(|| guess.glance(&WATCH_KEY))
        .or_else(|| {
            // A rule may speak of many things.
            let rule = guess.glance(&["ruleid"])?;
            let of = d.host.as_deref().or(d.service.as_deref()).unwrap_or_default();
            Some(join(&[&rule, of]))
        });
    d.key = d.key.take().or_else(|| guess.id(&ID)).or_else(|| {
        let id = |v: &Value| !v.is_boolean() && scalar(v).is_some();
        guess
            .ends_in(&["externalid", "dedupkey"], &[], id)
            .and_then(scalar)
    });
    d.key = d.key.take().or_else(|| {
        // Who commands a state (`trigger`, `resolve`) says of what.
        let told = ["trigger", "acknowledge", "resolve"].contains(&d.labels.get("state")?);
        told.then(|| guess.glance(&["eventid"])).flatten()
    });
    let mut tagged = Draft::default();
    for name in ["tags", "labels"] {
        if let Some(v) = guess.find(&[name], |_| true) {
            tags(v, &mut tagged);
            f.mark(v);
        }
    }
    let signs = [
        guess.find(&ALERT_NAMED, |v| v.is_string()).is_some(),
        tagged.labels.iter().any(|(name, _)| is_sign(name)),
        known.is_some(),
        severity.is_some(),
        d.ts.is_some() || d.starts_at.is_some(),
        d.service.is_some(),
        d.host.is_some(),
        text.is_some(),
        d.key.is_some(),
        // A sentence that ends in one may speak of anything: `lunch is ready`.
        model::state_said(&d.title).is_some_and(|said| !d.title.ends_with(said)),
        guess.glance(&FOUND).is_some()
            || guess
                .find(&FOUND, |v| v.as_array().is_some_and(|found| !found.is_empty()))
                .is_some(),
        guess
            .glance(&["event", "eventtype", "type"])
            .is_some_and(|kind| is_kind_of_alert(&kind)),
        state::is_spoken_of(&d.title),
        is_test(&d.title),
    ];
    let titled_by_state = || {
        let is_state = |v: &Value| v.as_str().is_some_and(|word| state::word(word).is_some());
        severity.is_some() && guess.find(&["title", "subject"], is_state).is_some()
    };
    if d.title.is_empty() && (known.is_some() || titled_by_state()) {
        // A state of something: that is what it is called.
        let entity = || d.entities.iter().next().map(|(_, name)| Text::from(name));
        d.title = d
            .service
            .clone()
            .or_else(|| d.host.clone())
            .or_else(entity)
            .unwrap_or_default();
        // A recovery may name no more than the identity; losing it would leave its alert firing.
        if d.title.is_empty() && matches!(known, Some(State::Resolved | State::Acked)) {
            d.title = d.key.clone().unwrap_or_default();
        }
    }
    // Chat cards say by colour what they say by nothing else.
    if d.status.is_none() {
        d.state(match guess.glance(&["color"]).as_deref() {
            Some("good") => Some(State::Resolved),
            Some("danger" | "warning") => Some(State::Firing),
            _ => None,
        });
    }
    let said = known.is_some() || severity.is_some();
    // Whatever stands anywhere is little to go by.
    if guess.is_wide() && !(known.is_some() || signs[0]) {
        return false;
    }
    if d.title.is_empty() || !signs.contains(&true) || only_kind && !said && !delivers(&d.title) {
        return false;
    }
    d.text = text.unwrap_or_default();
    d.named_in_its_text();
    if let Some(v) = severity {
        let word = name_of(v);
        let is_log_level = guess
            .find(&["level", "loglevel"], |l| std::ptr::eq(l, v))
            .is_some();
        let level = word
            .as_deref()
            .and_then(|w| number(w, is_log_level).or_else(|| in_words(w)));
        d.severity_as(word, level);
        f.mark(v);
    }
    if let Some(v) = guess.find(&LINK, |v| {
        scalar(v).is_some_and(|l| crate::draft::is_web_address(&l))
    }) {
        d.link(scalar(v), "source");
        f.mark(v);
    }
    d.runbook = guess.text(&f, &RUNBOOK, |_| true);
    words_of_the_title(&mut d);
    for (name, value) in tagged.labels.iter() {
        d.label(name, value);
    }
    if d.severity_original.is_none() {
        let said = ["severity", "priority", "level"]
            .iter()
            .find_map(|n| tagged.labels.get(n));
        d.severity_word(said.map(Text::from));
    }
    // A level that says that all is well.
    let cleared = d.severity_original.as_deref().and_then(state::word) == Some(State::Resolved);
    if d.status.is_none() && cleared {
        d.state(Some(State::Resolved));
    }
    f.rest_into(&mut d);
    // The other fields of an unknown shape vary as often as not.
    d.about = Some(tagged.labels);
    // What says where it was deployed to tells of a build.
    let builds = guess.glance(&["deployurl", "deploysslurl"]).is_some()
        && guess.glance(&["branch", "commitref", "buildid"]).is_some();
    let test = guess.flag(&["istest", "testnotification", "isdrill", "triggeredbyusertest"]) == Some(true);
    let beats = is_beat(&d);
    let misses = beats && stays_away(guess, &d);
    if misses {
        d.state(Some(State::Firing));
    }
    let other = other_than_alert(&d)
        .or(
            (beats && !misses && d.labels.get("state").is_some_and(says_that_it_lives))
                .then_some(OtherKind::Heartbeat),
        )
        // One that stays away is told of as what fires.
        .filter(|kind| !(misses && *kind == OtherKind::Heartbeat))
        .or(test.then_some(OtherKind::Test))
        .or((builds && severity.is_none() || only_kind && delivers(&d.title)).then_some(OtherKind::Change));
    match other {
        Some(kind) => sink.other(kind, d),
        None => sink.event(d),
    }
    true
}

/// Whether a label tells how bad it is or where.
fn is_sign(name: &str) -> bool {
    matches!(name, "severity" | "priority" | "alertname")
        || crate::names::SERVICE.contains(&name)
        || crate::names::HOST.contains(&name)
        || crate::names::entity_kind(name).is_some()
}

/// The state, from a word, a flag, or an end that is named.
fn state_of(guess: &Guess<'_>, f: &Fields<'_>, severity: Option<&Value>, d: &mut Draft) -> Option<State> {
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
        .or_else(|| guess.find(&STATE, |v| !well && within(v)))
        .or_else(|| guess.find(&STATE_IF_KNOWN, exact));
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
        "resolved",
        "isresolved",
        "isrecovered",
        "isclosed",
        "recovered",
        "fixed",
        "cleared",
        "closed",
        "passing",
        "passed",
        "healthy",
        "isup",
        "isok",
        "backtonormal",
    ]) {
        Some(if over { State::Resolved } else { State::Firing })
    } else if let Some(holds) = guess.flag(&[
        "firing",
        "active",
        "isactive",
        "isopen",
        "triggered",
        "down",
        "failing",
    ]) {
        Some(if holds { State::Firing } else { State::Resolved })
    } else if let Some(v) = guess.find(&STATE, exact) {
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

/// A template may put the state where the title stands. It is asked last, and only for a recovery: all other words are
/// as often what happened, `Failed` and `Expired`.
fn over_by_title(
    guess: &Guess<'_>,
    f: &Fields<'_>,
    severity: Option<&Value>,
    d: &mut Draft,
) -> Option<State> {
    const OVER: [&str; 8] = [
        "resolved",
        "recovered",
        "recovery",
        "cleared",
        "fixed",
        "ok",
        "back to normal",
        "returned to normal",
    ];
    // What these say of is a fault as well when something bad is said of it: a valve that closed, a lease that ended.
    const OVER_UNLESS_BAD: [&str; 9] = [
        "closed",
        "normal",
        "up",
        "healthy",
        "online",
        "operational",
        "success",
        "completed",
        "ended",
    ];
    let is_bad = severity.and_then(name_of).is_some_and(|word| {
        let level = level::word(&word)
            .or_else(|| number(&word, false))
            .or_else(|| in_words(&word));
        level.is_some_and(|level| level >= Severity::Warning)
    });
    let is_over = |v: &Value| {
        let among = |list: &[&str]| {
            v.as_str()
                .is_some_and(|word| list.iter().any(|over| word.trim().eq_ignore_ascii_case(over)))
        };
        among(&OVER) || !is_bad && among(&OVER_UNLESS_BAD)
    };
    let title = guess.find(&["title", "subject"], is_over)?;
    f.mark(title);
    d.label("state", scalar(title)?);
    Some(State::Resolved)
}

/// `[RESOLVED] …`, `OK: …`, `[P1] …`: what the words before a title say, when nothing else does.
fn words_of_the_title(d: &mut Draft) {
    let title = d.title.clone();
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
    ["null", "nil", "undefined", "n/a", "nan"]
        .iter()
        .any(|nothing| word.eq_ignore_ascii_case(nothing))
}

/// The host; a name is believed before an address, wherever both stand.
pub(super) fn host(guess: &Guess<'_>, f: &Fields<'_>) -> Option<Text> {
    let is_address = |v: &Value| name_of(v).is_some_and(|n| n.parse::<std::net::IpAddr>().is_ok());
    let is_environment = |v: &Value| scalar(v).is_some_and(|name| is_environment(&name));
    let named = guess.find(&HOST, |v| {
        !v.is_boolean() && name_of(v).is_some() && !is_address(v) && !is_environment(v)
    });
    match named.or_else(|| guess.deep(&HOST[..HOSTS], |v| name_of(v).is_some() && !is_address(v))) {
        Some(value) => {
            if !value.is_object() {
                f.mark(value);
            }
            name_of(value)
        }
        None => guess
            .name(f, &HOST)
            .filter(|name| !self::is_environment(name))
            .or_else(|| guess.text(f, &["entityname"], |name| !name.contains(' ')))
            .or_else(|| guess.about())
            .or_else(|| guess.named_by_its_kind())
            .or_else(|| {
                guess
                    .find_behind(&["target"], &HOST, |v| name_of(v).is_some())
                    .and_then(name_of)
            })
            .or_else(|| guess.name(f, &HOST_ID))
            .or_else(|| guess.watched()),
    }
    // Of an address of the web its host.
    .map(|name| match crate::draft::is_web_address(&name) {
        true => crate::names::authority(&name).into(),
        false => name,
    })
}

/// Labels that say what kind of message it is.
const KINDS: [&str; 7] = [
    "state",
    "type",
    "event_type",
    "kind",
    "eventType",
    "event",
    "topic",
];

/// Whether it is called a sign of life, whatever it says of its state.
fn is_beat(d: &Draft) -> bool {
    KINDS
        .iter()
        .filter_map(|name| d.labels.get(name))
        .any(is_word_of_beat)
}

/// Whether a word says that something runs, which of an alert would say that it holds.
fn says_that_it_lives(word: &str) -> bool {
    ["active", "activated", "on", "started", "true"]
        .iter()
        .any(|lives| word.eq_ignore_ascii_case(lives))
}

fn is_word_of_beat(word: &str) -> bool {
    ["heartbeat", "ping", "keepalive", "keep-alive"]
        .iter()
        .any(|beat| word.eq_ignore_ascii_case(beat))
}

/// Whether a sign of life says that it failed to come. That it is active or open says the opposite, so only what
/// speaks of a fault counts.
fn stays_away(guess: &Guess<'_>, d: &Draft) -> bool {
    // Of a heartbeat these say that it did not come, whatever they say of an alert.
    const MISSES: [&str; 7] = [
        "absent", "expired", "late", "missed", "missing", "overdue", "timeout",
    ];
    let among = |word: &str, list: &[&str]| list.iter().any(|other| word.eq_ignore_ascii_case(other));
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

/// Tests, beats and changes that say that they are.
fn other_than_alert(d: &Draft) -> Option<OtherKind> {
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

pub(super) fn time(guess: &Guess<'_>, f: &Fields<'_>, names: &[&str], near: Option<Time>) -> Option<Time> {
    let is_time = |v: &Value| when::value(v, near).is_some();
    // A date without a time of day is the last to be believed.
    let is_date = |v: &Value| {
        v.as_str()
            .is_some_and(|text| text.trim().len() <= 10 && text.contains(['-', '/']))
    };
    let value = guess
        .time(names, |v| is_time(v) && !is_date(v))
        .or_else(|| guess.time(names, is_time))?;
    f.mark(value);
    when::value(value, near)
}

/// A date and a time of day in two fields.
pub(super) fn date_and_time(guess: &Guess<'_>, near: Option<Time>) -> Option<Time> {
    let date = guess.glance(&["date", "eventdate"]).filter(|d| d.len() <= 11)?;
    let clock = guess
        .glance(&["time", "eventtime"])
        .filter(|t| t.contains(':') && t.len() <= 15)?;
    let zone = guess
        .glance(&["tz", "timezone", "timezoneoffset"])
        .filter(|zone| zone.starts_with(['+', '-']))
        .unwrap_or_default();
    when::any(&compact_str::format_compact!("{date} {clock}{zone}"), near)
        .or_else(|| when::any(&compact_str::format_compact!("{date} {clock}"), near))
}
