//! Statuspage (and pages that speak its form): incidents, component updates, scheduled maintenance, page summaries.
//!
//! <https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/>. What a provider says of itself is
//! evidence for a third-party failure; `provider` names the page.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "statuspage",
    forms: "incident, component and maintenance webhooks, summary.json",
    reference: "https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/",
    detect: |v| {
        has(v, &["page"])
            && [
                "incident", "component", "component_update", "incidents", "components",
                "scheduled_maintenances", "maintenance",
            ]
            .iter()
            .any(|k| v.get(k).is_some())
            || v.get("incident").is_some_and(|i| has(i, &["incident_updates"]))
            || has(v, &["incident_updates", "impact"])
    },
    decode,
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let page = value.get("page");
    let before = sink.count();
    for name in ["incident", "maintenance"] {
        if let Some(one) = value.get(name).filter(|v| v.is_object()) {
            incident(one, page, sink);
        }
    }
    if value.get("incident_updates").is_some() {
        incident(value, page, sink);
    }
    for name in ["incidents", "scheduled_maintenances"] {
        for one in value
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
        {
            incident(one, page, sink);
        }
    }
    if sink.count() == before
        && let Some(one) = value.get("component").filter(|v| v.is_object())
    {
        component(one, value.get("component_update"), page, sink);
    }
    if sink.count() == before {
        let mut d = Draft::new("statuspage");
        d.title = find(value, "status.description")
            .and_then(scalar)
            .unwrap_or_else(|| Text::const_new("status page"));
        named(page, &mut d);
        sink.other(OtherKind::Notice, d);
    }
}

fn incident(value: &Value, page: Option<&Value>, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("statuspage", &EMPTY, value);
    named(page, &mut d);
    d.title = f.text("name").unwrap_or_default();
    d.text = f.first(&["incident_updates.0.body", "body"]).unwrap_or_default();
    d.key = f.text("id");
    let word = Text::from(f.text("status").unwrap_or_default().to_ascii_lowercase());
    let impact = f.text("impact");
    d.ts = f.time(&["updated_at", "incident_updates.0.updated_at"]);
    d.starts_at = f.time(&["started_at", "scheduled_for", "created_at"]);
    d.ends_at = f.time(&["resolved_at", "scheduled_until"]);
    d.link(f.first(&["shortlink", "url"]), "incident");
    let planned = matches!(
        word.as_str(),
        "scheduled" | "in_progress" | "verifying" | "completed"
    ) || impact.as_deref() == Some("maintenance");
    severity(impact, &mut d);
    d.state(match word.as_str() {
        "resolved" | "postmortem" | "completed" => Some(State::Resolved),
        _ => Some(State::Firing),
    });
    for c in f.list("components") {
        if let Some(name) = text_at(c, "name") {
            if d.entities.get("component").is_none() {
                d.entity("component", Some(name.clone()));
            }
            d.label(
                &format!("component.{name}"),
                text_at(c, "status").unwrap_or_default(),
            );
        }
        f.mark(c);
    }
    d.label("status", word);
    sink.rest(&f, d, planned.then_some(OtherKind::Maintenance));
}

fn component(value: &Value, update: Option<&Value>, page: Option<&Value>, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("statuspage", &EMPTY, value);
    named(page, &mut d);
    let name = f.text("name");
    d.title = name.clone().unwrap_or_default();
    d.key = f.text("id");
    let word = update
        .and_then(|u| text_at(u, "new_status"))
        .or_else(|| f.text("status"));
    d.ts = update
        .and_then(|u| text_at(u, "created_at"))
        .and_then(|t| when::any(&t, None))
        .or_else(|| f.time(&["updated_at"]));
    d.entity("component", name);
    let word = word.map(|w| Text::from(w.to_ascii_lowercase()));
    let maintenance = matches!(word.as_deref(), Some("under_maintenance" | "undermaintenance"));
    d.over(word.as_deref() == Some("operational"));
    severity(word, &mut d);
    sink.rest(&f, d, maintenance.then_some(OtherKind::Maintenance));
}

fn severity(word: Option<Text>, d: &mut Draft) {
    // Pages that speak the form write its words in capitals and as one.
    let plain = |w: &str| w.to_ascii_lowercase().replace('_', "");
    let level = word.as_deref().and_then(|w| match plain(w).as_str() {
        "none" | "operational" | "maintenance" | "undermaintenance" => Some(Severity::Info),
        "minor" | "degradedperformance" | "minoroutage" => Some(Severity::Warning),
        "major" | "partialoutage" => Some(Severity::Error),
        "critical" | "majoroutage" => Some(Severity::Critical),
        _ => None,
    });
    d.severity_as(word, level);
}

/// Whose page it is.
fn named(page: Option<&Value>, d: &mut Draft) {
    let Some(page) = page else { return };
    let name = text_at(page, "name").or_else(|| text_at(page, "id"));
    d.service = name.clone();
    if let Some(name) = name {
        d.label("provider", name);
    }
    d.link(text_at(page, "url"), "status page");
    if let Some(description) = text_at(page, "status_description") {
        d.label("status_description", description);
    }
}
