//! Instana's webhook: issues, incidents and changes, opened and closed.
//!
//! <https://www.ibm.com/docs/en/instana-observability/current?topic=alerting-webhooks>. A close carries little more than
//! the id; 5 is a warning, 10 is critical, -1 a change.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "instana",
    forms: "webhook: issues, incidents and changes",
    reference: "https://www.ibm.com/docs/en/instana-observability/current?topic=alerting-webhooks",
    detect: |v| {
        v.get("issue").is_some_and(|i| {
            has(i, &["id", "state"])
                && (has(i, &["entityLabel"])
                    || has(i, &["suggestion"])
                    || has(i, &["fqdn"])
                    || i.as_object()
                        .is_some_and(|m| m.len() <= 4 && (has(i, &["end"]) || has(i, &["start"]))))
                || has(i, &["id", "type", "start"]) && has(i, &["severity", "text"])
        })
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["issue.text", "issue.description"],
    text: &["issue.description", "issue.suggestion"],
    state: &["issue.state"],
    key: &["issue.id"],
    ts: &["issue.end", "issue.start"],
    starts_at: &["issue.start"],
    ends_at: &["issue.end"],
    service: &["issue.service", "issue.serviceName", "issue.applicationName"],
    host: &["issue.fqdn"],
    entities: &[
        ("zone", "issue.zone"),
        ("container", "issue.container"),
        ("entity", "issue.entityLabel"),
    ],
    tags: &["issue.tags", "issue.customPayload"],
    links: &[("issue.link", "issue")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("instana", &SHAPE, value);
    let word = f.text("issue.severity");
    let level = match word.as_deref() {
        Some("5") => Some(Severity::Warning),
        Some("10") => Some(Severity::Critical),
        Some("-1") => Some(Severity::Info),
        _ => None,
    };
    d.severity_as(word, level);
    if d.title.is_empty() {
        d.title = compact_str::format_compact!("issue {}", d.key.as_deref().unwrap_or_default());
    }
    let kind = f.glance("issue.type").unwrap_or_default();
    sink.rest(
        &f,
        d,
        matches!(kind.as_str(), "change" | "offline" | "online").then_some(OtherKind::Change),
    );
}
