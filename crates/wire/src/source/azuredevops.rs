//! Service hooks of Azure DevOps. Builds, releases, pipelines and pushes are changes; what people do to work items and
//! pull requests is for reading. <https://learn.microsoft.com/azure/devops/service-hooks/events>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "azure-devops",
    forms: "service hooks: builds, releases, pipelines, pushes, work items",
    reference: "https://learn.microsoft.com/azure/devops/service-hooks/events",
    detect: |v| has(v, &["eventType", "publisherId", "resource"]),
    decode,
};

const SHAPE: Shape = Shape {
    title: &["message.text", "eventType"],
    text: &["detailedMessage.text"],
    key: &["eventType", "resource.id"],
    ts: &["resource.finishTime", "createdDate", "resource.createdDate"],
    starts_at: &["resource.startTime"],
    service: &[
        "resource.definition.name",
        "resource.release.releaseDefinition.name",
        "resource.environment.releaseDefinition.name",
        "resource.pipeline.name",
        "resource.repository.name",
        "resource.project.name",
    ],
    links: &[
        ("resource._links.web.href", "build"),
        ("resource.url", "resource"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("azure-devops", &SHAPE, value);
    let kind = f.text("eventType").unwrap_or_default();
    d.environment = f.text("resource.environment.name");
    if let Some(result) = f.first(&[
        "resource.result",
        "resource.environment.status",
        "resource.status",
    ]) {
        d.label("result", result);
    }
    d.label("event_type", kind.clone());
    d.severity = Some(Severity::Info);
    // The same said in three ways.
    for name in ["message", "detailedMessage"] {
        let _ = f.take(name);
    }
    f.rest_into(&mut d);
    let change = [
        "build", "release", "deployment", "pipeline", "git.push", "stage", "run",
    ]
    .iter()
    .any(|word| kind.contains(word));
    sink.other(
        if change {
            OtherKind::Change
        } else {
            OtherKind::Notice
        },
        d,
    );
}
