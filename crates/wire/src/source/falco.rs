//! Falco's JSON output, also as Falcosidekick posts it. <https://falco.org/docs/concepts/outputs/formatting/>: the rule
//! and where it matched are the identity, since an output's text holds a process's number and time.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "falco",
    forms: "JSON output, Falcosidekick",
    reference: "https://falco.org/docs/concepts/outputs/formatting/",
    detect: |v| has(v, &["output", "priority", "rule"]) && (has(v, &["output_fields"]) || has(v, &["time"])),
    decode,
};

const SHAPE: Shape = Shape {
    title: &["rule"],
    text: &["output"],
    severity: &["priority"],
    ts: &["time"],
    host: &["hostname", "output_fields.evt.hostname"],
    entities: &[
        ("pod", "output_fields.k8s.pod.name"),
        ("namespace", "output_fields.k8s.ns.name"),
        ("container", "output_fields.container.name"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("falco", &SHAPE, value);
    d.event_id = f.text("uuid");
    let pod = d.entities.get("pod").unwrap_or_default();
    let namespace = d.entities.get("namespace").unwrap_or_default();
    let host = d.host.as_deref().unwrap_or_default();
    let key = join(&[&d.title, host, namespace, pod]);
    d.key = Some(key);
    d.state(Some(State::Firing));
    if let Some(found) = f.take("output_fields") {
        labels_from(found, "", &mut d);
    }
    sink.rest(&f, d, None);
}
