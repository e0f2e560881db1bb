//! `/metrics` in the text form of Prometheus: what the pipeline and the server count.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use prometheus::{Counter, Encoder, Gauge, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};
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
        let families = pipeline_families(pipeline).map(|mut families| {
            families.extend(self.registry.gather());
            families
        });
        let mut text = Vec::new();
        let written = families.and_then(|families| TextEncoder::new().encode(&families, &mut text));
        match written {
            Ok(()) => bytes(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text),
            Err(error) => bytes(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                format!("{error}\n"),
            ),
        }
    }
}

fn pipeline_families(pipeline: &Counters) -> prometheus::Result<Vec<prometheus::proto::MetricFamily>> {
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
