//! Netdata Cloud's webhook. <https://learn.netdata.cloud/docs/alerts-&-notifications/notifications/centralized-cloud-notifications/webhook>:
//! node, chart and alert are the identity; the alert's name holds no subject.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "netdata",
    forms: "alert and reachability webhooks of Netdata Cloud",
    reference: "https://learn.netdata.cloud/docs/alerts-&-notifications/notifications/centralized-cloud-notifications/webhook",
    detect: |v| {
        has(v, &["alert", "chart", "severity"])
            || has(v, &["alert", "context", "space"])
            || has(v, &["space"]) && find(v, "status.reachable").is_some()
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["alert"],
    text: &["message", "info"],
    severity: &["severity"],
    ts: &["date"],
    host: &[
        "node.hostname", "node", "nodes.0.hostname", "host.name", "hostname",
    ],
    entities: &[("chart", "chart"), ("container", "node.labels.container_name")],
    links: &[("alert_url", "alert"), ("url", "alert")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("netdata", &SHAPE, value);
    let host = d.host.clone().unwrap_or_default();
    if let Some(reachable) = f.text("status.reachable") {
        d.title = Text::const_new("node unreachable");
        d.over(reachable == "true");
        d.severity = Some(if reachable == "true" {
            Severity::Info
        } else {
            Severity::Critical
        });
        d.key = Some(join(&[&host, "unreachable"]));
    } else {
        d.key = Some(join(&[
            &host,
            d.entities.get("chart").unwrap_or_default(),
            &d.title,
        ]));
        let word = d.severity_original.as_deref().map(str::to_ascii_lowercase);
        d.state(Some(match word.as_deref() {
            Some("clear") => State::Resolved,
            Some("undefined" | "uninitialized" | "removed") => State::Info,
            _ => State::Firing,
        }));
    }
    sink.rest(&f, d, None);
}
