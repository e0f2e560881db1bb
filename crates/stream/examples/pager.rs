//! A reference consumer: pages by the incidents topic, whatever happened while it was down. See docs/consumers.md.
//!
//! pager BROKERS TOPIC MEMORY [once]     MEMORY is a file of what was told; `once` ends at the end of the topic

use std::{collections::BTreeMap, collections::BTreeSet, fs, io::Write, time::Duration};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList, error::KafkaError};
use serde_json::Value;

/// Of each incident the last page that was told, and whether its end was.
type Told = BTreeMap<String, (u64, bool)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, topic, memory, once @ ..] = args.as_slice() else {
        return Err("pager BROKERS TOPIC MEMORY [once]".into());
    };
    let once = once.first();
    // What was told outlives us: lines of incident, page number, and whether it was closed.
    let known = fs::read_to_string(memory).unwrap_or_default();
    let mut told: Told = known.lines().filter_map(line).collect();
    let mut memory = fs::OpenOptions::new().create(true).append(true).open(memory)?;
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "pager")
        .set("enable.auto.commit", "false")
        // Many clients read uncommitted records by default.
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10))?;
    let partitions = metadata.topics()[0].partitions().len();
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions {
        all.add_partition_offset(topic, partition as i32, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let (mut truth, mut ends) = (BTreeMap::<String, Value>::new(), BTreeSet::new());
    // What is owed is judged by the present truth, so nothing is told before all of it is known.
    let mut caught_up = false;
    while !(caught_up && once.is_some()) {
        let mut due = Vec::new();
        match consumer.poll(Duration::from_secs(1)) {
            None => {}
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ends.insert(partition);
                if ends.len() == partitions && !caught_up {
                    caught_up = true;
                    due.extend(truth.keys().cloned());
                }
            }
            Some(Err(error)) => eprintln!("{error}"),
            Some(Ok(record)) => {
                let id = String::from_utf8_lossy(record.key().unwrap_or_default()).into_owned();
                // No value: the incident is to be forgotten.
                let Some(value) = record.payload() else {
                    truth.remove(&id);
                    continue;
                };
                let incident: Value = serde_json::from_slice(value)?;
                // What is not newer was seen before.
                let known = truth.get(&id).and_then(|known| known["revision"].as_u64());
                if known < incident["revision"].as_u64() {
                    truth.insert(id.clone(), incident);
                    due.extend(caught_up.then_some(id));
                }
            }
        }
        for id in due {
            act(&id, &truth[&id], &mut told, &mut memory)?;
        }
    }
    Ok(())
}

/// Does what is owed and was not done. `ID/SEQ` is a key under which the paging system knows a page, so that telling it twice,
/// after a crash between telling and noting, does no harm.
fn act(id: &str, incident: &Value, told: &mut Told, memory: &mut fs::File) -> std::io::Result<()> {
    let page = &incident["page"];
    let (state, seq) = (page["state"].as_str(), page["seq"].as_u64().unwrap_or(0));
    let (last, closed) = told.get(id).copied().unwrap_or((0, true));
    let (owner, title) = (&incident["owner"]["team"], &incident["title"]);
    let now = match state {
        Some("due") if seq > last && page["mode"] == "live" => {
            println!("page {id}/{seq} {owner} {title}");
            (seq, false)
        }
        Some("closed" | "none") if !closed => {
            // Of an incident that became part of another, no recovery is told: its failure goes on there.
            let how = if incident["status"] == "merged" {
                "merge"
            } else {
                "close"
            };
            println!("{how} {id}/{last} {owner} {title}");
            (last, true)
        }
        _ => return Ok(()),
    };
    told.insert(id.to_owned(), now);
    writeln!(memory, "{id} {} {}", now.0, now.1)
}

fn line(line: &str) -> Option<(String, (u64, bool))> {
    let mut words = line.split(' ');
    let id = words.next()?.to_owned();
    Some((id, (words.next()?.parse().ok()?, words.next()?.parse().ok()?)))
}
