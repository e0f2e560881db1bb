//! Whatever comes in, something bounded goes out and nothing panics. `PROPTEST_CASES=1000000` looks longer.

use std::{io::Write as _, sync::LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};

/// Every body of every scenario.
static BODIES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let read = |path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let files = crate::payloads::scenarios().into_iter().map(read);
    files
        .flat_map(|s| s["bodies"].as_array().unwrap().clone())
        .collect()
});

/// Mappings that ask for much of what need not be there.
static MAPPINGS: LazyLock<wire::Mappings> = LazyLock::new(|| {
    let own = wire::Mapping {
        source: "own".to_owned(),
        each: Some("body.alerts".to_owned()),
        title: "{{ item.?labels.alertname.orValue('none') }} {{ body.a + 1 }}".to_owned(),
        ts: Some("item.startsAt".to_owned()),
        severity: Some("item.labels.severity.upperAscii()".to_owned()),
        dedup_key: Some("item.b[3]".to_owned()),
        ..wire::Mapping::default()
    };
    wire::Mappings::compile(&[own]).expect("it compiles")
});

/// Decodes, and checks what holds for any bytes.
fn decode(bytes: &[u8], source: Option<&str>) -> Result<Vec<wire::Found>, TestCaseError> {
    let mut out = Vec::new();
    let raw = wire::Raw {
        source,
        ..wire::Raw::of_file(bytes, "f", 1)
    };
    wire::Decoder::default().decode(&raw, &mut out);
    prop_assert!(!out.is_empty(), "nothing is passed over in silence");
    for found in &out {
        let line: Value = serde_json::from_str(&wire::outcome::line(found)).expect("a line is JSON");
        match found {
            wire::Found::Rejected(rejection) => prop_assert!(!rejection.reason.is_empty()),
            wire::Found::Alert(event) => {
                prop_assert!(!event.dedup_key.is_empty() && event.dedup_key.len() <= model::KEY_BYTES_MAX);
                prop_assert!(!event.event_id.is_empty() && event.event_id.len() <= model::KEY_BYTES_MAX);
                prop_assert!(event.title.len() <= 1_024 && !event.title.contains('\n'));
                prop_assert!(event.links.iter().all(|l| l.href.starts_with("http")));
                prop_assert!(line["event"].is_object());
            }
            wire::Found::Other { .. } | wire::Found::Topology(_) => {}
        }
        if let Some(input) = found.clone().into_input() {
            let mut journal = Vec::new();
            wire::journal::encode(&input, &mut journal);
            prop_assert_eq!(
                wire::journal::decode(&journal).expect("what is written is read"),
                input
            );
        }
    }
    Ok(out)
}

/// JSON of a few levels, with the words and numbers that decoders look for.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|f| json!(f)),
        "\\PC{0,40}".prop_map(Value::from),
        prop::sample::select(vec![
            "firing", "OK", "0001-01-01T00:00:00Z", "2026-02-30T99:00:00Z", "critical", "1", "-1", "1e400",
            "[", "99999999999999999999", "{\"a\":1}", "arn:aws:", "/subscriptions/", "é", "\u{0}", "<13>",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_.@]{0,8}", inner, 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Replaces the `nth` value below `value`, counted in order; returns how many are left to count.
fn replace(value: &mut Value, nth: usize, with: &Value) -> Result<(), usize> {
    if nth == 0 {
        *value = with.clone();
        return Ok(());
    }
    let mut nth = nth - 1;
    let children: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Object(map) => Box::new(map.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => return Err(nth),
    };
    for child in children {
        match replace(child, nth, with) {
            Ok(()) => return Ok(()),
            Err(left) => nth = left,
        }
    }
    Err(nth)
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Object(map) => map.values().map(nodes).sum(),
        Value::Array(items) => items.iter().map(nodes).sum(),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode(&bytes, None)?;
    }

    #[test]
    fn any_text(text in "(\\{|\\[|<[0-9]{0,4}>|snmp_trap,|\\PC)\\PC{0,200}") {
        decode(text.as_bytes(), None)?;
    }

    #[test]
    fn any_value_as_any_source(value in any_json(), row in any::<prop::sample::Index>()) {
        decode(value.to_string().as_bytes(), None)?;
        decode(value.to_string().as_bytes(), Some(row.get(wire::SOURCES).name))?;
    }

    #[test]
    fn any_body_as_any_source(body in any::<prop::sample::Index>(), row in any::<prop::sample::Index>()) {
        decode(&crate::payloads::bytes(body.get(&BODIES)), Some(row.get(wire::SOURCES).name))?;
    }

    #[test]
    fn bodies_with_other_values(
        body in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
    ) {
        let mut body = body.get(&BODIES).clone();
        for (at, with) in changes {
            let nth = at.index(nodes(&body));
            prop_assert!(replace(&mut body, nth, &with).is_ok());
        }
        decode(&crate::payloads::bytes(&body), None)?;
    }

    #[test]
    fn bodies_with_other_bytes(
        body in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = crate::payloads::bytes(body.get(&BODIES));
        // Of the one body that is empty too many cases would be rejected in a long run.
        if bytes.is_empty() {
            bytes.push(0);
        }
        for (at, with) in changes {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        decode(&bytes, None)?;
        decode(&bytes[..keep.index(bytes.len())], None)?;
    }

    #[test]
    fn bodies_with_other_names(
        body in any::<prop::sample::Index>(),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let mut text = body.get(&BODIES).to_string();
        let names: Vec<String> = text.split('"').skip(1).step_by(2).map(|n| format!("\"{n}\"")).collect();
        let names = if names.is_empty() { vec![text.clone()] } else { names };
        for (from, to) in swaps {
            text = text.replacen(from.get(&names).as_str(), to.get(&names).as_str(), 2);
        }
        decode(text.as_bytes(), None)?;
    }

    #[test]
    fn any_body_by_a_mapping(body in any::<prop::sample::Index>(), value in any_json()) {
        let decoder = wire::Decoder::new(wire::DecodeSettings {
            mappings: MAPPINGS.clone(),
            ..wire::DecodeSettings::default()
        });
        for body in [body.get(&BODIES).to_string(), json!({"alerts": value}).to_string()] {
            let mut out = Vec::new();
            let raw = wire::Raw { source: Some("own"), ..wire::Raw::of_file(body.as_bytes(), "f", 1) };
            decoder.decode(&raw, &mut out);
            prop_assert!(!out.is_empty());
        }
    }

    #[test]
    fn compressed_bodies_are_read_like_plain_ones(body in any::<prop::sample::Index>()) {
        let bytes = crate::payloads::bytes(body.get(&BODIES));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes).expect("memory takes all");
        let plain = decode(&bytes, None)?;
        prop_assert_eq!(&decode(&gzip.finish().expect("memory takes all"), None)?, &plain);
        prop_assert_eq!(&decode(&zstd::encode_all(&bytes[..], 1).expect("memory takes all"), None)?, &plain);
    }

    #[test]
    fn framed_for_a_registry(id in any::<u32>(), rest in prop::collection::vec(any::<u8>(), 1..64)) {
        let bytes = [&[0][..], &id.to_be_bytes(), &rest].concat();
        let found = decode(&bytes, None)?;
        let [wire::Found::Rejected(rejection)] = &found[..] else {
            return Err(TestCaseError::fail("one rejection"));
        };
        prop_assert_eq!(rejection.stage, wire::Stage::Frame);
        let schema = format!("schema id {id}");
        prop_assert!(rejection.reason.contains("Confluent") && rejection.reason.contains(&schema));
    }
}
