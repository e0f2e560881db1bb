//! Refusals, with a reason for the operator of the sender.

use axum::{
    body::Body,
    http::{Response, StatusCode, header},
};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status.
    pub(crate) status: StatusCode,
    /// In words, with the limit that was met.
    pub(crate) reason: String,
    /// Seconds after which it may be tried again.
    pub(crate) retry_after_s: Option<u32>,
}

impl Refusal {
    /// A refusal that trying again does not mend.
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Refusal {
        Refusal {
            status,
            reason: reason.into(),
            retry_after_s: None,
        }
    }
    /// A refusal for now.
    pub(crate) fn later(status: StatusCode, seconds: u32, reason: impl Into<String>) -> Refusal {
        Refusal {
            status,
            reason: reason.into(),
            retry_after_s: Some(seconds),
        }
    }
    /// As a response.
    pub(crate) fn respond(&self) -> Response<Body> {
        let mut response = json(
            self.status,
            &serde_json::json!({"status": "refused", "reason": self.reason}),
        );
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
            // Whoever may not come in holds no connection.
            headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        response
    }
}

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    bytes(status, "application/json", body.to_string())
}

/// A response of some type that no browser may take for another.
pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        header::HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
