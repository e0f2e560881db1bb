//! Real senders deliver into a running Stormfold: Prometheus posts to it as if it were an Alertmanager, and an
//! Alertmanager beside it sends its webhook. Both tell of the same alert, so there is one.
//!
//! Needs `prometheus` and `prometheus-alertmanager` as Debian ships them, on the PATH; `./dev test` fetches them and runs
//! `cargo test --workspace --test senders`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;

use crate::running::{Running, free_address, read};

mod running;

/// A process that ends with the test.
struct Sender(Child);

impl Sender {
    fn start(program: &str, dir: &Path, args: &[String]) -> Sender {
        let log = fs::File::create(dir.join(format!("{program}.log"))).unwrap();
        let child = Command::new(program)
            .args(args)
            .current_dir(dir)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        Sender(child)
    }

    /// Debian's Alertmanager with the configuration `am.yml`.
    fn alertmanager(dir: &Path, address: &str) -> Sender {
        let args = [
            "--config.file=am.yml".to_owned(),
            "--storage.path=am".to_owned(),
            format!("--web.listen-address={address}"),
            "--cluster.listen-address=".to_owned(),
        ];
        Sender::start("prometheus-alertmanager", dir, &args)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service with one metric, which the test sets.
fn metric() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let value = Arc::new(AtomicU64::new(0));
    let shown = value.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4_096]);
            let body = format!("queue_length {}\n", shown.load(Ordering::Relaxed));
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (address, value)
}

#[test]
fn real_senders_deliver_one_alert_and_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (target, queue) = metric();
    let mut running = Running::start(dir);
    let (alertmanager, prometheus) = (free_address(), free_address());
    let stormfold = &running.address;
    fs::write(
        dir.join("am.yml"),
        format!(
            "route: {{receiver: fold, group_by: [alertname], group_wait: 1s, group_interval: 1s}}\n\
             receivers: [{{name: fold, webhook_configs: [{{url: 'http://{stormfold}/v1/ingest', send_resolved: true}}]}}]\n"
        ),
    )
    .unwrap();
    fs::write(
        dir.join("rules.yml"),
        "groups:\n- name: g\n  rules:\n  - alert: QueueTooLong\n    expr: queue_length > 500\n    labels: {severity: critical, service: letters}\n    annotations: {summary: 'more than 500 letters wait'}\n",
    )
    .unwrap();
    fs::write(
        dir.join("prom.yml"),
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
             scrape_configs: [{{job_name: letters, static_configs: [{{targets: ['{target}']}}]}}]\n\
             alerting: {{alertmanagers: [{{api_version: v2, static_configs: [{{targets: ['{alertmanager}', '{stormfold}']}}]}}]}}\n"
        ),
    )
    .unwrap();
    let _alertmanager = Sender::alertmanager(dir, &alertmanager);
    queue.store(600, Ordering::Relaxed);
    let _prometheus = Sender::start(
        "prometheus",
        dir,
        &[
            "--config.file=prom.yml".to_owned(),
            "--storage.tsdb.path=prom".to_owned(),
            format!("--web.listen-address={prometheus}"),
        ],
    );
    running.wait(dir, "the incident", |r| {
        r.metric("stormfold_incidents_total") >= 1.0
    });
    // Both ways in have delivered before it ends.
    let delivered = |r: &Running, route: &str| {
        let page = r.ask("GET", "/metrics", "");
        page.lines().any(|l| {
            l.starts_with("stormfold_http_requests_total") && l.contains(route) && l.contains("status=\"20")
        })
    };
    running.wait(dir, "Prometheus' delivery", |r| delivered(r, "/api/v2/alerts"));
    running.wait(dir, "Alertmanager's delivery", |r| delivered(r, "/v1/ingest"));
    queue.store(10, Ordering::Relaxed);
    running.wait(dir, "the recovery", |r| {
        let open: Value = r
            .ask("GET", "/v1/incidents", "")
            .split_once("\r\n\r\n")
            .and_then(|(_, body)| serde_json::from_str(body).ok())
            .unwrap_or_default();
        open["incidents"][0]["counts"]["firing"] == 0
    });
    running.stop(dir);
    let incidents = read(dir, "incidents");
    let last: Value = serde_json::from_str(incidents.lines().last().unwrap()).unwrap();
    assert_eq!(last["counts"]["alerts"], 1, "two ways in, one alert: {last}");
    assert_eq!(last["alerts"][0]["service"], "letters");
    assert_eq!(last["alerts"][0]["status"], "resolved");
    assert_eq!(read(dir, "deadletter"), "");
}

/// One request to a sender; the body of the answer.
fn ask(address: &str, method: &str, path: &str, body: &str) -> String {
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return String::new();
    };
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.read_to_string(&mut answer);
    answer
        .split_once("\r\n\r\n")
        .map_or(String::new(), |(_, body)| body.to_owned())
}

/// A silence that somebody sets in Alertmanager holds here, once what its API lists was posted; lifted there, it is lifted
/// here.
#[test]
fn real_senders_silence_here_what_they_silence() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut running = Running::start(dir);
    let alertmanager = free_address();
    fs::write(
        dir.join("am.yml"),
        "route: {receiver: none}\nreceivers: [{name: none}]\n",
    )
    .unwrap();
    let _alertmanager = Sender::alertmanager(dir, &alertmanager);
    running.wait(dir, "Alertmanager", |_| {
        ask(&alertmanager, "GET", "/api/v2/status", "").contains("uptime")
    });
    let silence = r#"{"matchers": [{"name": "service", "value": "letters|parcels", "isRegex": true, "isEqual": true}], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "ann", "comment": "moving house"}"#;
    let made = ask(&alertmanager, "POST", "/api/v2/silences", silence);
    let made: Value = serde_json::from_str(&made).unwrap();
    let id = made["silenceID"].as_str().unwrap().to_owned();
    let import = |running: &Running| {
        let listed = ask(&alertmanager, "GET", "/api/v2/silences", "");
        let answer = running.ask("POST", "/v1/ingest", &listed);
        assert!(answer.starts_with("HTTP/1.1 20"), "{listed}: {answer}");
    };
    import(&running);
    let alert = r#"{"source": "probe", "dedup_key": "q", "title": "QueueTooLong", "status": "firing", "severity": "critical", "service": "letters"}"#;
    running.ask("POST", "/v1/ingest", alert);
    let incident = |r: &Running| -> Value {
        let answer = r.ask("GET", "/v1/incidents", "");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let open: Value = serde_json::from_str(body).unwrap_or_default();
        open["incidents"][0].clone()
    };
    running.wait(dir, "the silence", |r| {
        incident(r)["suppressed"][0]["by"] == format!("silence {id}")
    });
    let quiet = incident(&running);
    assert_eq!(
        quiet["suppressed"][0]["reason"], "silence by ann: moving house",
        "{quiet}"
    );
    assert_eq!(quiet["page"]["state"], "none");
    ask(&alertmanager, "DELETE", &format!("/api/v2/silence/{id}"), "");
    import(&running);
    running.wait(dir, "the page", |r| incident(r)["page"]["state"] == "due");
    running.stop(dir);
    assert_eq!(read(dir, "deadletter"), "");
}

#[test]
fn real_senders_take_the_alerting_rules() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus/rules.yml");
    let output = Command::new("promtool")
        .args(["check", "rules"])
        .arg(rules)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
