//! Reading the configuration, and saying what is wrong with it: file, line, field, and what was probably meant.

use std::fmt;

use serde_saphyr::Error;

use super::{Config, numbers, overlay, reference::leaves, secrets};
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
    /// What is said of one that was read.
    pub(crate) fn is_right(&self) -> String {
        match &self.config {
            Some(file) => format!("{file} is right"),
            None => "no file is given: the defaults hold".to_owned(),
        }
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
            what: match e.kind() {
                std::io::ErrorKind::NotFound => {
                    format!("is not there; `stormfold check --example > {path}` makes one")
                }
                _ => format!("cannot be read: {e}"),
            },
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
    let number = |config: &Config| {
        numbers::wrong(config).map_or(Ok(()), |(field, what)| {
            Err(ConfigError {
                place: place.to_owned(),
                line: line_of(text, &field),
                field: Some(field),
                what,
            })
        })
    };
    // Before the environment goes over it: JSON cannot carry what is not finite.
    number(&config)?;
    let mut config = overlay::apply(config, environment)?;
    number(&config)?;
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
        Error::InvalidScalar { ty, .. } => (here, format!("is to be {}", takes(ty, path))),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("a field");
            // The name of the second one is not known to the path yet.
            let section = here.map(|path| path.trim_end_matches('?').trim_end_matches('.').to_owned());
            (
                section.filter(|path| !path.is_empty()),
                format!("`{key}` stands here twice; keep one of them"),
            )
        }
        other => {
            let said = first_line(&other.to_string());
            let what = match said.strip_prefix("expected ") {
                Some(rest) if rest.starts_with("mapping start") => {
                    "is to have fields below it, as in `name: value`"
                }
                Some(rest) if rest.starts_with("sequence start") => {
                    "is to be a list, `- ` before each of its items"
                }
                Some(rest) if rest.starts_with("string scalar") => "is to be text",
                _ => &said,
            };
            (here, what.to_owned())
        }
    }
}

