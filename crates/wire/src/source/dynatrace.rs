//! Dynatrace: problem notifications (the documented placeholders, in any case), and problems of the API v2.
//!
//! <https://docs.dynatrace.com/docs/analyze-explore-automate/notifications-and-alerting/problem-notifications/webhook-integration>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "dynatrace",
    forms: "problem notification, problem of the API v2",
    reference: "https://docs.dynatrace.com/docs/analyze-explore-automate/notifications-and-alerting/problem-notifications/webhook-integration",
    detect: |v| {
        let names = Names::of(v, plain);
        names.any(&["problemid", "problemtitle", "problemdetailsjson"])
            || names.all(&["impactlevel", "severitylevel"])
            || names.all(&["displayid", "affectedentities"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["problemtitle", "title", "eventname"],
    text: &[
        "problemdetailstext", "problemdetailsmarkdown", "details", "description",
    ],
    state: &["state", "status"],
    key: &["problemid"],
    starts_at: &[
        "starttime",
        "problemdetailsjson.startTime",
        "problemdetailsjsonv2.startTime",
    ],
    ends_at: &["endtime"],
    links: &[("problemurl", "problem")],
    tags: &["tags", "entitytags"],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &rekeyed(value, plain);
    let (f, mut d) = sink.read("dynatrace", &SHAPE, v);
    let _ = f.take("problemid");
    d.key = d.key.take().or_else(|| f.first(&["displayid", "pid"]));
    if d.labels
        .get("state")
        .or(d.labels.get("status"))
        .is_some_and(|s| s == "MERGED")
    {
        d.state(Some(State::Resolved));
    }
    let word = f.first(&[
        "problemseverity", "severity", "severitylevel", "impactlevel", "problemimpact",
    ]);
    let level = word
        .as_deref()
        .and_then(|w| match w.to_ascii_uppercase().as_str() {
            "AVAILABILITY" | "APPLICATION" => Some(Severity::Critical),
            "ERROR" | "SERVICE" | "SERVICES" => Some(Severity::Error),
            "PERFORMANCE"
            | "RESOURCE_CONTENTION"
            | "RESOURCE"
            | "CUSTOM_ALERT"
            | "MONITORING_UNAVAILABLE"
            | "INFRASTRUCTURE"
            | "ENVIRONMENT" => Some(Severity::Warning),
            _ => None,
        });
    d.severity_as(word, level);
    for list in ["rootcauseentity", "affectedentities", "impactedentities"] {
        match f.peek(list) {
            Some(Value::Array(items)) => items.iter().for_each(|item| entity(item, &mut d)),
            Some(item) => entity(item, &mut d),
            None => {}
        }
    }
    if let Some(name) = f.first(&[
        "impactedentitynames",
        "impactedentity",
        "customproperties.host.name",
    ]) {
        d.entity("impacted", Some(name.clone()));
        if d.host.is_none() && d.service.is_none() {
            d.host = Some(name);
        }
    }
    let test = d.title.contains("notification test run") || f.glance("pid").as_deref() == Some("99999");
    sink.rest(&f, d, test.then_some(OtherKind::Test));
}

/// An affected entity: `{entity|entityId, name|entityName, type|entityType}`.
fn entity(item: &Value, d: &mut Draft) {
    let at = |paths: &[&str]| paths.iter().find_map(|p| text_at(item, p));
    let Some(name) = at(&["name", "entityName", "displayName"]) else {
        return;
    };
    let kind = at(&["type", "entityType", "entityId.type", "entity.type"])
        .or_else(|| {
            at(&["entity", "entityId", "entityId.id"]).and_then(|id| id.split('-').next().map(Text::from))
        })
        .unwrap_or_default()
        .to_ascii_uppercase();
    match kind.as_str() {
        "SERVICE" | "APPLICATION" | "SERVICE_METHOD" | "WEB_APPLICATION" | "MOBILE_APPLICATION" => {
            d.service = d.service.take().or_else(|| Some(name.clone()));
        }
        "HOST" => d.host = d.host.take().or_else(|| Some(name.clone())),
        _ => {}
    }
    let kind = if kind.is_empty() {
        Text::const_new("entity")
    } else {
        kind.to_ascii_lowercase()
    };
    if d.entities.get(&kind).is_none() {
        d.entity(&kind, Some(name));
    }
}
