//! Uptime Kuma's webhook. <https://github.com/louislam/uptime-kuma/wiki/Notification-Methods>: the monitor is the
//! identity; status 0 is down, 1 up, 2 pending, 3 maintenance.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "uptimekuma",
    forms: "webhook",
    reference: "https://github.com/louislam/uptime-kuma/blob/master/server/notification-providers/webhook.js",
    detect: |v| has(v, &["heartbeat", "monitor"]) || has(v, &["heartbeat", "msg"]),
    decode,
};

const SHAPE: Shape = Shape {
    title: &["monitor.name", "monitor.pathName", "heartbeat.monitorName", "msg"],
    text: &["heartbeat.msg", "msg"],
    key: &["monitor.id"],
    host: &["monitor.hostname"],
    links: &[("monitor.url", "target")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("uptimekuma", &SHAPE, value);
    if value.get("heartbeat").is_none_or(Value::is_null) {
        // The test button sends no heartbeat; certificate warnings send none either, but name a monitor.
        let said = f.glance("msg").unwrap_or_default();
        let certificate = said.contains("certificate");
        if value.get("monitor").is_none_or(Value::is_null) && !certificate {
            d.title = f.text("msg").unwrap_or(d.title);
            return sink.other(OtherKind::Test, d);
        }
        d.state(Some(State::Firing));
        // The monitor may be up all the while; its next beat is no new certificate. Of a monitor that is told in words
        // alone, `[name][url] …`, the name is all there is.
        let told = said
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
            .map(Text::from);
        if value.get("monitor").is_none_or(Value::is_null) {
            d.service.clone_from(&told);
        }
        d.key = d.key.take().or(told).map(|id| join(&[&id, "certificate"]));
    }
    if d.key.is_none() {
        d.key = f.text("heartbeat.monitorID");
    }
    let status = f.text("heartbeat.status");
    d.state(match status.as_deref() {
        Some("0") => Some(State::Firing),
        Some("1") => Some(State::Resolved),
        Some("2" | "3") => Some(State::Info),
        _ => d.status.map(|_| State::Firing),
    });
    if let Some(status) = &status {
        d.label("status", status.clone());
    }
    d.severity = Some(match d.status {
        Some(Status::Firing) => Severity::Error,
        _ => Severity::Info,
    });
    // `localDateTime` carries its offset beside it; `time` is UTC.
    let local = f
        .glance("heartbeat.localDateTime")
        .zip(f.glance("heartbeat.timezoneOffset"));
    let local = local.and_then(|(t, zone)| when::any(&compact_str::format_compact!("{t} {zone}"), None));
    // It is cut to seconds; where both say the same, the finer one says it better.
    let utc = f.time(&["heartbeat.time"]);
    d.ts = match (local, utc) {
        (Some(local), Some(utc)) if utc.secs() != local.secs() => Some(local),
        (local, utc) => utc.or(local),
    };
    d.service = f
        .text("monitor.name")
        .or(d.service)
        .or_else(|| Some(d.title.clone()));
    if let Some(t) = f.take("monitor.tags") {
        tags(t, &mut d);
    }
    f.rest_into(&mut d);
    let maintenance = status.as_deref() == Some("3");
    if maintenance {
        sink.other(OtherKind::Maintenance, d)
    } else {
        sink.event(d)
    }
}