/// What a field takes, by the parser's word for it or by the reference.
pub(super) fn takes(ty: &str, path: &str) -> String {
    if let Some(bits) = ty.strip_prefix('u').and_then(|bits| bits.parse::<u32>().ok())
        && bits < 64
    {
        return format!("a whole number from 0 to {}", (1_u64 << bits) - 1);
    }
    let kind = leaves()
        .into_iter()
        .find(|leaf| leaf.path == path)
        .map(|leaf| leaf.kind);
    match kind.as_deref() {
        // Whoever writes `60s` or `1h` knows durations from elsewhere.
        Some("number" | "whole number") if path.ends_with("_s") => {
            "a number of seconds, without a unit".to_owned()
        }
        Some("number" | "whole number") if path.ends_with("_ms") => {
            "a whole number of milliseconds, without a unit".to_owned()
        }
        Some("number" | "whole number") if path.ends_with("_days") => {
            "a whole number of days, without a unit".to_owned()
        }
        Some("number" | "whole number") if path.contains("bytes") => {
            "a whole number of bytes, without a unit".to_owned()
        }
        Some("number") => "a number".to_owned(),
        Some("whole number") => "a whole number".to_owned(),
        Some("list") => "a list".to_owned(),
        Some(kind) => kind.to_owned(),
        None => format!("of the kind {ty}"),
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
        Err(ConfigError {
            place: place.to_owned(),
            line: line_of(text, field),
            field: Some(field.to_owned()),
            what,
        })
    };
    if let Err((field, what)) = config.kafka.check() {
        return wrong(&field, what);
    }
    if config.topics.partitions == 0 || config.topics.partitions > 1024 {
        return wrong("topics.partitions", "is to be between 1 and 1024".to_owned());
    }
    if let Some(what) = no_topic_name(&config.topics.prefix) {
        return wrong("topics.prefix", what);
    }
    for (i, raw) in config.topics.raw.iter().enumerate() {
        let what = match raw.topic.as_str() {
            "" => Some("names no topic".to_owned()),
            name => no_topic_name(name),
        };
        if let Some(what) = what {
            return wrong(&format!("topics.raw[{i}].topic"), what);
        }
    }
    if config.pipeline.instance.as_deref() == Some("") {
        let what = "is empty; name this process, or leave it out for the host name";
        return wrong("pipeline.instance", what.to_owned());
    }
    if let Err(error) = wire::Mappings::compile(&config.decode.mappings) {
        let field = format!("decode.mappings[{}].{}", error.mapping, error.field);
        let first = error.text.lines().next().unwrap_or_default();
        let line = text.lines().position(|l| !first.is_empty() && l.contains(first));
        return Err(ConfigError {
            place: place.to_owned(),
            line: line.map(|l| l as u64 + 1).or_else(|| line_of(text, &field)),
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
    // The filter itself takes a word that is no level for the name of a room, and logs nothing of the others.
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    for part in config.logging.level.split(',') {
        let level = part.rsplit('=').next().unwrap_or(part).trim();
        if !LEVELS.contains(&level) {
            let what = format!("`{level}` is no level; {}", near(level, &LEVELS));
            return wrong("logging.level", what);
        }
    }
    if let Err(error) = server::check(&config.http) {
        return wrong(&format!("http.{}", error.field), error.what);
    }
    Ok(())
}

/// Why this cannot stand in the name of a topic, by the rules of Kafka.
fn no_topic_name(name: &str) -> Option<String> {
    const LONGEST: usize = 200;
    let wrong = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c));
    match wrong {
        Some(c) => Some(format!(
            "`{name}` holds {c:?}; names of topics have letters, digits, `.`, `_` and `-`"
        )),
        None if name.len() > LONGEST => Some(format!("is longer than {LONGEST} bytes")),
        None => None,
    }
}

/// The line, from 1, on which a field of a YAML text in block form stands: its own, else that of its nearest section
/// that is written there.
fn line_of(text: &str, field: &str) -> Option<u64> {
    let mut rest = field;
    let mut found = None;
    // The indentation of what holds the rest, and items of a list that are still to be passed.
    let (mut inside, mut items) = (None, 0);
    for (number, line) in text.lines().enumerate() {
        let content = line.trim_start().trim_start_matches("- ");
        let indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if inside.is_some_and(|inside| indent <= inside) {
            break;
        }
        if line.trim_start().starts_with('-') && items > 0 {
            items -= 1;
        }
        let key = content
            .split_once(':')
            .map(|(key, _)| key.trim_matches(['"', '\'']));
        let name = rest.split(['.', '[']).next().unwrap_or(rest);
        // A name of a property has dots of its own.
        let Some(key) = key.filter(|key| items == 0 && (*key == rest || *key == name)) else {
            continue;
        };
        (found, inside) = (Some(number as u64 + 1), Some(indent));
        rest = &rest[key.len()..];
        if let Some((index, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            items = index.parse::<usize>().unwrap_or_default() + 1;
            rest = behind;
        }
        rest = rest.trim_start_matches('.');
        if rest.is_empty() {
            break;
        }
    }
    found
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
    fn a_way_to_the_brokers_that_cannot_work_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name).to_string_lossy().into_owned();
            std::fs::write(&path, text).unwrap();
            path
        };
        let (pem, store) = (
            file("ca.pem", "-----BEGIN CERTIFICATE-----\n"),
            file("store.p12", "0"),
        );
        let token = file("token", "t");
        for (kafka, said) in [
            (
                "sasl: {mechanism: scram_sha256, username: u, password: p}",
                "in_the_clear: is false",
            ),
            (
                "tls: {enabled: true}, sasl: {username: u}",
                "sasl.mechanism: is missing; choose one of",
            ),
            (
                "tls: {enabled: true}, sasl: {mechanism: plain, password: p}",
                "sasl.username: is missing",
            ),
            (
                "tls: {enabled: true}, sasl: {mechanism: plain, username: u}",
                "sasl.password_file: is missing",
            ),
            (
                "tls: {enabled: true}, sasl: {mechanism: oauthbearer}",
                "sasl.token_file: is missing",
            ),
            (
                "tls: {enabled: true, ca_file: /no/ca.pem}",
                "tls.ca_file: /no/ca.pem: No such file",
            ),
            (
                &format!("tls: {{enabled: true, ca_file: {store}}}"),
                "is not a PEM file",
            ),
            (
                &format!("tls: {{enabled: true, certificate_file: {pem}}}"),
                "tls.key_file: is missing",
            ),
            (
                "tls: {enabled: true}, properties: {sasl.username: u}",
                "use kafka.sasl.username instead",
            ),
            ("brokers: kafka-1.example.org", "is not host:port"),
            (
                "tls: {verify_host: false}",
                "tls.enabled: is false, so nothing else",
            ),
        ] {
            let said_of_it = error(&format!("kafka: {{{kafka}}}\n"));
            assert!(said_of_it.contains(said), "{kafka}: {said_of_it}");
        }
        let load = |kafka: &str| {
            load_text("c", &format!("kafka: {{{kafka}}}"), std::iter::empty())
                .unwrap()
                .kafka
        };
        let secret = file("secret", "p4ss\n");
        let kafka = load(&format!(
            "tls: {{enabled: true, ca_file: {pem}}}, sasl: {{mechanism: scram_sha512, username: u, password_file: {secret}}}"
        ));
        let client = kafka.client();
        for (name, value) in [
            ("security.protocol", "sasl_ssl"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.password", "p4ss"),
            ("ssl.ca.location", pem.as_str()),
            ("ssl.endpoint.identification.algorithm", "https"),
        ] {
            assert_eq!(client[name], value, "{name}");
        }
        let token = load(&format!(
            "sasl: {{mechanism: oauthbearer, token_file: {token}, in_the_clear: true}}"
        ));
        assert_eq!(token.client()["security.protocol"], "sasl_plaintext");
        // Who gives properties gets what they say.
        let given = load("properties: {security.protocol: ssl}").client();
        assert_eq!(given["security.protocol"], "ssl");
        assert_eq!(given.len(), 2);
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
        for (text, said) in [
            (
                "topics:\n  partitions: many\n",
                "c.yaml:2: topics.partitions: is to be a whole number from 0 to 4294967295",
            ),
            (
                "page:\n  wait_s: 1d\n",
                "c.yaml:2: page.wait_s: is to be a number of seconds, without a unit",
            ),
            (
                "page:\n  pass_through: maybe\n",
                "c.yaml:2: page.pass_through: is to be true or false",
            ),
            (
                "page: live\n",
                "c.yaml:1: page: is to have fields below it, as in `name: value`",
            ),
            (
                "topics:\n  raw: mine\n",
                "c.yaml:2: topics.raw: is to be a list, `- ` before each of its items",
            ),
            (
                "logging:\n  level: info,stream=loud\n",
                "c.yaml:2: logging.level: `loud` is no level; there are: error, warn, info, debug, trace, off",
            ),
            (
                "page:\n  mode: live\n  mode: observe\n",
                "c.yaml:3: page: `mode` stands here twice; keep one of them",
            ),
            (
                "decode:\n  mappings:\n  - source: x\n",
                "c.yaml:2: decode.mappings[0].title: a mapping needs a title",
            ),
            (
                "topics:\n  prefix: my alerts/\n",
                "c.yaml:2: topics.prefix: `my alerts/` holds ' '; names of topics have letters, digits, `.`, `_` and `-`",
            ),
            (
                "pipeline:\n  instance: \"\"\n",
                "c.yaml:2: pipeline.instance: is empty; name this process, or leave it out for the host name",
            ),
            (
                "http:\n  tokens:\n  - {name: a}\n",
                "c.yaml:2: http.tokens[0].secret: is missing; give it, or a file that holds it in secret_file",
            ),
            (
                "http:\n  tokens:\n  - {name: a, secret: b, secret_file: c}\n",
                "c.yaml: http.tokens[0].secret_file: stands beside http.tokens[0].secret; keep one of them",
            ),
        ] {
            assert_eq!(error(text), said);
        }
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
        let second = "topics:\n  raw:\n  - topic: x\n  - source: y\n    topic: ''\n";
        assert_eq!(error(second), "c.yaml:5: topics.raw[1].topic: names no topic");
        let of_another = "http:\n  enabled: true\nkafka:\n  tls:\n    enabled: false\n    ca_file: /ca\n";
        assert!(
            error(of_another).starts_with("c.yaml:5: kafka.tls.enabled: "),
            "{}",
            error(of_another)
        );
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
