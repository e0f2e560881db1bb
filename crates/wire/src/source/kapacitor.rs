//! Kapacitor's alert data and InfluxDB 2's notification rules.
//!
//! <https://docs.influxdata.com/kapacitor/v1/working/alerts/>,
//! <https://docs.influxdata.com/influxdb/v2/monitor-alert/notification-rules/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "kapacitor",
    forms: "Kapacitor alert data, InfluxDB 2 notifications",
    reference: "https://docs.influxdata.com/kapacitor/v1/reference/event_handlers/post/",
    detect: |v| {
        has(v, &["_check_id"])
            || has(v, &["_check_name", "_level"])
            || has(v, &["id", "level", "data"]) && find(v, "data.series").is_some()
            || has(v, &["id", "level", "details", "duration"])
            || has(v, &["id", "level", "previousLevel"])
    },
    decode,
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let influx = value.get("_check_id").is_some() || value.get("_check_name").is_some();
    let mut d = Draft::new(if influx { "influxdb" } else { "kapacitor" });
    d.title = f.first(&["_check_name", "id", "alert_name"]).unwrap_or_default();
    d.text = lines([f.first(&["message", "_message"]), f.text("details")]);
    let word = f.first(&["level", "_level"]);
    d.state(Some(
        match word.as_deref().map(str::to_ascii_uppercase).as_deref() {
            Some("OK") => State::Resolved,
            Some("INFO") => State::Info,
            _ => State::Firing,
        },
    ));
    d.severity_word(word);
    d.ts = f.time(&["time", "_time", "_status_timestamp"]);
    for series in f.list("data.series") {
        if let Some(t) = series.get("tags") {
            tags(t, &mut d);
        }
    }
    d.key = if influx {
        let own: Vec<String> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, v)| !k.starts_with('_') && v.is_string())
            .filter_map(|(k, v)| scalar(v).map(|v| format!("{k}={v}")))
            .collect();
        Some(join(&[
            &f.glance("_check_id").unwrap_or_default(),
            &own.join(","),
        ]))
    } else {
        f.glance("id")
    };
    if let Some(data) = f.peek("data") {
        let readings = data.to_string();
        d.label("annotation.data", readings);
        f.mark(data);
    }
    d.host = d.labels.get("host").map(Text::from).or_else(|| f.text("host"));
    sink.rest(&f, d, None);
}
