//! OTLP log records as JSON. <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>: several resources,
//! scopes and records in one body. Metrics and traces are refused by name.

use super::prelude::*;
use crate::found::{Rejection, Stage};

pub(crate) const SOURCE: Source = Source {
    name: "otlp",
    forms: "log records as JSON",
    reference: "https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding",
    detect: |v| has(v, &["resourceLogs"]) || has(v, &["resourceSpans"]) || has(v, &["resourceMetrics"]),
    decode,
};

/// What is said once of a resource is copied for each of its records: no more than so many bytes.
const RESOURCE_BYTES_MAX: usize = 16_384;

fn decode(value: &Value, sink: &mut Sink<'_>) {
    for (name, what) in [("resourceSpans", "traces"), ("resourceMetrics", "metrics")] {
        if value.get(name).is_some() {
            sink.reject(
                Rejection::new(
                    Stage::Read,
                    format!("OTLP {what} are not read; send logs, or alerts on them"),
                )
                .path(name),
            );
        }
    }
    let list = |v: &Value, names: &[&str]| -> Vec<Value> {
        names
            .iter()
            .find_map(|n| v.get(n).and_then(Value::as_array))
            .cloned()
            .unwrap_or_default()
    };
    for resource in list(value, &["resourceLogs"]) {
        let mut about = attributes(resource.get("resource").and_then(|r| r.get("attributes")));
        let mut room = RESOURCE_BYTES_MAX;
        about.retain(|(name, value)| {
            let bytes = name.len() + value.len();
            let fits = bytes <= room;
            room -= if fits { bytes } else { 0 };
            fits
        });
        for scope in list(&resource, &["scopeLogs", "instrumentationLibraryLogs"]) {
            for record in list(&scope, &["logRecords", "logs"]) {
                if !sink.skips() {
                    one(&record, &about, sink);
                }
            }
        }
    }
    if value.get("resourceLogs").is_some() && sink.count() == 0 {
        sink.other(
            OtherKind::Notice,
            Draft {
                title: Text::const_new("no log records"),
                ..Draft::new("otlp")
            },
        );
    }
}

fn one(record: &Value, about: &[(Text, Text)], sink: &mut Sink<'_>) {
    let mut d = Draft::new("otlp");
    let body = any_value(record.get("body")).unwrap_or_default();
    let own = attributes(record.get("attributes"));
    let named = |name: &str| {
        own.iter()
            .chain(about)
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    };
    d.ts = ["timeUnixNano", "observedTimeUnixNano"]
        .iter()
        .find_map(|n| record.get(n).and_then(|v| when::value(v, None)));
    let event = text_at(record, "eventName")
        .or_else(|| named("event.name"))
        .or_else(|| named("exception.type"));
    d.title = body.split('\n').next().unwrap_or_default().trim().into();
    if d.title.is_empty() {
        d.title = event.clone().unwrap_or_else(|| Text::const_new("log record"));
    }
    d.text = lines([Some(body.clone()), named("exception.message")]);
    d.service = named("service.name");
    d.host = named("host.name");
    d.key = Some(join(&[
        d.service.as_deref().unwrap_or_default(),
        d.host.as_deref().unwrap_or_default(),
        &event.unwrap_or_else(|| model::mask(&d.title)),
    ]));
    let number = record.get("severityNumber").and_then(Value::as_i64);
    let level = number.map(|n| match n {
        17..=20 => Severity::Error,
        21.. => Severity::Critical,
        13..=16 => Severity::Warning,
        9..=12 => Severity::Info,
        1..=8 => Severity::Info,
        _ => Severity::Unknown,
    });
    let word =
        text_at(record, "severityText").or_else(|| number.map(|n| compact_str::format_compact!("{n}")));
    d.severity_as(word, level);
    let bad = matches!(
        d.severity,
        Some(Severity::Warning | Severity::Error | Severity::Critical)
    );
    d.status = Some(if bad { Status::Firing } else { Status::Info });
    for (name, value) in about.iter().chain(&own) {
        d.label(name, value.clone());
    }
    for name in ["traceId", "spanId"] {
        if let Some(id) = text_at(record, name) {
            d.label(if name == "traceId" { "trace_id" } else { "span_id" }, id);
        }
    }
    sink.event(d);
}

fn attributes(value: Option<&Value>) -> Vec<(Text, Text)> {
    let list = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(|a| Some((text_at(a, "key")?, any_value(a.get("value"))?)))
        .collect()
}

/// An `AnyValue`: `{"stringValue": …}` and its kin.
pub(crate) fn any_value(value: Option<&Value>) -> Option<Text> {
    let value = value?;
    match value {
        Value::Object(map) => {
            let inner = [
                "stringValue", "intValue", "doubleValue", "boolValue", "bytesValue",
            ]
            .iter()
            .find_map(|n| map.get(*n));
            match inner {
                Some(inner) => scalar(inner),
                None => nested(map).or_else(|| Some(value.to_string().into())),
            }
        }
        other => scalar(other),
    }
}

/// Pairs as `name=value`, a list with commas between.
fn nested(map: &serde_json::Map<String, Value>) -> Option<Text> {
    let values = |name: &str| map.get(name)?.get("values")?.as_array();
    if let Some(pairs) = values("kvlistValue") {
        let pair = |p: &Value| Some(format!("{}={}", text_at(p, "key")?, any_value(p.get("value"))?));
        let pairs: Vec<String> = pairs.iter().filter_map(pair).collect();
        return Some(pairs.join(" ").into());
    }
    let items: Vec<Text> = values("arrayValue")?
        .iter()
        .filter_map(|v| any_value(Some(v)))
        .collect();
    Some(items.join(",").into())
}
