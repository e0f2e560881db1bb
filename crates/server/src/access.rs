//! Who is asking, and how often they may.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, StatusCode, header};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    answer::Refusal,
    settings::{HttpSettings, HttpToken, TokenKind},
};

/// The header of a signed request: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`.
pub(crate) const SIGNATURE: &str = "x-stormfold-signature";

/// Signatures remembered within the window, at most; beyond it the oldest are forgotten first.
const SEEN_MAX: usize = 100_000;

/// Whoever asks without a token on a loopback address.
const LOCAL: &str = "local";

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sender {
    /// Name, for logs and limits.
    pub(crate) name: String,
    /// The source that its bodies are read as.
    pub(crate) source: Option<String>,
    /// May read incidents.
    pub(crate) read: bool,
    /// The signature that proved it, to be remembered once the request is done.
    pub(crate) signature: Option<String>,
}

/// Knows the tokens, the rates and the signatures seen.
pub(crate) struct Access {
    tokens: Vec<HttpToken>,
    window_s: i64,
    rate_per_s: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    signatures: HashSet<String>,
    order: VecDeque<(i64, String)>,
}

/// A token bucket.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Access {
    pub(crate) fn new(settings: &HttpSettings) -> Access {
        Access {
            tokens: settings.tokens.clone(),
            window_s: settings.replay_window_s.into(),
            rate_per_s: settings.rate_per_s.into(),
            burst: settings.burst.into(),
            buckets: Mutex::new(HashMap::new()),
            seen: Mutex::new(Seen {
                signatures: HashSet::new(),
                order: VecDeque::new(),
            }),
        }
    }

    /// Whether anybody on the loopback address may ask.
    pub(crate) fn is_open(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Who sends these headers. A signature is only looked at together with the body: `None` asks for that.
    pub(crate) fn by_headers(&self, headers: &HeaderMap) -> Result<Option<Sender>, Refusal> {
        if self.is_open() {
            // A page in a browser on this machine can post here as well; it cannot leave out its origin.
            if headers.contains_key(header::ORIGIN) {
                return Err(Refusal::new(
                    StatusCode::FORBIDDEN,
                    "requests of web pages need a token",
                ));
            }
            return Ok(Some(Sender {
                name: LOCAL.to_owned(),
                source: None,
                read: true,
                signature: None,
            }));
        }
        if headers.contains_key(SIGNATURE) {
            return Ok(None);
        }
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|h| h.to_str().ok())
            .and_then(|h| {
                let (scheme, secret) = h.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
            });
        match bearer {
            Some(secret) => self.by_secret(secret).map(Some),
            None => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "a bearer token or a signature is needed: `Authorization: Bearer …`, or X-Stormfold-Signature",
            )),
        }
    }

    /// Who has this secret.
    pub(crate) fn by_secret(&self, secret: &str) -> Result<Sender, Refusal> {
        let mut found = None;
        // Every token is compared, so that the time tells nothing of which one nearly fits.
        for token in self.tokens.iter().filter(|t| t.kind == TokenKind::Bearer) {
            let known = token.secret.as_deref().unwrap_or_default();
            if !known.is_empty() && bool::from(known.as_bytes().ct_eq(secret.as_bytes())) {
                found = Some(sender(token, None));
            }
        }
        found.ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "the token is not one of http.tokens"))
    }

    /// Who signed this body, with `now` in Unix seconds.
    pub(crate) fn by_signature(&self, headers: &HeaderMap, body: &[u8], now: i64) -> Result<Sender, Refusal> {
        let refuse = |reason: String| Err(Refusal::new(StatusCode::UNAUTHORIZED, reason));
        let text = headers
            .get(SIGNATURE)
            .and_then(|h| h.to_str().ok())
            .unwrap_or_default();
        let part = |name: &str| {
            text.split(',')
                .find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (Some(time), Some(signature)) = (part("t"), part("v1").and_then(unhex)) else {
            return refuse(format!("{SIGNATURE} is to be t=<unix seconds>,v1=<hex>"));
        };
        let Some(signed_at) = time
            .parse::<i64>()
            .ok()
            .filter(|t| (now - t).abs() <= self.window_s)
        else {
            return refuse(format!(
                "the signature is older or newer than {} seconds",
                self.window_s
            ));
        };
        let signed = self
            .tokens
            .iter()
            .filter(|t| t.kind == TokenKind::Hmac)
            .find(|token| {
                let secret = token.secret.as_deref().unwrap_or_default().as_bytes();
                let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
                    return false;
                };
                mac.update(time.as_bytes());
                mac.update(b".");
                mac.update(body);
                mac.verify_slice(&signature).is_ok()
            });
        let Some(token) = signed else {
            return refuse("the signature fits no secret".to_owned());
        };
        let id = format!(
            "{signed_at}.{}",
            part("v1").unwrap_or_default().to_ascii_lowercase()
        );
        if lock(&self.seen).signatures.contains(&id) {
            return refuse("this signed request was taken before".to_owned());
        }
        Ok(sender(token, Some(id)))
    }

    /// Remembers the signature of a request that was taken; one that failed may be sent again as it is.
    pub(crate) fn taken(&self, sender: &Sender, now: i64) {
        let Some(id) = &sender.signature else { return };
        let mut seen = lock(&self.seen);
        while let Some((at, _)) = seen.order.front() {
            if now - at <= 2 * self.window_s && seen.order.len() < SEEN_MAX {
                break;
            }
            if let Some((_, old)) = seen.order.pop_front() {
                seen.signatures.remove(&old);
            }
        }
        if seen.signatures.insert(id.clone()) {
            seen.order.push_back((now, id.clone()));
        }
    }

    /// Takes one request from the sender's bucket.
    pub(crate) fn rate(&self, sender: &Sender, now: Instant) -> Result<(), Refusal> {
        let mut buckets = lock(&self.buckets);
        let full = Bucket {
            left: self.burst,
            at: now,
        };
        let bucket = buckets.entry(sender.name.clone()).or_insert(full);
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * self.rate_per_s).min(self.burst);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = Duration::from_secs_f64((1.0 - bucket.left) / self.rate_per_s);
        let reason = format!(
            "more than {} requests a second from {}",
            self.rate_per_s, sender.name
        );
        Err(Refusal::later(
            StatusCode::TOO_MANY_REQUESTS,
            wait.as_secs() as u32 + 1,
            reason,
        ))
    }
}

