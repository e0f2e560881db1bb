//! The reference of the configuration and the shipped example, made from the types, their comments and their defaults.

use std::fmt::Write;

use serde_json::Value;

use super::{Config, kafka, overlay::variable, tree::Tree};

/// One field that holds a value.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Dotted path.
    pub(super) path: String,
    /// `text`, `number`, `true or false`, a list of choices, ….
    pub(super) kind: String,
    /// Default, as it would be written in YAML; empty means absent.
    pub(super) default: String,
    /// What it means.
    pub(super) doc: String,
    /// Of a list: the fields of its items that hold numbers.
    pub(super) item_numbers: Vec<String>,
}

/// A section or a field, in the order of the types.
struct Entry {
    depth: usize,
    name: String,
    section: bool,
    leaf: Leaf,
}

/// All fields that hold a value.
pub(super) fn leaves() -> Vec<Leaf> {
    entries()
        .into_iter()
        .filter(|e| !e.section)
        .map(|e| e.leaf)
        .collect()
}

/// The shipped `config/stormfold.yaml`: every field with its default and what it means.
pub(crate) fn example() -> String {
    let mut out = String::from(
        "# Every field with its default: a file that says nothing means the same. Made by `stormfold check --example`.\n\
         # What each field takes, and the environment variable that overrides it, stands in docs/config.md.\n",
    );
    for entry in entries() {
        let indent = "  ".repeat(entry.depth);
        if entry.depth == 0 {
            out.push('\n');
        }
        for line in wrap(&entry.leaf.doc, 108 - indent.len()) {
            let _ = writeln!(out, "{indent}# {line}");
        }
        let _ = match (entry.section, entry.leaf.default.is_empty()) {
            (true, _) => writeln!(out, "{indent}{}:", entry.name),
            (false, false) => writeln!(out, "{indent}{}: {}", entry.name, entry.leaf.default),
            (false, true) => writeln!(out, "{indent}# {}:", entry.name),
        };
    }
    out
}

/// The reference `docs/config.md`.
pub(crate) fn markdown() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         One YAML file, given with `--config` or `STORMFOLD_CONFIG`. Every field has a default, so an empty file is valid; \
         `config/stormfold.yaml` is all of it with the defaults. The environment goes over the file: the variable of a \
         field is `STORMFOLD_` and its path in capitals; with `_FILE` behind it, the variable names a file that holds the \
         value. Unknown fields and variables are errors. `stormfold check --config FILE` says what is wrong, with \
         `--effective` what is in force.\n\n\
         This page is made from the code by `stormfold check --reference`.\n",
    );
    let mut top_table_open = false;
    for entry in entries() {
        if entry.section && entry.depth == 0 {
            top_table_open = false;
            let _ = write!(out, "\n## `{}`\n\n{}\n", entry.name, entry.leaf.doc);
            continue;
        }
        if !top_table_open {
            top_table_open = true;
            out.push_str("\n| field | takes | default | meaning |\n|---|---|---|---|\n");
        }
        let leaf = &entry.leaf;
        if entry.section {
            let _ = writeln!(out, "| `{}` | | | {} |", leaf.path, leaf.doc);
            continue;
        }
        let default = if leaf.default.is_empty() {
            "-".to_owned()
        } else {
            format!("`{}`", leaf.default)
        };
        let _ = writeln!(
            out,
            "| `{}`<br>`{}` | {} | {} | {} |",
            leaf.path,
            variable(&leaf.path),
            leaf.kind.replace('|', "\\|"),
            default,
            leaf.doc.replace('|', "\\|")
        );
    }
    lists(&mut out);
    out.push_str("\n## Kafka properties that are refused\n\n| property | why |\n|---|---|\n");
    for (name, why) in kafka::owned() {
        let _ = writeln!(out, "| `{name}` | {why} |");
    }
    out
}

/// The items of lists, which have no default and no variable of their own.
fn lists(out: &mut String) {
    let schema = schema();
    for (title, definition) in [
        ("topics.raw", "RawTopic"),
        ("decode.mappings", "Mapping"),
        ("decode.tables", "Table"),
        ("http.tokens", "HttpToken"),
        ("suppress.drop", "Drop"),
        ("suppress.thresholds", "Threshold"),
        ("suppress.inhibit", "Inhibit"),
    ] {
        let _ = write!(
            out,
            "\n## Items of `{title}`\n\n| field | takes | default | meaning |\n|---|---|---|---|\n"
        );
        let item = &schema["$defs"][definition];
        let needed = item["required"].as_array();
        for (name, property) in item["properties"].as_object().into_iter().flatten() {
            let default = match &property["default"] {
                _ if needed.is_some_and(|needed| needed.iter().any(|one| one == name)) => {
                    "none: has to be given".to_owned()
                }
                Value::Null => "-".to_owned(),
                Value::String(text) if text.is_empty() => "-".to_owned(),
                default => format!("`{default}`"),
            };
            let _ = writeln!(
                out,
                "| `{name}` | {} | {default} | {} |",
                kind(&schema, property),
                doc(property)
            );
        }
    }
}

fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Config)).expect("a schema is JSON")
}

fn entries() -> Vec<Entry> {
    let schema = schema();
    let text = serde_json::to_string(&Config::default()).expect("a configuration is JSON");
    let tree = serde_json::from_str(&text).expect("it was just written");
    let mut entries = Vec::new();
    walk(&schema, &schema, &tree, "", 0, &mut entries);
    entries
}

fn walk(schema: &Value, section: &Value, tree: &Tree, path: &str, depth: usize, out: &mut Vec<Entry>) {
    let Tree::Map(fields) = tree else { return };
    for (name, value) in fields {
        let property = &section["properties"][name];
        let target = resolve(schema, property);
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        // An empty map of free names is a value, a map with fields of its own is a section.
        let is_section = matches!(value, Tree::Map(_)) && target.get("properties").is_some();
        let default = match value {
            Tree::Leaf(Value::Null) => String::new(),
            Tree::Leaf(value) => value.to_string(),
            Tree::Map(_) => "{}".to_owned(),
        };
        let leaf = Leaf {
            path: path.clone(),
            kind: kind(schema, property),
            default,
            doc: doc(property),
            item_numbers: item_numbers(schema, target),
        };
        out.push(Entry {
            depth,
            name: name.clone(),
            section: is_section,
            leaf,
        });
        if is_section {
            walk(schema, target, value, &path, depth + 1, out);
        }
    }
}

/// The fields of a list's items that hold numbers and are not absent by default.
fn item_numbers(schema: &Value, list: &Value) -> Vec<String> {
    let properties = resolve(schema, &list["items"])["properties"].as_object();
    let fields = properties.into_iter().flatten();
    fields
        .filter(|(_, property)| matches!(property["type"].as_str(), Some("number" | "integer")))
        .map(|(name, _)| name.clone())
        .collect()
}

fn resolve<'a>(schema: &'a Value, property: &'a Value) -> &'a Value {
    // One that may be absent is this or nothing.
    let either = property["anyOf"].as_array().into_iter().flatten();
    let property = either
        .into_iter()
        .find(|one| one.get("$ref").is_some())
        .unwrap_or(property);
    let Some(name) = property["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) else {
        return property;
    };
    &schema["$defs"][name]
}

fn doc(property: &Value) -> String {
    property["description"]
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a field takes, in a word.
fn kind(schema: &Value, property: &Value) -> String {
    // An optional one is itself or null.
    let mut inner = property["anyOf"].as_array().into_iter().flatten();
    let inner = inner.find(|p| p["type"] != "null");
    let target = resolve(schema, inner.unwrap_or(property));
    let choices: Vec<_> = target["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|c| {
            c["const"].as_str().into_iter().chain(
                c["enum"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str),
            )
        })
        .chain(
            target["enum"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str),
        )
        .collect();
    if !choices.is_empty() {
        return choices
            .iter()
            .map(|c| format!("`{c}`"))
            .collect::<Vec<_>>()
            .join(" ");
    }
    let kind = match &target["type"] {
        Value::Array(kinds) => kinds.iter().find_map(|k| k.as_str().filter(|k| *k != "null")),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => "text",
        Some("integer") => "whole number",
        Some("number") => "number",
        Some("boolean") => "true or false",
        Some("array") => "list",
        _ => "names and values",
    }
    .to_owned()
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a shipped file with what the code says; `UPDATE=1` writes it.
    fn shipped(path: &str, want: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(path);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, want).unwrap();
        }
        let have = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            have == want,
            "{} is not what the code says; UPDATE=1 writes it",
            path.display()
        );
    }

    #[test]
    fn the_shipped_files_are_what_the_code_says() {
        shipped("docs/config.md", &markdown());
        shipped("config/stormfold.yaml", &example());
    }

    #[test]
    fn the_example_is_the_defaults() {
        let config = super::super::load_text("example", &example(), std::iter::empty()).unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn every_field_is_described() {
        for entry in entries() {
            assert!(!entry.leaf.doc.is_empty(), "{}", entry.leaf.path);
        }
    }
}
