//! What is kept of events that overtook what they are about: no more than is asked for when that comes.

use std::collections::VecDeque;

use model::{Event, Labels, Text, Time};

/// Events of a domain that are kept each way, oldest first, each until when.
pub(crate) const AHEAD_MAX: usize = 64;
/// Bytes of texts of one of them. A longer one is not kept, for a part of it would say something else.
const BYTES_MAX: usize = 2048;

/// Labels that say who did what (`life::taken`).
const DEED_LABELS: [&str; 3] = ["actor", "action", "event_type"];

/// Of what somebody says of an alert: who did what, until when.
pub(crate) fn deed(event: &Event) -> Event {
    let mut labels = Labels::default();
    for name in DEED_LABELS {
        if let Some(value) = event.labels.get(name) {
            labels.set(Text::const_new(name), Text::from(value));
        }
    }
    Event {
        labels,
        ..bare(event)
    }
}

/// Of a recovery: what its key is made of.
pub(crate) fn recovery(event: &Event) -> Event {
    Event {
        title: event.title.clone(),
        service: event.service.clone(),
        host: event.host.clone(),
        entities: event.entities.clone(),
        labels: event.labels.clone(),
        origin: event.origin.clone(),
        starts_at: event.starts_at,
        environment: event.environment.clone(),
        tenant: event.tenant.clone(),
        ..bare(event)
    }
}

fn bare(event: &Event) -> Event {
    Event {
        event_id: event.event_id.clone(),
        kind: event.kind,
        source: event.source.clone(),
        dedup_key: event.dedup_key.clone(),
        severity: event.severity,
        ends_at: event.ends_at,
        received_at: event.received_at,
        ..Event::bare(event.status, event.ts)
    }
}

/// Keeps an event; how many are not, that one or the oldest.
pub(crate) fn keep(ahead: &mut VecDeque<(Time, Event)>, until: Time, event: Event) -> u64 {
    if bytes(&event) > BYTES_MAX {
        return 1;
    }
    let full = ahead.len() >= AHEAD_MAX;
    if full {
        ahead.pop_front();
    }
    ahead.push_back((until, event));
    u64::from(full)
}

/// Forgets what is kept no longer.
pub(crate) fn forget(ahead: &mut VecDeque<(Time, Event)>, now: Time) {
    while ahead.front().is_some_and(|(until, _)| *until < now) {
        ahead.pop_front();
    }
}

fn bytes(event: &Event) -> usize {
    let named = event.entities.iter().chain(event.labels.iter());
    let texts = [&event.event_id, &event.source, &event.dedup_key, &event.title];
    let maybe = [&event.service, &event.host, &event.environment, &event.tenant];
    texts.iter().map(|text| text.len()).sum::<usize>()
        + maybe
            .iter()
            .map(|text| text.as_ref().map_or(0, |text| text.len()))
            .sum::<usize>()
        + named.map(|(name, value)| name.len() + value.len()).sum::<usize>()
}
