//! The reference consumer (`examples/pager.rs`) on a recorded topic that holds what consumers get wrong: doubles, older
//! records once more, a move, a merge, an incident that began again, and one that is forgotten.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use model::{Incident, IncidentStatus};
use serde_json::Value;
use stream::log::kafka::{KafkaLog, Properties};
use stream::log::{Log, Outgoing, TopicName, TopicSpec};

use crate::broker::Broker;

const RECORDED: &str = include_str!("../../../../testdata/consumers/incidents.jsonl");

/// Key and value of each record.
fn recorded() -> Vec<(String, Option<Vec<u8>>)> {
    let lines = RECORDED
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let value = |value: &Value| (!value.is_null()).then(|| value.to_string().into_bytes());
    lines
        .map(|line| (line["key"].as_str().unwrap().to_owned(), value(&line["value"])))
        .collect()
}

#[test]
fn the_recorded_topic_holds_what_consumers_get_wrong() {
    let mut seen: BTreeMap<String, Incident> = BTreeMap::new();
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let (mut doubled, mut older, mut moved, mut merged, mut reopened, mut forgotten) = Default::default();
    for (key, value) in recorded() {
        let Some(value) = value else {
            forgotten = seen.remove(&key).is_some();
            continue;
        };
        let incident = wire::record::read_incident(&value).unwrap();
        assert_eq!(incident.incident_id.to_string(), key);
        if let Some(known) = seen.get(&key) {
            doubled |= known.revision == incident.revision;
            older |= known.revision > incident.revision;
            reopened |= known.status == IncidentStatus::Resolved && incident.status == IncidentStatus::Open;
            if known.revision >= incident.revision {
                assert!(
                    known.revision > incident.revision || *known == incident,
                    "a double is the same"
                );
                continue;
            }
        }
        for alert in &incident.alerts {
            let before = places.insert(alert.alert_id.to_string(), key.clone());
            moved |= before.is_some_and(|before| before != key && seen[&before].merged_into.is_none());
        }
        let into = incident.merged_into.map(|into| into.to_string());
        merged |= into.is_some_and(|into| seen.contains_key(&into));
        seen.insert(key, incident);
    }
    assert!(doubled && older && moved && merged && reopened && forgotten);
}

struct Pager<'a> {
    brokers: &'a str,
    topic: &'a TopicName,
}

impl Pager<'_> {
    /// What it tells between its start and the end of the topic.
    fn tells(&self, memory: &Path) -> String {
        // Cargo builds examples with the tests.
        let here = std::env::current_exe().unwrap();
        let program = here.ancestors().nth(2).unwrap().join("examples/pager");
        let output = Command::new(&program)
            .args([self.brokers, self.topic, memory.to_str().unwrap(), "once"])
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}; cargo build -p stream --examples", program.display()));
        assert!(output.status.success(), "{output:?}");
        // Ids as letters, as they are recorded.
        let told = String::from_utf8(output.stdout).unwrap();
        let short = |line: &str| {
            let (words, seq) = line.split_once('/').unwrap();
            format!("{}/{}\n", &words[..words.len() - 48], seq)
        };
        told.lines().map(short).collect()
    }
}

#[test]
fn the_reference_consumer_tells_what_is_owed_once() {
    let broker = Broker::get();
    let properties = Properties::servers(&broker.address);
    let log = KafkaLog::new(properties).unwrap();
    let topic: TopicName = format!("{}incidents", Broker::prefix("pager")).into();
    let settings = vec![("cleanup.policy", "compact".to_owned())];
    let spec = TopicSpec {
        name: topic.clone(),
        partitions: 2,
        settings,
    };
    log.create_topics(&[spec]).unwrap();
    let appender = log.appender().unwrap();
    let pager = Pager {
        brokers: &broker.address,
        topic: &topic,
    };
    let dir = tempfile::tempdir().unwrap();
    let (memory, new) = (dir.path().join("memory"), dir.path().join("new"));
    let records = recorded();
    let append = |records: &[(String, Option<Vec<u8>>)]| {
        let partition = |key: &str| u32::from(key.as_bytes()[0]) % 2;
        let to = |(key, value): &(String, Option<Vec<u8>>)| {
            Outgoing::to(&topic, partition(key), key.as_str(), value.clone())
        };
        appender.append(records.iter().map(to).collect()).unwrap();
    };
    append(&records[..6]);
    assert_eq!(
        pager.tells(&memory),
        "page a/1 \"storage\" \"DatabaseDown on orders-db\"\npage b/1 \"shop\" \"HighErrorRate on orders\"\n"
    );
    assert_eq!(pager.tells(&memory), "", "nothing is owed twice");
    append(&records[6..11]);
    assert_eq!(
        pager.tells(&memory),
        "merge b/1 \"shop\" \"HighErrorRate on orders\"\npage c/1 \"platform\" \"DiskFull on mail-1\"\n"
    );
    append(&records[11..]);
    // It was down while c ended and began again: the page that is owed now has another number.
    assert_eq!(
        pager.tells(&memory),
        "close a/1 \"storage\" \"DatabaseDown on orders-db\"\npage c/2 \"platform\" \"DiskFull on mail-1\"\n"
    );
    assert_eq!(
        pager.tells(&new),
        "page c/2 \"platform\" \"DiskFull on mail-1\"\n",
        "who is new tells the present truth"
    );
}
