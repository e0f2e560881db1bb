//! Elastic and Kibana: alerts-as-data with dotted or nested keys (also as a search hit), connector actions, Watcher.
//!
//! <https://www.elastic.co/guide/en/kibana/current/alert-schema.html>,
//! <https://www.elastic.co/guide/en/kibana/current/rule-action-variables.html>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "elastic",
    forms: "alerts-as-data, search hits, connector actions, Watcher",
    reference: "https://www.elastic.co/guide/en/kibana/current/rule-action-variables.html",
    detect,
    decode,
};

const SHAPE: Shape = Shape {
    title: &[
        "kibana.alert.rule.name", "rule.name", "ruleName", "rule_name", "alertName", "context.title",
        "metadata.name", "ctx.metadata.name", "watch_id", "ctx.watch_id",
    ],
    text: &[
        "kibana.alert.reason",
        "context.reason",
        "context.message",
        "reason",
        "message",
        "kibana.alert.rule.description",
        "rule.description",
        "context.conditions",
    ],
    state: &[
        "kibana.alert.status", "alert.actionGroup", "actionGroup", "alertActionGroup", "status", "state",
    ],
    severity: &[
        "kibana.alert.severity", "signal.rule.severity", "rule.severity", "context.severity", "severity",
        "event.severity", "rule.params.severity", "context.rule.severity", "metadata.severity",
        "ctx.metadata.severity",
    ],
    ts: &[
        "kibana.alert.original_time",
        "kibana.alert.start",
        "context.timestamp",
        "context.date",
        "date",
        "timestamp",
        "@timestamp",
        "execution_time",
        "ctx.execution_time",
        "ctx.trigger.triggered_time",
    ],
    starts_at: &["kibana.alert.start"],
    ends_at: &["kibana.alert.end"],
    service: &[
        "service.name",
        "kibana.alert.context.service.name",
        "context.serviceName",
        "context.service.name",
    ],
    host: &[
        "host.name", "host.hostname", "context.host.name", "context.host", "monitor.name", "context.hostName",
    ],
    entities: &[
        ("pod", "kubernetes.pod.name"),
        ("namespace", "kubernetes.namespace"),
        ("container", "container.name"),
        ("region", "cloud.region"),
        ("account", "cloud.account.id"),
    ],
    tags: &["kibana.alert.rule.tags", "rule.tags"],
    links: &[
        ("kibana.alert.url", "alert"),
        ("context.alertDetailsUrl", "alert"),
        ("rule.url", "rule"),
        ("context.viewInAppUrl", "kibana"),
        ("context.link", "kibana"),
        ("kibanaBaseUrl", "kibana"),
    ],
    key: &[],
    runbook: &["kibana.alert.rule.note"],
};

fn detect(value: &Value) -> bool {
    let source = value.get("_source").unwrap_or(value);
    let Some(map) = source.as_object() else {
        return false;
    };
    map.keys().any(|k| k.starts_with("kibana.alert"))
        || find(source, "kibana.alert").is_some()
        || map.contains_key("signal") && has(source, &["@timestamp"])
        || has(source, &["rule", "alert"]) && find(source, "rule.id").is_some()
        || has(source, &["ruleId", "alertId"])
            && ["ruleName", "context", "alertActionGroup", "spaceId"]
                .iter()
                .any(|k| map.contains_key(*k))
        // As the variables were called before rules were.
        || has(source, &["alertId", "alertInstanceId"])
        || has(source, &["rule", "context"]) && find(source, "rule.name").is_some()
        || has(source, &["watch_id"])
            && (map.contains_key("trigger")
                || map.contains_key("payload")
                || map.contains_key("ctx")
                || map.contains_key("metadata"))
        || map.contains_key("kibanaBaseUrl")
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let source = value.get("_source").unwrap_or(value);
    let (f, mut d) = sink.read("elastic", &SHAPE, source);
    let group = d
        .labels
        .get("status")
        .map(str::to_ascii_lowercase)
        .unwrap_or_default();
    if d.status.is_none() && !group.is_empty() {
        // Any action group but the recovered one fires: `query matched`, `threshold met`, `metrics.threshold.fired`.
        let over = group.contains("recovered") || group.contains("untracked") || group.contains("closed");
        d.over(over);
    }
    if f.glance("kibana.alert.workflow_status").as_deref() == Some("acknowledged") {
        d.state(Some(State::Acked));
    }
    d.key = f
        .first(&["kibana.alert.uuid", "alert.uuid", "alertUuid"])
        .or_else(|| {
            let older = || {
                f.first(&["alertId"])
                    .filter(|_| f.peek("alertInstanceId").is_some())
            };
            let rule = f
                .first(&["rule.id", "ruleId", "kibana.alert.rule.uuid", "watch_id"])
                .or_else(older)?;
            let instance = f
                .first(&[
                    "alert.id",
                    "alertInstanceId",
                    "alertId",
                    "kibana.alert.instance.id",
                ])
                .unwrap_or_default();
            Some(join(&[&rule, &instance]))
        });
    if d.severity_original.is_none() && group.contains("warning") {
        d.severity_word(Some(Text::const_new("warning")));
    }
    sink.rest(&f, d, None);
}
