//! Bodies made to exhaust: deep, long, wide, and envelopes within envelopes. What goes out is bounded.

use serde_json::Value;

/// Decodes, and checks what holds for every outcome.
fn check(bytes: &[u8]) {
    let mut found = Vec::new();
    wire::Decoder::default().decode(&wire::Raw::of_file(bytes, "f", 1), &mut found);
    assert!(
        !found.is_empty(),
        "a body vanished: {:?}",
        String::from_utf8_lossy(bytes)
    );
    for found in found {
        let line = wire::outcome::line(&found);
        serde_json::from_str::<Value>(&line).expect("an outcome is JSON");
        if let wire::Found::Alert(event)
        | wire::Found::Other {
            event: Some(event), ..
        } = &found
        {
            assert!(
                !event.dedup_key.is_empty() && event.dedup_key.len() <= 255,
                "{line}"
            );
            assert!(
                !event.event_id.is_empty() && event.event_id.len() <= 255,
                "{line}"
            );
            assert!(
                !event.title.contains('\n') && event.title.len() <= 1_100,
                "{line}"
            );
            assert!(
                event
                    .links
                    .iter()
                    .all(|l| l.href.starts_with("http://") || l.href.starts_with("https://")),
                "{line}"
            );
        }
        if let Some(input) = found.into_input() {
            let mut journal = Vec::new();
            wire::journal::encode(&input, &mut journal);
            assert_eq!(
                wire::journal::decode(&journal).expect("the journal reads what it wrote"),
                input
            );
        }
    }
}

#[test]
fn deep_long_and_wide_bodies_are_bounded() {
    check("[".repeat(200_000).as_bytes());
    check(format!("{}{}", "{\"a\":".repeat(200), "1".to_owned() + &"}".repeat(200)).as_bytes());
    check("{\"a\":".repeat(200_000).as_bytes());
    check(format!("{{\"title\":\"{}\",\"severity\":\"x\"}}", "é".repeat(1_000_000)).as_bytes());
    let labels: Vec<String> = (0..5_000).map(|i| format!("\"l{i}\":\"{i}\"")).collect();
    check(
        format!(
            "{{\"title\":\"t\",\"status\":\"firing\",\"ts\":1777881600,\"labels\":{{{}}}}}",
            labels.join(",")
        )
        .as_bytes(),
    );
    check("<".repeat(100_000).as_bytes());
    // Words as long as a class of answers (`5xx`), in bytes that are no characters.
    check("{\"title\": \"툽\", \"service\": \"till\", \"severity\": \"error\"}".as_bytes());
    check(&vec![b' '; 5 << 20]);
    // An envelope within an envelope within …, each as text in the next.
    let mut body = "{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"s\",\"id\":\"1\"}".to_owned();
    for _ in 0..8 {
        body = serde_json::json!({"specversion": "1.0", "type": "t", "source": "s", "id": "1", "data": body})
            .to_string();
    }
    check(body.as_bytes());
}

/// What is mended is mended in one pass, however much of it there is: no call for each of what is amiss.
#[test]
fn mending_takes_one_pass() {
    let many = 100_000;
    let decoded = |body: &str| {
        let mut found = Vec::new();
        wire::Decoder::default().decode(&wire::Raw::of_file(body.as_bytes(), "f", 1), &mut found);
        matches!(&found[..], [wire::Found::Alert(_)])
    };
    let alert = |rest: &str| format!("{{\"title\":\"x\",\"severity\":\"critical\",\"a\":{rest}}}");
    for rest in [
        format!("[1{}]", ",".repeat(many)),
        format!("[1{}]", ", \n".repeat(many)),
        format!("[1,{}]", " ".repeat(many)),
        format!("[{}1]", "NaN,".repeat(many)),
        format!("[{}1,]", "\"\\ud83d\tx\",".repeat(many)),
        format!("[{}1]", "[1,],".repeat(many)),
    ] {
        check(alert(&rest).as_bytes());
        assert!(decoded(&alert(&rest)), "{}", &rest[..16]);
        // Behind a byte order mark, and twice.
        assert!(decoded(&format!("\u{feff}{}", alert(&rest))));
        assert!(decoded(&Value::from(alert(&rest)).to_string()));
    }
    // What mending does not make JSON is refused.
    for rest in [
        format!("[1{}", ",".repeat(many)),
        format!("[1{}2]", ",".repeat(many)),
        format!("[1{}", ", ".repeat(many)),
        format!("[{}]", "NaN".repeat(many)),
        ",]".repeat(many),
    ] {
        check(alert(&rest).as_bytes());
        assert!(!decoded(&alert(&rest)), "{}", &rest[..8]);
    }
}

