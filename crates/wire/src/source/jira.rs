//! Jira's issue webhooks (also of Jira Service Management): somebody's ticket, which is open, taken or done.
//! <https://developer.atlassian.com/cloud/jira/platform/webhooks/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "jira",
    forms: "issue webhooks",
    reference: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    detect: |v| has(v, &["webhookEvent"]) || find(v, "issue.fields.summary").is_some(),
    decode,
};

const SHAPE: Shape = Shape {
    title: &[
        "issue.fields.summary", "version.name", "sprint.name", "webhookEvent",
    ],
    text: &["comment.body", "issue.fields.description"],
    severity: &["issue.fields.priority.name"],
    key: &["issue.key"],
    ts: &["timestamp", "issue.fields.updated", "issue.fields.created"],
    starts_at: &["issue.fields.created"],
    ends_at: &["issue.fields.resolutiondate"],
    service: &["issue.fields.components.0.name", "issue.fields.project.name"],
    links: &[("issue.self", "issue")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("jira", &SHAPE, value);
    let event = f.text("webhookEvent").unwrap_or_default();
    // `new`, `indeterminate` or `done`, whatever the workflow calls its states.
    let category = f.glance("issue.fields.status.statusCategory.key");
    let done = category.as_deref() == Some("done")
        || f.glance("issue.fields.resolution.name").is_some()
        || event == "jira:issue_deleted";
    d.state(Some(match category.as_deref() {
        _ if done => State::Resolved,
        Some("indeterminate") => State::Acked,
        _ => State::Firing,
    }));
    d.label("event", event.clone());
    f.rest_into(&mut d);
    if event.starts_with("comment") || event.starts_with("issuelink") || event.starts_with("worklog") {
        sink.other(OtherKind::Notice, d)
    } else if value.get("issue").is_none() {
        sink.other(OtherKind::Change, d)
    } else {
        sink.event(d)
    }
}
