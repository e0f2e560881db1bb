//! NetBox webhooks: something in the inventory was created, updated or deleted, which is a change and no alert.
//!
//! <https://netboxlabs.com/docs/netbox/integrations/webhooks/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "netbox",
    forms: "webhook",
    reference: "https://netboxlabs.com/docs/netbox/integrations/webhooks/",
    detect: |v| {
        ["model", "object_type"]
            .iter()
            .any(|kind| has(v, &["event", kind, "data"]) || has(v, &[kind, "request_id", "username"]))
    },
    decode,
};

const SHAPE: Shape = Shape {
    ts: &["timestamp"],
    key: &["data.id"],
    host: &["data.device.name", "data.virtual_machine.name"],
    entities: &[("site", "data.site.name"), ("cluster", "data.cluster.name")],
    links: &[("data.url", "object"), ("data.display_url", "object")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("netbox", &SHAPE, value);
    let (event, model) = (
        f.text("event").unwrap_or_default(),
        f.text("model")
            // Since version 4.3: `dcim.device`.
            .or_else(|| f.text("object_type")?.rsplit('.').next().map(Text::from))
            .unwrap_or_default(),
    );
    d.key = d.key.take().map(|id| join(&[&model, &id]));
    let name = f
        .first(&["data.name", "data.display", "data.address"])
        .unwrap_or_default();
    d.title = compact_str::format_compact!("{model} {name} {event}");
    if matches!(model.as_str(), "device" | "virtualmachine") {
        d.host = Some(name.clone());
    }
    d.entity(&model, Some(name));
    d.event_id = f
        .text("request_id")
        .map(|id| join(&[&id, d.key.as_deref().unwrap_or_default()]));
    d.severity = Some(Severity::Info);
    sink.rest(&f, d, Some(OtherKind::Change));
}
