//! Bodies within bodies, for plain JSON: what queues and relays carry as text, and what is said once around a list.

use base64::Engine as _;

use super::{
    field_names::{ALERT_NAMED, CARRIERS, CREATED, TITLED, TS},
    guess::{Guess, is_time},
};
use crate::source::prelude::*;

/// What each of a list is given of what stands around it: so many fields, none longer than so many bytes, and all of them
/// no more than so many.
const CONTEXT_FIELDS_MAX: usize = 64;
const CONTEXT_FIELD_BYTES_MAX: usize = 1_024;
const CONTEXT_BYTES_MAX: usize = 16_384;

/// Envelopes that hold a body as it is: what only they are made of, and where the body stands in it.
const ENVELOPES: [(&[&str], &str); 7] = [
    // Kafka Connect's JSON converter
    (&["schema", "payload"], "payload"),
    // Kafka's REST proxy
    (
        &[
            "key", "value", "partition", "offset", "topic", "timestamp", "headers", "type",
        ],
        "value",
    ),
    // Flows that pass on a request
    (
        &[
            "headers", "params", "query", "querystringparameters", "method", "path", "url", "body",
            "webhookurl", "executionmode",
        ],
        "body",
    ),
    // Azure Event Grid
    (
        &[
            "id", "topic", "subject", "eventtype", "eventtime", "dataversion", "metadataversion", "data",
        ],
        "data",
    ),
    (
        &[
            "kinesis", "eventsource", "eventid", "eventversion", "eventname", "invokeidentityarn",
            "eventsourcearn", "awsregion",
        ],
        "kinesis",
    ),
    (
        &[
            "data",
            "partitionkey",
            "sequencenumber",
            "kinesisschemaversion",
            "approximatearrivaltimestamp",
        ],
        "data",
    ),
    (
        &["sns", "eventsource", "eventversion", "eventsubscriptionarn"],
        "sns",
    ),
];

/// The body within an envelope that is made of nothing else than what belongs to one.
pub(super) fn enveloped(value: &Value) -> Option<&Value> {
    let names: Vec<String> = fields_of(value).map(|(name, _)| plain(name)).collect();
    let (_, at) = ENVELOPES.iter().find(|(fields, at)| {
        names.iter().any(|name| name == at) && names.iter().all(|name| fields.contains(&name.as_str()))
    })?;
    let (_, inner) = fields_of(value).find(|(name, _)| plain(name) == *at)?;
    (inner.is_object() || inner.is_array()).then_some(inner)
}

/// A body that is written as text, as such or in base 64.
pub(crate) fn written(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text).ok();
    }
    // What begins with a brace or a bracket begins so; nothing else need be decoded.
    if !text.starts_with(['e', 'W', 'w', 'I', 'C', 'D']) || text.len() < 16 {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// What an envelope of a queue or a relay carries, unless the envelope is an alert by itself.
pub(super) fn carried(value: &Value) -> Option<Value> {
    if let Some(inner) = enveloped(value) {
        return Some(inner.clone());
    }
    let named = |name: &str| name != "subject" && (TITLED.contains(&name) || ALERT_NAMED.contains(&name));
    if fields_of(value).any(|(key, inner)| named(&plain(key)) && scalar(inner).is_some()) {
        return None;
    }
    CARRIERS.iter().find_map(|name| {
        let (_, inner) = fields_of(value).find(|(key, _)| plain(key) == *name)?;
        match inner {
            Value::String(text) => written(text),
            _ => None,
        }
    })
}

/// One of a list, with what is said once for all of them; what it says itself stays.
pub(super) fn with_context(item: &Value, around: &Value) -> Value {
    // Of the list and not of what is in it.
    const OF_THE_LIST: [&str; 21] = [
        "body", "content", "value", "id", "subject", "payload", "uuid", "uid", "key", "number", "count",
        "total", "title", "name", "message", "text", "version", "type", "event", "summary", "description",
    ];
    let mut item = item.clone();
    // When it was sent says nothing of what says itself when it was.
    let dated = Guess::new(&item)
        .time(&TS, |v| when::value(v, None).is_some())
        .is_some();
    let when_sent = |name: &str| dated && TS.iter().chain(&CREATED).any(|time| is_time(name, time));
    if let (Some(own), Some(around)) = (item.as_object_mut(), around.as_object()) {
        let mut room = CONTEXT_BYTES_MAX;
        for (name, value) in around.iter().take(CONTEXT_FIELDS_MAX) {
            // What is long is no context, and would be copied for each of the list.
            let bytes = name.len()
                + match value {
                    Value::String(text) => text.len(),
                    Value::Bool(_) | Value::Number(_) => 0,
                    _ => continue,
                };
            if bytes > room.min(CONTEXT_FIELD_BYTES_MAX) {
                continue;
            }
            let known = plain(name);
            if !OF_THE_LIST.contains(&known.as_str()) && !own.contains_key(name) && !when_sent(&known) {
                room -= bytes;
                own.insert(name.clone(), value.clone());
            }
        }
    }
    item
}

pub(super) fn fields_of(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The value with the time at which its envelope was sent; `None` where it has one itself.
pub(crate) fn stamped(value: &Value, at: &Value) -> Option<Value> {
    let guess = Guess::new(value);
    if guess.time(&TS, |v| when::value(v, None).is_some()).is_some() {
        return None;
    }
    let mut value = value.clone();
    value.as_object_mut()?.insert("timestamp".to_owned(), at.clone());
    Some(value)
}
