//! Turns an alert of the world into the events that its tool sends.

use model::{Event, Labels, Severity, Span, Status, Text, Time};

use super::{
    Size,
    estate::Estate,
    fault::Raise,
    tool::{Symptom, Tool},
};
use crate::Dice;

/// A host or service is never repeated about for longer than this in one fault, in events.
const REPEATS_MAX: i64 = 200;

/// The events of one alert, in the order of their `ts`: firing, repeats, resolved.
pub(crate) fn events(estate: &Estate, raise: &Raise, onset: Time, dice: &mut Dice) -> Vec<Event> {
    let begins = onset + Span::from_millis(raise.begins_ms);
    let ends = onset + Span::from_millis(raise.ends_ms);
    let mut events = vec![event(estate, raise, begins, begins, Status::Firing, dice)];
    let step = raise.tool.repeat_s() * 1_000;
    if step > 0 {
        let repeats = ((raise.ends_ms - raise.begins_ms - 1) / step).min(REPEATS_MAX);
        for i in 1..=repeats {
            events.push(event(
                estate,
                raise,
                begins + Span::from_millis(i * step),
                begins,
                Status::Firing,
                dice,
            ));
        }
    }
    let mut resolved = event(estate, raise, ends, begins, Status::Resolved, dice);
    resolved.ends_at = Some(ends);
    events.push(resolved);
    events
}

fn event(estate: &Estate, raise: &Raise, ts: Time, begins: Time, status: Status, dice: &mut Dice) -> Event {
    let thing = &estate.places[raise.place];
    let other = raise
        .other
        .map(|place| estate.places[place].name.clone())
        .unwrap_or_default();
    let reading = dice.between(91, 99);
    let title = raise.symptom.title(raise.tool, thing.kind, reading, &other);
    let name = raise.tool.names(thing);
    let mut labels = Labels::new();
    if raise.symptom == Symptom::Downstream {
        labels.set("caller", thing.name.clone());
        labels.set("callee", other.clone());
    }
    if raise.tool == Tool::Prometheus {
        labels.set("alertname", title.split(' ').next().unwrap_or_default());
        labels.set("job", "kube-state");
    }
    let host = thing.kind == "host";
    let key = format!(
        "{}:{}:{:?}:{}",
        raise.tool.source(),
        thing.name,
        raise.symptom,
        other
    );
    let id = model::Hash128::new("sim")
        .part(key.as_bytes())
        .part(&ts.nanos().to_le_bytes())
        .part(&[status as u8])
        .finish();
    Event {
        event_id: format!("{id:032x}").into(),
        source: raise.tool.source().into(),
        dedup_key: key.into(),
        severity: severity(raise, thing.kind),
        text: format!("{title} on {name}, reading {reading}").into(),
        title: title.into(),
        starts_at: Some(begins),
        service: (!host).then(|| name.clone()),
        host: host.then_some(name),
        labels,
        ..Event::bare(status, ts)
    }
}

fn severity(raise: &Raise, kind: &str) -> Severity {
    raise.symptom.severity(kind)
}

/// When a record arrives: two seconds after it was sent on average; some are late.
pub(crate) fn arrival(ts: Time, size: &Size, dice: &mut Dice) -> Time {
    let mut delay_s = dice.waiting(2.0).min(20.0);
    if size.jitter_s > 0.0 {
        delay_s += dice.unit() * size.jitter_s;
    }
    if dice.chance(size.late) {
        delay_s += dice.between(30, 300) as f64;
    }
    ts + Span::from_millis((delay_s * 1e3) as i64)
}

/// The name of a place, for the truth.
pub(crate) fn name_of(estate: &Estate, place: super::Place) -> Text {
    estate.places[place].name.clone()
}
