//! Riemann events, one or an array. <https://riemann.io/concepts.html>: host and service are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "riemann",
    forms: "events, one or an array",
    reference: "https://riemann.io/concepts.html",
    detect: |v| all_are(v, is_one),
    decode: |v, sink| each(v).iter().for_each(|v| one(v, sink)),
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
    let (f, mut d) = sink.read("riemann", &SHAPE, value);
    d.severity_word(d.labels.get("state").map(Text::from));
    d.service = Some(d.title.clone());
    if let Some(metric) = f.text("metric") {
        d.label("annotation.metric", metric);
    }
    sink.rest(&f, d, None);
}
