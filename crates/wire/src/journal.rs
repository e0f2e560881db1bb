//! The journal's byte form: one JSON object with its version first, `{"v":1,"event":{…}}`.

use std::fmt;

use model::{Event, Input, Progress, Text, TopologyChange, TopologyPart};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

const VERSION: u32 = 1;
const HEAD: &[u8] = br#"{"v":1,"#;

/// Bytes that are no journal record of a version we read.
#[derive(Debug, thiserror::Error)]
#[error("no journal record: {0}")]
pub struct JournalError(#[from] serde_json::Error);

/// Appends the bytes of one input.
pub fn encode(input: &Input, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.extend_from_slice(HEAD);
    let inner = bytes.len();
    serde_json::to_writer(&mut *bytes, input)
        .expect("an input has text keys only, and writing to memory cannot fail");
    // The object's own opening bracket is where the version already opened one.
    debug_assert_eq!(bytes[inner], b'{');
    bytes.remove(inner);
    debug_assert!(bytes.len() > start);
}

/// Reads the bytes of one input.
pub fn decode(bytes: &[u8]) -> Result<Input, JournalError> {
    Ok(serde_json::from_slice::<Versioned>(bytes)?.0)
}

struct Versioned(Input);

impl<'de> Deserialize<'de> for Versioned {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Versioned, D::Error> {
        struct Record;
        impl<'de> Visitor<'de> for Record {
            type Value = Versioned;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a journal record")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Versioned, A::Error> {
                let (key, version) = map
                    .next_entry::<Text, u32>()?
                    .ok_or_else(|| de::Error::missing_field("v"))?;
                if key != "v" || version != VERSION {
                    return Err(de::Error::custom(format!(
                        "version {version}, this program reads {VERSION}"
                    )));
                }
                let kind = map
                    .next_key::<Text>()?
                    .ok_or_else(|| de::Error::missing_field("event"))?;
                let input = match kind.as_str() {
                    "event" => Input::Event(map.next_value::<Box<Event>>()?),
                    "progress" => Input::Progress(map.next_value::<Progress>()?),
                    "topology_part" => Input::TopologyPart(map.next_value::<TopologyPart>()?),
                    "topology_change" => Input::TopologyChange(map.next_value::<Box<TopologyChange>>()?),
                    "quarantine" => {
                        let Quarantine { offset, reason } = map.next_value()?;
                        Input::Quarantine { offset, reason }
                    }
                    other => return Err(de::Error::custom(format!("unknown input {other:?}"))),
                };
                Ok(Versioned(input))
            }
        }
        d.deserialize_map(Record)
    }
}

#[derive(Deserialize)]
struct Quarantine {
    offset: u64,
    reason: Text,
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Time;

    #[test]
    fn every_kind_of_input_round_trips() {
        let raw =
            br#"{"ts":"2026-03-02T10:00:00Z","title":"x","status":"firing","service":"a","labels":{"n":1}}"#;
        let mut found = Vec::new();
        crate::Decoder::default().decode(&crate::Raw::of_file(raw, "f", 3), &mut found);
        let event = found.remove(0).into_input().unwrap();
        for input in [
            event,
            Input::Progress(Progress {
                to: Time::from_secs(5),
                present: Some(Time::from_secs(6)),
            }),
            Input::TopologyPart(TopologyPart {
                version: "v".into(),
                part: 0,
                parts: 1,
                json: "{}".into(),
            }),
            Input::TopologyChange(Box::new(TopologyChange {
                at: Time::from_secs(1),
                upsert_nodes: Vec::new(),
                remove_nodes: vec!["a".into()],
                upsert_edges: Vec::new(),
                remove_edges: Vec::new(),
            })),
            Input::Quarantine {
                offset: 7,
                reason: "panicked".into(),
            },
        ] {
            let mut bytes = Vec::new();
            encode(&input, &mut bytes);
            assert!(bytes.starts_with(HEAD), "{}", String::from_utf8_lossy(&bytes));
            assert_eq!(decode(&bytes).unwrap(), input);
        }
        assert!(decode(br#"{"v":2,"progress":{"to":"2026-03-02T10:00:00Z"}}"#).is_err());
        assert!(decode(b"").is_err());
    }
}
