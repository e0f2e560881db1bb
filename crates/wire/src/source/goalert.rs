//! GoAlert's outgoing webhook.
//! <https://github.com/target/goalert/blob/master/docs/webhooks.md>
//!
//! A bundle tells of several alerts of one service and names none of them, so it is one alert about that service; the
//! alerts in it are told of by themselves only when their state changes.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "goalert",
    forms: "outgoing webhook: alerts, bundles, status updates; test, verification, who is on call",
    reference: "https://github.com/target/goalert/blob/master/docs/webhooks.md",
    detect: |v| {
        let kind = v.get("Type").and_then(Value::as_str);
        kind.is_some_and(|kind| KINDS.contains(&kind))
            && (v.get("AppName").is_some()
                || ["AlertID", "ServiceID", "ScheduleID", "Code"]
                    .iter()
                    .any(|name| v.get(name).is_some())
                || v.as_object().is_some_and(|map| map.len() == 1))
    },
    decode,
};

const KINDS: [&str; 7] = [
    "Alert", "AlertBundle", "AlertStatus", "AlertStatusBundle", "ScheduleOnCallUsers", "Test", "Verification",
];

const SHAPE: Shape = Shape {
    title: &["Summary", "LogEntry"],
    text: &["Details", "LogEntry"],
    key: &["AlertID"],
    ts: &["Timestamp", "CreatedAt"],
    service: &["ServiceName"],
    tags: &["Meta"],
    links: &[("GoAlertURL", "alert"), ("ScheduleURL", "schedule")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("goalert", &SHAPE, value);
    let kind = f.text("Type").unwrap_or_default();
    // A code that verifies is a credential of a sort.
    let _ = f.take("Code");
    if d.title.is_empty() {
        d.title = kind.clone();
    }
    match kind.as_str() {
        "AlertBundle" => {
            let count = f.text("Count").unwrap_or_default();
            let service = d.service.clone().unwrap_or_default();
            d.title = compact_str::format_compact!("{count} alerts of {service}");
            let service = f.glance("ServiceID").unwrap_or(service);
            d.key = Some(join(&["bundle", &service]));
            d.state(Some(State::Firing));
        }
        "AlertStatus" | "AlertStatusBundle" => d.state(
            f.first(&["NewAlertState", "LogEntry"])
                .or_else(|| Some(d.title.clone()))
                .and_then(|entry| state::word(&entry).or_else(|| state::within(&first_word(&entry)))),
        ),
        _ => d.state(Some(State::Firing)),
    }
    f.rest_into(&mut d);
    match kind.as_str() {
        "Test" => sink.other(OtherKind::Test, d),
        "Verification" => sink.other(OtherKind::Handshake, d),
        "ScheduleOnCallUsers" => sink.other(OtherKind::Notice, d),
        _ => sink.event(d),
    }
}

/// `Closed via test integration`: an entry of the log begins with what was done.
fn first_word(entry: &str) -> Text {
    entry.split_whitespace().next().unwrap_or_default().into()
}
