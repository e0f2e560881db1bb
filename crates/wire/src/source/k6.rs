//! What k6 sums up at the end of a test: each threshold is an alert that fires or is over.
//! <https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/>. `--summary-export` writes `true` for a
//! threshold that was crossed; the object of `handleSummary` writes `ok`.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "k6",
    forms: "end-of-test summary, of `handleSummary` and of `--summary-export`",
    reference: "https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/",
    detect: |v| has(v, &["metrics", "root_group"]) && v.get("metrics").is_some_and(Value::is_object),
    decode,
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let before = sink.count();
    let metrics = value.get("metrics").and_then(Value::as_object);
    for (metric, of) in metrics.into_iter().flatten() {
        let thresholds = of.get("thresholds").and_then(Value::as_object);
        let metric = crate::bounds::prefix(metric, crate::draft::NAME_BYTES_MAX);
        let mut measured = Draft::new("k6");
        labels_from(of.get("values").unwrap_or(of), metric, &mut measured);
        for (threshold, result) in thresholds.into_iter().flatten() {
            let crossed = match result {
                Value::Bool(crossed) => *crossed,
                result => result.get("ok").and_then(Value::as_bool) == Some(false),
            };
            let mut d = measured.clone();
            d.title = compact_str::format_compact!("{metric}: {threshold}");
            d.key = Some(d.title.clone());
            d.over(!crossed);
            d.severity = Some(if crossed { Severity::Error } else { Severity::Info });
            sink.event(d);
        }
    }
    if sink.count() == before {
        let (f, mut d) = sink.read("k6", &EMPTY, value);
        d.title = "end of test, no thresholds".into();
        sink.rest(&f, d, Some(OtherKind::Notice));
    }
}
