//! What senders send: a failing shop, and the mess in which it comes.

use model::{Span, Time};
use stream::log::{Outgoing, TopicName};

use crate::events;
use sim::Dice;

/// A record of a raw topic.
pub(super) struct Raw {
    /// When it is sent.
    pub(super) at: Time,
    pub(super) partition: u32,
    pub(super) value: Option<Vec<u8>>,
    pub(super) becomes: Becomes,
    /// What its producer's clock shows beside the true time.
    pub(super) clock_off: Span,
}

/// What ingest has to make of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Becomes {
    /// One event in the journal.
    Event,
    /// At least one dead letter.
    Letter,
    /// Nothing that can be traced to it.
    Nothing,
}

/// What nobody may execute, render or template.
const HOSTILE: &str =
    "<script>alert(1)</script> ${jndi:ldap://x} {{7*7}} \u{1b}[31m \"; DROP TABLE alerts;--";

/// The event on which [`super::run::panicky`] panics.
pub(super) const BOOM: &str = "boom";

/// About `events` events with everything that goes wrong between a sender and a topic; `boom`: with one that no fold
/// can take.
pub(super) fn records(seed: u64, events: usize, partitions: u32, boom: bool) -> Vec<Raw> {
    let mut dice = Dice::new(seed ^ 0x0077_6f72_6c64);
    let mut records = Vec::new();
    let sent = events::shop(seed, events);
    let booms = if boom {
        dice.below(events as u64) as usize
    } else {
        usize::MAX
    };
    for (n, events::Sent { at, json }) in sent.into_iter().enumerate() {
        let mut raw = |at: Time, value: Option<Vec<u8>>, becomes| {
            let clock_off = match dice.below(20) {
                0 => Span::from_hours(1),
                1 => Span::from_mins(-3),
                _ => Span::ZERO,
            };
            records.push(Raw {
                at,
                partition: dice.below(u64::from(partitions)) as u32,
                value,
                becomes,
                clock_off,
            });
        };
        let later = |ms: u64| at + Span::from_millis(ms as i64);
        let mut json = json;
        if n == booms {
            json = json.replace(&format!("\"e{n}\""), &format!("\"{BOOM}\""));
        } else if n % 41 == 7 {
            json = json.replace(
                "latency above 2 s",
                &HOSTILE.replace('"', "\\\"").replace('\u{1b}', "\\u001b"),
            );
        } else if n % 53 == 11 {
            json = json.replace("\"ts\":\"20", "\"ts\":\"99");
        }
        let value = json.into_bytes();
        // Some are held up on their way; within the lateness that must not matter.
        let held_up = if n % 13 == 0 { 4_000 * (n as u64 % 60) } else { 0 };
        raw(later(held_up), Some(value.clone()), Becomes::Event);
        if n % 17 == 3 {
            raw(
                later(held_up + 150 * (n as u64 % 200)),
                Some(value),
                Becomes::Event,
            );
        }
        if n % 29 == 5 {
            let poison: &[u8] = match n % 4 {
                0 => b"{\"title\": ",
                1 => b"\xff\xfe{}",
                2 => b"",
                _ => &[b'['; 3_000],
            };
            raw(later(1), Some(poison.to_vec()), Becomes::Letter);
        }
        if n % 97 == 50 {
            raw(later(2), None, Becomes::Nothing);
        }
    }
    records.sort_by_key(|raw| raw.at);
    records
}

/// Heartbeats in every partition that let the timers of a history run out.
pub(super) fn ends(records: &[Raw], partitions: u32) -> Vec<Raw> {
    let last = records.last().map_or(Time::MIN, |raw| raw.at);
    let mut ends = Vec::new();
    for minutes in [1, 15, 60, 600, 1440] {
        let at = last + Span::from_mins(minutes);
        for partition in 0..partitions {
            let json = serde_json::json!({
                "kind": "heartbeat", "source": "probe", "event_id": format!("h{minutes}"), "status": "info",
                "title": "end of records", "ts": at,
            });
            ends.push(Raw {
                at,
                partition,
                value: Some(json.to_string().into_bytes()),
                becomes: Becomes::Nothing,
                clock_off: Span::ZERO,
            });
        }
    }
    ends
}

impl Raw {
    /// Whether it is the event that no fold can take, or a copy of it.
    pub(super) fn is_boom(&self) -> bool {
        let quoted = format!("\"{BOOM}\"");
        self.value
            .as_deref()
            .is_some_and(|value| String::from_utf8_lossy(value).contains(&quoted))
    }

    /// The record as its producer sends it; `history`: its time is its own.
    pub(super) fn outgoing(&self, topic: &TopicName, history: bool) -> Outgoing {
        Outgoing {
            topic: topic.clone(),
            partition: Some(self.partition),
            timestamp: Some(if history {
                self.at
            } else {
                self.at + self.clock_off
            }),
            key: None,
            value: self.value.clone(),
            headers: Vec::new(),
        }
    }
}
