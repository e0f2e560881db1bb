//! Splunk: alert action webhook, Splunk Observability (SignalFx) detectors, and Splunk On-Call (VictorOps).
//!
//! <https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks>,
//! <https://docs.splunk.com/observability/en/admin/notif-services/webhook.html>,
//! <https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/>. A search's `sid` is new with each run,
//! so its name and subject are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "splunk",
    forms: "alert action webhook",
    reference: "https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks",
    detect: |v| {
        has(v, &["sid"]) && (has(v, &["result"]) || has(v, &["results_link"]))
            || has(v, &["search_name", "result"])
    },
    decode: alert,
};

pub(crate) const SIGNALFX: Source = Source {
    name: "signalfx",
    forms: "detector webhook of Splunk Observability",
    reference: "https://docs.splunk.com/observability/en/admin/notif-services/webhook.html",
    detect: |v| {
        has(v, &["detector", "incidentId"])
            || has(v, &["detectorId", "rule"])
            || has(v, &["statusExtended", "rule"])
            || has(v, &["sf_schema", "rule"])
    },
    decode: signalfx,
};

pub(crate) const VICTOROPS: Source = Source {
    name: "victorops",
    forms: "REST endpoint of Splunk On-Call",
    reference: "https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/",
    detect: |v| {
        has(v, &["message_type", "entity_id"])
            || has(v, &["message_type", "state_message"])
            || has(v, &["message_type", "entity_display_name"])
    },
    decode: victorops,
};

const ALERT: Shape = Shape {
    title: &[
        "search_name", "result.title", "result.alert_name", "savedsearch_name",
    ],
    text: &["result.message", "result._raw", "result.description", "message"],
    state: &["result.status", "result.state"],
    severity: &[
        "result.severity_label", "result.severity", "result.urgency", "result.priority", "severity",
        "result.level", "result.log_level",
    ],
    ts: &["result._time", "result.timestamp", "trigger_time"],
    service: &[
        "result.service", "result.service_name", "result.app", "result.application",
    ],
    host: &[
        "result.host", "result.dest", "result.hostname", "result.host_name",
    ],
    links: &[("results_link", "results")],
    ..EMPTY
};

const DETECTOR: Shape = Shape {
    title: &["messageTitle", "rule", "detector"],
    text: &["description", "messageBody"],
    state: &["statusExtended", "status"],
    severity: &["severity"],
    key: &["incidentId"],
    ts: &["timestampISO8601", "timestamp"],
    service: &[
        "dimensions.service",
        "dimensions.sf_service",
        "dimensions.service.name",
    ],
    host: &["dimensions.host", "dimensions.host.name"],
    tags: &["dimensions"],
    links: &[("detectorUrl", "detector"), ("imageUrl", "chart")],
    runbook: &["runbookUrl"],
    ..EMPTY
};

const ON_CALL: Shape = Shape {
    title: &["entity_display_name", "entity_id"],
    text: &["state_message"],
    severity: &["message_type"],
    key: &["entity_id"],
    ts: &["state_start_time", "timestamp"],
    service: &["service", "service_name"],
    host: &["host_name", "host", "hostname"],
    links: &[("alert_url", "alert")],
    ..EMPTY
};

fn alert(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("splunk", &ALERT, value);
    let _ = f.take("sid");
    let subject = d.host.clone().or_else(|| d.service.clone()).unwrap_or_default();
    // Splunk's own app, which is no service of anybody's.
    let app = f.text("app").unwrap_or_default();
    d.label("splunk_app", app.clone());
    d.key = Some(join(&[&app, &d.title, &subject])).filter(|_| !d.title.is_empty());
    f.rest_into(&mut d);
    if d.title.is_empty() {
        d.title = text_at(value, "sid").unwrap_or_default();
    }
    sink.event(d);
}

fn signalfx(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("signalfx", &DETECTOR, value);
    let word = d
        .labels
        .get("statusExtended")
        .map(str::to_ascii_lowercase)
        .unwrap_or_default();
    d.state(Some(match word.as_str() {
        "ok" | "manually resolved" | "manually_resolved" | "stopped" | "auto_resolved" | "muted" => {
            State::Resolved
        }
        _ => State::Firing,
    }));
    if d.key.is_none() {
        let dimensions: Vec<String> = d
            .labels
            .iter()
            .filter(|(n, _)| *n != "statusExtended")
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        d.key = Some(join(&[
            &f.first(&["detectorId", "detector"]).unwrap_or_default(),
            &d.title,
            &dimensions.join(","),
        ]));
    }
    if let Some(rule) = f.glance("rule").filter(|r| *r != d.title) {
        d.label("rule", rule);
    }
    sink.rest(&f, d, None);
}

fn victorops(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("victorops", &ON_CALL, value);
    let word = d
        .severity_original
        .as_deref()
        .unwrap_or_default()
        .to_ascii_uppercase();
    d.state(Some(match word.as_str() {
        "RECOVERY" | "OK" | "RESOLVED" => State::Resolved,
        "ACKNOWLEDGEMENT" | "ACK" => State::Acked,
        "INFO" => State::Info,
        _ => State::Firing,
    }));
    sink.rest(&f, d, None);
}
