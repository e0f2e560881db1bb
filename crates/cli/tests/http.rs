//! What senders are answered over HTTP, and that nothing is lost or fetched on the way.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::running::{Running, read, stormfold};

mod running;

const JSON: &str = "Content-Type: application/json\r\n";

/// The status and the body of an answer.
fn parts(answer: &str) -> (u16, &str) {
    let status = answer.get(9..12).and_then(|s| s.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("no answer: {answer:?}")), body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_sender_is_answered_as_it_expects() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut running = Running::start(dir);
    let post = |path: &str, headers: &str, body: &[u8]| running.send("POST", path, headers, body);

    // Prometheus wants 200, and so does an Alertmanager.
    let alert =
        json!([{"labels": {"alertname": "Slow", "service": "till"}, "startsAt": "2026-03-02T10:00:00Z"}]);
    let answer = post("/api/v2/alerts", JSON, alert.to_string().as_bytes());
    assert_eq!(parts(&answer), (200, "{}"));
    // Clients of PagerDuty read the key that they need for the resolve.
    let trigger = json!({"routing_key": "r", "event_action": "trigger", "payload": {"summary": "till is slow", "source": "till-3", "severity": "error"}});
    let answer = post("/v2/enqueue", JSON, trigger.to_string().as_bytes());
    let (status, body) = parts(&answer);
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((status, &body["status"]), (202, &json!("success")));
    let key = body["dedup_key"].as_str().unwrap().to_owned();
    let again = post("/v2/enqueue", JSON, trigger.to_string().as_bytes());
    assert!(
        again.contains(&key),
        "an attempt that is repeated is the same alert: {again}"
    );
    let resolve = json!({"routing_key": "r", "event_action": "resolve", "dedup_key": key});
    assert_eq!(
        parts(&post("/v2/enqueue", JSON, resolve.to_string().as_bytes())).0,
        202
    );
    let keyless = json!({"routing_key": "r", "event_action": "resolve"});
    let answer = post("/v2/enqueue", JSON, keyless.to_string().as_bytes());
    assert_eq!(parts(&answer).0, 400);
    assert!(answer.contains("invalid event"), "{answer}");
    // Anything else: 202 once the log has it.
    let event = r#"{"title":"disk full","status":"firing","host":"till-3"}"#;
    let zipped = gzip(event.as_bytes());
    let headers = format!("{JSON}Content-Encoding: gzip\r\n");
    assert_eq!(parts(&post("/v1/ingest", &headers, &zipped)).0, 202);
    let lines = format!("{event}\n{event}\n");
    let answer = post(
        "/v1/ingest",
        "Content-Type: application/x-ndjson\r\n",
        lines.as_bytes(),
    );
    assert!(
        answer.ends_with(r#"{"records":2,"status":"accepted"}"#),
        "{answer}"
    );
    let answer = post(
        "/v1/ingest/boiler",
        JSON,
        br#"{"title":"cold","status":"firing"}"#,
    );
    assert_eq!(parts(&answer).0, 202);
    // What is framed for a schema registry is for the dead letters, with that very reason.
    let framed = [&[0, 0, 0, 0, 7][..], b"avro"].concat();
    let answer = post(
        "/v1/ingest",
        "Content-Type: application/octet-stream\r\n",
        &framed,
    );
    assert_eq!(parts(&answer).0, 202);
    running.wait(dir, "the dead letter", |r| {
        r.metric("stormfold_dead_letters_total") >= 1.0
    });
    running.stop(dir);

    let listed = stormfold(dir, &["deadletters", "list", "--config", "stormfold.yaml"])
        .output()
        .unwrap();
    let letters = String::from_utf8(listed.stdout).unwrap();
    assert!(
        letters.contains("schema id 7: Avro and Protobuf are not read"),
        "{letters}"
    );
    let journal = read(dir, "journal");
    for what in ["\"pagerduty:", "\"boiler\"", "disk full", "prometheus:"] {
        assert!(journal.contains(what), "{what}: {journal}");
    }
    let status = |s: &str| {
        journal
            .lines()
            .filter(|l| l.contains(&key) && l.contains(s))
            .count()
    };
    assert!(status("firing") >= 1 && status("resolved") == 1, "{journal}");
}

#[test]
fn what_is_too_much_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let secret = "tokens: [{ name: probe, secret: s3cret-s3cret-s3cret-s3cret }], body_bytes_max: 2000, depth_max: 8, labels_max: 3, rate_per_s: 1, burst: 12";
    let mut running = Running::start_http(dir, secret);
    let authorized = format!("{JSON}Authorization: Bearer s3cret-s3cret-s3cret-s3cret\r\n");
    let post = |path: &str, headers: &str, body: &[u8]| running.send("POST", path, headers, body);
    let refused = |answer: &str, status: u16, reason: &str| {
        let (got, body) = parts(answer);
        assert_eq!(got, status, "{answer}");
        assert!(body.contains(reason), "{answer}");
    };

    refused(&post("/v1/ingest", JSON, b"{}"), 401, "refused");
    let wrong = format!("{JSON}Authorization: Bearer wrong\r\n");
    refused(&post("/v1/ingest", &wrong, b"{}"), 401, "refused");
    refused(
        &post("/v1/ingest", &authorized, &[b'x'; 3_000]),
        413,
        "2000 bytes",
    );
    let zipped = format!("{authorized}Content-Encoding: gzip\r\n");
    refused(
        &post("/v1/ingest", &zipped, &gzip(&[b'x'; 1_000_000])),
        413,
        "2000 bytes",
    );
    let zstd = format!("{authorized}Content-Encoding: zstd\r\n");
    let bomb = zstd::encode_all(&[b'x'; 1_000_000][..], 1).unwrap();
    refused(&post("/v1/ingest", &zstd, &bomb), 413, "2000 bytes");
    let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
    refused(&post("/v1/ingest", &authorized, deep.as_bytes()), 400, "8 levels");
    refused(&post("/v1/ingest", &authorized, b"{\"a\": }"), 400, "not JSON");
    let wide = br#"[{"labels":{"a":"1","b":"2","c":"3","d":"4"}}]"#;
    refused(&post("/api/v2/alerts", &authorized, wide), 400, "3 labels");
    refused(&post("/v1/ingest/a%20b", &authorized, b"{}"), 404, "letters");
    // The burst is spent: come again in a second.
    let answers: Vec<String> = (0..12)
        .map(|_| post("/v1/ingest", &authorized, br#"{"title":"x","status":"firing"}"#))
        .collect();
    let late = answers
        .iter()
        .find(|a| parts(a).0 == 429)
        .expect("the rate is bounded");
    assert!(late.to_ascii_lowercase().contains("\r\nretry-after: "), "{late}");
    running.stop(dir);

    // Open to the world without a token: it does not start.
    let config = "embedded: { dir: data }\nhttp: { listen: \"0.0.0.0:0\" }\n";
    fs::write(dir.join("open.yaml"), config).unwrap();
    let output = stormfold(dir, &["run", "--config", "open.yaml"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("http.listen") && said.contains("token"), "{said}");
}

/// Whoever is woken asks the process that has the log for itself: what there is, why, and what was refused.
#[test]
fn a_running_process_says_why_and_what_it_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut running = Running::start(dir);
    let post = |body: &[u8]| running.send("POST", "/v1/ingest", "", body);
    for body in [
        &br#"{"title": "till is slow", "service": "till", "severity": "warning", "status": "firing"}"#[..],
        b"no JSON at all",
    ] {
        assert_eq!(parts(&post(body)).0, 202);
    }
    let answer = running.ask("GET", "/v1/nowhere", "");
    assert_eq!(parts(&answer).0, 404);
    assert!(answer.contains("/v1/ingest"), "{answer}");
    let answer = running.ask("GET", "/v1/incidents?status=over", "");
    assert_eq!(parts(&answer).0, 400, "{answer}");

    let asked = |path: &str| serde_json::from_str::<Value>(parts(&running.ask("GET", path, "")).1).unwrap();
    running.wait(dir, "the dead letter", |_| {
        asked("/v1/deadletters")["deadletters"][0]["begins"] == "no JSON at all"
    });
    let letter = &asked("/v1/deadletters")["deadletters"][0];
    assert!(
        letter["reason"].as_str().unwrap().contains("neither JSON"),
        "{letter}"
    );
    running.wait(dir, "the incident", |_| {
        !asked("/v1/incidents")["incidents"][0].is_null()
    });
    let answer = asked("/v1/incidents?status=all");
    let id = answer["incidents"][0]["incident_id"].as_str().unwrap();
    fs::write(dir.join("answer.json"), answer.to_string()).unwrap();
    let output = stormfold(dir, &["explain", "--incidents", "answer.json", id])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("till is slow"), "{said}");
    assert!(
        said.contains("of severity warning; page.severity_min is error"),
        "{said}"
    );

    // A second process by mistake ends before it begins anything.
    let output = stormfold(dir, &["run", "--config", "stormfold.yaml"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("another port"),
        "{said}"
    );
    running.stop(dir);
}

/// A connection that says nothing is let go of, and keeps nobody else waiting.
#[test]
fn who_connects_and_says_nothing_is_let_go_of() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut running = Running::start(dir);
    let mut silent: Vec<_> = (0..40)
        .map(|_| std::net::TcpStream::connect(&running.address).unwrap())
        .collect();
    for connection in &mut silent {
        connection
            .write_all(b"POST /v1/ingest HTTP/1.1\r\nHost: x\r\n")
            .unwrap();
    }
    assert_eq!(parts(&running.ask("GET", "/readyz", "")).0, 200);
    let one = &mut silent[0];
    one.set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .unwrap();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(one, &mut answer).expect("it is closed in time");
    running.stop(dir);
}

#[test]
fn a_subscription_is_confirmed_by_an_operator_and_by_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Stands for SNS, and counts who comes.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sns = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let mut running = Running::start(dir);
    let topic = "arn:aws:sns:eu-west-1:111122223333:alarms";
    let question = json!({
        "Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "t", "TopicArn": topic,
        "Message": "confirm", "Timestamp": "2026-03-02T10:00:00Z",
        "SubscribeURL": format!("http://{sns}/?Action=ConfirmSubscription&Token=t"),
    });
    let answer = running.send(
        "POST",
        "/v1/ingest",
        "Content-Type: text/plain\r\n",
        question.to_string().as_bytes(),
    );
    assert_eq!(parts(&answer).0, 202);
    running.wait(dir, "the handshake", |r| {
        r.metric("stormfold_ingested_nothing_total") >= 1.0
    });
    running.stop(dir);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing in a body is fetched");

    let confirm = |args: &[&str]| {
        let args = [&["confirm", "--config", "stormfold.yaml"], args].concat();
        stormfold(dir, &args).output().unwrap()
    };
    let listed = String::from_utf8(confirm(&["--list"]).stdout).unwrap();
    assert!(
        listed.contains(topic) && listed.contains("its host 127.0.0.1 is none of sns.*.amazonaws.com"),
        "{listed}"
    );
    let refused = confirm(&[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let done = confirm(&["--allow-host", "127.0.0.1", "--topic", topic]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(
        String::from_utf8(done.stdout).unwrap(),
        format!("{topic}  is confirmed\n")
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
