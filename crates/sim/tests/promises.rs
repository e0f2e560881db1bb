//! Pages that say what is promised name, for each promise, the scenarios and tests that show it; and every scenario stands
//! in a page, so that who reads the pages has met them all.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and stops where it fails"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Pages whose tables end with a column of names.
const PAGES: [&str; 2] = ["docs/noise.md", "docs/grouping-and-cause.md"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Calls `take` with the text of every file below `dir` that ends so.
fn each(dir: &Path, extension: &str, take: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each(&path, extension, take);
        } else if path.extension().is_some_and(|e| e == extension) {
            take(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

fn scenarios() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each(&root().join("testdata/scenarios"), "scenario", &mut |path, _| {
        names.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
    });
    names
}

/// Names of the functions that are marked as tests.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each(&root().join("crates"), "rs", &mut |_, code| {
        for marked in code.split("#[test]\n").skip(1) {
            let head = marked
                .split_once("fn ")
                .and_then(|(_, rest)| rest.split_once('('));
            names.extend(head.map(|(name, _)| name.to_owned()));
        }
    });
    names
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_promise_names_what_shows_it() {
    let (scenarios, tests) = (scenarios(), tests());
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let mut named = 0;
        for line in text
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| what is promised |"))
        {
            let shown = line.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
            let mut names = quoted(shown).peekable();
            assert!(names.peek().is_some(), "{page}: nothing shows this: {line}");
            for name in names {
                named += 1;
                let exists = scenarios.contains(name) || tests.contains(name);
                assert!(exists, "{page}: no scenario or test is called {name}");
            }
        }
        assert!(named > 100, "{page}: {named} names");
    }
}

#[test]
fn every_scenario_stands_in_a_page() {
    let mut unnamed = scenarios();
    each(&root().join("docs"), "md", &mut |_, text| {
        for name in text.lines().flat_map(quoted) {
            unnamed.remove(name);
        }
    });
    assert!(
        unnamed.is_empty(),
        "no page under docs/ says what these show:\n  {}",
        Vec::from_iter(unnamed).join("\n  ")
    );
}
