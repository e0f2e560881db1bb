//! What is sent: the world of `stormfold simulate`, without end, its products as tenants.

use model::{Event, Span, Time};
use sim::{
    Dice,
    world::{Form, Size, Stream, event_line},
};
use stream::log::{Outgoing, TopicName};

/// Events from a seed.
pub(crate) struct Events {
    worlds: Stream,
    seed: u64,
}

fn world(seed: u64) -> Stream {
    // Twelve products, so that domains spread; faults follow each other closely, because a chaos run has minutes.
    let size = Size {
        services: 120,
        faults: usize::MAX,
        fault_every_s: 60.0,
        ..Size::default()
    };
    Stream::new(&size, seed)
}

impl Events {
    pub(crate) fn new(seed: u64) -> Events {
        Events {
            worlds: world(seed),
            seed,
        }
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let told = match self.worlds.next() {
            Some(told) => told,
            None => {
                self.seed += 1;
                self.worlds = world(self.seed);
                self.worlds.next()?
            }
        };
        let mut event = told.event;
        let name = event
            .service
            .clone()
            .or_else(|| event.host.clone())
            .unwrap_or_default();
        let tenant = name.split(['-', '.']).next().unwrap_or_default().to_lowercase();
        event.tenant = Some(if tenant.is_empty() {
            "other".into()
        } else {
            tenant.into()
        });
        Some(event)
    }
}

/// The event as its sender writes it.
pub(crate) fn line(event: &Event) -> Vec<u8> {
    let told = sim::world::Told {
        event: event.clone(),
        said: None,
    };
    event_line(&told, Form::Native).into_bytes()
}

/// A record of a raw topic.
pub(crate) fn outgoing(topic: &TopicName, timestamp: Option<Time>, key: &str, value: Vec<u8>) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: None,
        timestamp,
        key: Some(key.as_bytes().to_vec()),
        value: Some(value),
        headers: Vec::new(),
    }
}

/// Events of worlds beside each other.
pub(crate) struct Beside {
    /// In the order in which they are due, after the beginning.
    pub(crate) events: Vec<(Span, Event)>,
    pub(crate) worlds: usize,
}

/// `count` events of as many small worlds as have so many between them within `span`, each a tenant of its own with a
/// fault that begins at any moment of it. Nothing is pressed together: alerts of a fault are as far apart as in a world,
/// so that what comes late is late by as much as it would be.
pub(crate) fn beside(seed: u64, count: usize, span: Span) -> Beside {
    let size = Size {
        services: 12,
        faults: 2,
        ..Size::default()
    };
    let mut dice = Dice::new(seed);
    let mut events = Vec::with_capacity(count);
    let mut worlds = 0;
    while events.len() < count {
        let begins = Span::from_millis(dice.below(span.millis().max(1) as u64) as i64);
        let mut fault = None;
        for told in Stream::new(&size, dice.roll()) {
            if fault.is_none() && told.said.is_none() {
                continue;
            }
            let mut event = told.event;
            let due = begins + event.received_at.since(*fault.get_or_insert(event.received_at));
            if due > span {
                break;
            }
            event.tenant = Some(format!("w{worlds}").into());
            events.push((due, event));
        }
        worlds += 1;
    }
    events.sort_by_key(|(due, event)| (*due, event.received_at));
    events.truncate(count);
    Beside { events, worlds }
}
