//! A told story: a web shop on a bad morning, for the demo, the documents and whoever wants to try things out.
//!
//! Unlike the worlds of a seed it is written by hand, so that each thing in it means something: two hours of a shop with
//! its noise, a database that takes half of the shop with it, an unrelated failure in the warehouse at the same time, and
//! a payment provider that fails an hour later. Five tools tell it, each in its own spelling and rhythm.

mod script;
mod shop;

use model::{Event, Span, Time, TopologyDocument};

pub use script::Raise;

/// A story: who depends on whom, and what was said when.
#[derive(Clone, Debug)]
pub struct Story {
    /// When it begins.
    pub start: Time,
    /// The shop.
    pub topology: TopologyDocument,
    /// What the tools sent, in the order of arrival.
    pub events: Vec<Event>,
}

/// The shop on a bad morning.
pub fn shop() -> Story {
    let start = "2026-03-02T08:00:00Z".parse().expect("a constant RFC 3339 time");
    let mut events: Vec<Event> = shop::raises()
        .iter()
        .flat_map(|raise| raise.events(start))
        .collect();
    events.extend(shop::changes(start));
    events.sort_by(|a, b| (a.received_at, &a.dedup_key, a.ts).cmp(&(b.received_at, &b.dedup_key, b.ts)));
    Story {
        start,
        topology: shop::topology(),
        events,
    }
}

impl Story {
    /// One event a line, as `stormfold replay` reads it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.events
            .iter()
            .map(|event| serde_json::to_string(event).expect("an event is plain data"))
    }

    /// How long after the beginning something was.
    pub fn since_start(&self, time: Time) -> Span {
        time.since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_told_in_order_and_from_many_sides() {
        let story = shop();
        assert!(story.events.is_sorted_by_key(|e| e.received_at));
        let mut sources: Vec<&str> = story.events.iter().map(|e| e.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        assert!(sources.len() >= 5, "{sources:?}");
        let ids: std::collections::BTreeSet<&str> =
            story.events.iter().map(|e| e.event_id.as_str()).collect();
        assert_eq!(ids.len(), story.events.len());
    }
}
