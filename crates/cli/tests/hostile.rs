//! Records that are none: malformed, truncated, deeply nested, huge, not UTF-8, empty. Each is counted and kept in the
//! dead letters with a reason and its origin, nothing panics, and the events between them fare as if they were alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command;

use std::{fs, path::Path};

use serde_json::Value;

use crate::command::stormfold;

/// What is wrong with it, the bytes, and what the reason must speak of.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("malformed", b"{\"title\": nope}".to_vec(), "JSON"),
        (
            "truncated",
            br#"{"source":"p","status":"firing","title":"cut"#.to_vec(),
            "ends in the middle",
        ),
        (
            "deeply nested",
            [b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
            "nested",
        ),
        (
            "huge",
            format!(r#"{{"title":"{}"}}"#, "x".repeat(5 << 20)).into_bytes(),
            "bytes",
        ),
        ("not UTF-8", b"{\"title\":\"\xff\xfe\"}".to_vec(), "UTF-8"),
        ("an empty object", b"{}".to_vec(), ""),
        ("an empty string", b"\"\"".to_vec(), ""),
        ("a number", b"17".to_vec(), ""),
        ("control characters", b"\x00\x01\x02".to_vec(), ""),
    ]
}

fn good() -> Vec<String> {
    let event = |i: u32| {
        format!(
            r#"{{"event_id":"e{i}","source":"probe","status":"firing","severity":"critical","title":"check {i} fails","service":"checkout","ts":"2026-03-02T10:00:{i:02}Z"}}"#
        )
    };
    (0..10).map(event).collect()
}

fn incidents(dir: &Path, file: &str) -> Vec<u8> {
    stormfold(
        &[
            "replay",
            "--quiet",
            "--incidents",
            "-",
            "--deadletters",
            "dead.jsonl",
            file,
        ],
        dir,
    )
}

#[test]
fn what_is_no_event_is_a_dead_letter_and_nothing_else_is_affected() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (good, hostile) = (good(), hostile());
    fs::write(dir.join("good.jsonl"), good.join("\n")).unwrap();
    let mut mixed = Vec::new();
    for (i, event) in good.iter().enumerate() {
        mixed.extend_from_slice(event.as_bytes());
        mixed.push(b'\n');
        if let Some((_, bytes, _)) = hostile.get(i) {
            mixed.extend_from_slice(bytes);
            mixed.push(b'\n');
        }
    }
    fs::write(dir.join("mixed.jsonl"), mixed).unwrap();

    let alone = incidents(dir, "good.jsonl");
    assert!(!alone.is_empty());
    assert!(
        incidents(dir, "mixed.jsonl") == alone,
        "the events between them fare otherwise"
    );

    let letters = fs::read_to_string(dir.join("dead.jsonl")).unwrap();
    let letters: Vec<Value> = letters
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(letters.len(), hostile.len());
    for (i, (letter, (what, _, reason))) in letters.iter().zip(&hostile).enumerate() {
        assert_eq!(letter["origin"], format!("mixed.jsonl:{}", 2 * i + 2), "{what}");
        let said = letter["reason"].as_str().unwrap();
        assert!(!said.is_empty() && said.contains(reason), "{what}: {said}");
        assert!(!letter["stage"].as_str().unwrap().is_empty(), "{what}");
    }
}
