//! The forms in which a world is written down.

use model::{Event, Status, Text, TopologyDocument};
use serde_json::{Value, json};

use super::stream::Told;

/// The form of an event line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `stormfold.event/1`.
    #[default]
    Native,
    /// A Prometheus Alertmanager webhook (v4) with one alert.
    Alertmanager,
}

/// One event as a line, without its end.
pub fn event_line(told: &Told, form: Form) -> String {
    match form {
        Form::Native => serde_json::to_string(&told.event).expect("an event is plain data"),
        Form::Alertmanager => alertmanager(&told.event).to_string(),
    }
}

/// The truth about an event, as `stormfold score` reads it: under the id that its line has when it is read.
pub fn truth_line(told: &Told, form: Form) -> String {
    let said = told.said.as_ref();
    let status = if told.event.status == Status::Resolved {
        "resolved"
    } else {
        "firing"
    };
    let event_id = match form {
        Form::Native => told.event.event_id.clone(),
        Form::Alertmanager => id_as_read(&event_line(told, form)),
    };
    json!({
        "event_id": event_id,
        "incident": said.map(|s| format!("fault-{}", s.fault)),
        "root_service": said.map(|s| s.root.as_str()),
        "class": said.map(|s| s.class.as_str()),
        "owner": said.and_then(|s| s.owner.as_deref()),
        "status": status,
    })
    .to_string()
}

/// The form of another tool has no ids of ours; they follow from what it says.
fn id_as_read(line: &str) -> Text {
    let mut found = Vec::new();
    wire::Decoder::default().decode(&wire::Raw::of_file(line.as_bytes(), "world", 1), &mut found);
    match found.into_iter().next() {
        Some(wire::Found::Alert(event)) => event.event_id,
        other => unreachable!("a line of a world is an alert: {other:?}"),
    }
}

/// The topology document as JSON.
pub fn topology_json(topology: &TopologyDocument) -> String {
    serde_json::to_string_pretty(topology).expect("a topology is plain data")
}

fn alertmanager(event: &Event) -> Value {
    let mut labels = serde_json::Map::new();
    for (name, value) in event.labels.iter() {
        labels.insert(name.to_owned(), Value::from(value));
    }
    labels
        .entry("alertname")
        .or_insert_with(|| Value::from(event.title.as_str()));
    labels.insert("severity".to_owned(), Value::from(event.severity.as_str()));
    if let Some(service) = &event.service {
        labels.insert("service".to_owned(), Value::from(service.as_str()));
    }
    if let Some(host) = &event.host {
        labels.insert("instance".to_owned(), Value::from(host.as_str()));
    }
    let status = if event.status == Status::Resolved {
        "resolved"
    } else {
        "firing"
    };
    let ends_at = event
        .ends_at
        .map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |t| t.to_string());
    json!({
        "version": "4",
        "status": status,
        "receiver": "stormfold",
        "externalURL": "http://alertmanager.example.net",
        "groupKey": format!("{{}}:{{alertname=\"{}\"}}", event.title),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "received_at": event.received_at,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": { "summary": event.title, "description": event.text },
            "startsAt": event.starts_at.unwrap_or(event.ts),
            "endsAt": ends_at,
            "fingerprint": format!("{:016x}", model::Hash128::new("fingerprint").part(event.dedup_key.as_bytes()).finish() >> 64),
        }],
    })
}
