//! A small failing shop, from a seed: several tenants, so that domains spread over partitions.

use model::Time;
use stream::log::faults::Seeded;
use stream::log::{Outgoing, TopicName};

/// One event as a sender would post it, with the time at which it enters the raw topic.
pub(crate) struct Sent {
    pub(crate) at: Time,
    pub(crate) json: String,
}

const START: i64 = 1_700_000_000;
const TENANTS: [&str; 5] = ["shop", "bank", "mail", "maps", "games"];
const SERVICES: [&str; 6] = ["web", "cart", "payments", "payments-db", "search", "queue"];
const TITLES: [&str; 4] = [
    "latency above 2 s",
    "error rate above 5 %",
    "replica lag",
    "disk 93 % full",
];

/// `count` events within about `count` seconds, in the order of time.
pub(crate) fn shop(seed: u64, count: usize) -> Vec<Sent> {
    let mut dice = Seeded::new(seed, 0);
    let mut roll = |sides: u64| dice.roll() % sides;
    let mut millis = START * 1000;
    let mut sent = Vec::with_capacity(count);
    for n in 0..count {
        // Quiet minutes between bursts, so that timers have something to do.
        millis += if roll(40) == 0 {
            90_000 + roll(600_000) as i64
        } else {
            roll(2_000) as i64
        };
        let tenant = TENANTS[roll(TENANTS.len() as u64) as usize];
        let service = SERVICES[roll(SERVICES.len() as u64) as usize];
        let title = TITLES[roll(TITLES.len() as u64) as usize];
        let status = if roll(3) == 0 { "resolved" } else { "firing" };
        let severity = ["critical", "error", "warning"][roll(3) as usize];
        let ts = Time::from_millis(millis - roll(3_000) as i64);
        let json = serde_json::json!({
            "event_id": format!("e{n}"),
            "source": "probe",
            "dedup_key": format!("{tenant}/{service}/{title}"),
            "status": status,
            "severity": severity,
            "title": title,
            "service": service,
            "tenant": tenant,
            "ts": ts,
        });
        sent.push(Sent {
            at: Time::from_millis(millis),
            json: json.to_string(),
        });
    }
    sent
}

/// The events as records of a topic whose time is that of its records, with heartbeats behind them so that timers run
/// out; dealt out over the partitions in turn.
pub(crate) fn records(topic: &TopicName, partitions: u32, sent: &[Sent]) -> Vec<Outgoing> {
    let record = |partition: u32, at: Time, json: String| Outgoing {
        topic: topic.clone(),
        partition: Some(partition),
        timestamp: Some(at),
        key: None,
        value: Some(json.into_bytes()),
        headers: Vec::new(),
    };
    let mut records: Vec<Outgoing> = sent
        .iter()
        .enumerate()
        .map(|(n, s)| record(n as u32 % partitions, s.at, s.json.clone()))
        .collect();
    let last = sent.last().map_or(Time::from_secs(START), |sent| sent.at);
    for minutes in [1, 5, 15, 60, 600, 1440] {
        for partition in 0..partitions {
            let at = Time::from_secs(last.secs() + minutes * 60);
            let json = serde_json::json!({
                "kind": "heartbeat", "source": "probe", "event_id": format!("h{minutes}"), "status": "info",
                "title": "end of records", "ts": at,
            });
            records.push(record(partition, at, json.to_string()));
        }
    }
    records
}
