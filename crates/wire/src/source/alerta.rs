//! Alerta's alerts, as its API takes and its webhooks give them.
//! <https://docs.alerta.io/api/alert.html>: environment, resource and event are the identity, or the events that are
//! correlated with each other, of which one clears the others.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "alerta",
    forms: "alerts and heartbeats of the API",
    reference: "https://docs.alerta.io/api/alert.html",
    detect: |v| {
        is_beat(v)
            || has(inside(v), &["resource", "event"])
                && ["correlate", "severity", "environment", "rawData"]
                    .iter()
                    .filter(|k| inside(v).get(**k).is_some())
                    .count()
                    >= 2
                && inside(v).get("event").is_some_and(Value::is_string)
                && inside(v).get("resource").is_some_and(Value::is_string)
    },
    decode,
};

/// <https://docs.alerta.io/api/heartbeat.html>
fn is_beat(v: &Value) -> bool {
    has(v, &["origin", "timeout"]) && v.get("type").and_then(Value::as_str) == Some("Heartbeat")
}

fn inside(v: &Value) -> &Value {
    v.get("alert").filter(|a| a.is_object()).unwrap_or(v)
}

const SHAPE: Shape = Shape {
    title: &["event"],
    text: &["text"],
    state: &["status"],
    severity: &["severity"],
    ts: &["lastReceiveTime", "updateTime", "receiveTime", "createTime"],
    starts_at: &["createTime"],
    service: &["service.0", "service"],
    host: &["resource"],
    tags: &["tags"],
    links: &[("href", "alert")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(inside(value));
    let mut d = SHAPE.read("alerta", &f);
    if is_beat(value) {
        d.title = f.glance("origin").unwrap_or_default();
    }
    let mut events: Vec<Text> = f.list("correlate").iter().filter_map(scalar).collect();
    events.sort_unstable();
    let event = if events.is_empty() {
        d.title.to_string()
    } else {
        events.join(",")
    };
    d.key = Some(join(&[
        &f.glance("environment").unwrap_or_default(),
        d.host.as_deref().unwrap_or_default(),
        &event,
    ]));
    d.environment = f.text("environment");
    let level = d.severity_original.as_deref().map(str::to_ascii_lowercase);
    let cleared = matches!(
        level.as_deref(),
        Some("normal" | "ok" | "cleared" | "indeterminate")
    );
    match d.labels.get("status") {
        Some("closed" | "expired") => d.state(Some(State::Resolved)),
        Some("ack") => d.state(Some(State::Acked)),
        Some("shelved" | "blackout") => d.state(Some(State::Info)),
        _ => d.over(cleared),
    }
    d.event_id = f.text("lastReceiveId");
    for (kind, path) in [("region", "attributes.region"), ("address", "attributes.ip")] {
        d.entity(kind, f.glance(path));
    }
    if let Some(attributes) = f.take("attributes") {
        labels_from(attributes, "", &mut d);
    }
    // What it was before, event by event.
    let _ = f.take("history");
    let beat = f.glance("type").as_deref() == Some("Heartbeat");
    sink.rest(&f, d, beat.then_some(OtherKind::Heartbeat));
}
