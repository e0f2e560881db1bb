//! What monitoring tools post.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::{
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, Response, StatusCode, header},
};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};
use stream::log::Outgoing;

use crate::{
    access::Sender,
    answer::{self, Refusal},
    body,
    serve::Shared,
    split,
};

/// `POST /v1/ingest`: any payload that is understood, or native events; NDJSON with its content type.
pub(crate) async fn any(State(shared): State<Shared>, request: Request) -> Response<Body> {
    finish(&shared, "/v1/ingest", take(&shared, request, None).await)
}

/// `POST /v1/ingest/{source}`: the same, the source named by the path.
pub(crate) async fn named(
    State(shared): State<Shared>,
    Path(source): Path<String>,
    request: Request,
) -> Response<Body> {
    let plain = source.len() <= 64
        && source
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let done = match plain {
        true => take(&shared, request, Some(source)).await,
        false => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "a source is named by letters, digits, `-`, `_` and `.`",
        )),
    };
    finish(&shared, "/v1/ingest/{source}", done)
}

/// `POST /api/v2/alerts`: the API that Prometheus posts to; another Alertmanager to it.
pub(crate) async fn alertmanager(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let done = alertmanager_batch(&shared, request)
        .await
        .map(|()| answer::bytes(StatusCode::OK, "application/json", "{}"));
    finish(&shared, "/api/v2/alerts", done)
}

/// `POST /v2/enqueue`: PagerDuty's Events API v2. The routing key is the token.
pub(crate) async fn enqueue(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let done = pagerduty_event(&shared, request).await;
    // Its clients read these fields.
    let done = done.or_else(|refusal| {
        let body = json!({"status": "invalid event", "message": refusal.reason, "errors": [refusal.reason]});
        let mut response = answer::json(refusal.status, &body);
        let again = refusal.retry_after_s;
        again.map(|seconds| response.headers_mut().insert(header::RETRY_AFTER, seconds.into()));
        Ok::<_, Refusal>(response)
    });
    finish(&shared, "/v2/enqueue", done)
}

fn finish(shared: &Shared, route: &str, done: Result<Response<Body>, Refusal>) -> Response<Body> {
    let response = done.unwrap_or_else(|refusal| refusal.respond());
    shared
        .metrics
        .requests
        .with_label_values(&[route, response.status().as_str()])
        .inc();
    response
}

async fn take(shared: &Shared, request: Request, source: Option<String>) -> Result<Response<Body>, Refusal> {
    let (parts, stream) = request.into_parts();
    let known = shared.access.by_headers(&parts.headers)?;
    let (sender, bytes) = open(shared, &parts.headers, stream, known).await?;
    let content_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|h| h.to_str().ok())
        .unwrap_or_default();
    let source = source.or_else(|| sender.source.clone());
    let values = if is_ndjson(content_type) {
        let lines = bytes
            .split(|b| *b == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|l| !l.is_empty());
        let mut values = Vec::new();
        for line in lines {
            check_json(shared, line)?;
            values.extend(split::split(line)?);
        }
        values
    } else {
        check_json(shared, &bytes)?;
        split::split(&bytes)?
    };
    let forwarded = cloud_event_headers(&parts.headers);
    let accepted = append(
        shared,
        &sender,
        source.as_deref(),
        content_type,
        &forwarded,
        values,
    )
    .await?;
    Ok(answer::json(
        StatusCode::ACCEPTED,
        &json!({"status": "accepted", "records": accepted}),
    ))
}

async fn alertmanager_batch(shared: &Shared, request: Request) -> Result<(), Refusal> {
    let (parts, stream) = request.into_parts();
    let known = shared.access.by_headers(&parts.headers)?;
    let (sender, bytes) = open(shared, &parts.headers, stream, known).await?;
    body::check_depth(&bytes, shared.settings.depth_max)?;
    let alerts: Vec<Posted> = serde_json::from_slice(&bytes)
        .map_err(|e| Refusal::new(StatusCode::BAD_REQUEST, format!("not a list of alerts: {e}")))?;
    if alerts
        .iter()
        .any(|alert| alert.labels > shared.settings.labels_max)
    {
        let reason = format!("an alert has more than {} labels", shared.settings.labels_max);
        return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
    }
    if !alerts.is_empty() {
        append(
            shared,
            &sender,
            Some("alertmanager"),
            "application/json",
            &[],
            split::split(&bytes)?,
        )
        .await?;
    }
    Ok(())
}

