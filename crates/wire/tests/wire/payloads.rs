//! Payloads of every source beside what is found in them: `testdata/payloads/<source>/<name>.json`.
//!
//! A scenario holds `bodies` (JSON, or text as it comes from the wire) and `expect`, a list of outcomes for each body.
//! `UPDATE=1` rewrites `expect`; the diff is the review. In a scenario with `"meet": true` the first body fires and the
//! last one resolves the same alert.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/payloads")
}

pub(crate) fn scenarios() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for source in std::fs::read_dir(folder()).unwrap() {
        for file in std::fs::read_dir(source.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    files
}

pub(crate) fn bytes(body: &Value) -> Vec<u8> {
    match body {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

/// What is found in a body, without what only names this test's file.
fn outcomes(body: &Value) -> Vec<Value> {
    let bytes = bytes(body);
    let mut found = Vec::new();
    wire::Decoder::default().decode(&wire::Raw::of_file(&bytes, "scenario", 1), &mut found);
    let line = |found: &wire::Found| {
        let mut value: Value = serde_json::from_str(&wire::outcome::line(found)).unwrap();
        if let Some(event) = value.get_mut("event").and_then(Value::as_object_mut) {
            event.remove("origin");
            event.remove("received_at");
        }
        value
    };
    found.iter().map(line).collect()
}

#[test]
fn every_payload_yields_what_its_scenario_expects() {
    let mut wrong = Vec::new();
    for path in scenarios() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut scenario: Value =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let bodies = scenario["bodies"].as_array().unwrap().clone();
        let found: Vec<Vec<Value>> = bodies.iter().map(outcomes).collect();
        if scenario["meet"] == json!(true) {
            let (first, last) = (&found[0][0], &found[found.len() - 1][0]);
            let of = |v: &Value, name: &str| v["event"][name].clone();
            assert_eq!(of(first, "status"), "firing", "{}", path.display());
            assert_eq!(of(last, "status"), "resolved", "{}", path.display());
            assert_eq!(
                of(first, "dedup_key"),
                of(last, "dedup_key"),
                "{}",
                path.display()
            );
            assert_ne!(
                of(first, "event_id"),
                of(last, "event_id"),
                "{}: a recovery is no redelivery",
                path.display()
            );
        }
        let found = json!(found);
        if crate::update() {
            scenario["expect"] = found;
            std::fs::write(&path, format!("{scenario:#}\n")).unwrap();
        } else if scenario["expect"] != found {
            wrong.push(format!("{}:\n{found:#}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "UPDATE=1 rewrites what is expected\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_source_has_a_scenario() {
    let folders: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    let missing: Vec<&str> = wire::SOURCES
        .iter()
        .map(|s| s.name)
        .filter(|name| !folders.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
}

/// Sources that send no recovery, and why; their alerts end by time, or they send no alerts at all.
const NEVER_RESOLVE: [(&str, &str); 14] = [
    ("handshake", "no alerts"),
    ("topology", "no alerts"),
    ("otlp", "log records"),
    ("falco", "matches of rules"),
    ("papertrail", "matches of searches"),
    ("azure-devops", "changes"),
    ("bitbucket", "changes"),
    ("jenkins", "changes"),
    ("heroku", "changes"),
    ("terraform", "changes"),
    ("netbox", "changes"),
    ("graylog", "matches of searches"),
    ("wazuh", "matches of rules"),
    ("syslog", "log records"),
];

#[test]
fn the_firing_and_the_resolve_of_every_source_meet() {
    let mut meeting = BTreeSet::new();
    for path in scenarios() {
        let scenario: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if scenario["meet"] == json!(true) {
            let source = path.parent().and_then(Path::file_name).unwrap();
            meeting.insert(source.to_str().unwrap().to_owned());
        }
    }
    for source in wire::SOURCES {
        let never = NEVER_RESOLVE.iter().find(|(name, _)| *name == source.name);
        assert_eq!(
            meeting.contains(source.name),
            never.is_none(),
            "{}: a scenario in which both meet, or else a reason why it has none {never:?}",
            source.name
        );
    }
}
