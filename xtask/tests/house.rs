//! Holds the rules of the house. Each test names the file and line that breaks a rule and says what to do.

use std::{collections::BTreeMap, fs, path::Path};

use xtask::{
    LINES_MAX, Room, carries, declared_names, impure_lines, packages, refused_words, rooms, root, rust_files,
};

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn table() -> BTreeMap<String, Room> {
    let rooms = rooms(&read("ARCHITECTURE.md"));
    assert!(rooms.len() >= 8, "ARCHITECTURE.md lists the rooms: {rooms:?}");
    rooms
}

fn fail_on(complaints: Vec<String>, what_to_do: &str) {
    assert!(
        complaints.is_empty(),
        "{what_to_do}\n  {}",
        complaints.join("\n  ")
    );
}

/// Members of the workspace that are no rooms of the product: they may use everything and nobody uses them.
const BESIDE: [&str; 3] = ["xtask", "benches", "chaos"];

#[test]
fn a_room_knows_only_what_the_table_allows() {
    let table = table();
    let packages = packages(&root()).unwrap();
    let mut complaints = Vec::new();
    for (name, package) in &packages {
        if BESIDE.contains(&name.as_str()) {
            continue;
        }
        let Some(room) = table.get(name) else {
            complaints.push(format!("{name} is missing in the table of rooms"));
            continue;
        };
        for used in package.uses.iter().filter(|u| packages.contains_key(*u)) {
            if !room.may_use.contains(used) {
                complaints.push(format!("{name} uses {used}; it may use {:?}", room.may_use));
            }
        }
    }
    fail_on(complaints, "layering (ARCHITECTURE.md, Rooms):");
}

#[test]
fn the_table_itself_has_no_circle() {
    let table = table();
    let mut done: Vec<&str> = Vec::new();
    while done.len() < table.len() {
        let next = table.values().find(|room| {
            !done.contains(&room.name.as_str())
                && room.may_use.iter().all(|used| done.contains(&used.as_str()))
        });
        done.push(&next.unwrap_or_else(|| panic!("a circle beside {done:?}")).name);
    }
}

/// Parts of others that only the named rooms may use, with the reason.
const KEPT: [(&str, &[&str], &str); 12] = [
    (
        "rdkafka",
        &["stream"],
        "its build alone takes a minute, and its faults need one owner",
    ),
    ("fjall", &["stream"], "the embedded store is one form of the log"),
    ("redb", &["stream"], "the embedded store is one form of the log"),
    (
        "tokio",
        &["server", "cli", "chaos"],
        "the fold and the log loops are plain threads",
    ),
    ("axum", &["server"], "HTTP ends at the server"),
    ("clap", &["cli"], "arguments end at the command"),
    ("linfa", &["learn"], "what is learnt is learnt offline"),
    ("linfa-clustering", &["learn"], "what is learnt is learnt offline"),
    ("linfa-logistic", &["learn"], "what is learnt is learnt offline"),
    ("ndarray", &["learn"], "what is learnt is learnt offline"),
    ("rand", &[], "dice come from a seed (sim::Dice)"),
    ("uuid", &[], "ids derive from the input"),
];

#[test]
fn parts_of_others_stay_where_they_belong() {
    let mut complaints = Vec::new();
    for (name, package) in packages(&root()).unwrap() {
        for (part, rooms, reason) in KEPT {
            if package.uses.iter().any(|u| u == part) && !rooms.contains(&name.as_str()) {
                complaints.push(format!("{name} uses {part}: {reason}"));
            }
        }
    }
    fail_on(complaints, "a dependency in the wrong room:");
}

#[test]
fn pure_rooms_touch_no_clock_no_dice_no_machine() {
    let mut complaints = Vec::new();
    for room in table().values().filter(|room| room.pure) {
        let dir = root().join("crates").join(&room.name);
        for file in rust_files(&dir.join("src")) {
            for (line, why) in impure_lines(&fs::read_to_string(&file).unwrap()) {
                complaints.push(format!("{}:{line}: {why}", file.display()));
            }
        }
    }
    fail_on(complaints, "the pure half holds no clock, dice or I/O:");
}

#[test]
fn the_purity_scan_bites() {
    for (code, caught) in [
        ("let t = std::time::Instant::now();", true),
        ("use std::fs;", true),
        ("use std::{fs};\nlet x = std::fs::read(p);", true),
        ("let r = rand::random();", true),
        ("println!(\"x\");", true),
        ("// std::fs is not used here", false),
        ("let s = \"std::fs\";", false),
        ("struct Instantiated;", false),
        ("let operand::X = y;", false),
        ("#[cfg(test)]\nmod tests { use std::fs; }", false),
    ] {
        assert_eq!(!impure_lines(code).is_empty(), caught, "{code}");
    }
}

