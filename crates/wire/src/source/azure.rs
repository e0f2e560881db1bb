//! Azure Monitor: the common alert schema around every kind of signal, classic and newer metric alerts, activity log.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema>. `alertId` is new with every firing;
//! `originAlertId` is what its resolve repeats.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "azure-monitor",
    forms: "common alert schema, classic and metric alerts, activity log, service health",
    reference: "https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema",
    detect: |v| {
        find(v, "data.essentials").is_some()
            || v.get("schemaId")
                .and_then(Value::as_str)
                .is_some_and(|s| s.to_ascii_lowercase().contains("azure") || s.contains("Microsoft.Insights"))
            || has(v, &["status", "context"]) && find(v, "context.resourceId").is_some()
            || find(v, "data.context").is_some() && has(v, &["schemaId"])
            || find(v, "data.context.activityLog").is_some()
            || has(v, &["SearchQuery", "AlertRuleName"])
            || find(v, "data.AlertRuleName").is_some()
    },
    decode,
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    if find(value, "data.essentials").is_some() {
        common(value, sink);
    } else if find(value, "data.context.activityLog").is_some() {
        activity(value, sink);
    } else {
        classic(value, sink);
    }
}

fn common(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let e = |name: &str| format!("data.essentials.{name}");
    let mut d = Draft::new("azure-monitor");
    let by = f.text(&e("monitoringService"));
    let properties = "data.alertContext.properties.";
    let at = |name: &str| format!("{properties}{name}");
    d.title = f.text(&e("alertRule")).unwrap_or_default();
    d.text = f.text(&e("description")).unwrap_or_default();
    let word = f.text(&e("severity"));
    let level = word.as_deref().and_then(level);
    d.severity_as(word, level);
    d.state(f.text(&e("monitorCondition")).as_deref().and_then(state::word));
    d.starts_at = f.time(&[&e("firedDateTime")]);
    d.ends_at = if d.status == Some(Status::Resolved) {
        f.time(&[&e("resolvedDateTime")])
    } else {
        None
    };
    d.key = f.first(&[&e("originAlertId"), &e("alertId")]);
    let target = f.glance(&e("alertTargetIDs.0"));
    d.host = f.text(&e("configurationItems.0"));
    resource(target.as_deref(), &mut d);
    match by.as_deref() {
        Some("ServiceHealth") => {
            if let Some(title) = f.text(&at("title")) {
                let rule = std::mem::replace(&mut d.title, title);
                d.label("alertRule", rule);
            }
            d.service = f.text(&at("service"));
            d.entity("region", f.text(&at("region")));
            d.label("provider", "azure");
            d.text = lines([
                Some(d.text.clone()).filter(|t| !t.is_empty()),
                f.text(&at("communication")),
            ]);
        }
        Some("Prometheus") => {
            for part in ["labels", "annotations"] {
                if let Some(labels) = f.take(&format!("data.alertContext.{part}")) {
                    labels_from(labels, if part == "labels" { "" } else { "annotation" }, &mut d);
                }
            }
            if d.text.is_empty() {
                d.text = text_at(value, "data.alertContext.annotations.description")
                    .or_else(|| text_at(value, "data.alertContext.annotations.summary"))
                    .unwrap_or_default();
            }
        }
        _ => {
            for condition in f.list("data.alertContext.condition.allOf") {
                dimensions(condition, &mut d);
            }
        }
    }
    if let Some(by) = by {
        d.label("monitoringService", by);
    }
    d.link(
        f.first(&[
            &e("investigationLink"),
            "data.alertContext.LinkToSearchResults",
            "data.alertContext.linkToFilteredSearchResultsUI",
        ]),
        "portal",
    );
    sink.rest(&f, d, None);
}

