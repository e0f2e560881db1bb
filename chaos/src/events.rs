//! What is sent: the world of `stormfold simulate`, without end, its products as tenants.

use model::Event;
use sim::world::{Form, Size, Stream, event_line};

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
