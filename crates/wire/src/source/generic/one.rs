//! One alert of plain JSON: its title, identity, times and places.

use super::{
    field_names::*,
    guess::{Guess, name_of},
    kind::*,
    standing::*,
    wording::*,
};
use crate::source::prelude::*;

pub(super) fn one(
    value: &Value,
    guess: &Guess<'_>,
    source: Option<&str>,
    sink: &mut Sink<'_>,
    named: bool,
) -> bool {
    let f = sink.fields(value);
    let near = sink.context.near();
    let mut d = Draft::new(source.unwrap_or("generic"));
    let name = name(guess, &f);
    // A kind of thing alone is no alert of that kind.
    let only_kind = name.is_none();
    if only_kind && named {
        return false;
    }
    d.title = name.or_else(|| kind_of_thing(guess, &f)).unwrap_or_default();
    let severity = severity_of(guess);
    let known = state_of(guess, &f, severity, &mut d);
    d.service = guess.name(&f, &SERVICE);
    d.host = host(guess, &f);
    guess.entities(&mut d);
    times(guess, &f, near, &mut d);
    let title = d.title.clone();
    let text = guess.text(&f, &TEXT, |text| *text != *title);
    d.key = identity(guess, &d);
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
    // A log record whose message is an event by itself.
    if d.title.starts_with("CEF:") {
        let said = std::mem::replace(&mut d.text, d.title.clone());
        super::told::take(&mut d, sink);
        let told = std::mem::replace(&mut d.text, said);
        let (title, text) = told.split_once('\n').unwrap_or((&told, ""));
        (d.title, d.text) = (title.into(), lines([Some(text.into()), Some(d.text)]));
    }
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
    let test = guess.flag(&["istest", "testnotification", "isdrill", "triggeredbyusertest"]) == Some(true);
    let beats = is_beat(&d);
    let misses = beats && stays_away(guess, &d);
    if misses {
        d.state(Some(State::Firing));
    }
    let is_quiet = !is_loud(guess, &d);
    let other = other_than_alert(&d)
        .or(
            (beats && !misses && d.labels.get("state").is_some_and(says_that_it_lives))
                .then_some(OtherKind::Heartbeat),
        )
        // One that stays away is told of as what fires.
        .filter(|kind| !(misses && *kind == OtherKind::Heartbeat))
        .or(test.then_some(OtherKind::Test))
        .or((is_quiet && is_planned(guess)).then_some(OtherKind::Maintenance))
        // An object of Kubernetes says what shall be; what happens to it are events.
        .or(
            (is_quiet && has(value, &["apiVersion", "kind", "metadata", "spec"]))
                .then_some(OtherKind::Change),
        )
        .or((is_quiet && is_remark(guess) && known != Some(State::Resolved)).then_some(OtherKind::Notice))
        .or(
            (severity.is_none() && is_delivery(guess, &d) || only_kind && delivers(&d.title))
                .then_some(OtherKind::Change),
        );
    match other {
        Some(kind) => sink.other(kind, d),
        None => sink.event(d),
    }
    true
}

/// What an alert is called by a name of its own.
fn name(guess: &Guess<'_>, f: &Fields<'_>) -> Option<Text> {
    let says = |text: &str| names_something(text) && !is_kind_of_message(text) && !is_bare_noun(text);
    guess
        .of_card(f, &ALERT_NAMED, says)
        .or_else(|| guess.text(f, &TITLED, says))
        .or_else(|| guess.noun_text(f, &CALLED, says))
        // What ran is called the same when it fails and when it succeeds; what it says then differs.
        .or_else(|| guess.text(f, &WATCHED, says))
        .or_else(|| guess.name_of_object(&RULE).filter(|name| says(name)))
        .or_else(|| is_run(guess).then(|| guess.text(f, &RAN, says))?)
        // An object that stands for what ran.
        .or_else(|| {
            let name = guess.name_of_object(&["job", "task"])?;
            (says(&name) && is_run(guess)).then_some(name)
        })
        .or_else(|| guess.text(f, &TITLE, says))
        .or_else(|| {
            guess.text(f, &TITLED, |text| {
                names_something(text) && !is_kind_of_message(text)
            })
        })
        // A rule may be called by a state: `unreachable`.
        .or_else(|| guess.text(f, &ALERT_NAMED, |text| when::any(text, None).is_none()))
}

