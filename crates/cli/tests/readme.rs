//! What README.md and docs/judgement.md show of a run is what runs, and what the documents post is read as what it is meant
//! to be.
//!
//! `UPDATE=1 cargo test -p cli --test readme` writes the excerpts anew.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A document, and how its run begins.
const DEMO: (&str, &str) = ("README.md", "```console\n$ ./dev demo\n");
const JUDGED: (&str, &str) = ("docs/judgement.md", "```console\n$ stormfold simulate ");
/// Between what an excerpt shows lies more.
const MORE: &str = "[...]";

fn path(document: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(document)
}

fn lines(args: &[&str], within: &Path) -> Vec<String> {
    let out = Command::new(env!("CARGO_BIN_EXE_stormfold"))
        .args(args)
        .current_dir(within)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// What stands in a document behind the beginning of its run.
fn shown((document, opens): (&str, &str)) -> String {
    let text = fs::read_to_string(path(document)).unwrap();
    let (_, rest) = text.split_once(opens).expect("the document shows this run");
    rest.split_once("```").unwrap().0.to_owned()
}

fn compare((document, opens): (&str, &str), given: &str) {
    let shown = shown((document, opens));
    if std::env::var_os("UPDATE").is_some() {
        let text = fs::read_to_string(path(document)).unwrap();
        let (old, new) = (format!("{opens}{shown}```"), format!("{opens}{given}```"));
        fs::write(path(document), text.replacen(&old, &new, 1)).unwrap();
    } else {
        assert_eq!(
            shown, given,
            "{document} shows another run; UPDATE=1 writes it anew"
        );
    }
}

/// From the alert that announces the largest incident to the sentence on its owner, a few lines more, and the sum.
#[test]
fn shows_what_the_demo_prints() {
    let lines = lines(&["demo", "--fast"], Path::new("."));
    let begins = lines.iter().position(|l| l.contains("PG-ORDERS-1")).unwrap();
    let sum = lines.iter().find(|l| l.contains(" events -> ")).unwrap();
    let shown: Vec<&str> = lines[begins..].iter().take(16).map(String::as_str).collect();
    let given = format!("{}\n{MORE}\n{sum}\n", shown.join("\n"));
    assert!(given.contains("PAGE"), "the excerpt shows a page: {given}");
    compare(DEMO, &given);
}

/// The commands as they stand there, and of what the last one prints the comparison with simpler ways.
#[test]
fn shows_how_well_it_judges() {
    let dir = tempfile::tempdir().unwrap();
    let shown = shown(JUDGED);
    let first = shown.lines().next().unwrap();
    let commands: Vec<String> = std::iter::once(format!("simulate {first}"))
        .chain(
            shown
                .lines()
                .filter_map(|l| Some(l.strip_prefix("$ stormfold ")?.to_owned())),
        )
        .collect();
    let mut printed = Vec::new();
    for command in &commands {
        let args: Vec<&str> = command.split_whitespace().collect();
        printed = lines(&args, dir.path());
    }
    let begins = printed.iter().position(|l| l.starts_with("baseline")).unwrap();
    let given: Vec<String> = std::iter::once(first.to_owned())
        .chain(
            commands[1..]
                .iter()
                .map(|command| format!("$ stormfold {command}")),
        )
        .chain(std::iter::once(MORE.to_owned()))
        .chain(printed[begins..].iter().cloned())
        .collect();
    assert_eq!(commands.len(), 3, "a world, an answer, its score");
    compare(JUDGED, &format!("{}\n", given.join("\n")));
}

/// Each event of a kind that stands in a document is read as that kind, and not by its shape as something else.
#[test]
fn what_the_documents_post_is_read_as_its_kind() {
    let mut read = 0;
    for file in fs::read_dir(path("docs")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        // Blocks of code are the odd parts.
        for block in text.split("```").skip(1).step_by(2) {
            for (at, _) in block.match_indices('{') {
                let mut values =
                    serde_json::Deserializer::from_str(&block[at..]).into_iter::<serde_json::Value>();
                let Some(Ok(event)) = values.next() else { continue };
                let Some(kind) = event["kind"].as_str().filter(|_| event.get("title").is_some()) else {
                    continue;
                };
                let mut normalize = Command::new(env!("CARGO_BIN_EXE_stormfold"))
                    .args(["normalize", "-"])
                    .stdin(std::process::Stdio::piped())
                    .stdout(std::process::Stdio::piped())
                    .spawn()
                    .unwrap();
                std::io::Write::write_all(&mut normalize.stdin.take().unwrap(), event.to_string().as_bytes())
                    .unwrap();
                let said = normalize.wait_with_output().unwrap().stdout;
                let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
                assert_eq!(said["event"]["kind"], kind, "{}: {event}: {said}", file.display());
                read += 1;
            }
        }
    }
    assert!(read >= 5, "the documents show {read} events of a kind");
}
