//! Consul health checks as a watch handler or the health API gives them, one or an array.
//!
//! <https://developer.hashicorp.com/consul/docs/dynamic-app-config/watches#checks>. Node and check are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "consul",
    forms: "health checks of watches and of the health API",
    reference: "https://developer.hashicorp.com/consul/docs/automate/watch",
    detect: |v| match v {
        Value::Array(items) => {
            !items.is_empty()
                && items
                    .iter()
                    .all(|i| is_one(i) || i.get("Checks").is_some_and(Value::is_array))
        }
        Value::Object(map) => is_one(v) || !map.is_empty() && map.values().all(is_one),
        _ => false,
    },
    decode: |v, sink| match v {
        // The agent's API: checks by their id.
        Value::Object(map) if !is_one(v) => map.values().for_each(|c| one(c, sink)),
        Value::Array(items) => items
            .iter()
            .for_each(|i| match i.get("Checks").and_then(Value::as_array) {
                Some(checks) => checks.iter().for_each(|c| one(c, sink)),
                None => one(i, sink),
            }),
        v => one(v, sink),
    },
};

fn is_one(v: &Value) -> bool {
    has(v, &["CheckID", "Status"])
}

const SHAPE: Shape = Shape {
    title: &["Name", "CheckID"],
    text: &["Output", "Notes"],
    state: &["Status"],
    key: &["Node", "CheckID"],
    service: &["ServiceName", "ServiceID"],
    host: &["Node"],
    entities: &[("namespace", "Namespace"), ("instance", "ServiceID")],
    tags: &[],
    ..EMPTY
};

fn one(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("consul", &SHAPE, value);
    d.severity_word(d.labels.get("Status").map(Text::from));
    match d.severity_original.as_deref() {
        Some("passing") => d.severity = Some(Severity::Info),
        Some("maintenance") => {
            return sink.rest(&f, d, Some(OtherKind::Maintenance));
        }
        _ => {}
    }
    sink.rest(&f, d, None);
}
