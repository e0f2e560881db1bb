//! ManageEngine OpManager (and Applications Manager), whose webhook holds the variables that one chooses.
//! <https://www.manageengine.com/network-monitoring/help/notifications.html>: `displayName` is the device, `message` what
//! happened; the alarm's code or entity is the identity, so that a clear meets its alarm.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "opmanager",
    forms: "webhook over the usual variables",
    reference: "https://www.manageengine.com/network-monitoring/help/notifications.html",
    detect: |v| {
        let names = Names::of(v, |name| name.to_lowercase());
        names.all(&["stringseverity", "displayname"])
            && names.any(&["alarmid", "alarmcode", "entity", "message"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["message", "alarmname", "eventtype"],
    text: &["lastpolledvalue", "description"],
    key: &["entity"],
    ts: &["modtime", "time", "strmodtime"],
    host: &["displayname", "devicename", "ipaddress"],
    entities: &[("interface", "ifname"), ("category", "category")],
    links: &[("alarmurl", "alarm"), ("url", "alarm")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let (f, mut d) = sink.read("opmanager", &SHAPE, v);
    d.key = d.key.take().or_else(|| f.first(&["alarmid"]));
    let word = f.text("stringseverity");
    let meaning = match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("trouble") => Some(Severity::Error),
        Some("attention") => Some(Severity::Warning),
        Some("service down") => Some(Severity::Critical),
        _ => None,
    };
    let over = word.as_deref().and_then(state::word) == Some(State::Resolved);
    d.over(over);
    d.severity_as(word, meaning);
    sink.rest(&f, d, None);
}
