//! Grafana legacy alerting (before version 9) and Grafana OnCall, both ways. Unified alerting is Alertmanager's form.
//!
//! <https://grafana.com/docs/grafana/v8.4/alerting/old-alerting/notifications/#webhook>,
//! <https://grafana.com/docs/oncall/latest/configure/outgoing-webhooks/>. A legacy rule is one alert, however many series
//! it matches.

use super::prelude::*;

pub(crate) const LEGACY: Source = Source {
    name: "grafana",
    forms: "legacy alerting webhook",
    reference: "https://grafana.com/docs/grafana/v8.4/alerting/old-alerting/notifications/#webhook",
    detect: |v| has(v, &["ruleName", "state"]) || has(v, &["ruleId", "state"]) || has(v, &["evalMatches"]),
    decode: legacy,
};

pub(crate) const ONCALL: Source = Source {
    name: "grafana-oncall",
    forms: "outgoing webhook, formatted inbound webhook",
    reference: "https://grafana.com/docs/oncall/latest/configure/outgoing-webhooks/",
    detect: |v| {
        has(v, &["alert_group", "event"])
            || has(v, &["alert_group", "alert_group_id"])
            || has(v, &["alert_uid", "title"])
    },
    decode: oncall,
};

fn legacy(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("grafana", &EMPTY, value);
    d.scraped = true;
    let word = f.text("state");
    d.state(match word.as_deref() {
        Some("no_data" | "unknown" | "paused" | "pending") => Some(State::Info),
        Some(word) => state::word(word),
        None => None,
    });
    if let Some(word) = word {
        d.label("state", word);
    }
    d.title = f.first(&["ruleName", "title"]).unwrap_or_default();
    d.text = f.text("message").unwrap_or_default();
    let org = f.glance("orgId").unwrap_or_default();
    d.key = f.glance("ruleId").map(|id| join(&[&org, &id]));
    let matches = f.list("evalMatches");
    if let Some(first) = matches.first() {
        if let Some(t) = first.get("tags") {
            tags(t, &mut d);
        }
        d.entity("metric", text_at(first, "metric"));
    }
    for (i, m) in matches.iter().enumerate() {
        if let (Some(metric), Some(value)) = (text_at(m, "metric"), text_at(m, "value")) {
            d.label(&format!("annotation.match.{i}.{metric}"), value);
        }
        f.mark(m);
    }
    if let Some(t) = f.take("tags") {
        tags(t, &mut d);
    }
    d.severity_word(
        d.labels
            .get("severity")
            .or(d.labels.get("priority"))
            .map(Text::from),
    );
    d.link(f.text("ruleUrl"), "rule");
    d.link(f.text("imageUrl"), "image");
    let test = d.title == "Test notification" || f.glance("ruleId").as_deref() == Some("0");
    sink.rest(&f, d, test.then_some(OtherKind::Test));
}

fn oncall(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("grafana-oncall", &EMPTY, value);
    let group = |name: &str| format!("alert_group.{name}");
    d.state(
        f.first(&[&group("state"), "state"])
            .as_deref()
            .and_then(state::word),
    );
    d.title = f.first(&[&group("title"), "title"]).unwrap_or_default();
    d.text = f
        .first(&[
            "message",
            "alert_payload.message",
            "alert_payload.annotations.summary",
            "alert_payload.annotations.description",
            "alert_payload.commonAnnotations.summary",
            "alert_payload.commonAnnotations.description",
            "alert_payload.description",
        ])
        .unwrap_or_default();
    d.key = f.first(&["alert_uid", "alert_group_id", &group("id")]);
    d.ts = f.time(&["event.time"]);
    d.starts_at = f.time(&[&group("created_at")]);
    d.ends_at = f.time(&[&group("resolved_at")]);
    d.link(f.text(&group("permalinks.web")), "alert group");
    d.link(f.text("link_to_upstream_details"), "upstream");
    d.link(f.text("image_url"), "image");
    if let Some(labels) = f.take(&group("labels")) {
        tags(labels, &mut d);
    }
    if let Some(labels) = f
        .peek("alert_payload.labels")
        .or_else(|| f.peek("alert_payload.commonLabels"))
    {
        tags(labels, &mut d);
    }
    d.severity_word(
        f.first(&["severity", "alert_payload.severity"])
            .or_else(|| d.labels.get("severity").map(Text::from)),
    );
    sink.rest(&f, d, None);
}
