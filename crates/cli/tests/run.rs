//! `stormfold run` on the embedded log: what comes over HTTP becomes an incident, what cannot be read a dead letter,
//! and SIGTERM ends it well.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const WEBHOOK: &str = r#"{"version":"4","status":"firing","receiver":"web","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","alerts":[{"status":"firing","labels":{"alertname":"DatabaseDown","service":"orders-db","severity":"critical"},"annotations":{"summary":"orders-db does not answer"},"startsAt":"2026-03-02T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"c0ffee"}]}"#;

struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(dir: &Path) -> Running {
        // Free when we looked; the chance that another takes it before the server does is small.
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let config = format!(
            "embedded: {{ dir: data }}\ntopics: {{ partitions: 1 }}\nhttp: {{ listen: \"{address}\" }}\n"
        );
        fs::write(dir.join("stormfold.yaml"), config).unwrap();
        let child = stormfold(dir, &["run", "--config", "stormfold.yaml"])
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("log")).unwrap())
            .spawn()
            .unwrap();
        let running = Running { child, address };
        running.wait(dir, "readiness", |running| {
            running.ask("GET", "/readyz", "").starts_with("HTTP/1.1 200")
        });
        running
    }

    /// One request; the whole answer, or nothing while nobody listens.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(&self.address) else {
            return String::new();
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        let mut answer = String::new();
        let asked = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()));
        match asked.and_then(|()| stream.read_to_string(&mut answer)) {
            Ok(_) => answer,
            Err(_) => String::new(),
        }
    }

    fn wait(&self, dir: &Path, what: &str, holds: impl Fn(&Running) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{what} does not happen\n{log}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn metric(&self, name: &str) -> f64 {
        let page = self.ask("GET", "/metrics", "");
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
    }
}

fn stormfold(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormfold"));
    command.args(args).current_dir(dir);
    command
}

fn read(dir: &Path, topic: &str) -> String {
    let args = ["topics", "read", topic, "--config", "stormfold.yaml"];
    let output = stormfold(dir, &args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

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

    let pid = running.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let status = running.child.wait().unwrap();
    assert!(
        status.success(),
        "{status}: {}",
        fs::read_to_string(dir.join("log")).unwrap()
    );

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
