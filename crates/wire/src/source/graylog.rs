//! Graylog: event notifications (version 3.1 and later) and the legacy stream alarm callback.
//!
//! <https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html>. Graylog never sends a
//! recovery, so its alerts end by time.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "graylog",
    forms: "event notification, legacy alarm callback",
    reference: "https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html",
    detect: |v| {
        has(v, &["event_definition_id"])
            || has(v, &["event_definition_title"])
            || find(v, "check_result.triggered_condition").is_some()
            || has(v, &["check_result", "stream"])
            || has(v, &["event", "backlog"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &[
        "event_definition_title",
        "check_result.triggered_condition.title",
        "stream.title",
        "event.message",
    ],
    text: &[
        "check_result.result_description",
        "event.message",
        "event_definition_description",
    ],
    ts: &["event.timestamp", "check_result.triggered_at"],
    service: &[
        "event.fields.service",
        "event.fields.service_name",
        "stream.title",
    ],
    host: &[
        "event.fields.host", "event.fields.hostname", "event.fields.source",
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("graylog", &SHAPE, value);
    d.text = lines([
        Some(d.text.clone()).filter(|t| !t.is_empty()),
        f.text("event_definition_description"),
    ]);
    let glance = |name: &str| f.glance(name).unwrap_or_default();
    d.key = Some(if value.get("check_result").is_some() {
        join(&[
            &glance("stream.id"),
            &glance("check_result.triggered_condition.id"),
        ])
    } else {
        join(&[&glance("event_definition_id"), &glance("event.key")])
    });
    d.event_id = f.text("event.id");
    d.entity("stream", f.text("stream.title"));
    let word = f.text("event.priority");
    match word.as_deref() {
        Some("1") => d.severity_as(Some(Text::const_new("low")), Some(Severity::Notice)),
        Some("2") => d.severity_as(Some(Text::const_new("normal")), Some(Severity::Warning)),
        Some("3") => d.severity_as(Some(Text::const_new("high")), Some(Severity::Error)),
        _ => d.severity_word(word),
    }
    let triggered = f.glance("check_result.triggered").is_none_or(|t| t == "true");
    d.over(!triggered);
    d.only_level();
    if f.glance("event.alert").as_deref() == Some("false") {
        d.state(Some(State::Info));
    }
    // Log records of the backlog vary with every alert; the first lines are enough to read.
    for list in ["backlog", "check_result.matching_messages"] {
        for (i, record) in f.list(list).iter().enumerate() {
            if i < 3
                && let Some(text) = text_at(record, "message")
            {
                d.label(&format!("annotation.backlog.{i}"), text);
            }
            f.mark(record);
        }
    }
    let test = d.title == "Event Definition Test Title"
        || glance("event_definition_id") == "this-is-a-test-notification";
    sink.rest(&f, d, test.then_some(OtherKind::Test));
}
