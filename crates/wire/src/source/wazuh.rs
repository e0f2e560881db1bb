//! Wazuh alerts. <https://documentation.wazuh.com/current/user-manual/ruleset/rules-classification.html>: rule and agent
//! are the identity; its levels run from 0 to 16.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "wazuh",
    forms: "alerts.json records, integration webhook",
    reference: "https://documentation.wazuh.com/current/user-manual/manager/integration-with-external-apis.html",
    detect: |v| {
        let v = body(v);
        find(v, "rule.level").is_some()
            && (v.get("agent").is_some() || v.get("manager").is_some() || v.get("full_log").is_some())
            || find(v, "all_fields.rule.level").is_some()
    },
    decode,
};

fn body(v: &Value) -> &Value {
    v.get("all_fields").or_else(|| v.get("_source")).unwrap_or(v)
}

const SHAPE: Shape = Shape {
    title: &["rule.description", "title"],
    text: &["full_log", "text"],
    key: &["rule.id", "agent.id"],
    ts: &["timestamp", "@timestamp"],
    service: &["predecoder.program_name", "decoder.name"],
    host: &["agent.name", "predecoder.hostname", "agent.ip", "manager.name"],
    entities: &[("agent", "agent.id"), ("manager", "manager.name")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(body(value));
    let mut d = SHAPE.read("wazuh", &f);
    d.event_id = f
        .text("id")
        .map(|id| join(&[&id, d.key.as_deref().unwrap_or_default()]));
    let word = f.text("rule.level");
    let level = word
        .as_deref()
        .and_then(|w| w.parse::<u32>().ok())
        .map(|n| match n {
            0..=3 => Severity::Info,
            4..=6 => Severity::Notice,
            7..=11 => Severity::Warning,
            12..=14 => Severity::Error,
            _ => Severity::Critical,
        });
    d.severity_as(word, level);
    d.state(Some(State::Firing));
    sink.rest(&f, d, None);
}
