//! Alerts of Apache HertzBeat up to version 1.6; later ones have Alertmanager's form.
//! <https://hertzbeat.apache.org/docs/v1.6.x/help/alert_webhook>: levels and states are numbers.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "hertzbeat",
    forms: "webhook",
    reference: "https://hertzbeat.apache.org/docs/v1.6.x/help/alert_webhook",
    detect: |v| {
        has(v, &["target", "content", "priority", "status"])
            && ["alertDefineId", "monitorId", "times", "tags", "tag"]
                .iter()
                .any(|name| v.get(name).is_some())
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["content"],
    key: &[
        "alertDefineId", "monitorId", "tags.monitorId", "tag.monitorId", "target",
    ],
    ts: &["lastAlarmTime", "lastTriggerTime", "gmtUpdate"],
    starts_at: &["firstAlarmTime", "firstTriggerTime", "gmtCreate"],
    service: &["monitorName", "tags.monitorName", "tag.monitorName"],
    host: &["monitorHost", "tags.monitorHost", "tag.monitorHost"],
    tags: &["tags", "tag"],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("hertzbeat", &SHAPE, value);
    let level = f.text("priority");
    let meaning = match level.as_deref() {
        Some("0") => Some(Severity::Critical),
        Some("1") => Some(Severity::Error),
        Some("2") => Some(Severity::Warning),
        _ => None,
    };
    d.severity_as(level, meaning);
    d.state(Some(match f.text("status").as_deref() {
        Some("2") => State::Resolved,
        Some("3") => State::Acked,
        _ => State::Firing,
    }));
    sink.rest(&f, d, None);
}