#[test]
fn binary_cloud_events_are_read_by_their_headers() {
    let decode = |headers: &[(&'static str, &'static str)], body: &str| {
        let mut found = Vec::new();
        let raw = wire::Raw {
            content_type: Some("application/json"),
            cloud_event: headers.to_vec(),
            ..wire::Raw::of_file(body.as_bytes(), "f", 1)
        };
        wire::Decoder::default().decode(&raw, &mut found);
        let line: Value = serde_json::from_str(&wire::outcome::line(&found[0])).expect("an outcome is JSON");
        line["event"].clone()
    };
    let headers = [
        ("specversion", "1.0"),
        ("type", "com.example.queue.grew"),
        ("source", "/queues/letters"),
        ("id", "17"),
        ("time", "2026-05-04T08:00:00Z"),
    ];
    let own = decode(&headers, r#"{"service":"letters","severity":"critical"}"#);
    assert_eq!(own["dedup_key"], "cloudevents:/queues/letters 17");
    assert_eq!(own["title"], "com.example.queue.grew");
    assert_eq!(own["service"], "letters");
    assert_eq!(own["ts"], "2026-05-04T08:00:00Z");
    // Around another source, that source is read.
    let grafana = decode(
        &headers,
        r#"{"ruleId":7,"ruleName":"Queue","state":"alerting","orgId":1}"#,
    );
    assert_eq!(grafana["source"], "grafana");
}

#[test]
fn plain_text_is_read_where_its_sender_calls_it_so() {
    let outcome = |content_type, body: &str| {
        let mut found = Vec::new();
        let raw = wire::Raw {
            content_type,
            ..wire::Raw::of_file(body.as_bytes(), "f", 1)
        };
        wire::Decoder::default().decode(&raw, &mut found);
        let line: Value = serde_json::from_str(&wire::outcome::line(&found[0])).expect("an outcome is JSON");
        (
            line["outcome"].clone(),
            line["event"]["status"].clone(),
            line["event"]["title"].clone(),
        )
    };
    let text = Some("text/plain; charset=utf-8");
    for (content_type, body, wanted) in [
        (
            text,
            "PROBLEM: till-1 is down\nno answer",
            ("alert", "firing", "PROBLEM: till-1 is down"),
        ),
        (
            text,
            "till-1 is back up",
            ("alert", "resolved", "till-1 is back up"),
        ),
        (None, "till-1 is down", ("rejected", "", "")),
        (text, "hello", ("rejected", "", "")),
        (text, "<html>502 failed</html>", ("rejected", "", "")),
        (text, "{\"status\": \"down\"", ("rejected", "", "")),
    ] {
        let (outcome, status, title) = outcome(content_type, body);
        assert_eq!(outcome, wanted.0, "{body}");
        if wanted.0 == "alert" {
            assert_eq!((status, title), (wanted.1.into(), wanted.2.into()), "{body}");
        }
    }
}

#[test]
fn a_body_cannot_say_that_it_is_anothers() {
    let body = br#"{"source":"probe","title":"queue grows","status":"firing","service":"letters","ts":"2026-05-04T08:00:00Z","tenant":"theirs"}"#;
    let of = |tenant| {
        let mut found = Vec::new();
        let raw = wire::Raw {
            tenant,
            ..wire::Raw::of_file(body, "f", 1)
        };
        wire::Decoder::default().decode(&raw, &mut found);
        let wire::Found::Alert(event) = found.remove(0) else {
            panic!("{found:?}")
        };
        event.tenant.map(String::from)
    };
    assert_eq!(of(Some("ours")).as_deref(), Some("ours"));
    assert_eq!(of(None).as_deref(), Some("theirs"));
    assert_eq!(of(Some("")).as_deref(), Some("theirs"));
}

#[test]
fn forms_that_are_not_read_are_refused_by_name() {
    let mut found = Vec::new();
    let raw = wire::Raw {
        content_type: Some("application/x-protobuf"),
        ..wire::Raw::of_file(b"\x0a\xff\x12", "f", 1)
    };
    wire::Decoder::default().decode(&raw, &mut found);
    let [wire::Found::Rejected(rejection)] = &found[..] else {
        panic!("{found:?}")
    };
    assert!(
        rejection
            .reason
            .starts_with("application/x-protobuf is not read, send JSON"),
        "{rejection}"
    );
}

/// What is said once is copied for each of many, so it is bounded; and so are the entities of one event.
#[test]
fn what_is_said_once_is_bounded() {
    let decoded = |body: &Value| {
        let mut found = Vec::new();
        let text = body.to_string();
        wire::Decoder::default().decode(&wire::Raw::of_file(text.as_bytes(), "f", 1), &mut found);
        found
    };
    let long = "x".repeat(100_000);
    let around = |items: Value| {
        let mut body: serde_json::Map<_, _> = (0..64)
            .map(|i| (format!("c{i}"), "y".repeat(1_000).into()))
            .collect();
        body.insert("alerts".into(), items);
        Value::from(body)
    };
    let alert = |i| serde_json::json!({"title": format!("till {i} is down"), "severity": "bad"});
    let record = serde_json::json!({"severityNumber": 17, "body": {"stringValue": "a"}});
    for body in [
        around((0..200).map(alert).collect()),
        serde_json::json!({"resourceLogs": [{
            "resource": {"attributes": [{"key": "a", "value": {"stringValue": long}}]},
            "scopeLogs": [{"logRecords": vec![record; 200]}],
        }]}),
        serde_json::json!({"metrics": {long.clone(): {"thresholds": (0..200).map(|i| (format!("p{i}"), true.into())).collect::<serde_json::Map<_, _>>()}}, "root_group": {}}),
    ] {
        let found = decoded(&body);
        assert_eq!(found.len(), 200);
        let bytes: usize = found.iter().map(|found| wire::outcome::line(found).len()).sum();
        assert!(bytes < 200 * 20_000, "{bytes} bytes");
    }
    let entities: serde_json::Map<_, _> = (0..1_000).map(|i| (format!("k{i}"), "v".into())).collect();
    let event = serde_json::json!({"title": "x", "status": "firing", "source": "a", "ts": 1_777_881_600, "entities": entities});
    let found = decoded(&event);
    let wire::Found::Alert(event) = &found[0] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (event.entities.len(), event.labels.get("stormfold.cut")),
        (64, Some("936"))
    );
}