async fn pagerduty_event(shared: &Shared, request: Request) -> Result<Response<Body>, Refusal> {
    let (parts, stream) = request.into_parts();
    let bytes = decoded(shared, &parts.headers, stream).await?;
    body::check_depth(&bytes, shared.settings.depth_max)?;
    let mut event: serde_json::Map<String, Value> = serde_json::from_slice(&bytes)
        .map_err(|e| Refusal::new(StatusCode::BAD_REQUEST, format!("not a JSON object: {e}")))?;
    let key = event.get("routing_key").and_then(Value::as_str);
    let sender = match key {
        Some(key) if !shared.access.is_open() => shared.access.by_secret(key)?,
        None if !shared.access.is_open() => {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "routing_key is missing; it is one of the tokens",
            ));
        }
        _ => signed_or_known(shared, &parts.headers, &bytes)?,
    };
    shared.access.rate(&sender, Instant::now())?;
    if !shared.access.is_open() {
        // A secret goes into no log.
        event.insert("routing_key".to_owned(), Value::from("(secret)"));
    }
    let action = event
        .get("event_action")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if !matches!(action.as_str(), "trigger" | "acknowledge" | "resolve") {
        let reason = "event_action is to be trigger, acknowledge or resolve";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
    }
    let dedup_key = match event
        .get("dedup_key")
        .and_then(Value::as_str)
        .filter(|k| !k.is_empty())
    {
        Some(key) => key.to_owned(),
        None if action == "trigger" => {
            // The sender needs it for the resolve. Of the body alone, so that a repeated attempt is the same alert.
            let key = format!("{:032x}", model::Hash128::new("pagerduty").part(&bytes).finish());
            event.insert("dedup_key".to_owned(), Value::from(key.as_str()));
            key
        }
        None => {
            let reason = format!("dedup_key is missing; {action} needs that of the trigger");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
        }
    };
    let values = split::split(Value::Object(event).to_string().as_bytes())?;
    append(
        shared,
        &sender,
        Some("pagerduty"),
        "application/json",
        &[],
        values,
    )
    .await?;
    let body = json!({"status": "success", "message": "Event processed", "dedup_key": dedup_key});
    Ok(answer::json(StatusCode::ACCEPTED, &body))
}

/// Who sends it, and its body, within their limits.
async fn open(
    shared: &Shared,
    headers: &HeaderMap,
    stream: Body,
    known: Option<Sender>,
) -> Result<(Sender, Bytes), Refusal> {
    if let Some(sender) = &known {
        shared.access.rate(sender, Instant::now())?;
    }
    let raw = body::read(stream, shared.settings.body_bytes_max).await?;
    shared.metrics.body_bytes.inc_by(raw.len() as u64);
    let sender = match known {
        Some(sender) => sender,
        None => {
            let sender = shared.access.by_signature(headers, &raw, unix_now())?;
            shared.access.rate(&sender, Instant::now())?;
            sender
        }
    };
    let bytes = body::decompress(headers, raw, shared.settings.body_bytes_max)?;
    if bytes.trim_ascii().is_empty() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "the body is empty"));
    }
    Ok((sender, bytes))
}

async fn decoded(shared: &Shared, headers: &HeaderMap, stream: Body) -> Result<Bytes, Refusal> {
    let raw = body::read(stream, shared.settings.body_bytes_max).await?;
    shared.metrics.body_bytes.inc_by(raw.len() as u64);
    body::decompress(headers, raw, shared.settings.body_bytes_max)
}

fn signed_or_known(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Sender, Refusal> {
    match shared.access.by_headers(headers)? {
        Some(sender) => Ok(sender),
        None => shared.access.by_signature(headers, body, unix_now()),
    }
}

/// Refuses what claims to be JSON and is not, or is nested too deeply. Other forms (syslog lines) are for ingest to read.
fn check_json(shared: &Shared, bytes: &[u8]) -> Result<(), Refusal> {
    if !body::looks_like_json(bytes) {
        return Ok(());
    }
    body::check_depth(bytes, shared.settings.depth_max)?;
    serde_json::from_slice::<IgnoredAny>(bytes)
        .map(|_| ())
        .map_err(|e| Refusal::new(StatusCode::BAD_REQUEST, format!("not JSON: {e}")))
}

async fn append(
    shared: &Shared,
    sender: &Sender,
    source: Option<&str>,
    content_type: &str,
    headers: &[(String, Vec<u8>)],
    values: Vec<Vec<u8>>,
) -> Result<usize, Refusal> {
    let records = values.into_iter().map(|value| {
        let mut record = Outgoing {
            topic: shared.raw.clone(),
            partition: None,
            timestamp: None,
            key: None,
            value: Some(value),
            headers: headers.to_vec(),
        };
        for (name, text) in [
            ("source", source.unwrap_or_default()),
            ("content-type", content_type),
            ("sender", &sender.name),
        ] {
            if !text.is_empty() {
                record = record.header(name, text);
            }
        }
        record
    });
    let records: Vec<_> = records.collect();
    let count = records.len();
    shared.accept.append(records).await?;
    shared.access.taken(sender, unix_now());
    shared.metrics.records.inc_by(count as u64);
    Ok(count)
}

/// The attributes of a CloudEvent in binary mode travel in headers
/// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode>).
fn cloud_event_headers(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let ours = headers
        .iter()
        .filter(|(name, value)| name.as_str().starts_with("ce-") && value.len() <= 1_024);
    ours.take(32)
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

fn is_ndjson(content_type: &str) -> bool {
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines"
    )
}

fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() as i64)
}

/// An alert as Prometheus posts it, as far as it is looked at here.
#[derive(serde::Deserialize)]
struct Posted {
    #[serde(deserialize_with = "entries")]
    labels: usize,
}

/// Counts the entries of an object of texts.
fn entries<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = usize;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of texts")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while map.next_entry::<IgnoredAny, AnyText>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }
    d.deserialize_map(Texts)
}

/// A text that nobody looks at.
struct AnyText;

impl<'de> Deserialize<'de> for AnyText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<AnyText, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = AnyText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, _: &str) -> Result<AnyText, E> {
                Ok(AnyText)
            }
        }
        d.deserialize_str(Any)
    }
}
