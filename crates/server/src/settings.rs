//! Settings of the HTTP server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The HTTP server: ingest, health, metrics, open incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Whether there is an HTTP server at all.
    pub enabled: bool,
    /// Address and port to listen on. An address other than loopback is refused while there is no `tokens` entry.
    pub listen: String,
    /// Who may post and read. Without any, everybody who reaches a loopback address may.
    pub tokens: Vec<HttpToken>,
    /// Largest body, in bytes, also after decompression. Larger ones are answered 413.
    pub body_bytes_max: usize,
    /// Deepest nesting of a JSON body. Deeper ones are answered 400.
    pub depth_max: usize,
    /// Most labels of one alert in the drop-in forms. More are answered 400.
    pub labels_max: usize,
    /// Requests per second that one sender may post in the long run. More are answered 429 with Retry-After.
    pub rate_per_s: u32,
    /// Requests that one sender may post at once above the rate.
    pub burst: u32,
    /// Bytes of bodies that may wait for the log together. Above it posts are answered 429 with Retry-After.
    pub waiting_bytes_max: usize,
    /// Seconds by which the time of a signed request may differ from the clock.
    pub replay_window_s: u32,
}

/// One sender or reader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpToken {
    /// Who it is, for logs and limits.
    pub name: String,
    /// `bearer`: the secret is sent as `Authorization: Bearer …`. `hmac`: the body is signed with it.
    pub kind: TokenKind,
    /// The secret. Better kept in a file: `secret_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// A file that holds the secret; white space around it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<String>,
    /// The source that its bodies are read as; absent lets the shape decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// May read incidents, too.
    pub read: bool,
}

/// How a secret proves who is asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// It is sent along.
    #[default]
    Bearer,
    /// `X-Stormfold-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`.
    Hmac,
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings {
            enabled: true,
            listen: "127.0.0.1:8780".to_owned(),
            tokens: Vec::new(),
            body_bytes_max: 8 << 20,
            depth_max: 64,
            labels_max: 256,
            rate_per_s: 1_000,
            burst: 5_000,
            waiting_bytes_max: 64 << 20,
            replay_window_s: 300,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug)]
pub struct SettingsError {
    /// The field, as a dotted path below `http`.
    pub field: String,
    /// In words, with what to do.
    pub what: String,
}

/// Refuses settings that would be open to the world, or that cannot work.
pub fn check(settings: &HttpSettings) -> Result<(), SettingsError> {
    let wrong = |field: String, what: String| Err(SettingsError { field, what });
    if !settings.enabled {
        return Ok(());
    }
    let address: std::net::SocketAddr = match settings.listen.parse() {
        Ok(address) => address,
        Err(_) => {
            return wrong(
                "listen".into(),
                format!(
                    "`{}` is no address and port, e.g. 127.0.0.1:8780",
                    settings.listen
                ),
            );
        }
    };
    if !address.ip().is_loopback() && settings.tokens.is_empty() {
        return wrong(
            "listen".into(),
            format!(
                "{address} can be reached from elsewhere; give at least one entry in http.tokens, or listen on 127.0.0.1"
            ),
        );
    }
    for (i, token) in settings.tokens.iter().enumerate() {
        if token.name.is_empty() {
            return wrong(format!("tokens[{i}].name"), "says not whose it is".into());
        }
        let said = match token.secret.as_deref() {
            None => "is missing; give it, or a file that holds it in secret_file".to_owned(),
            Some(secret) if secret.len() < SECRET_BYTES_MIN => {
                format!("is shorter than {SECRET_BYTES_MIN} bytes; `openssl rand -hex 16` makes one")
            }
            Some(_) => continue,
        };
        return wrong(format!("tokens[{i}].secret"), said);
    }
    if settings.rate_per_s == 0 || settings.burst == 0 {
        return wrong("rate_per_s".into(), "rate and burst are to be at least 1".into());
    }
    Ok(())
}

/// A shorter secret can be guessed.
const SECRET_BYTES_MIN: usize = 16;
