//! The demo that README.md shows is the demo that runs.
//!
//! `UPDATE=1 cargo test -p cli --test readme` writes the excerpt anew.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::{fs, path::PathBuf, process::Command};

const OPENS: &str = "```console\n$ ./dev demo\n";
/// Between what the excerpt shows lies more.
const MORE: &str = "[...]";

fn readme() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../README.md")
}

fn demo() -> Vec<String> {
    let out = Command::new(env!("CARGO_BIN_EXE_stormfold"))
        .args(["demo", "--fast"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// From the alert that announces the largest incident to the sentence on its owner, a few lines more, and the sum.
fn excerpt(lines: &[String]) -> String {
    let begins = lines.iter().position(|l| l.contains("PG-ORDERS-1")).unwrap();
    let sum = lines.iter().find(|l| l.contains(" events -> ")).unwrap();
    let shown: Vec<&str> = lines[begins..].iter().take(16).map(String::as_str).collect();
    format!("{}\n{MORE}\n{sum}\n", shown.join("\n"))
}

#[test]
fn shows_what_the_demo_prints() {
    let text = fs::read_to_string(readme()).unwrap();
    let (before, rest) = text
        .split_once(OPENS)
        .expect("README.md shows a run of ./dev demo");
    let (shown, after) = rest.split_once("```").unwrap();
    let given = excerpt(&demo());
    assert!(given.contains("PAGE"), "the excerpt shows a page: {given}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(readme(), format!("{before}{OPENS}{given}```{after}")).unwrap();
    } else {
        assert_eq!(
            shown, given,
            "README.md shows another demo; UPDATE=1 writes it anew"
        );
    }
}
