//! Bodies within bodies, for plain JSON: what queues and relays carry as text, and what is said once around a list.

use super::{
    field_names::{ALERT_NAMED, CARRIERS, TITLED, TS},
    guess::{Guess, plain},
    prelude::*,
};

/// What each of a list is given of what stands around it: so many fields, none longer than so many bytes.
const CONTEXT_FIELDS_MAX: usize = 64;
const CONTEXT_BYTES_MAX: usize = 1_024;

/// What an envelope of a queue or a relay carries as text, unless the envelope is an alert by itself.
pub(super) fn carried(value: &Value) -> Option<Value> {
    let named = |name: &str| name != "subject" && (TITLED.contains(&name) || ALERT_NAMED.contains(&name));
    if fields_of(value).any(|(key, inner)| named(&plain(key)) && scalar(inner).is_some()) {
        return None;
    }
    CARRIERS.iter().find_map(|name| {
        let (_, inner) = fields_of(value).find(|(key, _)| plain(key) == *name)?;
        match inner {
            Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
                serde_json::from_str(text).ok()
            }
            Value::Object(_) if *name == "sns" => Some(inner.clone()),
            _ => None,
        }
    })
}

/// One of a list, with what is said once for all of them; what it says itself stays.
pub(super) fn with_context(item: &Value, around: &Value) -> Value {
    // Of the list and not of what is in it.
    const OF_THE_LIST: [&str; 21] = [
        "body",
        "content",
        "value",
        "id",
        "subject",
        "payload",
        "uuid",
        "uid",
        "key",
        "number",
        "count",
        "total",
        "title",
        "name",
        "message",
        "text",
        "version",
        "type",
        "event",
        "summary",
        "description",
    ];
    let mut item = item.clone();
    if let (Some(own), Some(around)) = (item.as_object_mut(), around.as_object()) {
        for (name, value) in around.iter().take(CONTEXT_FIELDS_MAX) {
            // What is long is no context, and would be copied for each of the list.
            let scalar = match value {
                Value::String(text) => text.len() <= CONTEXT_BYTES_MAX,
                Value::Bool(_) | Value::Number(_) => true,
                _ => false,
            };
            if scalar && !OF_THE_LIST.contains(&plain(name).as_str()) && !own.contains_key(name) {
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