/// Whether it is a run by itself and no check that a runner makes, of which it makes many: their alerts would be one.
fn is_run(guess: &Guess<'_>) -> bool {
    const CHECKS: [&str; 16] = [
        "instance", "alert", "summary", "shortdescription", "briefdescription", "monitor", "check", "sensor",
        "rule", "alarm", "problem", "datapoint", "metricname", "metric", "probe", "test",
    ];
    // What a run says at its end, and what a check finds.
    const SAID: [&str; 5] = ["message", "msg", "shortmessage", "description", "text"];
    let is_some = |v: &Value| name_of(v).is_some();
    let tells = guess.flag(&SUCCEEDED).is_some()
        || guess.find(&EXIT, Value::is_i64).is_some()
        || guess.find(&["execution", "run"], Value::is_object).is_some();
    tells_how_it_ended(guess)
        && severity_of(guess).is_none()
        && guess.find(&CHECKS, is_some).is_none()
        && (tells || guess.find(&SAID, is_some).is_none())
}

/// Whether it says of something that ran whether that succeeded.
fn tells_how_it_ended(guess: &Guess<'_>) -> bool {
    const ENDS: [&str; 9] = [
        "failed", "failure", "errored", "aborted", "crashed", "succeeded", "success", "successful",
        "completed",
    ];
    let is_end = |v: &Value| v.as_str().is_some_and(|word| among(word.trim(), &ENDS));
    guess
        .flag(&SUCCEEDED)
        .or_else(|| guess.flag(&["failed"]))
        .is_some()
        || guess.find(&EXIT, Value::is_i64).is_some()
        || guess
            .find(&["status", "state", "result", "outcome"], is_end)
            .is_some()
}

/// What kind of thing it is, where nothing names it.
fn kind_of_thing(guess: &Guess<'_>, f: &Fields<'_>) -> Option<Text> {
    let says = |text: &str| names_something(text) && !is_kind_of_message(text) && !is_bare_noun(text);
    guess
        .text(f, &KIND, says)
        .or_else(|| guess.text(f, &TITLE, names_something))
        .or_else(|| guess.text(f, &KIND, names_something))
        // `attack_type: SYN Flood`
        .or_else(|| {
            let kind = |v: &Value| v.as_str().is_some_and(|kind| says(kind) && kind.contains(' '));
            guess.ends_in(&["type"], &[], kind).and_then(scalar)
        })
        .or_else(|| guess.text(f, &TITLE, |_| true))
}

/// When it was seen, began and ended.
fn times(guess: &Guess<'_>, f: &Fields<'_>, near: Option<Time>, d: &mut Draft) {
    d.ts = date_and_time(guess, near).or_else(|| time(guess, f, &TS, near));
    let created = time(guess, f, &CREATED, near);
    d.starts_at = time(guess, f, &STARTS, near);
    d.ends_at = time(guess, f, &ENDS, near);
    let over = d.status == Some(Status::Resolved);
    d.ts = d.ts.or(d.ends_at.filter(|_| over)).or(created);
    if d.ts.is_none() && d.starts_at.is_none() {
        d.ts = guess.any_time(near);
    }
}

