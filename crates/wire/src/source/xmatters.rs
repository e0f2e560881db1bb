//! xMatters' callbacks of an event: its status, deliveries and answers.
//! <https://help.xmatters.com/ondemand/xmodwelcome/integrationbuilder/webhooks_intro.htm>: what the event says stands in
//! its properties, an object or a list of objects of one name each. An event that is terminated is over.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "xmatters",
    forms: "callbacks: status; deliveries, answers and comments",
    reference: "https://help.xmatters.com/ondemand/xmodwelcome/integrationbuilder/webhooks_intro.htm",
    detect: |v| {
        let own_status = || {
            let status = v.get("status").and_then(Value::as_str);
            status.is_some_and(|status| own_state(status).is_some())
        };
        has(v, &["eventIdentifier"]) && (has(v, &["eventProperties"]) || own_status())
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["title"],
    severity: &["severity", "priority"],
    key: &["eventIdentifier"],
    ts: &["date"],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("xmatters", &SHAPE, value);
    let properties = f.take("eventProperties").map(each).unwrap_or_default();
    for properties in properties.iter().map(lowered) {
        let named = ["title", "subject", "summary", "name"];
        let title = named.iter().find_map(|name| text_at(&properties, name));
        d.title = Some(std::mem::take(&mut d.title))
            .filter(|title| !title.is_empty())
            .or(title)
            .unwrap_or_default();
        labels_from(&properties, "", &mut d);
    }
    let word = d
        .labels
        .get("severity")
        .or_else(|| d.labels.get("priority"))
        .map(Text::from);
    if d.severity_original.is_none() {
        d.severity_word(word);
    }
    let status = f.text("status");
    let state = status
        .as_deref()
        .and_then(|status| own_state(status).or_else(|| state::word(status)));
    d.state(state);
    if let Some(status) = status {
        d.label("status", status);
    }
    sink.rest(&f, d, state.is_none().then_some(OtherKind::Notice));
}

/// What xMatters says of an event by a word of its own.
fn own_state(status: &str) -> Option<State> {
    Some(match status.to_ascii_lowercase().as_str() {
        "active" => State::Firing,
        "terminated" => State::Resolved,
        "suspended" => State::Info,
        _ => return None,
    })
}
