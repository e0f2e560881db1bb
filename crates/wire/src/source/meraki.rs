//! Cisco Meraki alert webhooks. <https://developer.cisco.com/meraki/webhooks/introduction/>: an alert that ends carries
//! another type and another id (`stopped_reporting`, `started_reporting`), so the network, the device and what both types
//! speak of are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "meraki",
    forms: "alert webhooks",
    reference: "https://developer.cisco.com/meraki/webhooks/introduction/",
    detect: |v| has(v, &["networkId", "alertType"]) || has(v, &["networkId", "alertTypeId"]),
    decode,
};

const SHAPE: Shape = Shape {
    title: &["alertType", "alertTypeId"],
    text: &["alertData.message", "alertData.name"],
    severity: &["alertLevel"],
    ts: &["occurredAt", "sentAt"],
    service: &["networkName"],
    host: &["deviceName", "deviceSerial"],
    entities: &[("network", "networkName"), ("account", "organizationName")],
    tags: &["deviceTags"],
    links: &[("deviceUrl", "device"), ("networkUrl", "network")],
    ..EMPTY
};

/// Words of a type that say how it stands, not what about.
const BEGUN: [&str; 6] = ["stopped", "down", "disconnected", "failed", "lost", "unreachable"];
const OVER: [&str; 6] = ["started", "up", "connected", "recovered", "restored", "reachable"];

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("meraki", &SHAPE, value);
    let kind = f
        .glance("alertTypeId")
        .or_else(|| f.glance("alertType"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let words: Vec<&str> = kind.split(|c: char| !c.is_alphanumeric()).collect();
    let says = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let about: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !BEGUN.contains(word) && !OVER.contains(word))
        .collect();
    d.key = Some(join(&[
        &f.glance("networkId").unwrap_or_default(),
        &f.glance("deviceSerial").unwrap_or_default(),
        &about.join("_"),
    ]));
    // A sensor says itself whether it still is beyond its bounds.
    let alerting = f.peek("alertData.startedAlerting").and_then(Value::as_bool);
    let over = alerting.map_or(says(&OVER) && !says(&BEGUN), |alerting| !alerting);
    d.over(over);
    f.rest_into(&mut d);
    match kind.as_str() {
        "settings_changed" => sink.other(OtherKind::Change, d),
        _ => sink.event(d),
    }
}
