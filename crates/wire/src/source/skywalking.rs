//! Alarms of Apache SkyWalking's webhook, several in one body.
//! <https://skywalking.apache.org/docs/main/latest/en/setup/backend/backend-alarm/>: a rule speaks of many things, so it
//! is the identity together with the ids of what it speaks of.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "skywalking",
    forms: "alarms of the webhook, recoveries",
    reference: "https://skywalking.apache.org/docs/main/latest/en/setup/backend/backend-alarm/",
    detect: |v| all_are(v, is_one),
    decode: |v, sink| each(v).iter().for_each(|v| one(v, sink)),
};

fn is_one(v: &Value) -> bool {
    has(v, &["ruleName", "alarmMessage"]) && (v.get("scope").is_some() || v.get("scopeId").is_some())
}

const SHAPE: Shape = Shape {
    title: &["ruleName"],
    text: &["alarmMessage"],
    key: &["ruleName", "id0", "id1"],
    ts: &["recoveryTime"],
    starts_at: &["startTime"],
    ends_at: &["recoveryTime"],
    tags: &["tags"],
    ..EMPTY
};

fn one(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let recovered = f.time(&["recoveryTime"]).is_some() || f.peek("recovered").is_some();
    let (f, mut d) = sink.read("skywalking", &SHAPE, value);
    d.ts = d.ends_at.or(d.starts_at);
    d.over(recovered);
    let scope = f.text("scope").unwrap_or_default();
    let name = f.text("name").unwrap_or_default();
    // `instance of service`, `endpoint in service`, `caller to callee`.
    match scope.as_str() {
        "SERVICE" => d.service = Some(name),
        "SERVICE_INSTANCE" => match name.rsplit_once(" of ") {
            Some((instance, service)) => {
                d.entity("instance", Some(instance.into()));
                d.service = Some(service.into());
            }
            None => d.entity("instance", Some(name)),
        },
        "ENDPOINT" => match name.rsplit_once(" in ") {
            Some((endpoint, service)) => {
                d.entity("endpoint", Some(endpoint.into()));
                d.service = Some(service.into());
            }
            None => d.entity("endpoint", Some(name)),
        },
        "SERVICE_RELATION" => match name.split_once(" to ") {
            Some((caller, callee)) => {
                d.entity("caller", Some(caller.into()));
                d.entity("callee", Some(callee.into()));
            }
            None => d.label("name", name),
        },
        "DATABASE" => d.entity("database", Some(name)),
        _ => d.label("name", name),
    }
    d.label("scope", scope);
    let level = d
        .labels
        .get("level")
        .or_else(|| d.labels.get("severity"))
        .map(Text::from);
    d.severity_word(level);
    sink.rest(&f, d, None);
}
