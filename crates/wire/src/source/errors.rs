//! Error trackers beside Sentry: Rollbar, Bugsnag and Honeybadger. The item (error, fault) is the identity, not the
//! occurrence.
//!
//! <https://docs.rollbar.com/docs/webhooks>, <https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/>,
//! <https://docs.honeybadger.io/guides/integrations/webhook/>.

use super::prelude::*;

pub(crate) const ROLLBAR: Source = Source {
    name: "rollbar",
    forms: "webhook: items and deploys",
    reference: "https://docs.rollbar.com/docs/webhooks",
    detect: |v| {
        has(v, &["event_name", "data"])
            && (find(v, "data.item").is_some()
                || find(v, "data.deploy").is_some()
                || v.get("event_name").and_then(Value::as_str) == Some("test"))
    },
    decode: rollbar,
};

pub(crate) const BUGSNAG: Source = Source {
    name: "bugsnag",
    forms: "webhook: errors, comments and releases",
    reference: "https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/",
    detect: |v| has(v, &["trigger", "project"]) && find(v, "trigger.type").is_some(),
    decode: bugsnag,
};

pub(crate) const HONEYBADGER: Source = Source {
    name: "honeybadger",
    forms: "webhook: faults; sites, check-ins and alarms",
    reference: "https://docs.honeybadger.io/guides/integrations/webhook/",
    detect: |v| {
        let watched = ["site", "check_in", "alarm"];
        let event = v.get("event").and_then(Value::as_str).unwrap_or_default();
        has(v, &["event", "fault"]) && find(v, "fault.klass").is_some()
            || (WATCHED_EVENTS.contains(&event) || is_of_settings(event))
                && has(v, &["message", "project"])
                && watched
                    .iter()
                    .any(|name| v.get(name).is_some_and(Value::is_object))
    },
    decode: |v, sink| match v.get("fault") {
        Some(_) => honeybadger(v, sink),
        None => watched(v, sink),
    },
};

/// What Honeybadger says of what it watches beside errors. Many send an event, a message and a project.
const WATCHED_EVENTS: [&str; 7] = [
    "down", "up", "cert_will_expire", "check_in_missing", "check_in_reporting", "alarm_alert", "alarm_ok",
];

/// Whether an event is of what is watched being set up or taken away: `site_created`.
fn is_of_settings(event: &str) -> bool {
    let done = ["_created", "_updated", "_deleted"];
    ["site", "check_in", "alarm"]
        .iter()
        .any(|of| event.strip_prefix(of).is_some_and(|rest| done.contains(&rest)))
}

/// What Honeybadger watches beside errors.
const WATCHED: Shape = Shape {
    title: &["site.name", "check_in.name", "alarm.name", "message"],
    text: &["outage.reason", "message"],
    key: &["project.id", "site.id", "check_in.id", "alarm.id"],
    starts_at: &["outage.down_at"],
    ends_at: &["outage.up_at"],
    service: &["project.name"],
    links: &[("site.url", "target")],
    ..EMPTY
};

const ITEM: Shape = Shape {
    title: &["data.item.title", "data.deploy.comment"],
    text: &[
        "data.occurrence.body.message.body",
        "data.item.last_occurrence.body.message.body",
    ],
    key: &["data.item.project_id", "data.item.id"],
    ts: &[
        "data.occurrence.timestamp",
        "data.item.last_occurrence_timestamp",
        "data.deploy.finish_time",
    ],
    starts_at: &["data.item.first_occurrence_timestamp", "data.deploy.start_time"],
    service: &["data.item.project.name", "data.deploy.project_id"],
    host: &[
        "data.occurrence.server.host",
        "data.item.last_occurrence.server.host",
        "data.item.occurrence.server.host",
    ],
    entities: &[("environment", "data.item.environment")],
    links: &[("data.url", "item"), ("data.item.url", "item")],
    ..EMPTY
};

