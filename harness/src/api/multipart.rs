//! Reading a `multipart/form-data` request part by part, as it arrives.

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;

use crate::api::ApiError;
use crate::api::body::Invalid;
use crate::api::error::quoted;

/// Extracts the parts of a request: 400 when it is no multipart form.
pub(super) struct Parts(Multipart);

impl<S: Send + Sync> FromRequest<S> for Parts {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let parts = Multipart::from_request(request, state).await;
        parts.map(Self).map_err(|_| {
            ApiError::invalid(
                "the content-type header must be multipart/form-data with its boundary",
            )
        })
    }
}

impl Parts {
    /// Returns the next part; what was not read of the one before is skipped.
    pub(super) async fn next(&mut self) -> Result<Option<Field<'_>>, ApiError> {
        self.0.next_field().await.map_err(failed)
    }

    /// Reads a refused request to its end, so that its sender, who may not listen before that, hears why.
    pub(super) async fn drain(mut self) {
        while let Ok(Some(mut field)) = self.0.next_field().await {
            while let Ok(Some(_)) = field.chunk().await {}
        }
    }
}

/// Reads a part that is a text of at most `bytes_max`; `name` is the part's.
pub(super) async fn text(
    mut field: Field<'_>,
    name: &str,
    bytes_max: usize,
) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(part) = field.chunk().await.map_err(failed)? {
        if bytes.len() + part.len() > bytes_max {
            return Err(Invalid::at(name, format!("at most {bytes_max} bytes")).into());
        }
        bytes.extend_from_slice(&part);
    }
    String::from_utf8(bytes).map_err(|_| Invalid::at(name, "expected UTF-8 text").into())
}

/// Refuses a part that nobody asked for.
pub(super) fn unknown(name: Option<&str>) -> ApiError {
    match name {
        None => ApiError::invalid("the request: a part has no name"),
        Some(name) => ApiError::invalid(format!("the request: unknown part {}", quoted(name))),
    }
}

/// Returns what a body that cannot be read to its end means.
pub(super) fn failed(error: MultipartError) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::body_too_large(),
        _ => ApiError::invalid(format!(
            "the multipart body cannot be read: {}",
            error.body_text()
        )),
    }
}
