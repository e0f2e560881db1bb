//! What the message of a log record holds by itself: JSON, names and values, or an event in the Common Event Format.

use super::{
    field_names::{SERVICE, TEXT, TITLE, TITLED, TS},
    guess::{Guess, name_of},
    one::{date_and_time, host, time},
    standing::severity_of,
    wording::{in_words, names_something},
};
use crate::{
    level, pairs,
    source::{cef, prelude::*},
};

/// What a message calls the thing that reports. Other names of hosts are as often of those that it speaks of.
const REPORTER: [&str; 6] = [
    "host", "hostname", "devname", "devicename", "devicehostname", "nodename",
];

/// Takes what the message of a record names into its fields: it knows more of what happened than who passed it on.
pub(crate) fn take(d: &mut Draft, sink: &Sink<'_>) {
    let Some(value) = held(&d.text) else { return };
    let (f, guess, near) = (sink.fields(&value), Guess::new(&value), sink.context.near());
    let title = guess
        .text(&f, &TITLED, names_something)
        .or_else(|| guess.text(&f, &TITLE, names_something));
    let Some(title) = title else { return };
    let text = guess.text(&f, &TEXT, |text| *text != *title);
    d.text = lines([Some(title), text]);
    d.host = guess
        .name(&f, &REPORTER)
        .or_else(|| d.host.take())
        .or_else(|| host(&guess, &f));
    d.service = d.service.take().or_else(|| guess.name(&f, &SERVICE));
    d.ts = date_and_time(&guess, near)
        .or_else(|| time(&guess, &f, &TS, near))
        .or(d.ts);
    if let Some(said) = severity_of(&guess)
        && let Some(word) = name_of(said)
        && let Some(level) = level::word(&word).or_else(|| in_words(&word))
    {
        d.severity_as(Some(word), Some(level));
        f.mark(said);
    }
    f.rest_into(d);
}

fn held(message: &str) -> Option<Value> {
    let message = message.trim();
    if message.starts_with('{') {
        return serde_json::from_str(message).ok();
    }
    cef::value(message).or_else(|| pairs::logged(message)?.next()?.1)
}
