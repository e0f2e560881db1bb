//! Secrets: read from files, never shown.

use super::{Config, load::ConfigError};

/// What stands for a secret wherever the configuration is shown.
const MASK: &str = "(secret)";

/// Takes the values of `…_file` from their files.
pub(super) fn read_files(place: &str, config: &mut Config) -> Result<(), ConfigError> {
    let read = |field: String, file: &str| {
        std::fs::read_to_string(file)
            .map(|secret| secret.trim().to_owned())
            .map_err(|e| ConfigError {
                place: place.to_owned(),
                line: None,
                field: Some(field),
                what: format!("{file}: {e}"),
            })
    };
    let from_files: Vec<_> = config
        .kafka
        .properties
        .keys()
        .filter(|k| k.ends_with("_file"))
        .cloned()
        .collect();
    for key in from_files {
        let file = config.kafka.properties.remove(&key).unwrap_or_default();
        let secret = read(format!("kafka.properties.{key}"), &file)?;
        config
            .kafka
            .properties
            .insert(key.trim_end_matches("_file").to_owned(), secret);
    }
    let both = |field: String| ConfigError {
        place: place.to_owned(),
        line: None,
        what: format!(
            "stands beside {}; keep one of them",
            field.trim_end_matches("_file")
        ),
        field: Some(field),
    };
    if config.kafka.sasl.password.is_some() && config.kafka.sasl.password_file.is_some() {
        return Err(both("kafka.sasl.password_file".to_owned()));
    }
    if config.kafka.tls.key_password.is_some() && config.kafka.tls.key_password_file.is_some() {
        return Err(both("kafka.tls.key_password_file".to_owned()));
    }
    for (i, token) in config.http.tokens.iter().enumerate() {
        if token.secret.is_some() && token.secret_file.is_some() {
            return Err(both(format!("http.tokens[{i}].secret_file")));
        }
    }
    if let Some(file) = config.kafka.sasl.password_file.take() {
        config.kafka.sasl.password = Some(read("kafka.sasl.password_file".to_owned(), &file)?);
    }
    if let Some(file) = config.kafka.tls.key_password_file.take() {
        config.kafka.tls.key_password = Some(read("kafka.tls.key_password_file".to_owned(), &file)?);
    }
    for (i, token) in config.http.tokens.iter_mut().enumerate() {
        if let Some(file) = token.secret_file.take() {
            token.secret = Some(read(format!("http.tokens[{i}].secret_file"), &file)?);
        }
    }
    Ok(())
}

/// The configuration as it may be shown.
pub(crate) fn masked(config: &Config) -> Config {
    let mut shown = config.clone();
    for token in &mut shown.http.tokens {
        token.secret = token.secret.take().map(|_| MASK.to_owned());
    }
    for secret in [&mut shown.kafka.sasl.password, &mut shown.kafka.tls.key_password] {
        *secret = secret.take().map(|_| MASK.to_owned());
    }
    for (name, value) in &mut shown.kafka.properties {
        let name = name.to_lowercase();
        if [
            "password",
            "secret",
            "key.pem",
            "jaas",
            "token",
            "oauthbearer.config",
        ]
        .iter()
        .any(|s| name.contains(s))
        {
            *value = MASK.to_owned();
        }
    }
    shown
}
