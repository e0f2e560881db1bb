//! CloudEvents around any other source, structured or in a batch; with data that no source knows, the event itself.
//!
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md>. Identity is `source` and `id`.

use base64::Engine as _;
use model::Text;
use serde_json::Value;

use super::{Sink, Source};
use crate::{
    draft::Draft,
    fields::{self, all_are, each},
    found::OtherKind,
    lower::among,
    state,
};

/// Names of data that are looked at for one of a state.
const NAMES_MAX: usize = 256;

pub(crate) const SOURCE: Source = Source {
    name: "cloudevents",
    forms: "structured and batch mode, JSON data, text data and data_base64; binary mode by headers (`ce-…`, `ce_…`)",
    reference: "https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md",
    detect,
    decode,
};

fn detect(value: &Value) -> bool {
    all_are(value, |v: &Value| {
        (v.get("specversion").is_some() || v.get("cloudEventsVersion").is_some())
            && (v.get("type").is_some() || v.get("eventType").is_some())
            && v.get("source").is_some()
    })
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    each(value).iter().for_each(|v| one(v, sink));
}

/// Whether attributes that came in headers are those of a CloudEvent.
pub(crate) fn is_binary(attributes: &[(&str, &str)]) -> bool {
    ["specversion", "type", "source"]
        .iter()
        .all(|name| attributes.iter().any(|(n, _)| n == name))
}

/// Decodes an event in binary mode: attributes in headers, and the data as the body
/// (<https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md#32-binary-content-mode>).
pub(crate) fn binary(attributes: &[(&str, &str)], data: &str, sink: &mut Sink<'_>) {
    let mut event: serde_json::Map<String, Value> = attributes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    let data = serde_json::from_str(data).unwrap_or_else(|_| Value::from(data));
    event.insert("data".to_owned(), data);
    sink.route(&Value::Object(event), Some("cloudevents"));
}

fn one(value: &Value, sink: &mut Sink<'_>) {
    let binary = value.get("data_base64").and_then(Value::as_str).and_then(decoded);
    let data = value.get("data").or(binary.as_ref());
    // Data of nobody's form is an alert only where it plainly says so; else the event is what happened.
    let named = data.and_then(|data| with_state_of_type(data, value));
    if named
        .as_ref()
        .or(data)
        .is_some_and(|data| sink.inner_or_guess(data, true, value.get("time")))
    {
        return;
    }
    let f = sink.fields(value);
    let mut draft = Draft::new("cloudevents");
    let id = f.text("id").or_else(|| f.text("eventID")).unwrap_or_default();
    let from = f.text("source").unwrap_or_default();
    draft.key = Some(compact_str::format_compact!("{from} {id}"));
    draft.event_id = draft.key.clone();
    draft.label("source", from);
    draft.title = f.text("type").or_else(|| f.text("eventType")).unwrap_or_default();
    draft.ts = f.time(&["time", "eventTime"]);
    for name in [
        "specversion", "cloudEventsVersion", "datacontenttype", "dataschema", "schemaurl",
    ] {
        let _ = f.take(name);
    }
    if let Some(data) = data {
        let at = |paths: &[&str]| paths.iter().find_map(|p| fields::text_at(data, p));
        draft.severity_word(at(&["severity", "level", "priority"]));
        draft.state(at(&["status", "state"]).as_deref().and_then(state::word));
        draft.service = at(&["service", "serviceName", "service.name"]);
        draft.host = at(&["host", "hostname", "host.name"]);
        draft.text =
            at(&["message", "summary", "description", "text", "error"]).unwrap_or_else(|| match data {
                Value::String(text) => text.into(),
                _ => Text::default(),
            });
        if draft.text.is_empty() || !data.is_string() {
            fields::labels_from(data, "data", &mut draft);
        }
        let _ = f.take("data");
    }
    let _ = f.take("data_base64").filter(|_| binary.is_some());
    // `harbor.artifact.pushed`
    let delivers = state::tokens(&draft.title)
        .last()
        .is_some_and(|word| among(word, &["pushed", "deployed", "released"]));
    sink.rest(&f, draft, delivers.then_some(OtherKind::Change));
}

/// Data that names no state, with the type of its event where that says one: `com.example.alert.resolved`.
fn with_state_of_type(data: &Value, event: &Value) -> Option<Value> {
    const STATES: [&str; 4] = ["status", "state", "eventtype", "action"];
    let kind = event.get("type")?.as_str()?;
    let names = data.as_object()?.keys();
    let says = |name: &String| STATES.iter().any(|state| fields::plain(name).ends_with(state));
    if state::of_kind(kind).is_none() || names.take(NAMES_MAX).any(says) {
        return None;
    }
    let mut data = data.clone();
    data.as_object_mut()?.insert("eventType".to_owned(), kind.into());
    Some(data)
}

/// What base64 text holds, if it is JSON.
fn decoded(text: &str) -> Option<Value> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    serde_json::from_slice(&bytes).ok()
}
