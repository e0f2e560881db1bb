//! Coralogix' generic outbound webhook.
//! <https://coralogix.com/docs/user-guides/alerting/outbound-webhooks/generic-outbound-webhooks-alert-webhooks/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "coralogix",
    forms: "generic outbound webhook",
    reference: "https://coralogix.com/docs/user-guides/alerting/outbound-webhooks/generic-outbound-webhooks-alert-webhooks/",
    detect: |v| {
        let named = || {
            ["name", "alert_name", "title", "alert_id"]
                .iter()
                .any(|name| v.get(name).is_some())
        };
        has(v, &["alert_action"]) && named()
            || has(v, &["alert_id", "timewindow"])
            || has(v, &["alert_severity", "alert_url"])
            || has(v, &["log_url", "alert_url"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["name", "alert_name", "title"],
    text: &["description", "alert_description"],
    state: &["alert_action"],
    severity: &["severity", "alert_severity", "priority"],
    key: &["alert_unique_identifier"],
    ts: &[
        "timestamp", "timestamp_iso", "event_timestamp", "event_timestamp_ms", "timestamp_ms",
    ],
    service: &["subsystem", "service", "application"],
    links: &[("alert_url", "alert"), ("log_url", "logs")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("coralogix", &SHAPE, value);
    if let Some(fields) = f.take("fields") {
        tags(fields, &mut d);
    }
    let label = |d: &Draft, names: &[&str]| names.iter().find_map(|n| d.labels.get(n)).map(Text::from);
    if d.severity_original.is_none() {
        d.severity_word(label(&d, &["severity", "severityLowercase", "priority"]));
    }
    d.ts = d.ts.or_else(|| {
        label(&d, &["timestamp", "eventTimestamp", "timestampISO"]).and_then(|t| when::any(&t, None))
    });
    d.service = d
        .service
        .take()
        .or_else(|| label(&d, &["subsystem", "application"]));
    d.host = label(&d, &["computer", "ipAddress"]);
    d.key = d.key.take().or_else(|| {
        let group = f
            .glance("group_by_labels")
            .or_else(|| label(&d, &["group_by_labels", "alertUniqueIdentifier"]))
            .unwrap_or_default();
        f.glance("alert_id")
            .or_else(|| f.glance("uuid"))
            .map(|id| join(&[&id, &group]))
    });
    sink.rest(&f, d, None);
}
