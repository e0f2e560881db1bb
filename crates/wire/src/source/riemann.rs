//! Riemann events, one or an array. <https://riemann.io/concepts.html>: host and service are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "riemann",
    forms: "events, one or an array",
    reference: "https://riemann.io/concepts.html",
    detect: |v| match v {
        Value::Array(items) => !items.is_empty() && items.iter().all(is_one),
        one => is_one(one),
    },
    decode: |v, sink| match v {
        Value::Array(items) => items.iter().for_each(|i| one(i, sink)),
        v => one(v, sink),
    },
};

fn is_one(v: &Value) -> bool {
    let expired = || v.get("state").and_then(Value::as_str) == Some("expired") && has(v, &["host", "time"]);
    has(v, &["service", "state"]) && (v.get("metric").is_some() || v.get("ttl").is_some() || expired())
}

const SHAPE: Shape = Shape {
    title: &["service"],
    text: &["description"],
    state: &["state"],
    severity: &["state"],
    key: &["host", "service"],
    ts: &["time"],
    service: &["service"],
    host: &["host"],
    ..EMPTY
};

fn one(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let mut d = SHAPE.read("riemann", &f);
    d.severity_word(d.labels.get("state").map(Text::from));
    d.service = Some(d.title.clone());
    if let Some(metric) = f.text("metric") {
        d.label("annotation.metric", metric);
    }
    f.rest_into(&mut d);
    sink.event(d);
}
