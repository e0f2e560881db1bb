//! Checkly's webhook with the documented template variables.
//! <https://www.checklyhq.com/docs/integrations/alerts/webhooks/>: the check is the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "checkly",
    forms: "webhook over the template variables",
    reference: "https://www.checklyhq.com/docs/integrations/alerts/webhooks/",
    detect: |v| {
        let v = &lowered(v);
        v.get("alert_type")
            .or_else(|| v.get("alerttype"))
            .and_then(Value::as_str)
            .is_some_and(|t| t.to_ascii_uppercase().starts_with("ALERT_"))
            || has(v, &["check_name", "check_type"])
            || has(v, &["check_result_id"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["check_name", "checkname", "alert_title", "event", "title"],
    text: &[
        "check_error_message", "alert_title", "event", "description", "message",
    ],
    key: &["check_id"],
    ts: &["started_at", "timestamp", "startedat"],
    service: &["group_name"],
    entities: &[("check_group", "check_group")],
    tags: &["tags"],
    links: &[
        ("result_link", "result"),
        ("link", "result"),
        ("public_result_link", "result"),
        ("url", "result"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let (f, mut d) = sink.read("checkly", &SHAPE, v);
    d.key = d.key.take().or_else(|| Some(d.title.clone()));
    if d.service.is_none() {
        d.service = f.glance("check_name").or_else(|| Some(d.title.clone()));
    }
    let word = f.first(&["alert_type", "alerttype"]).unwrap_or_default();
    let (state, level) = match word.to_ascii_uppercase().as_str() {
        "ALERT_RECOVERY" | "ALERT_DEGRADED_RECOVERY" => (State::Resolved, Severity::Info),
        "ALERT_FAILURE" | "ALERT_FAILURE_REMAIN" | "ALERT_DEGRADED_FAILURE" => {
            (State::Firing, Severity::Error)
        }
        "ALERT_DEGRADED" | "ALERT_DEGRADED_REMAIN" | "ALERT_FAILURE_DEGRADED" | "ALERT_SSL" => {
            (State::Firing, Severity::Warning)
        }
        "NO_ALERT" => (State::Info, Severity::Info),
        _ => (State::Firing, Severity::Unknown),
    };
    if word.eq_ignore_ascii_case("ALERT_SSL") {
        // The check may pass all the while; its recovery is no new certificate.
        d.key = d.key.take().map(|key| join(&[&key, "certificate"]));
    }
    d.state(Some(state));
    d.severity_as(Some(word), Some(level));
    sink.rest(&f, d, None);
}
