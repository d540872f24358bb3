//! Work on trees and folders from asynchronous code: it waits for disks and for the store, so it has threads of its own.

use super::TreeError;
use super::patch::{Comparison, compare};
use super::root::{Folders, folders, seal};
use crate::content::{Content, ContentError};
use crate::store::{Files, Hash, NewObjects};

/// Runs work that blocks off the daemon's own threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TreeError> + Send + 'static,
) -> Result<T, TreeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(ContentError::CutOff(error.to_string()).into()),
    }
}

/// Compares two roots; none is one without files.
pub async fn compare_roots(
    content: &Content,
    old: Option<Hash>,
    new: Option<Hash>,
    context_lines: usize,
) -> Result<Comparison, TreeError> {
    let content = content.clone();
    blocking(move || {
        let reader = content.blocking();
        let (old, new) = (folders(&reader, old)?, folders(&reader, new)?);
        compare(&reader, &old, &new, context_lines)
    })
    .await
}

/// Returns the root of a session without files and without a shell, and the objects that it needs.
pub async fn no_files(content: &Content) -> Result<(Files, NewObjects), TreeError> {
    let content = content.clone();
    blocking(move || {
        let mut batch = content.batch();
        let (root, digest) = seal(&mut batch, &Folders::new(), "")?;
        let files = Files {
            root,
            digest,
            shell: None,
        };
        Ok((files, batch.finish()?.objects))
    })
    .await
}