fn sender(token: &HttpToken, signature: Option<String>) -> Sender {
    Sender {
        name: token.name.clone(),
        source: token.source.clone(),
        read: token.read,
        signature,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() || !text.is_ascii() {
        return None;
    }
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn access(kind: TokenKind) -> Access {
        let token = HttpToken {
            name: "am".into(),
            kind,
            secret: Some(SECRET.into()),
            ..HttpToken::default()
        };
        let settings = HttpSettings {
            tokens: vec![token],
            rate_per_s: 2,
            burst: 3,
            ..HttpSettings::default()
        };
        Access::new(&settings)
    }

    fn signed(time: i64, body: &[u8], secret: &str) -> HeaderMap {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        let hex: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        HeaderMap::from_iter([(
            header::HeaderName::from_static(SIGNATURE),
            format!("t={time},v1={hex}").parse().unwrap(),
        )])
    }

    fn bearer(secret: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {secret}").parse().unwrap())])
    }

    #[test]
    fn only_the_right_token_gets_in() {
        let access = access(TokenKind::Bearer);
        assert_eq!(access.by_headers(&bearer(SECRET)).unwrap().unwrap().name, "am");
        for headers in [bearer("0123456789abcdeF"), bearer(""), HeaderMap::new()] {
            assert_eq!(
                access.by_headers(&headers).unwrap_err().status,
                StatusCode::UNAUTHORIZED
            );
        }
    }

    #[test]
    fn a_signature_holds_for_its_body_its_time_and_once() {
        let access = access(TokenKind::Hmac);
        let headers = signed(1_000, b"body", SECRET);
        assert_eq!(access.by_headers(&headers).unwrap(), None);
        let sender = access.by_signature(&headers, b"body", 1_100).unwrap();
        // Not taken yet: the sender may try again.
        let again = access.by_signature(&headers, b"body", 1_100).unwrap();
        assert_eq!(sender, again);
        access.taken(&sender, 1_100);
        let reason = |headers, body: &[u8], now| access.by_signature(headers, body, now).unwrap_err().reason;
        assert!(reason(&headers, b"body", 1_101).contains("before"));
        assert!(reason(&headers, b"b0dy", 1_100).contains("fits no"));
        assert!(reason(&headers, b"body", 1_301).contains("older"));
        let (forged, unsigned) = (signed(1_000, b"body", "fedcba9876543210"), HeaderMap::new());
        assert!(reason(&forged, b"body", 1_000).contains("fits no"));
        assert!(reason(&unsigned, b"body", 1_000).contains("is to be"));
    }

    #[test]
    fn without_tokens_web_pages_stay_out() {
        let access = Access::new(&HttpSettings::default());
        assert!(access.by_headers(&HeaderMap::new()).unwrap().is_some());
        let page = HeaderMap::from_iter([(header::ORIGIN, "https://evil.example".parse().unwrap())]);
        assert_eq!(
            access.by_headers(&page).unwrap_err().status,
            StatusCode::FORBIDDEN
        );
    }

    #[test]
    fn a_bucket_empties_and_fills() {
        let access = access(TokenKind::Bearer);
        let sender = access.by_secret(SECRET).unwrap();
        let start = Instant::now();
        for _ in 0..3 {
            access.rate(&sender, start).unwrap();
        }
        let refusal = access.rate(&sender, start).unwrap_err();
        assert_eq!(
            (refusal.status, refusal.retry_after_s),
            (StatusCode::TOO_MANY_REQUESTS, Some(1))
        );
        access.rate(&sender, start + Duration::from_millis(500)).unwrap();
        access
            .rate(&sender, start + Duration::from_millis(600))
            .unwrap_err();
    }
}
