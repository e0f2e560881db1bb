//! New Relic: workflow issues and the older incident webhook.
//!
//! <https://docs.newrelic.com/docs/alerts/get-notified/message-templates/>,
//! <https://docs.newrelic.com/docs/alerts/new-relic-alerts/managing-notification-channels/customize-your-webhook-payload/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "newrelic",
    forms: "workflow issues, incident webhook",
    reference: "https://docs.newrelic.com/docs/alerts/get-notified/message-templates/",
    detect: |v| {
        has(v, &["condition_name", "current_state"])
            || has(v, &["condition_name", "policy_name"])
            || has(v, &["condition_id", "incident_id"])
            || has(v, &["issueUrl"]) && (has(v, &["state"]) || has(v, &["priority"]))
            || has(v, &["issueId", "state"])
            || has(v, &["alertConditionNames"])
            || has(v, &["alertPolicyNames"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &[
        "condition_name", "title", "issueTitle", "annotations.title.0", "alertConditionNames.0",
        "policy_name",
    ],
    text: &["details", "annotations.description.0", "description", "message"],
    state: &["current_state", "state", "status"],
    severity: &["severity", "priority"],
    key: &["issueId", "issue_id"],
    ts: &["timestamp", "timestamp_utc_string", "updatedAt"],
    starts_at: &["createdAt", "activatedAt", "opened_at"],
    ends_at: &["closedAt", "closed_at"],
    service: &[
        "entity.name",
        "entitiesData.names.0",
        "entitiesData.entities.0.name",
        "impactedEntities.0",
        "targets.0.name",
        "account_name",
    ],
    host: &[
        "targets.0.labels.host",
        "targets.0.labels.hostname",
        "targets.0.labels.fullHostname",
        "host",
    ],
    entities: &[
        ("account", "account_id"),
        ("account", "accountId"),
        ("account_name", "account_name"),
    ],
    tags: &["targets.0.labels", "labels"],
    links: &[
        ("incident_url", "incident"),
        ("issueUrl", "issue"),
        ("issuePageUrl", "issue"),
        ("policy_url", "policy"),
        ("violation_chart_url", "chart"),
        ("violation_callback_url", "violation"),
    ],
    runbook: &["runbook_url", "runbookUrl", "deepLinkUrl"],
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("newrelic", &SHAPE, value);
    if d.key.is_none() {
        // A condition and its target outlive the incident's number, which is 0 in tests.
        let id = f.glance("incident_id").filter(|id| id != "0");
        d.key = id.or_else(|| f.glance("id")).or_else(|| {
            Some(join(&[
                &f.glance("policy_name").unwrap_or_default(),
                &d.title,
                &f.glance("targets.0.id").unwrap_or_default(),
            ]))
        });
    }
    let is_host = f
        .glance("targets.0.type")
        .or_else(|| f.glance("entitiesData.types.0"))
        .is_some_and(|kind| kind.eq_ignore_ascii_case("host"));
    if is_host && d.host.is_none() {
        d.host = f.glance("targets.0.name").or_else(|| d.service.clone());
    }
    let word = d
        .labels
        .get("current_state")
        .map(str::to_ascii_lowercase)
        .unwrap_or_default();
    if d.entities.get("account_name").is_some() {
        let name = d.entities.remove("account_name").unwrap_or_default();
        d.label("account_name", name);
    }
    sink.rest(&f, d, (word == "test").then_some(OtherKind::Test));
}
