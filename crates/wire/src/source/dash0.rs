//! Dash0's webhook. <https://www.dash0.com/hub/integrations/int_alerting_webhook/overview>: `issueIdentifier` names the
//! check rule and its resource, stable over issues.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "dash0",
    forms: "issue webhook",
    reference: "https://www.dash0.com/hub/integrations/int_alerting_webhook/overview",
    detect: |v| {
        v.get("type")
            .and_then(Value::as_str)
            .is_some_and(|t| t.starts_with("alert.") || t == "test")
            && v.get("data").is_some_and(|d| d.is_object())
            && (find(v, "data.issue").is_some() || v.get("type").and_then(Value::as_str) == Some("test"))
            || find(v, "data.issue.issueIdentifier").is_some()
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &[
        "data.issue.summary",
        "data.issue.checkrule.name",
        "data.issue.checkrules.0.name",
        "data.issue.name",
    ],
    text: &["data.issue.description", "data.issue.checkrule.description"],
    severity: &["data.issue.status", "data.issue.severity"],
    key: &["data.issue.issueIdentifier"],
    starts_at: &["data.issue.start", "data.issue.startTime"],
    ends_at: &["data.issue.end", "data.issue.endTime"],
    links: &[("data.issue.url", "issue"), ("data.issue.checkrule.url", "rule")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("dash0", &SHAPE, value);
    let kind = f.text("type").unwrap_or_default();
    for part in ["labels", "annotations"] {
        if let Some(list) = f.take(&format!("data.issue.{part}")) {
            for item in list.as_array().map_or(&[][..], Vec::as_slice) {
                if let (Some(name), Some(value)) =
                    (text_at(item, "key"), super::otlp::any_value(item.get("value")))
                {
                    let full = if part == "labels" {
                        name
                    } else {
                        compact_str::format_compact!("annotation.{name}")
                    };
                    d.label(&full, value);
                }
            }
            if list.is_object() {
                labels_from(list, if part == "labels" { "" } else { "annotation" }, &mut d);
            }
        }
    }
    d.state(Some(match kind.as_str() {
        "alert.resolved" | "alert.closed" | "alert.superseded" => State::Resolved,
        _ => State::Firing,
    }));
    d.ts = d.ends_at.filter(|_| d.status == Some(Status::Resolved));
    d.key = d.key.take().or_else(|| f.text("data.issue.id"));
    sink.rest(&f, d, (kind == "test").then_some(OtherKind::Test));
}
