//! Google Cloud Monitoring's webhook (and Stackdriver's), and Pub/Sub's push envelope around any source.
//!
//! <https://cloud.google.com/monitoring/support/notification-options#schema-webhooks>,
//! <https://cloud.google.com/pubsub/docs/push>.

use base64::Engine as _;

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "gcp-monitoring",
    forms: "webhook schema 1.0 to 1.2",
    reference: "https://cloud.google.com/monitoring/support/notification-options#schema-webhooks",
    detect: |v| {
        v.get("incident").is_some_and(|i| {
            has(i, &["incident_id"])
                && (has(i, &["policy_name"]) || has(i, &["condition_name"]) || has(i, &["resource_name"]))
        })
    },
    decode,
};

pub(crate) const PUBSUB: Source = Source {
    name: "pubsub",
    forms: "push envelope around any source, and a message by itself; events of GKE clusters",
    reference: "https://cloud.google.com/pubsub/docs/push",
    detect: |v| {
        has(v, &["message", "subscription"]) && v.get("message").is_some_and(|m| has(m, &["data"]))
            || has(v, &["data", "attributes"]) && (has(v, &["messageId"]) || has(v, &["publishTime"]))
    },
    decode: pubsub,
};

const SHAPE: Shape = Shape {
    title: &[
        "incident.condition_name",
        "incident.policy_name",
        "incident.condition.displayName",
    ],
    state: &["incident.state"],
    severity: &[
        "incident.severity",
        "incident.metadata.system_labels.severity",
        "incident.metadata.user_labels.severity",
        "incident.policy_user_labels.severity",
    ],
    key: &["incident.incident_id"],
    starts_at: &["incident.started_at"],
    ends_at: &["incident.ended_at"],
    service: &[
        "incident.resource.labels.service_name",
        "incident.resource.labels.module_id",
        "incident.resource.labels.function_name",
        "incident.resource.labels.service",
        "incident.metadata.user_labels.service",
        "incident.policy_user_labels.service",
    ],
    host: &[
        "incident.resource_display_name",
        "incident.resource_name",
        "incident.resource.labels.instance_id",
        "incident.resource_id",
    ],
    entities: &[
        ("instance", "incident.resource.labels.instance_id"),
        ("zone", "incident.resource.labels.zone"),
        ("region", "incident.resource.labels.location"),
        ("project", "incident.resource.labels.project_id"),
        ("project", "incident.scoping_project_id"),
        ("cluster", "incident.resource.labels.cluster_name"),
        ("namespace", "incident.resource.labels.namespace_name"),
        ("pod", "incident.resource.labels.pod_name"),
        ("database", "incident.resource.labels.database_id"),
        ("policy", "incident.policy_name"),
    ],
    links: &[("incident.url", "incident")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("gcp-monitoring", &SHAPE, value);
    let documentation = f.first(&["incident.documentation.content", "incident.documentation"]);
    let own = documentation
        .as_deref()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .filter(Value::is_object);
    d.text = lines([
        f.text("incident.summary"),
        f.text("incident.documentation.subject"),
        documentation,
    ]);
    if d.status != Some(Status::Resolved) {
        d.ends_at = None;
        d.only_level();
    }
    d.ts = d.ends_at;
    if let Some(policy) = d.entities.remove("policy") {
        d.service = d.service.take().or_else(|| Some(policy.clone()));
        d.label("policy_name", policy);
    }
    for link in f.list("incident.documentation.links") {
        d.link(
            text_at(link, "url"),
            text_at(link, "displayName").as_deref().unwrap_or_default(),
        );
        f.mark(link);
    }
    if let Some(own) = own {
        fields_in_documentation(&own, &mut d);
    }
    let test = f.glance("version").as_deref() == Some("test");
    sink.rest(&f, d, test.then_some(OtherKind::Test));
}

/// Google's alerts carry no fields of the operator's own, so some write them as JSON into the policy's documentation.
/// What is said there is said on purpose and is believed before the resource's name.
fn fields_in_documentation(own: &Value, d: &mut Draft) {
    let at = |names: &[&str]| names.iter().find_map(|name| text_at(own, name));
    if let Some(summary) = at(&["summary", "description", "text"]) {
        d.text = lines([Some(summary), Some(d.text.clone())]);
    }
    if let Some(host) = at(&["resource_name", "host", "instance"]) {
        d.host = Some(host);
    }
    if let Some(service) = at(&["service"]) {
        d.service = Some(service);
    }
    if d.status == Some(Status::Firing)
        && let Some(word) = at(&["severity"])
    {
        d.severity_word(Some(word));
    }
    d.runbook = d.runbook.take().or_else(|| at(&["runbook_url", "runbook"]));
    labels_from(own, "documentation", d);
}

fn pubsub(value: &Value, sink: &mut Sink<'_>) {
    let message = value.get("message").filter(|m| m.is_object()).unwrap_or(value);
    let data = message.get("data").and_then(Value::as_str).unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .unwrap_or_default();
    let inner = serde_json::from_slice::<Value>(&bytes).ok();
    if inner.is_some_and(|v| sink.inner_or_guess(&v, false, message.get("publishTime"))) {
        return;
    }
    // Some put words into the data and the rest beside them.
    let words = String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.trim().is_empty());
    if let Some(words) = words
        && let Some(beside) = message.get("attributes").filter(|a| a.is_object())
    {
        if text_at(beside, "type_url").is_some_and(|kind| kind.contains("google.container")) {
            return cluster_event(words, beside, message, sink);
        }
        let mut whole = beside.clone();
        if let Some(map) = whole.as_object_mut() {
            map.entry("message").or_insert(words.into());
            if let Some(time) = message.get("publishTime") {
                map.entry("timestamp").or_insert(time.clone());
            }
        }
        if super::generic::decode(&whole, None, sink) {
            return;
        }
    }
    sink.unreadable("message.data", "holds nothing that a source knows");
}

/// What GKE publishes of a cluster (<https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-notifications>):
/// an upgrade changes it, what else is said is for reading.
fn cluster_event(words: String, beside: &Value, message: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("gke", &EMPTY, beside);
    d.title = words.into();
    d.entity("cluster", f.text("cluster_name"));
    d.entity("region", f.text("cluster_location"));
    d.entity("project", f.text("project_id"));
    d.ts = text_at(message, "publishTime").and_then(|t| when::any(&t, None));
    let upgrade = f
        .glance("type_url")
        .is_some_and(|kind| kind.ends_with(".UpgradeEvent"));
    f.rest_into(&mut d);
    sink.other(
        if upgrade {
            OtherKind::Change
        } else {
            OtherKind::Notice
        },
        d,
    );
}