#[test]
fn every_pure_room_says_the_same_to_clippy() {
    let law = read("clippy-pure.toml");
    for name in [
        "SystemTime",
        "Instant",
        "std::fs",
        "std::net",
        "std::thread",
        "std::env",
        "HashMap::iter",
        "HashMap::new",
    ] {
        assert!(law.contains(name), "clippy-pure.toml does not name {name}");
    }
    let mut complaints = Vec::new();
    for room in table().values().filter(|room| room.pure) {
        let file = root().join("crates").join(&room.name).join("clippy.toml");
        if root().join("crates").join(&room.name).exists()
            && fs::read_to_string(&file).ok().as_deref() != Some(&law)
        {
            complaints.push(format!("{} differs from clippy-pure.toml", file.display()));
        }
    }
    fail_on(complaints, "copy clippy-pure.toml there:");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut complaints = Vec::new();
    for name in packages(&root()).unwrap().keys() {
        let dir = if BESIDE.contains(&name.as_str()) {
            name.clone()
        } else {
            format!("crates/{name}")
        };
        if !read(format!("{dir}/Cargo.toml")).contains("[lints]\nworkspace = true") {
            complaints.push(dir);
        }
    }
    fail_on(
        complaints,
        "write `[lints]` and `workspace = true` into Cargo.toml of:",
    );
}

#[test]
fn files_hold_one_idea() {
    let mut complaints = Vec::new();
    for file in rust_files(&root()) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{}: {lines} lines", file.display()));
        }
    }
    fail_on(complaints, "look for the second idea in:");
}

#[test]
fn names_use_the_words_of_the_glossary() {
    let refused = refused_words(&read("docs/glossary.md"));
    assert!(
        refused.len() >= 10,
        "docs/glossary.md lists the words we do not use"
    );
    let mut complaints = Vec::new();
    for file in rust_files(&root())
        .iter()
        .filter(|f| !f.starts_with(root().join("xtask")))
    {
        let source = fs::read_to_string(file).unwrap();
        for (line, name) in declared_names(&source) {
            for (word, exceptions) in &refused {
                let excepted = exceptions
                    .iter()
                    .any(|e| *e == name || file.ends_with(e) || file.starts_with(root().join(e)));
                if carries(&name, word) && !excepted {
                    complaints.push(format!("{}:{line}: `{name}` carries \"{word}\"", file.display()));
                }
            }
        }
    }
    fail_on(complaints, "see docs/glossary.md, Not our words:");
}

#[test]
fn the_rule_of_words_bites() {
    assert!(carries("AlarmRow", "alarm") && carries("merge_groups", "group"));
    assert!(!carries("ungrouped", "group") && !carries("Showcase", "case"));
    assert_eq!(
        declared_names("pub(crate) struct Row<'a> {"),
        [(1, "Row".to_owned())]
    );
    assert_eq!(declared_names("// struct Row"), []);
}

#[test]
fn the_face_of_the_engine_in_the_document_is_the_one_in_the_code() {
    let document = read("ARCHITECTURE.md");
    let face = document
        .split("```rust\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    // A signature may be laid out over several lines.
    let squeeze = |text: &str| text.split_whitespace().collect::<String>().replace(",)", ")");
    let files = rust_files(&root().join("crates/engine/src"));
    let code: String = files
        .iter()
        .map(|f| squeeze(&fs::read_to_string(f).unwrap()))
        .collect();
    let mut lines = 0;
    for line in face.lines().map(str::trim).filter(|l| l.starts_with("pub fn")) {
        let line = line.split(';').next().unwrap();
        assert!(
            code.contains(&squeeze(line)),
            "ARCHITECTURE.md says `{line}`, the engine does not"
        );
        lines += 1;
    }
    assert!(lines >= 4, "ARCHITECTURE.md shows the face of the engine");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut complaints = Vec::new();
    let mut documents = vec![
        "README.md".into(),
        "ARCHITECTURE.md".into(),
        "CHANGELOG.md".into(),
    ];
    documents.extend(
        xtask::tracked_files(&root().join("docs"))
            .into_iter()
            .filter(|f| f.extension().is_some_and(|e| e == "md")),
    );
    for document in documents {
        let text = read(&document);
        let dir = root().join(&document).parent().unwrap().to_path_buf();
        for target in text.split("](").skip(1).filter_map(|t| t.split(')').next()) {
            let target = target.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") && !dir.join(target).exists() {
                complaints.push(format!("{}: {target}", document.display()));
            }
        }
    }
    fail_on(complaints, "a link leads nowhere:");
}

/// State rows are read by the places of their fields, whose order is held where it is written down.
#[test]
fn every_struct_of_a_state_row_has_the_order_of_its_fields_written_down() {
    let written = read("crates/engine/testdata/row-fields.txt");
    let mut complaints = Vec::new();
    for path in rust_files(&root().join("crates/engine/src")) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        // Those are written by name.
        if name.contains("/shard") {
            continue;
        }
        let text = read(&path);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(rest) = line
                .strip_prefix("pub(crate) struct ")
                .or(line.strip_prefix("struct "))
            else {
                continue;
            };
            let derived = lines[..at]
                .iter()
                .rev()
                .take_while(|above| above.starts_with("#["));
            let in_a_row = derived.into_iter().any(|above| above.contains("Deserialize"));
            let (row, tuple) = (rest.split([' ', '<', '(']).next().unwrap(), rest.contains('('));
            if in_a_row && !tuple && !written.contains(&format!("::{row}: ")) {
                complaints.push(format!("{name}:{}: {row}", at + 1));
            }
        }
    }
    fail_on(complaints, "not in crates/engine/src/state/fields.rs:");
}
