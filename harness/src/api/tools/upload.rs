//! Reading the upload of a component: a form with a name, the component, and the interfaces it was made from.

use axum::extract::multipart::Field;
use bytes::Bytes;
use sinew_runtime::COMPONENT_BYTES_MAX;
use sinew_runtime::typed::docs::WitSources;

use crate::api::ApiError;
use crate::api::agent_config::is_component_name;
use crate::api::body::Invalid;
use crate::api::multipart::{self, Parts};

/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Bytes and number of the files with interfaces.
const WIT_BYTES_MAX: usize = 4 << 20;
const WIT_FILES_MAX: usize = 1_000;

/// What a form holds.
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) wasm: Bytes,
    /// The interfaces, if they came along.
    pub(super) wit: Option<WitSources>,
}

/// Reads a form to its end.
pub(super) async fn read(mut parts: Parts) -> Result<Upload, ApiError> {
    match receive(&mut parts).await {
        Ok(upload) => Ok(upload),
        Err(error) => {
            parts.drain().await;
            Err(error)
        }
    }
}

async fn receive(parts: &mut Parts) -> Result<Upload, ApiError> {
    let (mut name, mut wasm) = (None, None);
    let mut wit: Vec<(String, String)> = Vec::new();
    let mut wit_bytes_left = WIT_BYTES_MAX;
    while let Some(field) = parts.next().await? {
        match field.name() {
            Some("name") => {
                name = Some(multipart::text(field, "name", NAME_BYTES_MAX).await?);
            }
            Some("component") => {
                wasm = Some(bytes(field, COMPONENT_BYTES_MAX).await?);
            }
            Some("wit" | "wit[]") => {
                let Some(path) = field.file_name().map(str::to_owned) else {
                    return Err(Invalid::at("wit", "every file needs a file name").into());
                };
                if wit.len() >= WIT_FILES_MAX {
                    return Err(Invalid::at("wit", format!("at most {WIT_FILES_MAX} files")).into());
                }
                let text = multipart::text(field, "wit", wit_bytes_left).await?;
                wit_bytes_left -= text.len();
                wit.push((path, text));
            }
            name => return Err(multipart::unknown(name)),
        }
    }
    let missing = |name: &str| ApiError::from(Invalid::at(name, "is required"));
    let name = name.ok_or_else(|| missing("name"))?;
    if !is_component_name(&name) {
        let message = "expected a letter, then letters, digits, - or _: at most 64 characters";
        return Err(Invalid::at("name", message).into());
    }
    Ok(Upload {
        name,
        wasm: wasm.ok_or_else(|| missing("component"))?,
        wit: (!wit.is_empty()).then_some(WitSources::Files(wit)),
    })
}

async fn bytes(mut field: Field<'_>, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut content = Vec::new();
    while let Some(part) = field.chunk().await.map_err(multipart::failed)? {
        if content.len() + part.len() > bytes_max {
            return Err(ApiError::too_large(bytes_max));
        }
        content.extend_from_slice(&part);
    }
    Ok(content.into())
}
