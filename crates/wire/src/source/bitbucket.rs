//! Bitbucket, in the cloud and of one's own. Pushes and builds are changes; what people say of pull requests and issues
//! is for reading. The name of the event is a header in the cloud, so the shape tells.
//! <https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/>,
//! <https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "bitbucket",
    forms: "pushes, build statuses, pull requests; of Cloud and of Data Center",
    reference: "https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/",
    detect: |v| {
        has(v, &["actor", "repository"])
            && ["push", "commit_status", "pullrequest", "changes", "issue"]
                .iter()
                .any(|k| v.get(k).is_some())
            || has(v, &["eventKey", "actor"])
            || v.as_object().is_some_and(|m| m.len() == 1) && v.get("test") == Some(&Value::Bool(true))
    },
    decode,
};

const SHAPE: Shape = Shape {
    text: &[
        "commit_status.description",
        "push.changes.0.new.target.message",
        "pullrequest.title",
        "pullRequest.title",
        "issue.title",
    ],
    key: &[
        "repository.full_name", "repository.slug", "commit_status.key", "pullrequest.id", "pullRequest.id",
    ],
    ts: &[
        "commit_status.updated_on",
        "push.changes.0.new.target.date",
        "pullrequest.updated_on",
        "date",
    ],
    service: &["repository.name", "pullRequest.toRef.repository.slug"],
    entities: &[("repository", "repository.full_name")],
    links: &[
        ("commit_status.url", "build"),
        ("push.changes.0.links.html.href", "difference"),
        ("pullrequest.links.html.href", "pull request"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("bitbucket", &SHAPE, value);
    let test = value.get("test").is_some() && value.get("repository").is_none();
    let (what, name, change) = if test {
        ("test", None, false)
    } else if value.get("commit_status").is_some() {
        (
            "build",
            f.first(&["commit_status.name", "commit_status.key"]),
            true,
        )
    } else if value.get("push").is_some() || value.get("changes").is_some() {
        (
            "push",
            f.first(&["push.changes.0.new.name", "changes.0.ref.displayId"]),
            true,
        )
    } else {
        let said = f.first(&["eventKey"]);
        (
            "pull request",
            said.or_else(|| f.text("pullrequest.state")),
            false,
        )
    };
    let result = f.text("commit_status.state");
    let parts = [
        d.service.as_deref().unwrap_or_default(),
        what,
        name.as_deref().unwrap_or_default(),
        result.as_deref().unwrap_or_default(),
    ];
    d.title = parts
        .iter()
        .filter(|p| !p.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
        .into();
    if let Some(result) = result {
        d.label("result", result);
    }
    d.severity = Some(Severity::Info);
    f.rest_into(&mut d);
    sink.other(
        match (test, change) {
            (true, _) => OtherKind::Test,
            (_, true) => OtherKind::Change,
            _ => OtherKind::Notice,
        },
        d,
    );
}
