//! Plain JSON by best guess, when no source knows the shape: the names that senders commonly choose, at the top or in
//! the usual wrappers. It needs words to say and one more sign of an alert; otherwise the body is refused.

pub(crate) mod carried;
mod chat;
mod field_names;
mod guess;
mod kind;
mod one;
mod standing;
mod wording;

pub(crate) mod told;

use carried::{carried, enveloped, fields_of, with_context};
use field_names::*;
use guess::Guess;
use one::one;
use wording::*;

use super::prelude::*;
use crate::level;

/// Bodies carried as text within each other, at most.
const CARRIED_MAX: usize = 3;

/// Decodes by best guess; `false` when there is too little to go by.
pub(crate) fn decode(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    // What plainly is an alert says itself what it is, and a card beside that is one of its fields.
    if !is_plainly_alert(value)
        && let Some(said) = chat::said(value)
        && read(&said, source, sink)
    {
        return true;
    }
    read(value, source, sink)
}

fn read(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    within(value, source, sink, 0, true)
        // Named as nobody names things, but an alert by its name or its state.
        || widely(value, source, sink)
        || within(value, source, sink, 0, false)
        || some(value, source, sink)
}

/// Looks everywhere; of an envelope that tells the version of its data into that, for its own identity is another one
/// every time.
fn widely(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    let is_versioned = fields_of(value).any(|(name, _)| plain(name) == "dataversion");
    match carried::enveloped(value).filter(|inner| is_versioned && inner.is_object()) {
        Some(inner) => {
            let inner = with_context(inner, value);
            one(&inner, &Guess::wide(&inner), source, sink, true)
        }
        _ => one(value, &Guess::wide(value), source, sink, true),
    }
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
            if sink.skips() {
                continue;
            }
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
        // What an envelope holds as an object is read together with what stands around it, unless a source knows it or it
        // plainly is an alert by itself.
        let reads = enveloped(value).is_none_or(is_plainly_alert) || self::carried(&carried).is_some();
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
                sink.skips() || sink.inner(item) || {
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
    if let Some(items) = keyed(value) {
        for (key, item) in items {
            if sink.skips() {
                continue;
            }
            let item = under_key(key, with_context(item, value));
            if !one(&item, &Guess::new(&item), source, sink, false) {
                sink.unreadable(key, "no alert");
            }
        }
        return true;
    }
    one(value, &Guess::new(value), source, sink, named)
}

/// An alert with the key that it stands under, as what it is about: the same keys stand in what others send.
fn under_key(key: &str, mut item: Value) -> Value {
    if let Some(own) = item.as_object_mut() {
        let free = ["labels", "tags"]
            .into_iter()
            .find(|name| own.get(*name).is_none_or(Value::is_object));
        let labels = free.and_then(|name| {
            own.entry(name)
                .or_insert_with(|| Value::Object(Default::default()))
                .as_object_mut()
        });
        if let Some(labels) = labels {
            labels.entry("key").or_insert_with(|| key.into());
        }
    }
    item
}

/// A list that is written as an object: alerts under their keys, unless what they stand in is an alert itself.
fn keyed(value: &Value) -> Option<&serde_json::Map<String, Value>> {
    const OF_ALERTS: [&str; 5] = ["alerts", "alarms", "incidents", "problems", "issues"];
    if is_bad(value) {
        return None;
    }
    OF_ALERTS.iter().find_map(|name| {
        let (_, list) = fields_of(value).find(|(key, _)| plain(key) == *name)?;
        let list = list.as_object().filter(|list| !list.is_empty())?;
        // The first that is none ends it.
        list.values().all(is_plainly_alert).then_some(list)
    })
}

/// Whether it says itself what happened and how bad that is.
fn is_bad(value: &Value) -> bool {
    let guess = Guess::new(value);
    let named = |v: &Value| v.is_string();
    let names: [&[&str]; 3] = [&TITLED, &CALLED, &TITLE];
    standing::severity_of(&guess).is_some() && names.iter().any(|names| guess.find(names, named).is_some())
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
