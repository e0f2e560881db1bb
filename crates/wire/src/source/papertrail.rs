//! SolarWinds Papertrail's webhook: one alert for a saved search, with the log records that matched.
//! <https://www.papertrail.com/help/web-hooks/>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "papertrail",
    forms: "webhook of a saved search",
    reference: "https://www.papertrail.com/help/web-hooks/",
    detect: |v| {
        let v = v.get("payload").unwrap_or(v);
        has(v, &["saved_search", "events"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["saved_search.name"],
    text: &["events.0.message"],
    severity: &["events.0.severity"],
    key: &["saved_search.id"],
    ts: &["events.0.received_at", "events.0.generated_at"],
    service: &["events.0.program"],
    host: &["events.0.hostname", "events.0.source_name"],
    links: &[
        ("saved_search.html_search_url", "search"),
        ("saved_search.html_edit_url", "edit"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let value = value.get("payload").unwrap_or(value);
    let (f, mut d) = sink.read("papertrail", &SHAPE, value);
    let events = f.list("events");
    d.label("annotation.events", events.len().to_string());
    for event in events {
        f.mark(event);
    }
    d.state(Some(State::Firing));
    sink.rest(&f, d, None);
}
