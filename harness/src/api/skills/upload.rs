//! Reading the uploads of skills: a form with files, and perhaps a label.

use axum::extract::multipart::Field;

use super::bundle::{self, BOUNDS, Bundle};
use crate::api::ApiError;
use crate::api::body::Invalid;
use crate::api::multipart::{self, Parts};
use crate::archive::Entry;

/// Longest label in characters.
const DISPLAY_NAME_CHARACTERS_MAX: usize = 255;

/// What a form holds.
pub(super) struct Upload {
    /// The checked files.
    pub(super) bundle: Bundle,
    /// The label, if the form has one.
    pub(super) display_name: Option<String>,
}

/// Reads a form; `has_label` tells whether it may have a label.
pub(super) async fn read(mut parts: Parts, has_label: bool) -> Result<Upload, ApiError> {
    match receive(&mut parts, has_label).await {
        Ok((files, display_name)) => {
            // Up to tens of megabytes are unpacked: not on the daemon's own threads.
            let read = tokio::task::spawn_blocking(move || bundle::read(files)).await;
            Ok(Upload {
                bundle: read.map_err(ApiError::internal)??,
                display_name,
            })
        }
        Err(error) => {
            parts.drain().await;
            Err(error)
        }
    }
}

async fn receive(
    parts: &mut Parts,
    has_label: bool,
) -> Result<(Vec<Entry>, Option<String>), ApiError> {
    let (mut files, mut display_name) = (Vec::new(), None);
    let mut bytes_left = BOUNDS.bytes_max;
    while let Some(field) = parts.next().await? {
        match field.name() {
            Some("files[]" | "files") => {
                if files.len() >= BOUNDS.files_max {
                    let message = format!("at most {} files", BOUNDS.files_max);
                    return Err(Invalid::at("files[]", message).into());
                }
                let file = receive_file(field, bytes_left).await?;
                bytes_left -= file.content.len() as u64;
                files.push(file);
            }
            Some("display_name") if has_label => {
                // Four bytes are the most that a character has.
                let bytes_max = 4 * DISPLAY_NAME_CHARACTERS_MAX;
                let text = multipart::text(field, "display_name", bytes_max).await?;
                display_name = Some(label(text)?);
            }
            name => return Err(multipart::unknown(name)),
        }
    }
    Ok((files, display_name))
}

async fn receive_file(mut field: Field<'_>, bytes_max: u64) -> Result<Entry, ApiError> {
    let Some(path) = field.file_name().map(str::to_owned) else {
        return Err(Invalid::at("files[]", "every file needs a file name").into());
    };
    let mut content = Vec::new();
    while let Some(part) = field.chunk().await.map_err(multipart::failed)? {
        if (content.len() + part.len()) as u64 > bytes_max {
            return Err(ApiError::too_large(BOUNDS.bytes_max as usize));
        }
        content.extend_from_slice(&part);
    }
    Ok(entry(path, content))
}

/// A form carries no modes: what begins as a program does is one.
fn entry(path: String, content: Vec<u8>) -> Entry {
    Entry {
        path,
        is_executable: content.starts_with(b"#!"),
        content,
    }
}

fn label(text: String) -> Result<String, Invalid> {
    let count = text.chars().count();
    if !(1..=DISPLAY_NAME_CHARACTERS_MAX).contains(&count) || text.chars().any(char::is_control) {
        let message = format!(
            "expected one line of 1 to {DISPLAY_NAME_CHARACTERS_MAX} characters, got {count}"
        );
        return Err(Invalid::at("display_name", message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_among_single_files_can_be_run() {
        let made = |content: &str| entry("a".to_owned(), content.into()).is_executable;
        assert!(made("#!/bin/sh\necho hi\n"));
        assert!(!made("# Title\n") && !made(""));
    }
}
