//! PagerDuty: Events API v2 (and v1) as senders post it, change events, and webhooks v3 (and v1, v2) as it posts them.
//!
//! <https://developer.pagerduty.com/docs/events-api-v2/overview/>,
//! <https://developer.pagerduty.com/docs/webhooks-overview>.

use super::prelude::*;

pub(crate) const EVENTS: Source = Source {
    name: "pagerduty",
    forms: "Events API v2 (trigger, acknowledge, resolve), v1, change events",
    reference: "https://developer.pagerduty.com/docs/events-api-v2/overview/",
    detect: |v| {
        has(v, &["event_action"])
            && (has(v, &["routing_key"]) || has(v, &["payload"]) || has(v, &["dedup_key"]))
            || has(v, &["routing_key", "payload"])
            || has(v, &["service_key", "event_type"])
    },
    decode: events,
};

pub(crate) const WEBHOOKS: Source = Source {
    name: "pagerduty",
    forms: "webhooks v3, v2 and v1",
    reference: "https://developer.pagerduty.com/docs/webhooks-overview",
    detect: |v| {
        v.get("event")
            .is_some_and(|e| has(e, &["event_type", "data"]) || has(e, &["event_type", "resource_type"]))
            || v.get("messages").and_then(Value::as_array).is_some_and(|m| {
                !m.is_empty()
                    && m.iter()
                        .all(|m| m.get("incident").is_some() || find(m, "data.incident").is_some())
            })
    },
    decode: webhooks,
};

fn events(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("pagerduty", &EMPTY, value);
    let _ = f.take("routing_key");
    let _ = f.take("service_key");
    let action = f.first(&["event_action", "event_type"]);
    d.title = f.first(&["payload.summary", "description"]).unwrap_or_default();
    d.key = f.first(&["dedup_key", "incident_key"]);
    d.ts = f.time(&["payload.timestamp"]);
    d.severity_word(f.text("payload.severity"));
    d.host = f.text("payload.source");
    d.service = f.text("payload.component");
    if let Some(group) = f.text("payload.group") {
        d.label("group", group);
    }
    if let Some(class) = f.text("payload.class") {
        d.label("class", class);
    }
    for link in f.list("links") {
        d.link(
            text_at(link, "href"),
            text_at(link, "text").as_deref().unwrap_or_default(),
        );
        f.mark(link);
    }
    for image in f.list("images") {
        d.link(text_at(image, "src"), "image");
        f.mark(image);
    }
    d.link(
        f.text("client_url"),
        f.glance("client").as_deref().unwrap_or("client"),
    );
    for details in ["payload.custom_details", "details"] {
        if let Some(details) = f.take(details) {
            labels_from(details, "", &mut d);
            if d.text.is_empty() {
                d.text = scalar(details)
                    .or_else(|| text_at(details, "message"))
                    .unwrap_or_default();
            }
        }
    }
    match action.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("acknowledge") => d.state(Some(State::Acked)),
        Some("resolve") => d.state(Some(State::Resolved)),
        Some("trigger") => d.state(Some(State::Firing)),
        // A change event has no action and no severity.
        None if d.severity_original.is_none() => d.kind = EventKind::Change,
        None => {}
        Some(other) => {
            return sink.unreadable(
                "event_action",
                &format!("{other:?} is no action of the Events API"),
            );
        }
    }
    f.rest_into(&mut d);
    if d.title.is_empty() {
        d.title = d.key.clone().unwrap_or_default();
    }
    sink.event(d);
}

fn webhooks(value: &Value, sink: &mut Sink<'_>) {
    match value.get("messages").and_then(Value::as_array) {
        Some(messages) => messages.iter().for_each(|m| message(m, sink)),
        None => version_3(value, sink),
    }
}

fn version_3(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("pagerduty", &EMPTY, value);
    let kind = f.text("event.event_type").unwrap_or_default();
    d.event_id = f.text("event.id");
    d.ts = f.time(&["event.occurred_at"]);
    if kind == "pagey.ping" {
        d.title = f.first(&["event.data.message"]).unwrap_or_else(|| kind.clone());
        return sink.rest(&f, d, Some(OtherKind::Test));
    }
    incident(&f, "event.data", &mut d);
    // Who did it, in the words of the pager.
    if let Some(who) = f.glance("event.agent.summary") {
        d.label("actor", who);
    }
    let action = kind.rsplit('.').next().unwrap_or_default();
    let other = state_of_action(action, &mut d);
    d.label("event_type", kind.clone());
    f.rest_into(&mut d);
    if d.title.is_empty() {
        d.title = kind;
    }
    match other {
        true => sink.other(OtherKind::Notice, d),
        false => sink.event(d),
    }
}

fn message(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("pagerduty", &EMPTY, value);
    d.event_id = f.text("id");
    d.ts = f.time(&["created_on"]);
    let kind = f.first(&["event", "type"]).unwrap_or_default();
    let base = if value.get("incident").is_some() {
        "incident"
    } else {
        "data.incident"
    };
    incident(&f, base, &mut d);
    let other = state_of_action(kind.rsplit('.').next().unwrap_or_default(), &mut d);
    d.label("event_type", kind.clone());
    f.rest_into(&mut d);
    if d.title.is_empty() {
        d.title = kind;
    }
    if other {
        sink.other(OtherKind::Notice, d)
    } else {
        sink.event(d)
    }
}

fn incident(f: &Fields<'_>, base: &str, d: &mut Draft) {
    let at = |name: &str| format!("{base}.{name}");
    d.title = f
        .first(&[
            &at("title"),
            &at("summary"),
            &at("trigger_summary_data.subject"),
            &at("trigger_summary_data.description"),
            &at("description"),
        ])
        .unwrap_or_default();
    // The key that the trigger carried, beside the incident's own id: both stay for its whole life.
    d.key = Some(join(&[
        f.text(&at("id")).as_deref().unwrap_or_default(),
        f.text(&at("incident_key")).as_deref().unwrap_or_default(),
    ]));
    // Who is paged under our id speaks of our incident.
    if let Some(key) = f.glance(&at("incident_key")) {
        d.label("incident_key", key);
    }
    d.starts_at = f.time(&[&at("created_at"), &at("created_on")]);
    d.service = f.first(&[&at("service.summary"), &at("service.name")]);
    d.severity_word(f.first(&[&at("priority.summary"), &at("priority.name"), &at("urgency")]));
    d.link(f.text(&at("html_url")), "incident");
    d.state(f.text(&at("status")).as_deref().and_then(state::word));
}

/// Takes the state that an action leaves behind; `true` when it is only worth reading.
fn state_of_action(action: &str, d: &mut Draft) -> bool {
    let state = match action {
        "triggered" | "trigger" | "unacknowledged" | "unacknowledge" | "reopened" | "escalated"
        | "escalate" | "priority_updated" | "reassigned" | "assign" | "delegated" | "delegate" => {
            State::Firing
        }
        "acknowledged" | "acknowledge" => State::Acked,
        "resolved" | "resolve" => State::Resolved,
        _ => return true,
    };
    d.kind = EventKind::Alert;
    d.state(Some(state));
    false
}
