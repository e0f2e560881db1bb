//! Flux: events of its controllers as notifications carry them. What fails of an object holds until it reconciles, and
//! that is said with another reason, so the object is the identity.
//! <https://fluxcd.io/flux/components/notification/providers/#generic-webhook>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "flux",
    forms: "events of the notification controller",
    reference: "https://fluxcd.io/flux/components/notification/providers/#generic-webhook",
    detect: |v| {
        has(
            v,
            &["involvedObject", "severity", "reason", "reportingController"],
        )
    },
    decode,
};

const SHAPE: Shape = Shape {
    text: &["message"],
    severity: &["severity"],
    key: &[
        "involvedObject.namespace",
        "involvedObject.kind",
        "involvedObject.name",
    ],
    ts: &["timestamp"],
    service: &["involvedObject.name"],
    entities: &[
        ("namespace", "involvedObject.namespace"),
        ("cluster", "metadata.cluster"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("flux", &SHAPE, value);
    let reason = f.text("reason").unwrap_or_default();
    let well = ["Succeeded", "Ready", "Healthy"]
        .iter()
        .any(|end| reason.ends_with(end));
    let fails = d.severity == Some(Severity::Error);
    d.title.clone_from(&reason);
    d.label("reason", reason);
    d.state(match (fails, well) {
        (true, _) => Some(State::Firing),
        (false, true) => Some(State::Resolved),
        _ => None,
    });
    f.rest_into(&mut d);
    if fails || well {
        sink.event(d);
    } else {
        // What it is about to do.
        sink.other(OtherKind::Change, d);
    }
}
