//! ServiceNow: event management records (`em_event`) and ITSM incidents, one or many.
//!
//! <https://www.servicenow.com/docs/bundle/zurich-it-operations-management/page/product/event-management/task/send-events-via-web-service.html>.
//! Without a `message_key` ServiceNow itself identifies an event by source, node, type, resource and metric.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "servicenow",
    forms: "em_event records, incidents",
    reference: "https://www.servicenow.com/docs/bundle/zurich-it-operations-management/page/product/event-management/task/send-events-via-web-service.html",
    detect,
    decode,
};

const SEVERITIES: [(&str, Severity); 6] = [
    ("Clear", Severity::Info),
    ("Critical", Severity::Critical),
    ("Major", Severity::Error),
    ("Minor", Severity::Warning),
    ("Warning", Severity::Warning),
    ("Info", Severity::Info),
];

fn is_event(v: &Value) -> bool {
    has(v, &["event_class"])
        || has(v, &["message_key"])
        || has(v, &["metric_name", "node"])
        || has(v, &["node", "resource", "severity"])
}

fn is_incident(v: &Value) -> bool {
    has(v, &["number"]) && (has(v, &["short_description"]) || has(v, &["sys_id"]))
}

fn rows<'v>(value: &'v Value, name: &str) -> Option<&'v [Value]> {
    match value.get(name)? {
        Value::Array(items) if !items.is_empty() => Some(items),
        one @ Value::Object(_) => Some(std::slice::from_ref(one)),
        _ => None,
    }
}

fn detect(value: &Value) -> bool {
    is_event(value)
        || is_incident(value)
        || rows(value, "records").is_some_and(|r| r.iter().all(|r| is_event(r) || is_incident(r)))
        || rows(value, "result").is_some_and(|r| r.iter().all(is_incident))
        || rows(value, "incident").is_some_and(|r| r.iter().all(is_incident))
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    if is_event(value) || is_incident(value) {
        return one(value, sink);
    }
    for name in ["records", "result", "incident"] {
        if let Some(rows) = rows(value, name) {
            return rows.iter().for_each(|row| one(row, sink));
        }
    }
    sink.unreadable("records", "neither events nor incidents");
}

fn one(value: &Value, sink: &mut Sink<'_>) {
    // An alert of Event Management has a number as an incident has, but speaks of a node and a metric.
    let alert = has(value, &["node", "severity"]) && value.get("short_description").is_none();
    if is_incident(value) && !alert {
        incident(value, sink)
    } else {
        event(value, sink)
    }
}

fn event(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("servicenow", &EMPTY, value);
    let glance = |name: &str| f.glance(name).unwrap_or_default();
    let natural = ["source", "node", "type", "resource", "metric_name"]
        .map(glance)
        .iter()
        .filter(|p| !p.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("+");
    d.key = f.text("message_key").or_else(|| Some(natural.into()));
    d.title = f
        .first(&["metric_name", "type", "event_class", "description"])
        .unwrap_or_default();
    d.text = f.text("description").unwrap_or_default();
    let word = f.text("severity");
    let number = word
        .as_deref()
        .and_then(|w| w.parse::<usize>().ok())
        .and_then(|n| SEVERITIES.get(n));
    let cleared = number.is_some_and(|(name, _)| *name == "Clear")
        || f.text("resolution_state").is_some_and(|s| s == "Closing")
        || f.glance("state")
            .is_some_and(|s| matches!(s.as_str(), "Closed" | "Flapping - Closed"));
    match number {
        Some((name, level)) => d.severity_as(Some(Text::const_new(name)), Some(*level)),
        None => d.severity_word(word),
    }
    d.over(cleared);
    d.ts = f.time(&["time_of_event", "last_event_time"]);
    d.starts_at = f.time(&["initial_event_time"]);
    d.host = f.text("node");
    d.service = f.text("resource");
    let extra = f.peek("additional_info");
    match extra {
        Some(Value::String(text)) => {
            if let Ok(inner @ Value::Object(_)) = serde_json::from_str::<Value>(text) {
                labels_from(&inner, "", &mut d);
                let _ = f.take("additional_info");
            }
        }
        Some(inner @ Value::Object(_)) => {
            labels_from(inner, "", &mut d);
            let _ = f.take("additional_info");
        }
        _ => {}
    }
    sink.rest(&f, d, None);
}

fn incident(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("servicenow", &EMPTY, value);
    let shown = |name: &str| f.first(&[&format!("{name}.display_value"), &format!("{name}.value"), name]);
    d.key = shown("number").or_else(|| shown("sys_id"));
    d.title = shown("short_description").unwrap_or_default();
    d.text = shown("description").unwrap_or_default();
    let word = shown("state").or_else(|| shown("incident_state"));
    d.state(match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("1" | "new" | "3" | "on hold") => Some(State::Firing),
        Some("2" | "in progress" | "active") => Some(State::Acked),
        Some("6" | "resolved" | "7" | "closed" | "8" | "canceled" | "cancelled") => Some(State::Resolved),
        _ => None,
    });
    if let Some(word) = word {
        d.label("state", word);
    }
    let level = |word: &str| match word.chars().next() {
        Some('1') => Some(Severity::Critical),
        Some('2') => Some(Severity::Error),
        Some('3') => Some(Severity::Warning),
        Some('4') => Some(Severity::Notice),
        Some('5') => Some(Severity::Info),
        _ => None,
    };
    if let Some(word) = shown("priority").or_else(|| shown("severity")) {
        d.severity_as(Some(word.clone()), level(&word));
    } else if let Some(word) = shown("impact").or_else(|| shown("urgency")) {
        // Three steps: high, medium, low.
        let level = match word.chars().next() {
            Some('1') => Some(Severity::Critical),
            Some('2') => Some(Severity::Warning),
            Some('3') => Some(Severity::Info),
            _ => None,
        };
        d.severity_as(Some(word), level);
    }
    d.starts_at = f.time(&[
        "opened_at", "opened_at.value", "sys_created_on", "sys_created_on.value",
    ]);
    d.ts = f.time(&["sys_updated_on", "sys_updated_on.value"]);
    d.ends_at = f.time(&["resolved_at", "closed_at", "resolved_at.value"]);
    d.host = shown("cmdb_ci");
    let group = shown("assignment_group");
    d.service = shown("business_service").or(group.clone());
    if let Some(group) = group {
        d.label("assignment_group", group);
    }
    sink.rest(&f, d, None);
}
