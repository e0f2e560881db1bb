//! Alertmanager's silences: what `GET /api/v2/silences` lists, and what is posted to make one.
//!
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>. Listing them again and again is harmless:
//! one with the same id replaces itself, and one that is expired ends.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "alertmanager",
    forms: "silences (API v2)",
    reference: "https://prometheus.io/docs/alerting/latest/alertmanager/#silences",
    detect: |v| all_are(v, is_silence),
    decode: |v, sink| each(v).iter().for_each(|v| silence(v, sink)),
};

fn is_silence(value: &Value) -> bool {
    let matchers = value.get("matchers").and_then(Value::as_array);
    has(value, &["createdBy", "endsAt"])
        && matchers.is_some_and(|all| !all.is_empty() && all.iter().all(|m| has(m, &["name", "value"])))
}

fn silence(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("alertmanager", &EMPTY, value);
    let matchers: Vec<String> = f.list("matchers").iter().map(matcher).collect();
    f.list("matchers").iter().for_each(|m| f.mark(m));
    let _ = f.take("matchers");
    let (id, state) = (f.text("id").unwrap_or_default(), f.text("status.state"));
    let updated = f.text("updatedAt").unwrap_or_default();
    d.ts = when::any(&updated, None);
    d.starts_at = f.time(&["startsAt"]);
    d.ends_at = f.time(&["endsAt"]);
    if d.ends_at.is_none() && f.text("endsAt").is_some_and(|text| when::is_forever(&text)) {
        d.ends_at = Some(when::FOREVER);
    }
    d.title = f.text("comment").unwrap_or_default();
    if d.title.is_empty() {
        d.title = Text::const_new("silence");
    }
    if state.as_deref() == Some("expired") {
        d.status = Some(Status::Resolved);
    }
    d.label("matchers", matchers.join(", "));
    d.label("author", f.text("createdBy").unwrap_or_default());
    d.label("reason", d.title.clone());
    if !id.is_empty() {
        d.label("silence_id", id.clone());
        d.key = Some(compact_str::format_compact!("silence:{id}"));
        d.event_id = Some(join(&[&id, &updated, state.as_deref().unwrap_or_default()]));
    }
    d.severity = Some(Severity::Info);
    sink.rest(&f, d, Some(OtherKind::Silence));
}

fn matcher(value: &Value) -> String {
    let said = |name: &str, default: bool| value.get(name).and_then(Value::as_bool).unwrap_or(default);
    let op = match (said("isEqual", true), said("isRegex", false)) {
        (true, false) => "=",
        (false, false) => "!=",
        (true, true) => "=~",
        (false, true) => "!~",
    };
    let text = |name: &str| text_at(value, name).unwrap_or_default();
    format!("{}{op}{}", text("name"), engine::quote(&text("value")))
}
