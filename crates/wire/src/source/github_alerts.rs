//! GitHub's own alerts: Dependabot, code scanning and secret scanning.
//! <https://docs.github.com/webhooks/webhook-events-and-payloads#dependabot_alert>. Repository, kind and number are the
//! identity; who fixes, dismisses or closes one ends it.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "github",
    forms: "alerts of Dependabot, code scanning and secret scanning",
    reference: "https://docs.github.com/webhooks/webhook-events-and-payloads#dependabot_alert",
    detect: |v| {
        find(v, "repository.full_name").is_some()
            && v.get("alert")
                .is_some_and(|a| has(a, &["number"]) || has(a, &["ghsa_id"]))
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &[
        "alert.security_advisory.summary",
        "alert.rule.description",
        "alert.secret_type_display_name",
        "alert.rule.id",
        "alert.secret_type",
        "alert.affected_package_name",
    ],
    text: &[
        "alert.most_recent_instance.message.text",
        "alert.security_advisory.description",
        "alert.rule.full_description",
    ],
    severity: &[
        "alert.security_advisory.severity",
        "alert.security_vulnerability.severity",
        "alert.rule.security_severity_level",
        "alert.rule.severity",
        "alert.severity",
    ],
    ts: &[
        "alert.fixed_at", "alert.dismissed_at", "alert.resolved_at", "alert.updated_at", "alert.created_at",
    ],
    starts_at: &["alert.created_at"],
    service: &["repository.name"],
    entities: &[
        ("repository", "repository.full_name"),
        ("package", "alert.dependency.package.name"),
    ],
    links: &[("alert.html_url", "alert")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("github", &SHAPE, value);
    let kind = if find(value, "alert.secret_type").is_some() {
        "secret-scanning"
    } else if find(value, "alert.rule").is_some() {
        "code-scanning"
    } else {
        "dependabot"
    };
    let number = f.first(&["alert.number", "alert.ghsa_id"]).unwrap_or_default();
    let repository = f.glance("repository.full_name").unwrap_or_default();
    d.key = Some(join(&[&repository, kind, &number]));
    d.label("alert_kind", kind);
    let action = f.text("action").unwrap_or_default();
    let state = f.text("alert.state").unwrap_or_default();
    let over = |word: &str| {
        ["fixed", "dismiss", "auto_dismiss", "closed", "resolve"]
            .iter()
            .any(|w| word.starts_with(w))
    };
    d.state(Some(
        if over(&action) || over(&state) && !action.starts_with("reopen") {
            State::Resolved
        } else {
            State::Firing
        },
    ));
    for (name, word) in [("action", action), ("state", state)] {
        d.label(name, word);
    }
    // A secret of theirs is none of ours.
    let _ = f.take("alert.secret");
    sink.rest(&f, d, None);
}
