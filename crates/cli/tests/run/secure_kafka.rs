//! A real Apache Kafka that wants to know who comes: TLS, passwords, tokens, client certificates, and an authorizer that
//! allows nothing of its own. The pipeline runs there with the least rights, and what is refused is said clearly.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    acls,
    running::{Running, free_address, stormfold},
};

/// The broker, as `deploy/kafka/secure.properties` has it, for this test alone.
struct Secure {
    port: u16,
    data: PathBuf,
    /// Without TLS, as one who may do everything.
    plaintext: String,
    /// With TLS and SASL.
    sasl: String,
    /// With TLS and client certificates.
    mtls: String,
    /// Certificates and the password.
    tls: PathBuf,
}

/// Four ports in a row that are free: without TLS, of the controller, with SASL, with certificates.
fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut firsts = (29_192..30_000).step_by(4);
    firsts.find(|first| (0..4).all(|n| free(first + n))).unwrap()
}

impl Secure {
    fn start() -> Secure {
        let data = std::env::temp_dir().join(format!("stormfold-test-secure-{}", std::process::id()));
        let address = |port: u16| format!("127.0.0.1:{port}");
        let port = free_ports();
        let secure = Secure {
            port,
            plaintext: address(port),
            sasl: address(port + 2),
            mtls: address(port + 3),
            tls: data.with_extension("tls"),
            data,
        };
        secure.script("start");
        secure
    }

    fn script(&self, command: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kafka.sh");
        let status = Command::new(script)
            .arg(command)
            .env("DEV_KAFKA_PORT", self.port.to_string())
            .env("DEV_KAFKA_CONTROLLER_PORT", (self.port + 1).to_string())
            .env("DEV_KAFKA_DATA", &self.data)
            .env("DEV_KAFKA_SECURE", "1")
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "deploy/kafka.sh {command} failed");
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.script("wipe");
    }
}

