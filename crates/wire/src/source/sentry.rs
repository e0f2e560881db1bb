//! Sentry: integration webhooks (issue, event alert, metric alert, error, comment, installation) and the legacy plugin.
//!
//! <https://docs.sentry.io/organization/integrations/integration-platform/webhooks/>. The issue is the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "sentry",
    forms: "issue, event alert, metric alert, error, comment and installation webhooks; legacy plugin",
    reference: "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
    detect: |v| {
        has(v, &["action", "data"])
            && v.get("data").is_some_and(|d| {
                [
                    "issue", "event", "metric_alert", "error", "issue_alert", "comment", "installation",
                ]
                .iter()
                .any(|k| d.get(k).is_some())
            })
            || v.get("installation").is_some() && has(v, &["action", "data", "actor"])
            || has(v, &["project_slug", "event"])
            || has(v, &["culprit", "project"]) && (has(v, &["url"]) || has(v, &["event"]))
    },
    decode,
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("sentry", &EMPTY, value);
    let action = f.glance("action").unwrap_or_default();
    let part = [
        "metric_alert", "event", "error", "issue", "comment", "installation",
    ]
    .into_iter()
    .find(|k| {
        find(value, &format!("data.{k}")).is_some_and(Value::is_object) && value.get("project_slug").is_none()
    });
    match part {
        Some("metric_alert") => metric(&f, &action, &mut d),
        Some("installation") => {
            d.title = compact_str::format_compact!("installation {action}");
            // Holds an authorisation code.
            let _ = f.take("data.installation.code");
            return sink.rest(&f, d, Some(OtherKind::Handshake));
        }
        Some("comment") => {
            d.title = f
                .text("data.comment")
                .unwrap_or_else(|| Text::const_new("comment"));
            return sink.rest(&f, d, Some(OtherKind::Notice));
        }
        Some(part) => issue(&f, &format!("data.{part}."), &action, &mut d),
        None if value.get("data").is_some_and(|v| has(v, &["comment"])) => {
            d.title = f.text("data.comment").unwrap_or_default();
            return sink.rest(&f, d, Some(OtherKind::Notice));
        }
        None => legacy(&f, &mut d),
    }
    sink.rest(&f, d, None);
}

fn issue(f: &Fields<'_>, at: &str, action: &str, d: &mut Draft) {
    let at = |name: &str| format!("{at}{name}");
    d.title = f
        .first(&[&at("title"), &at("metadata.title"), &at("message")])
        .unwrap_or_default();
    d.text = f
        .first(&[&at("message"), &at("metadata.value"), &at("culprit")])
        .unwrap_or_default();
    d.severity_word(f.text(&at("level")));
    d.key = f.first(&[&at("issue_id"), &at("issue.id"), &at("groupID"), &at("id")]);
    d.service = f.first(&[
        &at("project.slug"),
        &at("project.name"),
        &at("project_slug"),
        &at("project_name"),
        &at("project"),
    ]);
    // A bare number is the project's id, which names nothing outside of Sentry.
    if d.service
        .as_deref()
        .is_some_and(|s| s.bytes().all(|b| b.is_ascii_digit()))
    {
        let id = d.service.take().unwrap_or_default();
        d.label("project_id", id);
    }
    d.entity("culprit", f.first(&[&at("culprit"), &at("transaction")]));
    d.ts = f.time(&[
        &at("lastSeen"),
        &at("datetime"),
        &at("timestamp"),
        &at("received"),
    ]);
    d.starts_at = f.time(&[&at("firstSeen")]);
    d.link(f.first(&[&at("permalink"), &at("web_url"), &at("url")]), "issue");
    if let Some(t) = f.take(&at("tags")) {
        tags(t, d);
    }
    d.host = d.labels.get("server_name").map(Text::from);
    let status = f.text(&at("status"));
    d.state(match action {
        "resolved" | "ignored" | "archived" => Some(State::Resolved),
        "assigned" => Some(State::Acked),
        _ => match status.as_deref() {
            Some("resolved") => Some(State::Resolved),
            _ => Some(State::Firing),
        },
    });
}

fn metric(f: &Fields<'_>, action: &str, d: &mut Draft) {
    let at = |name: &str| format!("data.metric_alert.{name}");
    d.title = f
        .first(&[&at("alert_rule.name"), &at("title"), "data.description_title"])
        .unwrap_or_default();
    d.text = f.text("data.description_text").unwrap_or_default();
    // The rule outlives its incidents; the project tells its subjects apart.
    d.key = f.first(&[&at("alert_rule.id"), &at("identifier"), &at("id")]);
    d.service = f.text(&at("projects.0"));
    d.starts_at = f.time(&[&at("date_started"), &at("date_detected")]);
    d.ends_at = f.time(&[&at("date_closed")]);
    d.link(f.text("data.web_url"), "alert");
    match action {
        "resolved" => {
            d.ts = d.ends_at;
            d.state(Some(State::Resolved));
        }
        word => {
            d.state(Some(State::Firing));
            d.severity_word(Some(word.into()));
        }
    }
}

fn legacy(f: &Fields<'_>, d: &mut Draft) {
    d.title = f
        .first(&["message", "event.title", "title", "event.message"])
        .unwrap_or_default();
    d.text = f
        .first(&["event.logentry.formatted", "event.message", "culprit"])
        .unwrap_or_default();
    d.severity_word(f.first(&["level", "event.level"]));
    d.key = f.first(&["id", "event.issue_id", "event.event_id"]);
    d.entity("culprit", f.text("culprit"));
    d.service = f.first(&["project_slug", "project_name", "project"]);
    d.ts = f.time(&["event.timestamp", "event.datetime", "event.received"]);
    d.link(f.text("url"), "issue");
    if let Some(t) = f.take("event.tags") {
        tags(t, d);
    }
    d.host = d.labels.get("server_name").map(Text::from);
    d.state(Some(State::Firing));
}
