//! Snyk's webhook: what a test of a project found anew, and what is gone since the last.
//! <https://docs.snyk.io/snyk-api/using-specific-snyk-apis/webhooks-apis/webhooks>. Project and issue are the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "snyk",
    forms: "project snapshots: new and removed issues; ping",
    reference: "https://docs.snyk.io/snyk-api/using-specific-snyk-apis/webhooks-apis/webhooks",
    detect: |v| {
        has(v, &["project"]) && (has(v, &["newIssues"]) || has(v, &["removedIssues"]))
            || v.as_object()
                .is_some_and(|m| m.len() == 1 && m.contains_key("webhookId"))
    },
    decode,
};

const ISSUE: Shape = Shape {
    title: &["issueData.title", "title", "id"],
    text: &["issueData.description"],
    severity: &["issueData.severity", "severity"],
    ts: &["issueData.disclosureTime", "issueData.publicationTime"],
    links: &[("issueData.url", "issue")],
    entities: &[("package", "pkgName")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let before = sink.count();
    for (list, state) in [("newIssues", State::Firing), ("removedIssues", State::Resolved)] {
        for issue in value.get(list).and_then(Value::as_array).into_iter().flatten() {
            let (f, mut d) = sink.read("snyk", &ISSUE, issue);
            // When it was published is no time of ours.
            d.ts = None;
            d.state(Some(state));
            d.service = text_at(value, "project.name");
            let project = text_at(value, "project.id").unwrap_or_default();
            let id = f.first(&["id", "issueData.id"]).unwrap_or_default();
            d.key = Some(join(&[&project, &id]));
            d.link(text_at(value, "project.browseUrl"), "project");
            sink.rest(&f, d, None);
        }
    }
    if sink.count() == before {
        let (f, mut d) = sink.read("snyk", &EMPTY, value);
        let ping = value.get("webhookId").is_some();
        d.service = f.text("project.name");
        d.title = if ping {
            "ping".into()
        } else {
            "project tested, nothing new".into()
        };
        f.rest_into(&mut d);
        sink.other(
            if ping {
                OtherKind::Handshake
            } else {
                OtherKind::Notice
            },
            d,
        );
    }
}
