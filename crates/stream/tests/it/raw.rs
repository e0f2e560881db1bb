//! What raw records may hold beside one alert: several, none, nothing at all, what is compressed, and what is not read.

use std::sync::Arc;

use model::{Input, Time};
use stream::SetClock;
use stream::log::Outgoing;
use stream::log::local::LocalLog;

use crate::house::{House, back_test, read};

const BEGIN: Time = Time::from_secs(1_700_000_000);

fn record(value: Option<Vec<u8>>) -> Outgoing {
    Outgoing {
        topic: "alerts".into(),
        partition: Some(0),
        timestamp: Some(BEGIN),
        key: Some(b"k".to_vec()),
        value,
        headers: Vec::new(),
    }
}

fn alert(service: &str) -> serde_json::Value {
    serde_json::json!({"source": "probe", "dedup_key": service, "status": "firing", "title": "is down", "service": service, "ts": BEGIN})
}

#[test]
fn each_kind_of_record_is_counted_as_what_it_is_and_none_stops_the_next() {
    let clock = Arc::new(SetClock::new(BEGIN));
    let mut house = House::new(back_test(), Arc::new(LocalLog::memory(clock.clone())), clock);
    let body = |service| Some(alert(service).to_string().into_bytes());
    let several = serde_json::json!([alert("basket"), alert("ledger")]).to_string();
    let lines = format!("{}\n{}\n", alert("till"), alert("stock"));
    house.append(vec![
        record(body("first")),
        // A tombstone: nothing to read, and nothing wrong.
        record(None),
        record(Some(several.into_bytes())),
        record(Some(lines.into_bytes())),
        record(Some([&[0, 0, 0, 0, 7][..], b"avro"].concat())),
        record(Some(b"not JSON".to_vec())),
        record(body("theirs"))
            .header("tenant", "acme")
            .header("content-type", "application/json"),
        record(body("last")),
    ]);
    house.run();
    assert_eq!(house.counters.raw_records.get(), 8);
    assert_eq!(house.counters.raw_tombstones.get(), 1);
    assert_eq!(house.counters.dead_letters.get(), 2);

    let journal = read(house.log.as_ref(), &house.settings.topics.journal);
    let mut seen = Vec::new();
    for record in journal.into_values().flatten() {
        if let Input::Event(event) = wire::journal::decode(record.value.as_deref().unwrap()).unwrap() {
            seen.push((
                event.service.unwrap_or_default(),
                event.tenant.unwrap_or_default(),
            ));
        }
    }
    seen.sort();
    let of = |names: &[(&str, &str)]| -> Vec<_> {
        names.iter().map(|(s, t)| ((*s).into(), (*t).into())).collect()
    };
    let expected: Vec<(model::Text, model::Text)> = of(&[
        ("basket", ""),
        ("first", ""),
        ("last", ""),
        ("ledger", ""),
        ("stock", ""),
        ("theirs", "acme"),
        ("till", ""),
    ]);
    assert_eq!(seen, expected);

    let letters = read(house.log.as_ref(), &house.settings.topics.deadletter);
    let reasons: Vec<String> = letters
        .into_values()
        .flatten()
        .map(|letter| letter.header("reason").unwrap_or_default().to_owned())
        .collect();
    assert!(
        reasons[0].contains("schema id 7: Avro and Protobuf are not read"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("neither JSON nor syslog"), "{reasons:?}");
}
