//! The whole thing as a user runs it, on a real Apache Kafka: a recorded stream of several domains goes into a raw
//! topic, two processes fold it, one is killed with SIGKILL in the middle and started again, and what a consumer that
//! reads committed records finds is compared with `replay` of the file and of the recorded journal.
//!
//! E1, E2 and E3 are those of docs/time-order-identity.md.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../stream/tests/it/broker.rs"]
mod broker;
mod command;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use model::{AlertId, Change, Incident, IncidentId, Status, Time};
use serde_json::Value;

use crate::{broker::Broker, command::stormfold};

const PARTITIONS: u32 = 3;
/// Four products of a dozen things, each of them a tenant, so that the domains spread over the partitions.
const WORLD: [&str; 6] = ["--seed", "11", "--services", "48", "--faults", "60"];

/// A folder with a world, a configuration for it and what `replay` makes of it.
struct World {
    dir: tempfile::TempDir,
    prefix: String,
    expected: BTreeMap<IncidentId, Incident>,
}

impl World {
    fn new(broker: &Broker, name: &str) -> World {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        let files = ["--out", "plain.jsonl", "--topology", "topology.json"];
        stormfold(&[&["simulate"], &WORLD[..], &files[..]].concat(), at);
        let plain = fs::read_to_string(at.join("plain.jsonl")).unwrap();
        fs::write(
            at.join("world.jsonl"),
            plain.lines().map(with_tenant).collect::<String>(),
        )
        .unwrap();
        let replay = [
            "replay",
            "--topology",
            "topology.json",
            "--incidents",
            "expected.jsonl",
            "world.jsonl",
        ];
        stormfold(&replay, at);
        let prefix = Broker::prefix(name);
        for instance in ["a", "b"] {
            let config = format!(
                "log: kafka\n\
                 kafka: {{ brokers: \"{}\", properties: {{ session.timeout.ms: 6000, heartbeat.interval.ms: 500 }} }}\n\
                 topics:\n  prefix: {prefix}\n  partitions: {PARTITIONS}\n  raw: [{{ topic: {prefix}raw, time: records }}]\n\
                 topology: topology.json\n\
                 pipeline: {{ instance: {instance}, checkpoint_s: 1, checkpoint_inputs: 500 }}\n\
                 http: {{ enabled: false }}\n",
                broker.address
            );
            fs::write(at.join(format!("{instance}.yaml")), config).unwrap();
        }
        stormfold(&["topics", "create", "--config", "a.yaml"], at);
        let expected = incidents(&fs::read(at.join("expected.jsonl")).unwrap());
        World {
            dir,
            prefix,
            expected,
        }
    }

    fn at(&self) -> &Path {
        self.dir.path()
    }

    fn start(&self, instance: &str) -> Worker {
        let file = self.at().join(format!("{instance}.log"));
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&file)
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_stormfold"))
            .args(["run", "--config", &format!("{instance}.yaml")])
            .current_dir(self.at())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Worker { child, log: file }
    }

    fn produce(&self) {
        let topic = format!("{}raw", self.prefix);
        stormfold(
            &["produce", "--config", "a.yaml", "--topic", &topic, "world.jsonl"],
            self.at(),
        );
    }

    /// What a consumer finds in a topic, partition after partition.
    fn read(&self, topic: &str) -> Vec<u8> {
        stormfold(&["topics", "read", topic, "--config", "a.yaml"], self.at())
    }

    fn changes(&self) -> Vec<Change> {
        lines(&self.read("changes"), wire::record::read_change)
    }

    fn wait(&self, what: &str, mut holds: impl FnMut(&World) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            let logs = ["a", "b"]
                .map(|i| fs::read_to_string(self.at().join(format!("{i}.log"))).unwrap_or_default());
            assert!(
                begun.elapsed() < Duration::from_secs(180),
                "{what} does not happen\n{}",
                logs.join("\n---\n")
            );
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits for the states of `replay`, and whether they stay.
    fn wait_for_states(&self) {
        let expected = states(&self.expected);
        self.wait("E2: the alert states of replay", |world| {
            states(&incidents(&world.read("incidents"))) == expected
        });
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(
            states(&incidents(&self.read("incidents"))),
            expected,
            "states changed after the end"
        );
    }

    fn check(&self) {
        let found = incidents(&self.read("incidents"));
        let agreement = pair_f1(&self.expected, &found);
        assert!(agreement >= 0.99, "E3: grouping agrees to {agreement} only");

        let changes = self.changes();
        let mut next: BTreeMap<_, u64> = BTreeMap::new();
        let mut revisions = BTreeSet::new();
        for change in &changes {
            let seq = next.entry(change.domain.clone()).or_insert(1);
            assert_eq!(
                change.seq,
                *seq,
                "domain {}: lost or doubled",
                change.domain.as_str()
            );
            *seq += 1;
            assert!(
                revisions.insert((change.incident_id, change.revision)),
                "a revision twice"
            );
        }
        assert!(next.len() >= 4, "{} domains", next.len());

        let journals: Vec<String> = (0..PARTITIONS).map(|n| format!("journal-{n}.jsonl")).collect();
        for (n, file) in journals.iter().enumerate() {
            let n = n.to_string();
            let records = stormfold(
                &[
                    "topics",
                    "read",
                    "journal",
                    "--partition",
                    &n,
                    "--config",
                    "a.yaml",
                ],
                self.at(),
            );
            fs::write(self.at().join(file), records).unwrap();
        }
        let mut replay = vec!["replay", "--journal", "--quiet", "--changes", "again.jsonl"];
        replay.extend(journals.iter().map(String::as_str));
        stormfold(&replay, self.at());
        let again = fs::read(self.at().join("again.jsonl")).unwrap();
        assert!(
            again == self.read("changes"),
            "E1: replay of the journal gives other bytes"
        );
    }
}

