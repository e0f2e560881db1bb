//! Reading the configuration, and saying what is wrong with it: file, line, field, and what was probably meant.

use std::fmt;

use serde_saphyr::Error;

use super::{Config, kafka, overlay, secrets};
use crate::fail::Failure;

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// The file, or the environment variable.
    pub(crate) place: String,
    /// Line, from 1.
    pub(crate) line: Option<u64>,
    /// The field, as a dotted path.
    pub(crate) field: Option<String>,
    /// In words, with what to do.
    pub(crate) what: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ConfigError {}

/// The file, as every command takes it.
#[derive(Debug, clap::Args)]
pub(crate) struct File {
    /// The configuration; absent means the defaults.
    #[arg(long, value_name = "FILE", env = "STORMFOLD_CONFIG")]
    config: Option<String>,
}

impl File {
    /// What is in force with it and the environment of the process.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        // A variable that is not Unicode is none of ours.
        let environment =
            std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
        load(self.config.as_deref(), environment).map_err(|e| Failure::Wrong(e.to_string()))
    }
    /// What to call it.
    pub(crate) fn name(&self) -> &str {
        self.config.as_deref().unwrap_or("the defaults")
    }
}

/// What is in force with this file (`None`: the defaults) and this environment.
fn load(
    file: Option<&str>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = match file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path).map_err(|e| ConfigError {
            place: path.to_owned(),
            line: None,
            field: None,
            what: format!("cannot be read: {e}"),
        })?,
    };
    load_text(file.unwrap_or("defaults"), &text, environment)
}

/// The same for a text; `place` names it in errors.
pub(super) fn load_text(
    place: &str,
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let config = parse(place, text)?;
    let mut config = overlay::apply(config, environment)?;
    secrets::read_files(place, &mut config)?;
    check(place, text, &config)?;
    Ok(config)
}

fn parse(place: &str, text: &str) -> Result<Config, ConfigError> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Config::default());
    }
    let mut track = serde_path_to_error::Track::new();
    let parsed = serde_saphyr::with_deserializer_from_str(text, |yaml| {
        serde::Deserialize::deserialize(serde_path_to_error::Deserializer::new(yaml, &mut track))
    });
    parsed.map_err(|error: Error| {
        let path = track.path().to_string();
        let error = error.without_snippet();
        let (field, what) = describe(error, &path);
        ConfigError {
            place: place.to_owned(),
            line: error.location().map(|l| l.line()),
            field,
            what,
        }
    })
}

/// The field and the words for an error of the parser.
fn describe(error: &Error, path: &str) -> (Option<String>, String) {
    let here = (!path.is_empty() && path != ".").then(|| path.to_owned());
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            // The path ends in the unknown field itself, or in the section that holds it.
            let full = match &here {
                Some(section) if section == field || section.ends_with(&format!(".{field}")) => {
                    section.clone()
                }
                Some(section) => format!("{section}.{field}"),
                None => field.clone(),
            };
            (Some(full), format!("no such field; {}", near(field, expected)))
        }
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            here,
            format!("`{variant}` is not a choice; {}", near(variant, expected)),
        ),
        Error::SerdeInvalidType {
            unexpected, expected, ..
        } => (here, format!("is {unexpected}, not {expected}")),
        Error::SerdeInvalidValue {
            unexpected, expected, ..
        } => (here, format!("is {unexpected}, not {expected}")),
        Error::InvalidScalar { ty, .. } => (here, format!("is not a value of the kind {ty}")),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("a field");
            (here, format!("`{key}` stands here twice; keep one of them"))
        }
        other => (here, first_line(&other.to_string())),
    }
}

