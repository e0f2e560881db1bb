//! OpenNMS alarms, as its Kafka producer and REST API give them. <https://docs.opennms.com/horizon/latest/operation/deep-dive/alarms/introduction.html>:
//! the reduction key is the identity, and a clearing alarm names the key that it clears.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "opennms",
    forms: "alarms of the Kafka producer and the REST API",
    reference: "https://docs.opennms.com/horizon/latest/operation/deep-dive/alarms/introduction.html",
    detect: |v| {
        has(v, &["uei"])
            && (has(v, &["reductionKey"]) || has(v, &["reduction_key"]) || has(v, &["logMessage"]))
            || has(v, &["alarm"]) && v.get("alarm").is_some_and(|a| has(a, &["uei"]))
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["logMessage", "log_message", "uei"],
    text: &["description"],
    severity: &["severity"],
    ts: &["lastEventTime", "last_event_time", "last_update_time"],
    starts_at: &["firstEventTime", "first_event_time"],
    service: &["serviceType.name", "service_name"],
    host: &[
        "nodeLabel",
        "node_label",
        "node_criteria.node_label",
        "ipAddress",
        "ip_address",
    ],
    entities: &[("location", "location")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let value = value.get("alarm").unwrap_or(value);
    let (f, mut d) = sink.read("opennms", &SHAPE, value);
    d.key = f
        .first(&["clearKey", "clear_key"])
        .or_else(|| f.first(&["reductionKey", "reduction_key"]));
    let kind = f.text("type").unwrap_or_default();
    let level = d.severity_original.as_deref().unwrap_or_default();
    let over = matches!(kind.as_str(), "2" | "CLEAR" | "RESOLUTION") || matches!(level, "CLEARED" | "NORMAL");
    let acked = f.peek("ackTime").is_some_and(|v| !v.is_null());
    d.over_or_taken(over, acked);
    sink.rest(&f, d, None);
}