/// A process that is killed when the test ends.
struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit status that follows.
    fn end(mut self) {
        let pid = self.child.id().to_string();
        let kill = Command::new("sh").args(["-c", "kill $0", &pid]).status();
        assert!(kill.unwrap().success());
        let status = self.child.wait().unwrap();
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        assert!(status.success(), "SIGTERM ends it with {status}\n{log}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The product that a service or host belongs to is the tenant.
fn with_tenant(line: &str) -> String {
    let mut event: Value = serde_json::from_str(line).unwrap();
    let name = |key: &str| event[key].as_str().map(str::to_owned);
    let name = name("service").or_else(|| name("host")).unwrap_or_default();
    let tenant = name.split(['-', '.']).next().unwrap_or_default().to_lowercase();
    event["tenant"] = Value::from(if tenant.is_empty() { "other" } else { &tenant });
    format!("{event}\n")
}

fn lines<T, E: std::fmt::Debug>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<T, E>) -> Vec<T> {
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| read(line).unwrap()).collect()
}

/// The last revision of each.
fn incidents(bytes: &[u8]) -> BTreeMap<IncidentId, Incident> {
    let mut last = BTreeMap::new();
    for incident in lines(bytes, wire::record::read_incident) {
        last.insert(incident.incident_id, incident);
    }
    last
}

/// What each alert's last membership says of it.
fn states(incidents: &BTreeMap<IncidentId, Incident>) -> BTreeMap<AlertId, (Time, Status)> {
    let mut states = BTreeMap::new();
    for incident in incidents.values() {
        assert!(!incident.alerts_truncated, "the comparison needs every alert");
        for m in &incident.alerts {
            let state = states.entry(m.alert_id).or_insert((m.last_at, m.status));
            *state = (*state).max((m.last_at, m.status));
        }
    }
    states
}

/// Agreement on which memberships are together: F1 over pairs.
fn pair_f1(one: &BTreeMap<IncidentId, Incident>, other: &BTreeMap<IncidentId, Incident>) -> f64 {
    let pairs = |incidents: &BTreeMap<IncidentId, Incident>| {
        let mut pairs = BTreeSet::new();
        for incident in incidents.values() {
            let mut members: Vec<_> = incident.alerts.iter().map(|m| (m.alert_id, m.first_at)).collect();
            members.sort();
            for (i, a) in members.iter().enumerate() {
                pairs.extend(members[i + 1..].iter().map(|b| (*a, *b)));
            }
        }
        pairs
    };
    let (one, other) = (pairs(one), pairs(other));
    assert!(one.len() > 100, "{} pairs", one.len());
    2.0 * one.intersection(&other).count() as f64 / (one.len() + other.len()) as f64
}

/// Kills the process `b`, starts it again, and compares: while both run, and after both have ended.
fn kill_and_compare(world: &World, one: Worker, mut other: Worker) {
    other.kill_9();
    let other = world.start("b");
    world.wait_for_states();
    world.check();
    one.end();
    other.end();
    world.check();
}

#[test]
fn live_on_kafka_with_a_kill_9_gives_what_replay_gives() {
    let broker = Broker::get();
    let world = World::new(&broker, "e2e-live");
    let (one, other) = (world.start("a"), world.start("b"));
    world.produce();
    world.wait("the first changes", |world| world.changes().len() > 50);
    kill_and_compare(&world, one, other);
}

#[test]
fn a_backlog_on_kafka_with_a_kill_9_gives_what_replay_gives() {
    let broker = Broker::get();
    let world = World::new(&broker, "e2e-backlog");
    world.produce();
    let (one, other) = (world.start("a"), world.start("b"));
    world.wait("the first changes", |world| !world.changes().is_empty());
    kill_and_compare(&world, one, other);
}
