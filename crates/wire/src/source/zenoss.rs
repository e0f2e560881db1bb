//! Zenoss and Moogsoft, whose severities run from 0 (clear) to 5 (critical).
//!
//! <https://help.zenoss.com/zsd/RM/administering-resource-manager/event-management>,
//! <https://docs.moogsoft.com/moogsoft-cloud/en/event-fields.html>. A clear names what it clears, not the event's id:
//! device, component, class and key are the identity in the one, the signature in the other.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "zenoss",
    forms: "events of the API and of notifications",
    reference: "https://help.zenoss.com/zsd/RM/administering-resource-manager/event-management",
    detect: |v| has(v, &["evid"]) && (has(v, &["eventClass"]) || has(v, &["device"])),
    decode: zenoss,
};

pub(crate) const MOOGSOFT: Source = Source {
    name: "moogsoft",
    forms: "events of the REST LAM",
    reference: "https://docs.moogsoft.com/moogsoft-cloud/en/event-fields.html",
    detect: |v| {
        has(v, &["signature", "severity"])
            && ["agent_location", "agent_time", "source_id", "manager"]
                .iter()
                .any(|k| v.get(k).is_some())
            || has(v, &["source_id", "external_id", "manager"])
    },
    decode: moogsoft,
};

const EVENT: Shape = Shape {
    title: &["summary", "message"],
    text: &["message"],
    ts: &["lastTime", "stateChange", "firstTime"],
    starts_at: &["firstTime"],
    service: &["Systems.0", "systems.0"],
    host: &["device.text", "device", "DeviceName"],
    entities: &[("component", "component.text"), ("component", "component")],
    links: &[("eventUrl", "event")],
    ..EMPTY
};

const LAM: Shape = Shape {
    title: &["description", "type"],
    text: &["description"],
    key: &["signature"],
    ts: &["agent_time", "timestamp", "time"],
    service: &["service", "service.0"],
    host: &["source", "host", "source_id"],
    entities: &[("location", "agent_location")],
    ..EMPTY
};

fn zenoss(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("zenoss", &EVENT, value);
    let class = f
        .glance("eventClass.text")
        .or_else(|| f.glance("eventClass"))
        .unwrap_or_default();
    d.key = Some(join(&[
        d.host.as_deref().unwrap_or_default(),
        d.entities.get("component").unwrap_or_default(),
        class.trim_matches('/'),
        &f.glance("eventKey").unwrap_or_default(),
    ]));
    let level = f.text("severity");
    severity(level, &mut d);
    match f.text("eventState").as_deref() {
        Some("Closed" | "Cleared" | "Aged" | "3" | "4" | "6") => d.state(Some(State::Resolved)),
        Some("Acknowledged" | "1") if d.status == Some(Status::Firing) => d.state(Some(State::Acked)),
        _ => {}
    }
    d.event_id = f
        .glance("evid")
        .map(|id| join(&[&id, d.severity_original.as_deref().unwrap_or_default()]));
    sink.rest(&f, d, None);
}

fn moogsoft(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("moogsoft", &LAM, value);
    if d.text == d.title {
        d.text = Text::default();
    }
    let level = f.text("severity");
    severity(level, &mut d);
    sink.rest(&f, d, None);
}

/// Takes a number or word from clear to critical, which says the state, too.
fn severity(word: Option<Text>, d: &mut Draft) {
    let level = match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("0" | "clear") => Some(Severity::Info),
        Some("1" | "debug" | "indeterminate") => Some(Severity::Unknown),
        Some("2") => Some(if d.source == "zenoss" {
            Severity::Info
        } else {
            Severity::Warning
        }),
        Some("3") => Some(Severity::Warning),
        Some("4") => Some(Severity::Error),
        Some("5") => Some(Severity::Critical),
        _ => None,
    };
    let over = matches!(
        word.as_deref().map(str::to_ascii_lowercase).as_deref(),
        Some("0" | "clear")
    );
    d.severity_as(word, level);
    d.over(over);
}
