//! LibreNMS: the API transport with the documented template variables.
//!
//! <https://docs.librenms.org/Alerting/Templates/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "librenms",
    forms: "API transport",
    reference: "https://docs.librenms.org/Alerting/Templates/",
    detect: |v| {
        let v = &lowered(v);
        let any = |keys: &[&str]| keys.iter().any(|k| v.get(k).is_some());
        any(&["hostname", "sysname"])
            && any(&["faults", "sysdescr", "device_id", "builder", "timestamp_raw"])
            && any(&["rule", "title", "alert_id", "uid", "name"])
            || has(v, &["hostname", "sysname", "severity", "state"])
            || has(v, &["rule", "hostname", "severity"]) && any(&["uid", "elapsed", "alert_id", "state"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["name", "rule", "title", "alert_name"],
    text: &["msg", "message", "title", "description"],
    severity: &["severity"],
    key: &["alert_id"],
    ts: &["timestamp", "timestamp_raw", "time"],
    host: &["hostname", "sysname", "display"],
    entities: &[("location", "location")],
    links: &[("url", "device"), ("alert_url", "alert")],
    runbook: &["proc"],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let (f, mut d) = sink.read("librenms", &SHAPE, v);
    // 0 ok, 1 alert, 2 acknowledged, 3 worse, 4 better, 5 changed.
    let word = f.first(&["state", "status"]);
    d.state(match word.as_deref() {
        Some("0") => Some(State::Resolved),
        Some("1" | "3" | "4" | "5") => Some(State::Firing),
        Some("2") => Some(State::Acked),
        Some(other) => state::word(other),
        None => None,
    });
    if d.key.is_none() {
        let id = f.first(&["id", "rule_id"]);
        d.key = match id {
            Some(id) => Some(id),
            None => Some(join(&[d.host.as_deref().unwrap_or_default(), &d.title])),
        };
    }
    if let Some(faults) = f.take("faults") {
        d.label("annotation.faults", faults.to_string());
    }
    sink.rest(&f, d, None);
}
