//! Axiom's custom webhook. <https://axiom.co/docs/monitor-data/custom-webhook-notifier>: the monitor and its group are
//! the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "axiom",
    forms: "custom webhook",
    reference: "https://axiom.co/docs/monitor-data/custom-webhook-notifier",
    detect: |v| {
        v.get("event")
            .is_some_and(|e| has(e, &["monitorID"]) || has(e, &["monitorId"]) || has(e, &["queryStartTime"]))
            || has(v, &["monitorID", "action"])
            || has(v, &["action", "matchedEvent"])
            || has(v, &["queryStartTime", "queryEndTime"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["event.title", "title", "event.name", "name"],
    text: &["event.body", "body", "event.description", "description"],
    state: &["action", "event.action"],
    key: &["event.monitorID"],
    ts: &[
        "event.timestamp", "timestamp", "event.queryEndTime", "queryEndTime",
    ],
    service: &[
        "event.matchedEvent.service",
        "matchedEvent.service",
        "event.matchedEvent.service.name",
    ],
    host: &["event.matchedEvent.host", "matchedEvent.host"],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("axiom", &SHAPE, value);
    d.text = lines([
        Some(d.text.clone()).filter(|t| !t.is_empty()),
        f.text("event.description"),
    ]);
    let monitor = d
        .key
        .take()
        .or_else(|| f.glance("monitorID"))
        .or_else(|| f.glance("event.monitorId"));
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for base in ["event.", ""] {
        names.extend(f.list(&format!("{base}groupKeys")).iter().filter_map(scalar));
        values.extend(f.list(&format!("{base}groupValues")).iter().filter_map(scalar));
    }
    let group: Vec<String> = names
        .iter()
        .zip(&values)
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    for (name, value) in names.iter().zip(&values) {
        d.label(name, value.clone());
    }
    d.key = Some(join(&[
        &monitor.unwrap_or_else(|| d.title.clone()),
        &group.join(","),
    ]));
    sink.rest(&f, d, None);
}
