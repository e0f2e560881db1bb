//! `/metrics` in the text form of Prometheus: what the pipeline and the server count.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use prometheus::{
    Counter, Encoder, Gauge, GaugeVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
    proto::{Bucket, Histogram, Metric, MetricFamily, MetricType},
};
use stream::{Books, Counters, SPREAD_BOUNDS, Spreading, Value};

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
    pub(crate) fn page(&self, pipeline: &Counters, books: &Books) -> Response<Body> {
        let mut text = Vec::new();
        let written = self
            .families(pipeline, books)
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

    fn families(&self, pipeline: &Counters, books: &Books) -> prometheus::Result<Vec<MetricFamily>> {
        let mut families = pipeline_families(pipeline, books)?;
        families.extend(self.registry.gather());
        Ok(families)
    }
}

fn pipeline_families(pipeline: &Counters, books: &Books) -> prometheus::Result<Vec<MetricFamily>> {
    let registry = Registry::new();
    let mut spreads = Vec::new();
    for counted in pipeline.all() {
        // Prometheus wants seconds.
        let in_seconds = |unit: &str, per_second: f64, n: f64| match counted.name.strip_suffix(unit) {
            Some(stem) => (format!("stormfold_{stem}_seconds"), n / per_second),
            None => (format!("stormfold_{}", counted.name), n),
        };
        match counted.value {
            Value::Count(n) => {
                let (name, value) = in_seconds("_nanos", 1e9, n as f64);
                let counter = Counter::new(format!("{name}_total"), counted.meaning)?;
                counter.inc_by(value);
                registry.register(Box::new(counter))?;
            }
            Value::Gauge(n) => {
                let (name, value) = in_seconds("_ms", 1e3, n as f64);
                gauge(&registry, &name, counted.meaning, value)?;
            }
            Value::Spread(spread) => {
                let (name, _) = in_seconds("_nanos", 1e9, 0.0);
                spreads.push(histogram(name, counted.meaning, &spread));
            }
        }
    }
    show_books(&registry, books)?;
    let mut families = registry.gather();
    families.extend(spreads);
    families.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(families)
}

/// The books, and whether they balance.
fn show_books(registry: &Registry, books: &Books) -> prometheus::Result<()> {
    let outcomes = GaugeVec::new(
        Opts::new(
            "stormfold_folded_events",
            "Events folded of the partitions held here, by what became of them.",
        ),
        &["outcome"],
    )?;
    let known = [
        ("new", books.new),
        ("repeat", books.repeats),
        ("resolved", books.resolved),
        ("redelivered", books.redelivered),
        ("superseded", books.superseded),
        ("dropped", books.dropped),
        ("other", books.other),
        ("shed", books.shed),
        ("passed", books.passed),
    ];
    for (outcome, n) in known {
        outcomes.with_label_values(&[outcome]).set(n as f64);
    }
    registry.register(Box::new(outcomes))?;
    let accounted: u64 = known.iter().map(|(_, n)| n).sum();
    for (name, meaning, value) in [
        (
            "stormfold_books_difference",
            "Events folded of which it is not known what became of them. Always 0, or something is wrong with us.",
            books.events as f64 - accounted as f64,
        ),
        (
            "stormfold_folded_events_late",
            "Of the events folded, those later than the lateness.",
            books.late as f64,
        ),
        (
            "stormfold_folded_events_suppressed",
            "Of the events folded, those that something keeps from calling anybody.",
            books.suppressed as f64,
        ),
        (
            "stormfold_folded_events_unmatched",
            "Of the events folded, recoveries for which no firing came within the lateness.",
            books.unmatched as f64,
        ),
        (
            "stormfold_pages_held",
            "Alerts for which a page was held.",
            books.held as f64,
        ),
        (
            "stormfold_pages_spared",
            "Alerts for which a page was held that recovered before anybody was paged.",
            books.spared as f64,
        ),
        ("stormfold_pages_due", "Pages that were due.", books.pages as f64),
        (
            "stormfold_incidents_opened",
            "Incidents opened.",
            books.incidents as f64,
        ),
        (
            "stormfold_folded_events_quiet",
            "Of the events folded, those of alerts that are kept quiet, and those that a rule dropped.",
            books.quiet as f64,
        ),
        (
            "stormfold_quiets_refused",
            "Silences and windows that were not understood, or too many.",
            books.quiets_refused as f64,
        ),
        (
            "stormfold_commands_refused",
            "Commands of operators that could not be carried out.",
            books.commands_refused as f64,
        ),
        (
            "stormfold_alerts_displaced",
            "Alerts forgotten while they fired, to make room for critical ones.",
            books.displaced as f64,
        ),
        (
            "stormfold_forgotten_early",
            "Ids of events, ended incidents and rows of what was learned that a limit made forget before their time.",
            books.forgotten_early as f64,
        ),
        (
            "stormfold_folded_events_uncounted",
            "Of the events folded, those that passed a threshold uncounted, because there was no room for one more tally.",
            books.uncounted as f64,
        ),
        (
            "stormfold_ahead_lost",
            "Words on alerts, and recoveries, that overtook what they are about and were not kept for it, because they were too many or too long.",
            books.ahead_lost as f64,
        ),
        (
            "stormfold_domains_forgotten",
            "Domains at rest that were forgotten to make room for others, by limits.domains_max.",
            books.domains_forgotten as f64,
        ),
        (
            "stormfold_folded_events_without_domain",
            "Of the events folded, those of domains for which there was no room: shed, or passed by if critical.",
            books.domains_refused as f64,
        ),
    ] {
        gauge(registry, name, meaning, value)?;
    }
    Ok(())
}

fn gauge(registry: &Registry, name: &str, meaning: &str, value: f64) -> prometheus::Result<()> {
    let gauge = Gauge::new(name, meaning)?;
    gauge.set(value);
    registry.register(Box::new(gauge))
}

fn histogram(name: String, meaning: &str, spread: &Spreading) -> MetricFamily {
    let bucket = |(count, bound): (&u64, f64)| {
        let mut bucket = Bucket::default();
        bucket.set_cumulative_count(*count);
        bucket.set_upper_bound(bound);
        bucket
    };
    let buckets = spread.classes.iter().zip(SPREAD_BOUNDS).map(bucket).collect();
    let mut histogram = Histogram::default();
    histogram.set_sample_count(spread.count);
    histogram.set_sample_sum(spread.sum);
    histogram.set_bucket(buckets);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    let mut family = MetricFamily::default();
    family.set_name(name);
    family.set_help(meaning.to_owned());
    family.set_field_type(MetricType::HISTOGRAM);
    family.set_metric(vec![metric]);
    family
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const HEAD: &str = "\
# Metrics

What `/metrics` shows, in the text form of Prometheus, version 0.0.4. A counter only rises and starts at 0 with the
process; a gauge is as it was at the time of asking; a histogram counts durations. Times are in seconds, sizes in bytes. No label takes its values from
what senders send.

| name | type | labels | meaning |
|---|---|---|---|
";

    /// The document of what there is, made from the metrics themselves.
    fn document() -> String {
        let metrics = Metrics::new().unwrap();
        metrics.requests.with_label_values(&["", ""]);
        let mut text = String::from(HEAD);
        for family in metrics.families(&Counters::default(), &Books::default()).unwrap() {
            let kind = match family.get_field_type() {
                MetricType::COUNTER => "counter",
                MetricType::GAUGE => "gauge",
                MetricType::HISTOGRAM => "histogram",
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
