//! The environment over the file: `STORMFOLD_` and a field's path in capitals, dots as underscores:
//! `STORMFOLD_KAFKA_BROKERS` sets `kafka.brokers`, `STORMFOLD_PAGE_MODE` sets `page.mode`.

use serde_json::Value;

use super::{
    Config,
    load::{ConfigError, near, takes},
    reference::{Leaf, leaves},
};

const PREFIX: &str = "STORMFOLD_";

/// Variables with the prefix that are no fields: they steer the command itself.
const NOT_FIELDS: &[&str] = &["STORMFOLD_CONFIG"];

/// The name of the variable that overrides a field.
pub(super) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}

/// Overrides fields by the variables that name them. A variable with our prefix that names no field is an error.
pub(super) fn apply(
    config: Config,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut variables: Vec<_> = environment
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_FIELDS.contains(&name.as_str()))
        .collect();
    if variables.is_empty() {
        return Ok(config);
    }
    variables.sort();
    let leaves = leaves();
    let mut value = serde_json::to_value(&config).expect("a configuration is JSON");
    for (name, text) in &variables {
        let error = |field: Option<&str>, what: String| ConfigError {
            place: name.clone(),
            line: None,
            field: field.map(str::to_owned),
            what,
        };
        let (leaf, from_file) = find(&leaves, name).ok_or_else(|| {
            let names: Vec<_> = leaves.iter().map(|l| variable(&l.path)).collect();
            error(None, format!("no such field; {}", near_variable(name, &names)))
        })?;
        let read;
        let text = if from_file {
            read =
                std::fs::read_to_string(text).map_err(|e| error(Some(&leaf.path), format!("{text}: {e}")))?;
            read.trim()
        } else {
            text.as_str()
        };
        let mut overridden = value.clone();
        set(&mut overridden, &leaf.path, scalar(leaf, text));
        if let Err(e) = serde_json::from_value::<Config>(overridden.clone()) {
            return Err(error(Some(&leaf.path), said(leaf, text, &e)));
        }
        value = overridden;
    }
    Ok(serde_json::from_value(value).expect("it was read after each variable"))
}

/// The field of a variable, and whether the variable names a file that holds the value.
fn find<'a>(leaves: &'a [Leaf], name: &str) -> Option<(&'a Leaf, bool)> {
    let by_name = |name: &str| leaves.iter().find(|l| variable(&l.path) == name);
    by_name(name)
        .map(|l| (l, false))
        .or_else(|| by_name(name.strip_suffix("_FILE")?).map(|l| (l, true)))
}

fn near_variable(name: &str, names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let best = names
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
    best.map_or_else(|| near(name, &names), |best| format!("did you mean `{best}`?"))
}

/// Text of a variable as the kind of value that the field holds.
fn scalar(leaf: &Leaf, text: &str) -> Value {
    if leaf.kind == "text" {
        return Value::from(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Why a field cannot have this value, in the words that a file is told; what is wrong within a list or map says so itself.
fn said(leaf: &Leaf, text: &str, error: &serde_json::Error) -> String {
    match leaf.kind.as_str() {
        "list" | "names and values" if serde_json::from_str::<Value>(text).is_ok_and(|v| !v.is_string()) => {
            error.to_string()
        }
        "list" => "is to be a list in JSON, e.g. [{\"name\": \"value\"}]".to_owned(),
        "names and values" => "is to be an object in JSON, e.g. {\"name\": \"value\"}".to_owned(),
        "number" | "whole number" | "true or false" => {
            format!(
                "`{text}` will not do; it is to be {}",
                takes("number", &leaf.path)
            )
        }
        _ => error.to_string(),
    }
}

fn set(value: &mut Value, path: &str, to: Value) {
    let mut at = value;
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = to;
}

#[cfg(test)]
mod tests {
    use super::super::{LogKind, load_text};

    fn with(variables: &[(&str, &str)]) -> Result<super::Config, String> {
        let environment = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        load_text("c", "kafka: {brokers: file}", environment).map_err(|e| e.to_string())
    }

    #[test]
    fn variables_go_over_the_file() {
        let config = with(&[
            ("STORMFOLD_LOG", "kafka"),
            ("STORMFOLD_KAFKA_BROKERS", "a:1,b:2"),
            ("STORMFOLD_TOPICS_PARTITIONS", "12"),
            ("STORMFOLD_TOPOLOGY", "42"),
            ("STORMFOLD_KAFKA_PROPERTIES", r#"{"client.id": "x"}"#),
            ("STORMFOLD_CONFIG", "not a field"),
            ("OTHER", "x"),
        ])
        .unwrap();
        assert_eq!(config.log, LogKind::Kafka);
        assert_eq!(config.kafka.brokers, "a:1,b:2");
        assert_eq!(config.topics.partitions, 12);
        assert_eq!(config.topology.as_deref(), Some("42"));
        assert_eq!(config.kafka.properties["client.id"], "x");
    }

    #[test]
    fn a_variable_that_names_no_field_or_no_value_is_an_error() {
        let error = with(&[("STORMFOLD_KAFKA_BROKER", "x")]).unwrap_err();
        assert_eq!(
            error,
            "STORMFOLD_KAFKA_BROKER: no such field; did you mean `STORMFOLD_KAFKA_BROKERS`?"
        );
        let error = with(&[("STORMFOLD_TOPICS_PARTITIONS", "many")]).unwrap_err();
        assert_eq!(
            error,
            "STORMFOLD_TOPICS_PARTITIONS: topics.partitions: `many` will not do; it is to be a whole number"
        );
        for (name, text, end) in [
            (
                "STORMFOLD_PAGE_WAIT_S",
                "1m",
                "it is to be a number of seconds, without a unit",
            ),
            ("STORMFOLD_HTTP_ENABLED", "yes", "it is to be true or false"),
            (
                "STORMFOLD_HTTP_TOKENS",
                "[{",
                "is to be a list in JSON, e.g. [{\"name\": \"value\"}]",
            ),
        ] {
            let error = with(&[(name, text)]).unwrap_err();
            assert!(error.ends_with(end), "{error}");
        }
    }
}