/// A folder with a configuration for every way to come.
fn configure(dir: &Path, secure: &Secure, prefix: &str, http: &str) {
    let tls = secure.tls.display();
    let ca = format!("enabled: true, ca_file: {tls}/ca.pem");
    let password = format!("username: stormfold, password_file: {tls}/password");
    let ways = [
        ("plaintext", &secure.plaintext, String::new()),
        (
            "scram",
            &secure.sasl,
            format!("tls: {{{ca}}}, sasl: {{mechanism: scram_sha256, {password}}}"),
        ),
        (
            "scram512",
            &secure.sasl,
            format!("tls: {{{ca}}}, sasl: {{mechanism: scram_sha512, {password}}}"),
        ),
        (
            "plain",
            &secure.sasl,
            format!("tls: {{{ca}}}, sasl: {{mechanism: plain, {password}}}"),
        ),
        (
            "token",
            &secure.sasl,
            format!("tls: {{{ca}}}, sasl: {{mechanism: oauthbearer, token_file: token}}"),
        ),
        (
            "certificate",
            &secure.mtls,
            format!("tls: {{{ca}, certificate_file: {tls}/stormfold.crt, key_file: {tls}/stormfold.key}}"),
        ),
        (
            "password-wrong",
            &secure.sasl,
            format!("tls: {{{ca}}}, sasl: {{mechanism: scram_sha256, username: stormfold, password: wrong}}"),
        ),
        (
            "authority-unknown",
            &secure.sasl,
            format!("tls: {{enabled: true}}, sasl: {{mechanism: scram_sha256, {password}}}"),
        ),
    ];
    for (name, address, way) in ways {
        let config = format!(
            "log: kafka\nkafka: {{brokers: \"{address}\", {way}}}\n\
             topics: {{prefix: {prefix}, partitions: 2}}\nhttp: {{listen: \"{http}\"}}\n"
        );
        fs::write(dir.join(format!("{name}.yaml")), config).unwrap();
    }
    // A token as the broker takes it in this test: signed by nobody.
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let claims = r#"{"sub": "stormfold", "iat": 1700000000, "exp": 4000000000}"#;
    fs::write(
        dir.join("token"),
        format!("{}.{}.", part(r#"{"alg": "none"}"#), part(claims)),
    )
    .unwrap();
}

fn topics(dir: &Path, action: &[&str], way: &str) -> Output {
    let config = format!("{way}.yaml");
    stormfold(dir, &[&["topics"], action, &["--config", &config]].concat())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn refused(output: &Output, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not said: {said}");
    }
}

/// What the doctor finds wrong: area, and words of what is wrong or mends it.
fn sick(dir: &Path, way: &str, wrong: &[(&str, &str)]) {
    let config = format!("{way}.yaml");
    let output = stormfold(dir, &["doctor", "--json", "--config", &config])
        .output()
        .unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = found["findings"].as_array().unwrap().iter();
    let found: Vec<_> = found.filter(|finding| finding["level"] == "wrong").collect();
    assert_eq!(output.status.code(), Some(i32::from(!found.is_empty())));
    let named = |(area, words): &(&str, &str)| {
        found
            .iter()
            .any(|finding| finding["area"] == *area && finding.to_string().contains(words))
    };
    assert!(wrong.iter().all(named), "{wrong:?} of {found:?}");
    assert!(!wrong.is_empty() || found.is_empty(), "{found:?}");
}

fn fine(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_least_rights_on_a_kafka_with_tls_and_sasl_are_enough_and_less_is_said() {
    let secure = Secure::start();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let prefix = "least.";
    let http = free_address();
    configure(dir, &secure, prefix, &http);

    // A client that cannot come in tries for as long as it is asked to; all at once.
    std::thread::scope(|scope| {
        for (way, words) in [
            ("password-wrong", "invalid credentials"),
            ("authority-unknown", "certificate verify failed"),
        ] {
            scope.spawn(move || refused(&topics(dir, &["check"], way), &[words]));
        }
        let mend = "check kafka.sasl.username and its password";
        scope.spawn(move || sick(dir, "password-wrong", &[("log", mend)]));
    });
    // Who may not create topics is told which somebody else has to create.
    let state = "kafka-topics.sh --create --topic least.stormfold.state --partitions 2 --config cleanup.policy=compact";
    refused(
        &topics(dir, &["create"], "scram"),
        &["no right to create topic", state],
    );
    refused(
        &topics(dir, &["check"], "scram"),
        &["least.stormfold.changes is missing, or this user may not see it"],
    );
    fine(&topics(dir, &["create"], "plaintext"));

    let needed = fine(&topics(dir, &["needed", "--acls"], "scram"));
    let spared = "--operation Write --topic least.stormfold.changes";
    let (later, now): (Vec<_>, Vec<_>) = needed.lines().partition(|line| line.contains(spared));
    now.iter().for_each(|line| acls::allow(&secure.plaintext, line));
    // Seeing it is part of writing it.
    refused(
        &topics(dir, &["check"], "scram"),
        &["changes is missing, or this user may not see it"],
    );
    let seen = later[0].replace("--operation Write", "--operation Read");
    acls::allow(&secure.plaintext, &seen);
    refused(
        &topics(dir, &["check"], "scram"),
        &["no right to Write on topic least.stormfold.changes", spared],
    );
    sick(
        dir,
        "scram",
        &[("rights", "no right to Write on topic least.stormfold.changes")],
    );
    later.iter().for_each(|line| acls::allow(&secure.plaintext, line));

    for way in ["scram", "scram512", "plain", "token", "certificate"] {
        let said = fine(&topics(dir, &["check"], way));
        assert!(said.ends_with("8 topics as needed\n"), "{way}: {said}");
    }
    // Nothing has run yet, which is no fault; then what comes is read by nobody, which is one.
    sick(dir, "scram", &[]);
    fs::write(dir.join("event.json"), "{}\n").unwrap();
    let produce = [
        "produce",
        "--now",
        "--run-on",
        "0",
        "--topic",
        "least.stormfold.raw",
        "--config",
        "scram.yaml",
    ];
    fine(
        &stormfold(dir, &[&produce[..], &["event.json"]].concat())
            .output()
            .unwrap(),
    );
    sick(dir, "scram", &[("lag", "ingest has never read it")]);
    for way in ["scram", "token"] {
        let mut running = Running::with(dir, &format!("{way}.yaml"), http.clone());
        let event = format!(
            r#"{{"source": "probe", "status": "firing", "title": "down by {way}", "service": "{way}"}}"#
        );
        let answer = running.ask("POST", "/v1/ingest", &event);
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        running.wait(dir, "the incident", |running| {
            running.metric("stormfold_incidents_total") >= 1.0
        });
        assert!(running.metric("stormfold_heartbeat_timestamp_seconds") > 1.7e9);
        sick(dir, way, &[]);
        assert_eq!(running.metric("stormfold_books_difference"), 0.0);
        running.stop(dir);
        let incidents = topics(dir, &["read", "incidents"], way);
        assert!(fine(&incidents).contains(&format!("down by {way}")));
    }
    says_when_the_broker_is_gone(dir, &secure, http);
}

/// Readiness ends with the broker (within ten seconds: `watch` holds that), with a reason, and comes back with it; the process stays.
fn says_when_the_broker_is_gone(dir: &Path, secure: &Secure, http: String) {
    let mut running = Running::with(dir, "scram.yaml", http);
    secure.script("stop");
    let not_ready = |running: &Running| running.ask("GET", "/readyz", "").starts_with("HTTP/1.1 503");
    running.wait(dir, "the end of readiness", not_ready);
    let answer = running.ask("GET", "/readyz", "");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(!body["reasons"].as_array().unwrap().is_empty(), "{body}");
    assert!(
        running.ask("GET", "/healthz", "").starts_with("HTTP/1.1 200"),
        "it is not to be killed for that"
    );
    secure.script("start");
    running.wait(dir, "readiness", |running| {
        running.ask("GET", "/readyz", "").starts_with("HTTP/1.1 200")
    });
    running.stop(dir);
}
