//! `stormfold run` on the embedded log: what comes over HTTP becomes an incident, what cannot be read a dead letter,
//! and SIGTERM ends it well.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use crate::running::{Running, read, stormfold};

#[path = "run/acls.rs"]
mod acls;
mod running;
#[path = "run/secure_kafka.rs"]
mod secure_kafka;

const WEBHOOK: &str = r#"{"version":"4","status":"firing","receiver":"web","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","alerts":[{"status":"firing","labels":{"alertname":"DatabaseDown","service":"orders-db","severity":"critical"},"annotations":{"summary":"orders-db does not answer"},"startsAt":"2026-03-02T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"c0ffee"}]}"#;

#[test]
fn what_comes_over_http_becomes_an_incident_and_sigterm_ends_it_well() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut running = Running::start(dir);
    assert!(running.ask("GET", "/healthz", "").starts_with("HTTP/1.1 200"));
    let answer = running.ask("POST", "/v1/ingest", WEBHOOK);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    // Absorbed before it is refused: its sender would not send it again.
    let answer = running.ask("POST", "/v1/ingest", r#"{"nothing": "of use"}"#);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    running.wait(dir, "the incident", |running| {
        running.metric("stormfold_incidents_total") >= 1.0
    });
    running.wait(dir, "the dead letter", |running| {
        running.metric("stormfold_dead_letters_total") == 1.0
    });

    running.stop(dir);

    let incidents = read(dir, "incidents");
    assert!(
        incidents.contains("DatabaseDown") && incidents.contains("orders-db"),
        "{incidents}"
    );
    let letters = read(dir, "deadletter");
    assert!(letters.contains("of use"), "{letters}");
    once_more(dir);
    fs::write(dir.join("incidents.jsonl"), &incidents).unwrap();
    let explain = stormfold(dir, &["explain", "--incidents", "incidents.jsonl"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&explain.stdout).contains("DatabaseDown on orders-db"),
        "{explain:?}"
    );
}

/// The letter is listed, shown, put in once more, and seen where it arrives, with the headers that it came with.
fn once_more(dir: &Path) {
    let said = |args: &[&str]| {
        let output = stormfold(dir, &[args, &["--config", "stormfold.yaml"]].concat())
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let list = said(&["deadletters", "list"]);
    assert!(list.starts_with("0@0  detect  stormfold.raw["), "{list}");
    assert!(
        list.contains("no source has this shape (fields: nothing)"),
        "{list}"
    );
    let reasons = said(&["deadletters", "list", "--reasons"]);
    assert_eq!(reasons, "       1  no source has this shape (fields: nothing)\n");
    assert_eq!(
        said(&["deadletters", "show", "0@0", "--bytes"]),
        r#"{"nothing": "of use"}"#
    );
    assert!(said(&["deadletters", "show", "0@0"]).contains("original.content-type: application/json"));
    let retried = said(&["deadletters", "retry", "0@0"]);
    assert_eq!(retried, "1 put into stormfold.raw once more\n");
    let peeked = said(&["peek", "--last", "9", "--once", "--refused"]);
    assert_eq!(peeked.lines().count(), 2, "{peeked}");
    let all = said(&["peek", "--last", "9", "--once"]);
    assert!(
        all.contains("alertmanager  firing critical  DatabaseDown  on orders-db"),
        "{all}"
    );
    let missing = stormfold(
        dir,
        &["deadletters", "show", "0@99", "--config", "stormfold.yaml"],
    )
    .output()
    .unwrap();
    assert_eq!(missing.status.code(), Some(2), "{missing:?}");
}

#[test]
fn tables_are_read_anew_and_a_bad_one_leaves_the_old() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let table = |text: &str| fs::write(dir.join("hosts.csv"), text).unwrap();
    table("host,team\ndb-1,storage\n");
    let mut running = Running::start_with(dir, "decode:\n  tables:\n    - { file: hosts.csv, key: host }\n");
    let mut sent = 0.0;
    let mut post = |running: &Running, title: &str| {
        let event = format!(r#"{{"title":"{title}","status":"firing","severity":"error","host":"DB-1"}}"#);
        let answer = running.ask("POST", "/v1/ingest", &event);
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        sent += 1.0;
        running.wait(dir, "the journal's record", |running| {
            running.metric("stormfold_ingested_inputs_total") >= sent
        });
    };
    let said = |running: &Running, what: &str, times: usize| {
        running.wait(dir, what, |_| {
            let log = fs::read_to_string(dir.join("log")).unwrap();
            log.matches(what).count() >= times
        });
    };
    post(&running, "as at the start");
    table("host,team\ndb-1,databases\n");
    running.signal("HUP");
    said(&running, "the tables were read anew", 1);
    post(&running, "after the signal");
    table("host,team\ndb-1,one,two\n");
    running.signal("HUP");
    said(&running, "the tables stay as they were", 1);
    post(&running, "while it is broken");
    // Nobody has to ask.
    table("host,team\ndb-1,data platform\n");
    said(&running, "the tables were read anew", 2);
    post(&running, "after the change");
    running.stop(dir);

    let log = fs::read_to_string(dir.join("log")).unwrap();
    assert!(log.contains("hosts.csv: no CSV"), "{log}");
    let journal = read(dir, "journal");
    for (title, team) in [
        ("as at the start", "storage"),
        ("after the signal", "databases"),
        ("while it is broken", "databases"),
        ("after the change", "data platform"),
    ] {
        let line = journal.lines().find(|line| line.contains(title)).unwrap();
        assert!(line.contains(&format!("\"team\":\"{team}\"")), "{line}");
    }
}