const ERROR: Shape = Shape {
    title: &["error.exceptionClass", "trigger.message"],
    text: &["error.message", "comment.message"],
    severity: &["error.severity"],
    key: &["project.id", "error.errorId"],
    ts: &["error.receivedAt", "error.lastReceived"],
    starts_at: &["error.firstReceived"],
    service: &["project.name"],
    host: &["error.device.hostname"],
    entities: &[
        ("context", "error.context"),
        ("environment", "error.app.releaseStage"),
    ],
    links: &[("error.url", "error"), ("project.url", "project")],
    ..EMPTY
};

const FAULT: Shape = Shape {
    title: &["fault.klass"],
    text: &["fault.message", "message"],
    key: &["fault.project_id", "fault.id"],
    ts: &["notice.created_at", "fault.last_notice_at"],
    starts_at: &["fault.created_at"],
    service: &["project.name", "fault.component"],
    host: &["notice.server.hostname", "notice.environment.hostname"],
    entities: &[("environment", "fault.environment")],
    links: &[("fault.url", "fault"), ("notice.url", "notice")],
    ..EMPTY
};

fn rollbar(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("rollbar", &ITEM, value);
    let event = f.text("event_name").unwrap_or_default();
    environment(&mut d);
    let word = f.text("data.item.level");
    let level = word.as_deref().and_then(|w| match w {
        "50" => Some(Severity::Critical),
        "40" => Some(Severity::Error),
        "30" => Some(Severity::Warning),
        "20" | "10" => Some(Severity::Info),
        _ => None,
    });
    d.severity_as(word, level);
    d.state(Some(match event.as_str() {
        "resolved_item" => State::Resolved,
        _ => State::Firing,
    }));
    d.label("event_name", event.clone());
    if d.title.is_empty() {
        d.title = event.clone();
    }
    f.rest_into(&mut d);
    match event.as_str() {
        "deploy" => sink.other(OtherKind::Change, d),
        "test" => sink.other(OtherKind::Test, d),
        _ => sink.event(d),
    }
}

fn bugsnag(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("bugsnag", &ERROR, value);
    environment(&mut d);
    let trigger = f.text("trigger.type").unwrap_or_default();
    let status = f.text("error.status").unwrap_or_default();
    d.state(Some(match (trigger.as_str(), status.as_str()) {
        ("errorStateManualChange", "fixed" | "ignored") | (_, "fixed") => State::Resolved,
        _ => State::Firing,
    }));
    d.label("trigger", trigger.clone());
    if d.title.is_empty() {
        d.title = trigger.clone();
    }
    f.rest_into(&mut d);
    match trigger.as_str() {
        "release" => sink.other(OtherKind::Change, d),
        "comment" | "projectSpikingEnd" => sink.other(OtherKind::Notice, d),
        _ => sink.event(d),
    }
}

fn honeybadger(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("honeybadger", &FAULT, value);
    environment(&mut d);
    let event = f.text("event").unwrap_or_default();
    d.state(Some(match event.as_str() {
        "resolved" => State::Resolved,
        "assigned" => State::Acked,
        _ => State::Firing,
    }));
    d.severity = Some(Severity::Error);
    f.rest_into(&mut d);
    match event.as_str() {
        "deployed" => sink.other(OtherKind::Change, d),
        "commented" => sink.other(OtherKind::Notice, d),
        _ => sink.event(d),
    }
}

fn watched(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("honeybadger", &WATCHED, value);
    let event = f.text("event").unwrap_or_default();
    d.over(matches!(event.as_str(), "up" | "check_in_reporting" | "alarm_ok"));
    d.ts = d.ends_at.or(d.starts_at);
    d.severity = Some(Severity::Error);
    // A certificate is another matter than the site being down.
    let expires = event == "cert_will_expire";
    d.key = d
        .key
        .take()
        .map(|key| join(&[&key, if expires { "certificate" } else { "" }]));
    let other = is_of_settings(&event).then_some(OtherKind::Notice);
    d.label("event", event);
    sink.rest(&f, d, other);
}

/// The environment is a field of the event and no entity.
fn environment(d: &mut Draft) {
    d.environment = d.entities.remove("environment");
}
