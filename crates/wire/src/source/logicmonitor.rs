//! LogicMonitor: custom HTTP delivery over the documented tokens, in any spelling.
//! <https://www.logicmonitor.com/support/alerts/about-alerts/tokens-available-in-datasource-alert-messages>: the alert's id
//! is the identity from begin to clear.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "logicmonitor",
    forms: "custom HTTP delivery over the usual tokens",
    reference: "https://www.logicmonitor.com/support/alerts/about-alerts/tokens-available-in-datasource-alert-messages",
    detect: |v| {
        let v = &rekeyed(v, plain);
        has(v, &["alertid"])
            && ["datasource", "datapoint", "alertstatus", "lmalertid"]
                .iter()
                .filter(|k| v.get(**k).is_some())
                .count()
                >= 2
    },
    decode,
};

const SHAPE: Shape = Shape {
    text: &["message", "subject", "alertdetail"],
    severity: &["level", "severity", "alertlevel"],
    key: &["alertid"],
    starts_at: &["startepoch", "startutc", "start", "starttime"],
    ends_at: &["endepoch", "endutc", "end", "endtime"],
    host: &["host", "hostname", "devicename", "resource", "displayname"],
    entities: &[("instance", "instance"), ("collector", "agentdescription")],
    links: &[
        ("alerturl", "alert"),
        ("alertdetailurl", "alert"),
        ("hosturl", "host"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &rekeyed(value, plain);
    let (f, mut d) = sink.read("logicmonitor", &SHAPE, v);
    let source = f
        .first(&["datasource", "eventsource", "service"])
        .unwrap_or_default();
    let point = f.text("datapoint").unwrap_or_default();
    d.title = compact_str::format_compact!("{source} {point}").trim().into();
    if d.title.is_empty() {
        d.title = f.glance("alertid").unwrap_or_default();
    }
    let word = f.first(&["alertstatus", "status"]);
    d.state(match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("clear" | "cleared") => Some(State::Resolved),
        Some("ack" | "acked" | "acknowledged") => Some(State::Acked),
        Some("test") => Some(State::Info),
        _ => Some(State::Firing),
    });
    d.ts = match d.status {
        Some(Status::Resolved) => d.ends_at,
        _ => d.starts_at,
    };
    sink.rest(
        &f,
        d,
        word.is_some_and(|w| w.eq_ignore_ascii_case("test"))
            .then_some(OtherKind::Test),
    );
}
