//! What goes wrong at the HTTP surface, and the only place that picks status codes for it.
//!
//! An [`ApiError`] carries two stories: `message` for the client and `internal` for the log. The envelope
//! layer (`envelope`) turns it into the wire's body, because only that layer knows the request's id.

use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::body::Invalid;
use crate::blobs::BlobError;
use crate::store::StoreError;

/// An answer other than success.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    /// `error.type` of the envelope.
    kind: &'static str,
    message: String,
    details: Option<Value>,
    /// Value of `x-should-retry`, where the status alone would mislead the client.
    should_retry: Option<bool>,
    internal: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            details: None,
            should_retry: None,
            internal: None,
        }
    }

    /// 400: the request breaks the contract.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// 401: no usable key.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "authentication_error", message)
    }

    /// 403: the key is good, but not for this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission_error", message)
    }

    /// 404: `what` (e.g. `agent`) does not exist for this caller.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found_error",
            format!("{what} {} was not found", quoted(id)),
        )
    }

    /// Tells whether it says that something is not there.
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// 404 for a path that leads nowhere.
    pub fn no_route(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found_error", message)
    }

    /// 409: the request contradicts the present state. `should_retry` tells the client whether sending the
    /// same request again can succeed; without it clients retry every 409.
    pub fn conflict(message: impl Into<String>, should_retry: bool) -> Self {
        let mut error = Self::new(StatusCode::CONFLICT, "conflict_error", message);
        error.should_retry = Some(should_retry);
        error
    }

    /// 412: the request names a state that is not the present one. Sending it again cannot succeed.
    pub fn precondition_failed(message: impl Into<String>) -> Self {
        let status = StatusCode::PRECONDITION_FAILED;
        let mut error = Self::new(status, "invalid_request_error", message);
        error.should_retry = Some(false);
        error
    }

    /// 409 of a kind that only memories know: the same request cannot succeed again.
    pub fn memory_conflict(kind: &'static str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::CONFLICT, kind, message);
        error.should_retry = Some(false);
        error
    }

    /// 413: the body is over the limit.
    pub fn too_large(bytes_max: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            format!("the request body exceeds the limit of {bytes_max} bytes"),
        )
    }

    /// 413: the body is over its route's own limit.
    pub fn body_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            "the request body exceeds this endpoint's limit",
        )
    }

    /// 429: the caller must slow down.
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
    }

    /// 529: the server cannot take more work now.
    pub fn overloaded(message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        Self::new(status, "overloaded_error", message)
    }

    /// 500: our fault. `internal` goes to the log, never to the client.
    pub fn internal(internal: impl fmt::Display) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api_error",
            "the server failed; its log has the details under this request's id",
        );
        error.internal = Some(internal.to_string());
        error
    }

    /// 507: there is no space for what was sent. Clients try again by themselves, and can once there is some.
    pub fn disk_full() -> Self {
        let mut error = Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "api_error",
            "the server's disk is full, so nothing was written; send the request again once there is space",
        );
        error.internal = Some("the disk of the data folder is full".to_owned());
        error
    }

    /// An answer that another layer made without our envelope, e.g. 405 from the router.
    pub(super) fn foreign(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::no_route("no such endpoint"),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "invalid_request_error",
                "this endpoint does not know this method",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(super::BODY_BYTES_MAX),
            status if status.is_client_error() => {
                Self::new(status, "invalid_request_error", "the request is malformed")
            }
            status => Self::internal(format!("a layer answered {status} without a reason")),
        }
    }

    /// Adds `error.details.error_code`.
    pub fn with_code(self, code: &str) -> Self {
        self.with_details(json!({ "error_code": code }))
    }

    /// Sets `error.details`; the object must hold an `error_code`.
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the client's message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the log's message, for failures of ours.
    pub fn internal_message(&self) -> Option<&str> {
        self.internal.as_deref()
    }

    /// Returns the value of `x-should-retry`, if there is one.
    pub(super) fn should_retry(&self) -> Option<bool> {
        self.should_retry
    }

    /// Returns the wire's envelope.
    pub fn envelope(&self, request_id: &str) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let (Some(details), Some(error)) = (&self.details, error.as_object_mut()) {
            error.insert("details".to_owned(), details.clone());
        }
        json!({ "type": "error", "error": error, "request_id": request_id })
    }
}

/// Quotes what a client sent for a message, bounded so that a message stays one line.
pub(super) fn quoted(text: &str) -> String {
    const CHARACTERS_MAX: usize = 80;
    let mut short: String = text.chars().take(CHARACTERS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.kind, self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound => Self::no_route("the resource was not found"),
            StoreError::AlreadyExists => Self::conflict("the id is taken", false),
            StoreError::NameTaken(name) => Self::conflict(
                format!("the name {} is taken by another resource", quoted(name)),
                false,
            ),
            StoreError::RevisionConflict { .. } | StoreError::LogMoved { .. } => {
                Self::conflict("the resource was changed at the same time", true)
            }
            StoreError::Full => Self::disk_full(),
            StoreError::LeaseLost
            | StoreError::LeaseHeld { .. }
            | StoreError::Invalid(_)
            | StoreError::Gone(_)
            | StoreError::InUse(_)
            | StoreError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::TooLarge { bytes_max } => {
                Self::too_large(usize::try_from(bytes_max).unwrap_or(usize::MAX))
            }
            BlobError::Source(reason) => {
                Self::invalid(format!("the content ended early: {reason}"))
            }
            BlobError::Full => StoreError::Full.into(),
            BlobError::NotFound | BlobError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let error = Self::invalid(invalid.to_string());
        match invalid.code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
