//! AlertSite's JSON alerts, availability and performance.
//! <http://doc.alertsite.com/synthetic/alerts/json-alerts.htm>: the monitor ("device") is the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "alertsite",
    forms: "JSON alerts, availability and performance",
    reference: "http://doc.alertsite.com/synthetic/alerts/json-alerts.htm",
    detect: |v| {
        let v = v.get("alert").filter(|a| a.is_object()).unwrap_or(v);
        has(v, &["device_id", "device_name", "status"])
            || has(v, &["notify_type", "device_name"])
            || has(v, &["custid", "device_id"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["device_name", "device_descrip", "descrip"],
    text: &["status_text", "message", "notify_text", "error_text"],
    key: &["device_id"],
    ts: &["timestamp", "time", "dt_status"],
    service: &["device_name", "device_descrip"],
    entities: &[("location", "location"), ("transaction_step", "step_name")],
    links: &[
        ("url", "target"),
        ("full_page_link", "page"),
        ("fault_link", "fault"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let value = value.get("alert").filter(|a| a.is_object()).unwrap_or(value);
    let (f, mut d) = sink.read("alertsite", &SHAPE, value);
    d.service = Some(d.title.clone());
    let word = f.first(&["notify_type", "severity", "type"]);
    // Status 0 is success; every other number is a kind of error.
    let status = f.text("status");
    let over = word.as_deref().is_some_and(|w| {
        matches!(
            w.to_ascii_lowercase().as_str(),
            "clear" | "ok" | "success" | "recovery"
        )
    }) || word.is_none() && status.as_deref() == Some("0");
    d.over(over);
    let level = match word.as_deref() {
        Some("error") => Some(Severity::Error),
        _ => None,
    };
    d.severity_as(word, level);
    if d.severity_original.is_none() {
        d.severity = Some(if over { Severity::Info } else { Severity::Error });
    }
    if let Some(status) = status {
        d.label("status", status);
    }
    d.entities.remove("location");
    if let Some(place) = text_at(value, "location") {
        d.label("annotation.location", place);
    }
    sink.rest(&f, d, None);
}
