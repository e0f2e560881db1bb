//! Every scenario and test that `docs/noise.md` names exists.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and stops where it fails"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(dir: &Path, all: &mut String) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_promise_names_what_shows_it() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/noise.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("crates"), &mut code);
    let mut named = 0;
    for line in page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| what"))
    {
        let shown = line.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        let mut names = shown.split('`').skip(1).step_by(2).peekable();
        assert!(names.peek().is_some(), "nothing shows this: {line}");
        for name in names {
            named += 1;
            let exists = if name.contains('_') {
                code.contains(&format!("fn {name}("))
            } else {
                root.join(format!("testdata/scenarios/{name}.scenario")).exists()
            };
            assert!(exists, "no scenario or test is called {name}");
        }
    }
    assert!(named > 100, "{named} names");
}