/// What was probably meant, else what there is.
pub(super) fn near(word: &str, choices: &[&str]) -> String {
    let likeness = |choice: &str| strsim::jaro_winkler(&word.to_lowercase(), choice);
    let best = choices.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match best {
        Some(best) if likeness(best) > 0.75 => format!("did you mean `{best}`?"),
        _ => format!("there are: {}", choices.join(", ")),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// What the types cannot hold.
fn check(place: &str, text: &str, config: &Config) -> Result<(), ConfigError> {
    let wrong = |field: &str, what: String| {
        let name = field
            .strip_prefix("kafka.properties.")
            .unwrap_or_else(|| field.rsplit('.').next().unwrap_or(field));
        let line = text
            .lines()
            .position(|l| l.trim_start().starts_with(&format!("{name}:")));
        Err(ConfigError {
            place: place.to_owned(),
            line: line.map(|l| l as u64 + 1),
            field: Some(field.to_owned()),
            what,
        })
    };
    for name in config.kafka.properties.keys() {
        if let Some(reason) = kafka::refusal(name) {
            return wrong(&format!("kafka.properties.{name}"), reason);
        }
    }
    if config.topics.partitions == 0 || config.topics.partitions > 1024 {
        return wrong("topics.partitions", "is to be between 1 and 1024".to_owned());
    }
    if config.kafka.brokers.trim().is_empty() {
        return wrong("kafka.brokers", "names no broker".to_owned());
    }
    for (i, raw) in config.topics.raw.iter().enumerate() {
        if raw.topic.is_empty() {
            return wrong(&format!("topics.raw[{i}].topic"), "names no topic".to_owned());
        }
    }
    if let Err(error) = wire::Mappings::compile(&config.decode.mappings) {
        let field = format!("decode.mappings[{}].{}", error.mapping, error.field);
        let first = error.text.lines().next().unwrap_or_default();
        let line = text.lines().position(|l| !first.is_empty() && l.contains(first));
        return Err(ConfigError {
            place: place.to_owned(),
            line: line.map(|l| l as u64 + 1),
            field: Some(field),
            what: error.to_string(),
        });
    }
    for (i, table) in config.decode.tables.iter().enumerate() {
        if table.file.is_empty() || table.key.is_empty() {
            return wrong(
                &format!("decode.tables[{i}].file"),
                "needs a file and a key".to_owned(),
            );
        }
    }
    if config.merge.severity == Some(engine::Keep::Append) {
        let what = "severities are not appended; there are first, last, max and min";
        return wrong("merge.severity", what.to_owned());
    }
    for (field, value) in [
        ("grouping.settle_s", config.grouping.settle_s),
        ("grouping.episode_s", config.grouping.episode_s),
        ("grouping.reach_s", config.grouping.reach_s),
        ("grouping.reach_unknown_s", config.grouping.reach_unknown_s),
        ("life.lateness_s", config.life.lateness_s),
        ("life.resolve_quiet_s", config.life.resolve_quiet_s),
        ("life.reopen_s", config.life.reopen_s),
        ("life.stale_s", config.life.stale_s),
        ("page.wait_s", config.page.wait_s),
        ("page.critical_wait_s", config.page.critical_wait_s),
    ] {
        if !(value.is_finite() && (0.0..=31.0 * 86_400.0).contains(&value)) {
            return wrong(
                field,
                format!("is {value} seconds; it is to be between 0 and 31 days"),
            );
        }
    }
    if let Err(error) = server::check(&config.http) {
        return wrong(&format!("http.{}", error.field), error.what);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        load_text("c.yaml", text, std::iter::empty())
            .expect_err("wrong")
            .to_string()
    }

    #[test]
    fn errors_name_line_field_and_what_was_meant() {
        assert_eq!(
            error("log: embedded\nkafka:\n  broker: x\n"),
            "c.yaml:3: kafka.broker: no such field; did you mean `brokers`?"
        );
        assert_eq!(
            error("kafak: {}\n"),
            "c.yaml:1: kafak: no such field; did you mean `kafka`?"
        );
        assert_eq!(
            error("\nlog: kafla\n"),
            "c.yaml:2: log: `kafla` is not a choice; did you mean `kafka`?"
        );
        assert!(error("topics:\n  partitions: many\n").starts_with("c.yaml:2: topics.partitions: "));
        assert!(
            error("topics:\n  partitions: 0\n").starts_with("c.yaml:2: topics.partitions: is to be between")
        );
        assert!(
            error("topics:\n  raw:\n  - topik: x\n")
                .contains("topics.raw[0].topik: no such field; did you mean `topic`?")
        );
        assert!(
            error("kafka:\n  properties:\n    enable.idempotence: 'false'\n")
                .contains("c.yaml:3: kafka.properties.enable.idempotence: ")
        );
        assert!(error("log: embedded\nlog: kafka\n").contains("twice"));
        let mapping = "decode:\n  mappings:\n  - source: x\n    title: body.a +\n";
        let error = error(mapping);
        assert!(
            error.starts_with("c.yaml:4: decode.mappings[0].title: "),
            "{error}"
        );
        assert!(error.contains("line 1 column 9"), "{error}");
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        for text in ["", "# nothing\n", "{}\n"] {
            assert_eq!(
                load_text("c", text, std::iter::empty()).unwrap(),
                Config::default()
            );
        }
    }
}
