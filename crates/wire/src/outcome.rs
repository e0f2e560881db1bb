//! One thing found as one line of JSON: the output of `stormfold normalize`.

use model::{Event, EventKind};
use serde_json::{Map, Value, json};

use crate::found::{Found, Rejection};

/// The line, without its end.
///
/// An acknowledgement is shown among the alerts, with the status `acknowledged`: it is a state that the sender gives to
/// an alert, though the record keeps it as an event of kind `ack`.
pub fn line(found: &Found) -> String {
    let value = match found {
        Found::Alert(e) => json!({"outcome": "alert", "event": event(e)}),
        Found::Other { kind, event: Some(e) } => {
            json!({"outcome": "not_an_alert", "kind": kind.as_str(), "event": event(e)})
        }
        Found::Other { kind, event: None } => json!({"outcome": "not_an_alert", "kind": kind.as_str()}),
        Found::Topology(change) => json!({"outcome": "not_an_alert", "kind": "topology", "topology": change}),
        Found::Rejected(r) => rejected(r),
    };
    value.to_string()
}

fn event(event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if event.kind == EventKind::Ack
        && let Some(map) = value.as_object_mut()
    {
        map.insert("status".into(), "acknowledged".into());
    }
    value
}

fn rejected(rejection: &Rejection) -> Value {
    let mut map = Map::new();
    map.insert("outcome".into(), "rejected".into());
    map.insert("reason".into(), rejection.reason.as_str().into());
    map.insert("stage".into(), rejection.stage.as_str().into());
    if let Some(path) = &rejection.path {
        map.insert("path".into(), path.as_str().into());
    }
    if let Some(offset) = rejection.offset {
        map.insert("offset".into(), offset.into());
    }
    if let Some(source) = &rejection.source {
        map.insert("source".into(), source.as_str().into());
    }
    Value::Object(map)
}
