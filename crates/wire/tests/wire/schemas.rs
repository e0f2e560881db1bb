//! The published schemas are those of the code, and records are valid by them.

use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    let file = format!("{}.json", name.replace('/', "-"));
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(file)
}

#[test]
fn published_schemas_are_those_of_the_code() {
    for (name, schema) in wire::schema::all() {
        let text = format!("{schema:#}\n");
        if crate::update() {
            std::fs::write(path(name), &text).unwrap();
        }
        let published = std::fs::read_to_string(path(name)).unwrap_or_default();
        assert!(
            published == text,
            "{name} differs from its file; UPDATE=1 rewrites it"
        );
    }
}

#[test]
fn events_are_valid_by_their_schema() {
    let (_, schema) = wire::schema::all().swap_remove(0);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let raw = br#"{"ts":"2026-03-02T10:00:00Z","title":"Lag","status":"firing","service":"a","kind":"alert","labels":{"n":1},
        "links":[{"href":"https://example.com/x"}],"ends_at":"2026-03-02T10:05:00Z","severity":"sev2"}"#;
    let mut found = Vec::new();
    wire::Decoder::default().decode(&wire::Raw::of_file(raw, "f", 1), &mut found);
    let wire::Found::Alert(event) = &found[0] else {
        panic!("{found:?}")
    };
    let value = serde_json::to_value(event).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
