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
        for (threshold, result) in thresholds.into_iter().flatten() {
            let crossed = match result {
                Value::Bool(crossed) => *crossed,
                result => result.get("ok").and_then(Value::as_bool) == Some(false),
            };
            let mut d = Draft::new("k6");
            d.title = compact_str::format_compact!("{metric}: {threshold}");
            d.key = Some(d.title.clone());
            d.state(Some(if crossed { State::Firing } else { State::Resolved }));
            d.severity = Some(if crossed { Severity::Error } else { Severity::Info });
            labels_from(of.get("values").unwrap_or(of), metric, &mut d);
            sink.event(d);
        }
    }
    if sink.count() == before {
        let f = sink.fields(value);
        let mut d = Draft::new("k6");
        d.title = "end of test, no thresholds".into();
        f.rest_into(&mut d);
        sink.other(OtherKind::Notice, d);
    }
}
