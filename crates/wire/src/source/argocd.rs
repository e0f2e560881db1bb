//! Argo CD: applications as its notifications, its API and watches of them give them. One that is broken, or whose
//! operation failed, is an alert until it is healthy; one on its way is a change.
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/>,
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/health/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "argocd",
    forms: "applications, bare or in a notification's `app`",
    reference: "https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/",
    detect: |v| application(v).is_some(),
    decode,
};

const SHAPE: Shape = Shape {
    text: &[
        "status.health.message",
        "status.operationState.message",
        "status.conditions.0.message",
    ],
    key: &["metadata.namespace", "metadata.name"],
    ts: &[
        "status.operationState.finishedAt",
        "status.health.lastTransitionTime",
        "status.reconciledAt",
    ],
    service: &["metadata.name"],
    entities: &[
        ("project", "spec.project"),
        ("namespace", "spec.destination.namespace"),
        ("cluster", "spec.destination.name"),
    ],
    ..EMPTY
};

fn application(value: &Value) -> Option<&Value> {
    [
        value.get("app"),
        value.get("application"),
        value.get("object"),
        Some(value),
    ]
    .into_iter()
    .flatten()
    .find(|v| {
        let own = text_at(v, "apiVersion").is_none_or(|version| version.starts_with("argoproj.io/"));
        own && text_at(v, "kind").is_none_or(|kind| kind == "Application")
            && find(v, "metadata.name").is_some()
            && (find(v, "status.health.status").is_some() || find(v, "status.sync.status").is_some())
    })
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let Some(app) = application(value) else {
        return sink.unreadable("app", "no application");
    };
    let (f, mut d) = sink.read("argocd", &SHAPE, app);
    let health = f.text("status.health.status").unwrap_or_default();
    let phase = f.text("status.operationState.phase").unwrap_or_default();
    let sync = f.text("status.sync.status").unwrap_or_default();
    let broken = match (health.as_str(), phase.as_str()) {
        ("Degraded", _) | (_, "Failed" | "Error") => Some(Severity::Error),
        ("Missing", _) => Some(Severity::Warning),
        _ => None,
    };
    let said = if matches!(phase.as_str(), "Failed" | "Error") && health != "Degraded" {
        &phase
    } else {
        &health
    };
    d.title = join(&["Application", d.service.as_deref().unwrap_or_default(), said])
        .replace('/', " ")
        .into();
    for (name, word) in [("health", &health), ("phase", &phase), ("sync", &sync)] {
        d.label(name, word.clone());
    }
    let well = health == "Healthy";
    d.state(match broken {
        Some(_) => Some(State::Firing),
        None => well.then_some(State::Resolved),
    });
    d.severity = broken.or(Some(Severity::Info));
    f.rest_into(&mut d);
    if broken.is_some() || well {
        sink.event(d);
    } else {
        sink.other(OtherKind::Change, d);
    }
}
