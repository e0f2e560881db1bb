//! Tokens for SASL/OAUTHBEARER, from a file that somebody else keeps fresh: a projected service account token, an agent
//! beside the process. Read again whenever the client library wants a new one.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::error::KafkaError;
use serde::Deserialize;

/// A token that does not say when it ends is read again after this long.
const OPAQUE_LIFE: Duration = Duration::from_secs(300);

/// Where tokens come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens(pub(super) Option<PathBuf>);

/// As much of a JSON Web Token (RFC 7519) as the client has to know. Its signature is for the broker to check.
#[derive(Default, Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
}

impl Tokens {
    pub(super) fn token(&self) -> Result<OAuthToken, Box<dyn Error>> {
        let file = self.0.as_ref().ok_or("OAUTHBEARER needs a file with a token")?;
        let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let token = text.trim();
        let claims = claims(token).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let ends = claims.exp.map_or(now + OPAQUE_LIFE, Duration::from_secs_f64);
        if ends <= now {
            return Err(format!(
                "{}: the token has expired; who writes the file has to renew it",
                file.display()
            )
            .into());
        }
        Ok(OAuthToken {
            token: token.to_owned(),
            principal_name: claims.sub.unwrap_or_default(),
            lifetime_ms: ends.as_millis() as i64,
        })
    }
}

fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims
        .exp
        .is_none_or(|exp| exp.is_finite() && (0.0..1e12).contains(&exp))
        .then_some(claims)
}

/// The context of clients of which nothing else is wanted.
impl ClientContext for Tokens {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.token()
    }
    // Whoever asks is told what failed; a broker that is away would be named each second.
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "client");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_whose_it_is_and_how_long_it_lasts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let tokens = Tokens(Some(file.clone()));
        assert!(
            tokens.token().err().unwrap().to_string().contains("token"),
            "a missing file is named"
        );
        let jwt = |claims: &str| {
            format!(
                "{}.{}.",
                URL_SAFE_NO_PAD.encode("{}"),
                URL_SAFE_NO_PAD.encode(claims)
            )
        };
        std::fs::write(&file, jwt(r#"{"sub": "stormfold", "exp": 4000000000}"#) + "\n").unwrap();
        let token = tokens.token().unwrap();
        assert_eq!(
            (token.principal_name.as_str(), token.lifetime_ms),
            ("stormfold", 4_000_000_000_000)
        );
        assert!(!token.token.ends_with('\n'));
        std::fs::write(&file, jwt(r#"{"sub": "stormfold", "exp": 1000}"#)).unwrap();
        assert!(tokens.token().err().unwrap().to_string().contains("expired"));
        std::fs::write(&file, "opaque").unwrap();
        assert_eq!(tokens.token().unwrap().principal_name, "");
    }
}
