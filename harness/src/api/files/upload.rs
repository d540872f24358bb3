//! `POST /v1/files`: a file goes to the blobs as it arrives, and is never whole in memory.

use axum::Json;
use axum::extract::State;
use axum::extract::multipart::Field;

use super::record::{self, FILE_BYTES_MAX, NewFile};
use crate::api::body::Invalid;
use crate::api::collection::Answer;
use crate::api::error::quoted;
use crate::api::multipart::{self, Parts};
use crate::api::{ApiError, ApiState, Caller};
use crate::blobs::{BlobError, Stored};
use crate::clock::Timestamp;
use crate::ids::FileId;

/// Bounds of the time after which a file expires, in seconds: an hour and 90 days.
const EXPIRES_SECONDS: std::ops::RangeInclusive<i64> = 3_600..=7_776_000;
/// Longest text of a number.
const NUMBER_BYTES_MAX: usize = 32;

/// What the parts of an upload hold.
#[derive(Default)]
struct Upload {
    file: Option<Received>,
    expires_seconds: Option<i64>,
}

struct Received {
    name: String,
    mime_type: String,
    stored: Stored,
}

/// Stores a file.
pub(super) async fn upload(
    State(api): State<ApiState>,
    caller: Caller,
    mut parts: Parts,
) -> Answer {
    let id = FileId::fresh(api.clock.now());
    let mut upload = Upload::default();
    let read = receive(&api, &id, &mut parts, &mut upload).await;
    let was_stored = upload.file.is_some();
    let recorded = match read {
        Ok(()) => record(&api, &caller, id.clone(), upload).await,
        Err(error) => Err(error),
    };
    if recorded.is_err() {
        if was_stored {
            record::drop_content(&api.blobs, id.as_str()).await;
        }
        parts.drain().await;
    }
    recorded
}

async fn receive(
    api: &ApiState,
    id: &FileId,
    parts: &mut Parts,
    upload: &mut Upload,
) -> Result<(), ApiError> {
    while let Some(field) = parts.next().await? {
        match field.name() {
            Some("file") if upload.file.is_none() => {
                upload.file = Some(receive_file(api, id, field).await?);
            }
            Some("expires_in_seconds") if upload.expires_seconds.is_none() => {
                let name = "expires_in_seconds";
                let text = multipart::text(field, name, NUMBER_BYTES_MAX).await?;
                upload.expires_seconds = Some(expires_seconds(&text)?);
            }
            Some(name @ ("file" | "expires_in_seconds")) => {
                return Err(Invalid::at(name, "this part may be given only once").into());
            }
            name => return Err(multipart::unknown(name)),
        }
    }
    Ok(())
}

async fn receive_file(api: &ApiState, id: &FileId, field: Field<'_>) -> Result<Received, ApiError> {
    // Clients may send whole paths of theirs.
    let sent = field.file_name().unwrap_or_default();
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let mime_type = record::mime_type(field.content_type(), last)?;
    let name = match last {
        "" => record::unnamed(&mime_type),
        name => name.to_owned(),
    };
    record::check_name(&name)?;
    match api.blobs.put(id.as_str(), field, FILE_BYTES_MAX).await {
        Ok(stored) => Ok(Received {
            name,
            mime_type,
            stored,
        }),
        Err(BlobError::Source(reason)) => Err(ApiError::invalid(format!(
            "the multipart body cannot be read: {reason}"
        ))),
        Err(error) => Err(error.into()),
    }
}

fn expires_seconds(text: &str) -> Result<i64, Invalid> {
    match text.trim().parse() {
        Ok(seconds) if EXPIRES_SECONDS.contains(&seconds) => Ok(seconds),
        _ => {
            let message = format!(
                "expected a whole number from {} to {}, got {}",
                EXPIRES_SECONDS.start(),
                EXPIRES_SECONDS.end(),
                quoted(text)
            );
            Err(Invalid::at("expires_in_seconds", message))
        }
    }
}

async fn record(api: &ApiState, caller: &Caller, id: FileId, upload: Upload) -> Answer {
    let Some(file) = upload.file else {
        return Err(Invalid::at("file", "this part is required").into());
    };
    let now = api.clock.now();
    let expires_at = upload.expires_seconds.map(|seconds| {
        let after = std::time::Duration::from_secs(seconds.unsigned_abs());
        now.checked_add(after).unwrap_or(Timestamp::MAX)
    });
    let file = NewFile {
        id,
        name: file.name,
        mime_type: file.mime_type,
        stored: file.stored,
        is_downloadable: false,
        expires_at,
        session: None,
        output: serde_json::Value::Null,
    };
    let created = api
        .store
        .create(file.record(&caller.workspace, now))
        .await?;
    Ok(Json(record::wire(&created)))
}