/// Its identity, from what the sender calls one to the id of whatever it stands in.
fn identity(guess: &Guess<'_>, d: &Draft) -> Option<Text> {
    let is_id = |v: &Value| !v.is_boolean() && scalar(v).is_some();
    guess
        .glance(&KEY)
        .or_else(|| {
            guess
                .glance(&["hash"])
                .filter(|_| guess.glance(&OF_COMMIT).is_none())
        })
        .or_else(|| guess.own_id(&ID))
        // What ran is the same when it runs again; its run is another one.
        .or_else(|| guess.id_of_what_ran(&d.title))
        // `Incident Number`
        .or_else(|| guess.find_behind(&NUMBERED, &["number"], is_id).and_then(scalar))
        .or_else(|| guess.glance(&WATCH_KEY))
        .or_else(|| {
            // A rule may speak of many things.
            let rule = guess.glance(&["ruleid"])?;
            let of = d.host.as_deref().or(d.service.as_deref()).unwrap_or_default();
            Some(join(&[&rule, of]))
        })
        // A random one, whatever it is called.
        .or_else(|| {
            guess
                .find(&["code"], |v| v.as_str().is_some_and(is_uuid))
                .and_then(scalar)
        })
        .or_else(|| guess.id(&ID))
        .or_else(|| {
            guess
                .ends_in(&["externalid", "dedupkey"], &[], is_id)
                .and_then(scalar)
        })
        .or_else(|| {
            // Who commands a state (`trigger`, `resolve`) says of what.
            let told = ["trigger", "acknowledge", "resolve"].contains(&d.labels.get("state")?);
            told.then(|| guess.glance(&["eventid"])).flatten()
        })
        // Beside anything else it may be that of the workflow that tells of it.
        .or_else(|| guess.glance(&["workflowid"]))
}

/// Whether a label tells how bad it is or where.
fn is_sign(name: &str) -> bool {
    matches!(name, "severity" | "priority" | "alertname")
        || crate::names::SERVICE.contains(&name)
        || crate::names::HOST.contains(&name)
        || crate::names::entity_kind(name).is_some()
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
            // `source: {"id": 7, "name": "pump-4"}`
            .or_else(|| {
                let source = guess.find(&["source"], |v| is_thing(v, guess))?;
                text_at(source, "name")
            })
            .or_else(|| guess.watched()),
    }
    .map(|name| plainly(&name).into())
}

/// Whether an object names a thing and not the tool that tells of it: by its kind, by its own address, or because what is
/// said speaks of it.
fn is_thing(value: &Value, guess: &Guess<'_>) -> bool {
    const DEVICES: [&str; 9] = [
        "device", "host", "server", "machine", "node", "vm", "sensor", "gateway", "instance",
    ];
    let Some(name) = text_at(value, "name").filter(|_| value.get("id").is_some()) else {
        return false;
    };
    let is_device = ["type", "kind"]
        .iter()
        .any(|at| text_at(value, at).is_some_and(|kind| among(&kind, &DEVICES)));
    // <https://cumulocity.com/api/core/#tag/Alarms>
    let is_managed = || text_at(value, "self").is_some_and(|at| at.contains("/inventory/"));
    let is_said = |v: &Value| v.as_str().is_some_and(|text| text.contains(&*name));
    is_device
        || is_managed()
        || guess.find(&TITLED, is_said).is_some()
        || guess.find(&TEXT, is_said).is_some()
}

/// Of an address of the web its host, of a path in Azure the resource, of `host.name = 'db-1'` what it is.
fn plainly(name: &str) -> &str {
    if crate::draft::is_web_address(name) {
        return crate::names::authority(name);
    }
    // `/subscriptions/…/providers/Microsoft.Compute/virtualMachines/web-1/extensions/agent`
    if name.starts_with("/subscriptions/") {
        let mut parts = name.split('/').skip_while(|part| *part != "providers");
        return parts.nth(3).filter(|part| !part.is_empty()).unwrap_or(name);
    }
    let quoted = name.split_once(" = '").map(|(_, value)| value);
    quoted
        .and_then(|value| value.strip_suffix('\''))
        .filter(|value| !value.contains('\''))
        .unwrap_or(name)
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
