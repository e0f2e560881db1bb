//! Sensu Go events and those of Sensu Core. <https://docs.sensu.io/sensu-go/latest/observability-pipeline/observe-events/events/>:
//! entity and check are the identity; the check's status is 0 ok, 1 warning, 2 critical, else unknown.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "sensu",
    forms: "events of Sensu Go and Sensu Core",
    reference: "https://docs.sensu.io/sensu-go/latest/observability-pipeline/observe-events/events/",
    detect: |v| {
        find(v, "check.status").is_some() && (v.get("entity").is_some() || v.get("client").is_some())
            || v.get("type").and_then(Value::as_str) == Some("Event")
                && find(v, "spec.check.status").is_some()
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["check.metadata.name", "check.name"],
    text: &["check.output"],
    ts: &["timestamp", "check.executed", "check.issued"],
    starts_at: &["check.last_state_change"],
    host: &["entity.metadata.name", "client.name", "entity.name"],
    entities: &[
        ("namespace", "entity.metadata.namespace"),
        ("address", "client.address"),
    ],
    tags: &[
        "check.metadata.labels",
        "entity.metadata.labels",
        "check.metadata.annotations",
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let value = value.get("spec").unwrap_or(value);
    let (f, mut d) = sink.read("sensu", &SHAPE, value);
    let check = d.title.clone();
    d.key = Some(join(&[
        d.entities.get("namespace").unwrap_or_default(),
        d.host.as_deref().unwrap_or_default(),
        &check,
    ]));
    d.entity("check", Some(check));
    let status = f.text("check.status").unwrap_or_default();
    let (word, level) = match status.as_str() {
        "0" => ("ok", Severity::Info),
        "1" => ("warning", Severity::Warning),
        "2" => ("critical", Severity::Critical),
        _ => ("unknown", Severity::Unknown),
    };
    d.severity_as(Some(Text::const_new(word)), Some(level));
    let over = status == "0" || f.glance("action").as_deref() == Some("resolve");
    d.over(over);
    // The last twenty results, which only repeat.
    let _ = f.take("check.history");
    let beat = d.title == "keepalive" && over;
    sink.rest(&f, d, beat.then_some(OtherKind::Heartbeat));
}
