//! Site24x7's webhook. <https://www.site24x7.com/help/admin/third-party-integration/webhooks.html>: the monitor is the
//! identity; TROUBLE and CRITICAL lie between UP and DOWN.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "site24x7",
    forms: "webhook",
    reference: "https://www.site24x7.com/help/admin/third-party-integration/webhooks.html",
    detect: |v| {
        // Others name a monitor and a status as well, though not in capitals.
        if has(v, &["MONITORNAME", "STATUS"]) {
            return true;
        }
        let names = Names::of(v, str::to_lowercase);
        names.all(&["monitorname", "incident_reason"]) || names.all(&["monitorname", "monitortype"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["monitorname", "display_name"],
    text: &["incident_reason", "incident_details", "trouble_message"],
    state: &["status"],
    ts: &[
        "incident_time_iso",
        "outage_time_unix_format",
        "incident_time",
        "downtime_started",
        "up_time",
    ],
    service: &["monitorname"],
    entities: &[("monitor_group", "monitor_groupname")],
    tags: &["tags", "group_tags"],
    links: &[
        ("monitorurl", "target"),
        ("monitor_dashboard_link", "dashboard"),
        ("rca_link", "root cause"),
    ],
    key: &["monitor_id"],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let (f, mut d) = sink.read("site24x7", &SHAPE, v);
    // What runs an agent is a machine; everything else is a service as its users see it.
    let kind = f.glance("monitortype").unwrap_or_default();
    if among(&kind, &["server", "network device"]) {
        d.host = Some(d.title.clone());
        d.service = None;
    } else {
        d.service = Some(d.title.clone());
    }
    d.key = d.key.take().or_else(|| Some(d.title.clone()));
    let word = d.labels.get("status").map(Text::from);
    let (state, level) = match word.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("UP") => (Some(State::Resolved), Some(Severity::Info)),
        Some("DOWN") => (Some(State::Firing), Some(Severity::Critical)),
        Some("CRITICAL") => (Some(State::Firing), Some(Severity::Error)),
        Some("TROUBLE") => (Some(State::Firing), Some(Severity::Warning)),
        Some("MAINTENANCE" | "SUSPENDED") => (Some(State::Info), Some(Severity::Info)),
        _ => (None, None),
    };
    d.state(state);
    d.severity_as(word.clone(), level);
    f.rest_into(&mut d);
    let maintenance = word.is_some_and(|w| w.eq_ignore_ascii_case("maintenance"));
    if maintenance {
        sink.other(OtherKind::Maintenance, d)
    } else {
        sink.event(d)
    }
}
