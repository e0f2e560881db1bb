//! Bodies by which a sender asks whether anybody is there: confirmations and pings that belong to no alert. Nothing in
//! them is answered or fetched here.
//!
//! <https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema>,
//! <https://api.slack.com/events/url_verification>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "handshake",
    forms: "Event Grid validation, URL verification, pings",
    reference: "https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema",
    detect: |v| {
        all_are(v, is_validation)
            || has(v, &["challenge", "token"])
            || v.as_object().is_some_and(|m| m.len() <= 3) && kind(v).is_some()
    },
    decode: |v, sink| each(v).iter().for_each(|v| one(v, sink)),
};

fn is_validation(v: &Value) -> bool {
    v.get("eventType").and_then(Value::as_str) == Some("Microsoft.EventGrid.SubscriptionValidationEvent")
}

/// The word of a body that says nothing else.
fn kind(v: &Value) -> Option<&str> {
    ["type", "event", "event_type", "kind"]
        .iter()
        .find_map(|n| v.get(n).and_then(Value::as_str))
        .filter(|w| {
            matches!(
                *w,
                "url_verification" | "ping" | "heartbeat" | "keepalive" | "verification"
            )
        })
}

fn one(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("handshake", &EMPTY, value);
    let beats = kind(value).is_some_and(|w| matches!(w, "ping" | "heartbeat" | "keepalive"));
    d.title = f
        .first(&["eventType", "type", "event", "event_type", "kind"])
        .unwrap_or_else(|| Text::const_new("verification"));
    // Codes and addresses that confirm are credentials of a sort.
    for secret in ["data", "challenge", "token"] {
        let _ = f.take(secret);
    }
    f.rest_into(&mut d);
    sink.other(
        if beats {
            OtherKind::Heartbeat
        } else {
            OtherKind::Handshake
        },
        d,
    );
}
