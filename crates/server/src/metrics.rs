//! `/metrics` in the text form of Prometheus: what the pipeline and the server count.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use prometheus::{
    Counter, Encoder, Gauge, IntCounter, IntCounterVec, Opts, Registry, TextEncoder, proto::MetricFamily,
};
use stream::Counters;

use crate::answer::bytes;

/// What the server counts.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests by route and status.
    pub(crate) requests: IntCounterVec,
    /// Bytes of bodies as they came.
    pub(crate) body_bytes: IntCounter,
    /// Records given to the log.
    pub(crate) records: IntCounter,
}

impl Metrics {
    pub(crate) fn new() -> prometheus::Result<Metrics> {
        let metrics = Metrics {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("stormfold_http_requests_total", "Requests by route and status."),
                &["route", "status"],
            )?,
            body_bytes: IntCounter::new("stormfold_http_body_bytes_total", "Bytes of bodies as they came.")?,
            records: IntCounter::new(
                "stormfold_http_records_total",
                "Records that the log took from HTTP.",
            )?,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.body_bytes.clone()))?;
        metrics.registry.register(Box::new(metrics.records.clone()))?;
        Ok(metrics)
    }

    /// The page.
    pub(crate) fn page(&self, pipeline: &Counters) -> Response<Body> {
        let mut text = Vec::new();
        let written = self
            .families(pipeline)
            .and_then(|families| TextEncoder::new().encode(&families, &mut text));
        match written {
            Ok(()) => bytes(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text),
            Err(error) => bytes(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                format!("{error}\n"),
            ),
        }
    }

    fn families(&self, pipeline: &Counters) -> prometheus::Result<Vec<MetricFamily>> {
        let mut families = pipeline_families(pipeline)?;
        families.extend(self.registry.gather());
        Ok(families)
    }
}

fn pipeline_families(pipeline: &Counters) -> prometheus::Result<Vec<MetricFamily>> {
    let registry = Registry::new();
    for counted in pipeline.all() {
        if counted.rises {
            // Prometheus wants seconds.
            let (name, value) = match counted.name.strip_suffix("_nanos") {
                Some(stem) => (format!("stormfold_{stem}_seconds_total"), counted.value / 1e9),
                None => (format!("stormfold_{}_total", counted.name), counted.value),
            };
            let counter = Counter::new(name, counted.meaning)?;
            counter.inc_by(value.max(0.0));
            registry.register(Box::new(counter))?;
        } else {
            let (name, value) = match counted.name.strip_suffix("_ms") {
                Some(stem) => (format!("stormfold_{stem}_seconds"), counted.value / 1e3),
                None => (format!("stormfold_{}", counted.name), counted.value),
            };
            let gauge = Gauge::new(name, counted.meaning)?;
            gauge.set(value);
            registry.register(Box::new(gauge))?;
        }
    }
    Ok(registry.gather())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use prometheus::proto::MetricType;

    use super::*;

    const HEAD: &str = "\
# Metrics

What `/metrics` shows, in the text form of Prometheus, version 0.0.4. A counter only rises and starts at 0 with the
process; a gauge is as it was at the time of asking. Times are in seconds, sizes in bytes. No label takes its values from
what senders send.

| name | type | labels | meaning |
|---|---|---|---|
";

    /// The document of what there is, made from the metrics themselves.
    fn document() -> String {
        let metrics = Metrics::new().unwrap();
        metrics.requests.with_label_values(&["", ""]);
        let mut text = String::from(HEAD);
        for family in metrics.families(&Counters::default()).unwrap() {
            let kind = match family.get_field_type() {
                MetricType::COUNTER => "counter",
                MetricType::GAUGE => "gauge",
                other => panic!("what is {other:?}?"),
            };
            let labels: Vec<_> = family.get_metric()[0]
                .get_label()
                .iter()
                .map(|label| format!("`{}`", label.name()))
                .collect();
            let (name, help) = (family.name(), family.help());
            writeln!(text, "| `{name}` | {kind} | {} | {help} |", labels.join(" ")).unwrap();
        }
        text
    }

    #[test]
    fn the_list_of_metrics_is_that_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == document(),
            "docs/metrics.md is of another time; UPDATE=1 writes it anew"
        );
    }
}