fn classic(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let base = if f.peek("data.context").is_some() {
        "data.context."
    } else if f.peek("context").is_some() {
        "context."
    } else {
        "data."
    };
    let at = |name: &str| format!("{base}{name}");
    let mut d = Draft::new("azure-monitor");
    d.title = f
        .first(&[
            &at("name"),
            &at("AlertRuleName"),
            "AlertRuleName",
            &at("condition.metricName"),
        ])
        .unwrap_or_default();
    d.text = f
        .first(&[&at("description"), &at("Description"), "Description"])
        .unwrap_or_default();
    d.state(
        f.first(&["data.status", "status"])
            .as_deref()
            .and_then(state::word),
    );
    let word = f.first(&[&at("severity"), &at("Severity"), "Severity"]);
    let word = word.map(|w| {
        if w.len() == 1 {
            compact_str::format_compact!("Sev{w}")
        } else {
            w
        }
    });
    let level = word.as_deref().and_then(level);
    d.severity_as(word, level);
    if value.get("context").is_some() {
        d.only_level();
    }
    d.ts = f.time(&[&at("timestamp"), &at("SearchIntervalEndtimeUtc")]);
    d.key = f.first(&[&at("id"), &at("AlertRuleName"), "AlertRuleName"]);
    d.host = f.text(&at("resourceName"));
    let id = f.glance(&at("resourceId"));
    if d.host.is_some() && id.is_some() {
        // The rule and the resource together: one rule may watch many.
        let rule = d.key.take().unwrap_or_default();
        let host = d.host.clone().unwrap_or_default();
        d.key = Some(join(&[&rule, &host]));
    }
    resource(id.as_deref(), &mut d);
    d.link(
        f.first(&[&at("portalLink"), &at("LinkToSearchResults")]),
        "portal",
    );
    for (kind, name) in [
        ("region", "resourceRegion"),
        ("resource_group", "resourceGroupName"),
        ("account", "subscriptionId"),
    ] {
        d.entity(kind, f.text(&at(name)));
    }
    for condition in f.list(&at("condition.allOf")) {
        dimensions(condition, &mut d);
    }
    sink.rest(&f, d, None);
}

fn activity(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let at = |name: &str| format!("data.context.activityLog.{name}");
    let mut d = Draft::new("azure-monitor");
    let source = f.text(&at("eventSource")).unwrap_or_default();
    d.title = f
        .first(&[&at("properties.title"), &at("operationName")])
        .unwrap_or_default();
    d.text = f
        .first(&[
            &at("properties.communication"),
            &at("description"),
            &at("properties.cause"),
        ])
        .unwrap_or_default();
    d.severity_word(f.text(&at("level")));
    d.ts = f.time(&[&at("eventTimestamp"), &at("submissionTimestamp")]);
    d.service = f.text(&at("properties.service"));
    d.entity("region", f.text(&at("properties.region")));
    d.key = f.first(&[
        &at("properties.trackingId"),
        &at("properties.trackingid"),
        &at("correlationId"),
    ]);
    let id = f.glance(&at("resourceId"));
    resource(id.as_deref(), &mut d);
    let word = f.first(&[
        &at("properties.stage"),
        &at("properties.currentHealthStatus"),
        &at("status"),
    ]);
    d.state(word.as_deref().and_then(|w| match w {
        "Active" | "Unavailable" | "Degraded" => Some(State::Firing),
        "Resolved" | "Available" | "Complete" => Some(State::Resolved),
        _ => None,
    }));
    let kind = match (
        source.as_str(),
        f.glance(&at("properties.incidentType")).as_deref(),
    ) {
        ("ServiceHealth", Some("Maintenance")) => Some(OtherKind::Maintenance),
        ("ServiceHealth", Some("Incident" | "Security")) | ("ResourceHealth" | "Resource Health", _) => None,
        ("ServiceHealth", _) => Some(OtherKind::Notice),
        ("Administrative" | "Policy" | "Autoscale", _) => Some(OtherKind::Change),
        _ => None,
    };
    d.label("eventSource", source);
    sink.rest(&f, d, kind);
}

/// The parts of `/subscriptions/S/resourceGroups/G/providers/P/T/N`.
fn resource(id: Option<&str>, d: &mut Draft) {
    let Some(id) = id else { return };
    let parts: Vec<&str> = id.split('/').filter(|p| !p.is_empty()).collect();
    let after = |name: &str| {
        parts
            .iter()
            .position(|p| p.eq_ignore_ascii_case(name))
            .and_then(|i| parts.get(i + 1))
            .map(|p| Text::from(*p))
    };
    d.entity("account", after("subscriptions"));
    d.entity("resource_group", after("resourceGroups"));
    if parts.len() > 4 {
        let name = parts.last().map(|p| Text::from(*p));
        d.host = d.host.take().or_else(|| name.clone());
        d.entity("resource", name);
        if let Some(at) = parts.iter().position(|p| p.eq_ignore_ascii_case("providers")) {
            let kind: Vec<&str> = parts[at + 1..].iter().take(2).copied().collect();
            d.entity("resource_type", Some(kind.join("/").into()));
        }
    }
}

fn level(word: &str) -> Option<Severity> {
    match word.to_ascii_lowercase().as_str() {
        "sev0" => Some(Severity::Critical),
        "sev1" => Some(Severity::Error),
        "sev2" => Some(Severity::Warning),
        "sev3" => Some(Severity::Notice),
        "sev4" => Some(Severity::Info),
        _ => None,
    }
}

/// What a condition was measured of.
fn dimensions(condition: &Value, d: &mut Draft) {
    for dimension in condition
        .get("dimensions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(name), Some(v)) = (text_at(dimension, "name"), text_at(dimension, "value")) {
            d.label(&name, v);
        }
    }
}
