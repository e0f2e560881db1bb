//! What operators and probes ask: health, metrics, incidents.

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Response, StatusCode},
};
use serde_json::json;
use stream::WorkerState;

use crate::{
    answer::{self, Refusal},
    serve::Shared,
};

/// Incidents in one answer, at most.
const LIMIT_MAX: usize = 1_000;
const LIMIT: usize = 100;

/// `GET /healthz`: whether the process does anything at all; a supervisor restarts it otherwise.
pub(crate) async fn healthz(State(shared): State<Shared>) -> Response<Body> {
    let stuck: Vec<_> = shared
        .probe
        .health()
        .workers
        .into_iter()
        .filter(|w| w.dead)
        .map(|w| w.name)
        .collect();
    match stuck.is_empty() {
        true => answer::json(StatusCode::OK, &json!({"status": "ok"})),
        false => answer::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "stuck", "workers": stuck}),
        ),
    }
}

/// `GET /readyz`: whether every worker does what it is there for.
pub(crate) async fn readyz(State(shared): State<Shared>) -> Response<Body> {
    let health = shared.probe.health();
    let workers: Vec<_> = health
        .workers
        .iter()
        .map(|worker| {
            let (state, detail) = match &worker.state {
                WorkerState::Joining => ("joining", None),
                WorkerState::Running { partitions } => ("running", Some(json!({"partitions": partitions}))),
                WorkerState::Failed { error, .. } => ("failed", Some(json!({"error": error}))),
                WorkerState::Stopped => ("stopped", None),
            };
            json!({"name": worker.name, "state": state, "detail": detail, "caught_up": worker.caught_up, "stuck": worker.stuck})
        })
        .collect();
    let status = if health.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = if health.ready { "ready" } else { "not ready" };
    answer::json(
        status,
        &json!({"status": word, "reasons": health.reasons, "workers": workers}),
    )
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(shared): State<Shared>) -> Response<Body> {
    shared
        .metrics
        .page(&shared.probe.counters(), &shared.probe.books())
}

/// What an incident's status may be.
const STATUSES: [&str; 5] = ["open", "acknowledged", "snoozed", "resolved", "merged"];

/// `GET /v1/incidents?status=open&after=ID&limit=N`: records as the topic has them, in the order of their ids.
pub(crate) async fn incidents(
    State(shared): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    list(&shared, &headers, query.as_deref().unwrap_or_default()).unwrap_or_else(|refusal| refusal.respond())
}

/// `GET /v1/incidents/{id}`.
pub(crate) async fn incident(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response<Body> {
    let found = may_read(&shared, &headers).and_then(|()| {
        let record = shared.view.get(&id);
        record.ok_or_else(|| {
            Refusal::new(
                StatusCode::NOT_FOUND,
                "no such incident, or it was over long ago; an id is given whole",
            )
        })
    });
    match found {
        Ok(record) => answer::bytes(StatusCode::OK, "application/json", record.to_vec()),
        Err(refusal) => refusal.respond(),
    }
}

/// `GET /v1/deadletters`: what was refused of late, the newest first.
pub(crate) async fn deadletters(State(shared): State<Shared>, headers: HeaderMap) -> Response<Body> {
    let found = may_read(&shared, &headers).and_then(|()| {
        let letters = shared.letters.as_ref().map(|letters| letters.list());
        letters.ok_or_else(|| {
            let said = "dead letters of a log on Kafka are listed by `stormfold deadletters list`";
            Refusal::new(StatusCode::NOT_FOUND, said)
        })
    });
    found.map_or_else(
        |refusal| refusal.respond(),
        |letters| answer::json(StatusCode::OK, &letters),
    )
}

fn list(shared: &Shared, headers: &HeaderMap, query: &str) -> Result<Response<Body>, Refusal> {
    may_read(shared, headers)?;
    let (mut statuses, mut after, mut limit) = (STATUSES[..3].to_vec(), "", LIMIT);
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let refuse = |what: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, what));
        match pair.split_once('=') {
            Some(("status", "all")) => statuses = STATUSES.to_vec(),
            Some(("status", status)) => {
                statuses = status.split(',').collect();
                if statuses.iter().any(|status| !STATUSES.contains(status)) {
                    return refuse(
                        "status is all, or some of open, acknowledged, snoozed, resolved and merged, with commas between",
                    );
                }
            }
            Some(("after", id)) => after = id,
            Some(("limit", n)) => match n.parse() {
                Ok(n) if (1..=LIMIT_MAX).contains(&n) => limit = n,
                _ => return refuse("limit is to be between 1 and 1000"),
            },
            _ => return refuse("there are status, after and limit"),
        }
    }
    let found = shared.view.list(&statuses, after, limit);
    let mut body = Vec::from(b"{\"incidents\":[".as_slice());
    for (i, (_, record)) in found.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(record);
    }
    body.push(b']');
    if let Some((id, _)) = found.last().filter(|_| found.len() == limit) {
        body.extend(format!(",\"after\":{}", serde_json::Value::from(id.as_str())).bytes());
    }
    body.push(b'}');
    Ok(answer::bytes(StatusCode::OK, "application/json", body))
}

fn may_read(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    match shared.access.by_headers(headers)? {
        Some(sender) if sender.read => Ok(()),
        _ => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "this needs a bearer token with `read: true`",
        )),
    }
}
