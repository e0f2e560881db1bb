//! Pingdom's webhook. <https://www.pingdom.com/resources/webhooks/>: the check is the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "pingdom",
    forms: "uptime and transaction check webhooks",
    reference: "https://www.pingdom.com/resources/webhooks/",
    detect: |v| {
        has(v, &["check_id", "current_state"])
            || has(v, &["check_name", "current_state"])
            || has(v, &["check_id", "state_changed_timestamp"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["check_name"],
    text: &["long_description", "description"],
    state: &["current_state"],
    severity: &["importance_level"],
    key: &["check_id"],
    ts: &["state_changed_timestamp", "state_changed_utc_time"],
    service: &["custom_message.service"],
    host: &["check_params.hostname"],
    tags: &["tags"],
    links: &[
        ("check_params.full_url", "target"),
        ("check_params.url", "target"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("pingdom", &SHAPE, value);
    let name = d.title.clone();
    d.text = lines([
        Some(d.text.clone()).filter(|t| !t.is_empty()),
        f.text("description"),
        f.text("custom_message"),
    ]);
    d.service = d.service.take().or_else(|| Some(name.clone()));
    d.entity("check", Some(name));
    // Pingdom knows two levels of importance, and both are about a check that is down.
    let word = d.severity_original.take();
    let level = match word.as_deref() {
        Some("HIGH") => Some(Severity::Critical),
        Some("LOW") => Some(Severity::Warning),
        _ => None,
    };
    d.severity_as(word, level);
    if d.severity.is_none() && d.status == Some(Status::Firing) {
        d.severity = Some(Severity::Error);
    }
    sink.rest(&f, d, None);
}
