//! The first hour of somebody new: what arrives is looked at, what is refused is found, mended and sent once more.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;

use serde_json::json;

use crate::running::{Running, stormfold};

mod running;

#[test]
fn what_arrives_is_shown_and_what_was_refused_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let topology = json!({"nodes": [{"id": "till", "kind": "service"}], "edges": []});
    fs::write(dir.join("topology.json"), topology.to_string()).unwrap();
    let with_topology = "topology: topology.json\n";
    let mut running = Running::start_with(dir, with_topology);
    let send = |running: &Running, body: &str| {
        let answer = running.ask("POST", "/v1/ingest", body);
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    };
    let alert =
        json!([{"labels": {"alertname": "Slow", "service": "Till"}, "startsAt": "2026-03-02T10:00:00Z"}]);
    send(&running, &alert.to_string());
    send(&running, r#"{"boiler": {"fault": "E7", "place": "cellar"}}"#);
    send(
        &running,
        r#"{"title": "disk is full", "status": "firing", "host": "nobody-knows"}"#,
    );
    running.wait(dir, "the dead letter", |r| {
        r.metric("stormfold_dead_letters_total") >= 1.0
    });
    running.stop(dir);

    let run = |args: &[&str]| {
        let config = ["--config", "stormfold.yaml"];
        let output = stormfold(dir, args).args(config).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let peek = |more: &[&str]| run(&[&["peek", "--once", "--last", "10"], more].concat());
    let shown = peek(&[]);
    let line = |what: &str| {
        shown
            .lines()
            .find(|line| line.contains(what))
            .unwrap_or_else(|| panic!("{what}: {shown}"))
    };
    assert!(
        line("Slow").contains("prometheus") && line("Slow").contains("on till"),
        "{shown}"
    );
    assert!(
        line("disk is full").contains("on nobody-knows (not in the topology)"),
        "{shown}"
    );
    assert!(
        line("REFUSED").contains("no source has this shape (fields: boiler)"),
        "{shown}"
    );
    assert_eq!(peek(&["--refused"]).lines().count(), 1);

    // The letter holds the bytes as they came, and where they came from.
    let listed = run(&["deadletters", "list"]);
    assert!(
        listed.contains("0@0") && listed.contains("stormfold.raw[0]@1"),
        "{listed}"
    );
    let kept = run(&["deadletters", "show", "0@0", "--bytes"]);
    assert_eq!(kept, r#"{"boiler": {"fault": "E7", "place": "cellar"}}"#);

    // With a mapping for it, the same bytes become an alert, which has an origin of its own.
    let config = fs::read_to_string(dir.join("stormfold.yaml")).unwrap();
    let mapping = "decode: { mappings: [{ source: boiler, when: has(body.boiler), title: \"{{ body.boiler.fault }}\", host: body.boiler.place }] }\n";
    fs::write(dir.join("mapped.yaml"), format!("{config}{mapping}")).unwrap();
    assert!(run(&["deadletters", "retry", "0@0"]).contains("1 put into"));
    let mut running = Running::with(dir, "mapped.yaml", running.address.clone());
    running.wait(dir, "the alert", |r| {
        r.ask("GET", "/v1/incidents", "").contains("E7")
    });
    running.stop(dir);
    let journal = running::read(dir, "journal");
    let boiler = journal.lines().find(|line| line.contains("\"boiler\"")).unwrap();
    assert!(
        boiler.contains("cellar") && boiler.contains("\"offset\":3"),
        "{boiler}"
    );
}
