//! The outermost layer: every response gets its identifying headers, every failure the wire's envelope.
//!
//! A handler's panic becomes a 500 here; so does any answer above 399 that was made without an
//! [`ApiError`] (the router's 404 and 405, an extractor's refusal), so that no client ever sees another
//! error shape.

use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;

use crate::api::ApiState;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::ids::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const ORGANIZATION_ID: HeaderName = HeaderName::from_static("anthropic-organization-id");
const WORKSPACE_ID: HeaderName = HeaderName::from_static("anthropic-workspace-id");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Runs the rest of the stack and finishes its response.
pub(super) async fn layer(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let request_id = RequestId::fresh(state.clock.now());
    request.extensions_mut().insert(request_id.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();

    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => axum::response::IntoResponse::into_response(ApiError::internal(format!(
            "the handler panicked: {}",
            panic_text(panic.as_ref())
        ))),
    };

    let status = response.status();
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = error.or_else(|| is_failure(&response).then(|| ApiError::foreign(status)))
    {
        if let Some(internal) = error.internal_message() {
            tracing::error!(%request_id, %method, path, internal, "request failed");
        } else {
            tracing::debug!(%request_id, %method, path, %error, "request refused");
        }
        write_error(&mut response, &error, &request_id);
    }

    let workspace = response.extensions_mut().remove::<Caller>();
    let headers = response.headers_mut();
    set(headers, REQUEST_ID, request_id.as_str());
    set(headers, ORGANIZATION_ID, &state.organization_id);
    let workspace = workspace.map_or_else(|| state.default_workspace.clone(), |c| c.workspace);
    set(headers, WORKSPACE_ID, workspace.as_str());
    response
}

fn is_failure(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// Replaces body and status, and keeps headers such as `allow`.
fn write_error(response: &mut Response, error: &ApiError, request_id: &RequestId) {
    *response.status_mut() = error.status();
    *response.body_mut() = Body::from(error.envelope(request_id.as_str()).to_string());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(should_retry) = error.should_retry() {
        set(headers, SHOULD_RETRY, &should_retry.to_string());
    }
}

fn set(headers: &mut header::HeaderMap, name: HeaderName, value: &str) {
    // An id that is no header value (an operator's odd organization id) is left out, not a failure.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
