//! Blobs: large contents beside the store, each under a name that is given once and never changed.
//!
//! A blob is written first, then the resource that names it; a crash between the two leaves a blob that no
//! resource names, never a resource without its content. Nothing here knows what a blob is of.

use std::error::Error as StdError;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::data_dir::make_private;
use crate::place::{Place, without_queries};

/// Bytes sent to the store at a time. Of one upload, about twice as much is in memory.
const PART_BYTES: usize = 5 << 20;
/// Parts under way at a time.
const PARTS_MAX: usize = 1;

/// Why a blob could not be written or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BlobError {
    /// No blob has this name.
    #[error("no such blob")]
    NotFound,
    /// The content is larger than its bound.
    #[error("larger than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// No space is left; nothing was kept.
    #[error("the disk is full")]
    Full,
    /// The content's source failed; nothing was kept.
    #[error("the content ended early: {0}")]
    Source(String),
    /// The blob store failed.
    #[error("blob store failure: {0}")]
    Failed(String),
}

/// What a blob holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
}

/// The blobs of one daemon.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Where they lie, if they are files of this machine.
    folder: Option<PathBuf>,
}

impl Blobs {
    /// Returns the blobs of a place, as [`Blobs::in_folder`] or in a part of a bucket that is theirs alone.
    pub fn at(place: &Place) -> Result<Self, BlobError> {
        match place {
            Place::Folder(folder) => Self::in_folder(folder),
            Place::Bucket(store) => Ok(Self {
                store: store.clone(),
                folder: None,
            }),
        }
    }

    /// Returns the blobs in a folder of this machine, which is made if it is missing. The folder is one
    /// daemon's: what an earlier one was still writing when it died is removed.
    pub fn in_folder(folder: &Path) -> Result<Self, BlobError> {
        make_private(folder).map_err(BlobError::from_io)?;
        remove_unfinished(folder).map_err(BlobError::from_io)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder: Some(folder.to_owned()),
        })
    }

    /// Writes a blob as its content arrives; it is durable and whole when this returns. A content above
    /// `bytes_max`, a source that fails and a dropped future leave nothing.
    pub async fn put<E: std::fmt::Display>(
        &self,
        name: &str,
        content: impl Stream<Item = Result<Bytes, E>>,
        bytes_max: u64,
    ) -> Result<Stored, BlobError> {
        let upload = self.store.put_multipart(&Name::from(name)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        match copy(&mut writer, content, bytes_max).await {
            Ok(stored) => {
                writer.finish().await?;
                Ok(stored)
            }
            Err(error) => {
                // What is left of it is never visible under the name.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    /// Writes a blob that is in memory.
    pub async fn put_bytes(&self, name: &str, content: Bytes) -> Result<Stored, BlobError> {
        let bytes_max = content.len() as u64;
        let content = futures::stream::iter([Ok::<_, std::convert::Infallible>(content)]);
        self.put(name, content, bytes_max).await
    }

    /// Returns a blob's size and its content as it is read.
    pub async fn get(
        &self,
        name: &str,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, BlobError>>), BlobError> {
        let found = self.store.get(&Name::from(name)).await?;
        let bytes = found.meta.size;
        Ok((bytes, found.into_stream().map_err(BlobError::from).boxed()))
    }

    /// Returns a blob's whole content, if it is at most `bytes_max`.
    pub async fn bytes(&self, name: &str, bytes_max: u64) -> Result<Bytes, BlobError> {
        let found = self.store.get(&Name::from(name)).await?;
        if found.meta.size > bytes_max {
            return Err(BlobError::TooLarge { bytes_max });
        }
        Ok(found.bytes().await?)
    }

    /// Gives a blob's content a second name, of its own life: removing one leaves the other.
    pub async fn copy(&self, from: &str, to: &str) -> Result<(), BlobError> {
        match self.store.copy(&Name::from(from), &Name::from(to)).await {
            Ok(()) => Ok(()),
            Err(error) => match BlobError::from(error) {
                // A file has only so many names; then the bytes are copied.
                BlobError::Failed(_) => {
                    let (bytes, content) = self.get(from).await?;
                    self.put(to, content, bytes).await.map(|_| ())
                }
                error => Err(error),
            },
        }
    }

    /// Makes a file of this machine with a blob's content, at a path where nothing is. The file may share
    /// its bytes with the blob, so it must never be written to.
    pub async fn place(&self, name: &str, path: &Path) -> Result<(), BlobError> {
        // Ids, as all names are, are file names too.
        if let Some(folder) = &self.folder
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            let (from, to) = (folder.join(name), path.to_owned());
            let linked = tokio::task::spawn_blocking(move || std::fs::hard_link(from, to)).await;
            if matches!(linked, Ok(Ok(()))) {
                return Ok(());
            }
        }
        let (_, mut content) = self.get(name).await?;
        let mut file = tokio::fs::File::create_new(path)
            .await
            .map_err(BlobError::from_io)?;
        while let Some(part) = content.try_next().await? {
            file.write_all(&part).await.map_err(BlobError::from_io)?;
        }
        file.flush().await.map_err(BlobError::from_io)
    }

    /// Returns the names of all blobs.
    pub async fn names(&self) -> Result<Vec<String>, BlobError> {
        let names = self.store.list(None).map_ok(|meta| meta.location.into());
        Ok(names.try_collect().await?)
    }

    /// Removes a blob; one that does not exist is removed already.
    pub async fn delete(&self, name: &str) -> Result<(), BlobError> {
        match self.store.delete(&Name::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The local store writes beside the final name, behind a `#` that no blob's name has.
fn remove_unfinished(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().contains('#') {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

async fn copy<E: std::fmt::Display>(
    writer: &mut WriteMultipart,
    content: impl Stream<Item = Result<Bytes, E>>,
    bytes_max: u64,
) -> Result<Stored, BlobError> {
    let mut content = std::pin::pin!(content);
    let mut hash = Sha256::new();
    let mut bytes = 0u64;
    while let Some(part) = content.next().await {
        let part = part.map_err(|error| BlobError::Source(error.to_string()))?;
        bytes += part.len() as u64;
        if bytes > bytes_max {
            return Err(BlobError::TooLarge { bytes_max });
        }
        hash.update(&part);
        writer.wait_for_capacity(PARTS_MAX).await?;
        writer.put(part);
    }
    Ok(Stored {
        bytes,
        sha256: hex(&hash.finalize()),
    })
}

/// Returns the SHA-256 of a content that is in memory, in lower-case hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl BlobError {
    /// Returns what a failure of this machine's files means.
    pub fn from_io(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        if let object_store::Error::NotFound { .. } = error {
            return Self::NotFound;
        }
        let mut cause: Option<&dyn StdError> = Some(&error);
        while let Some(error) = cause {
            let io = error.downcast_ref::<std::io::Error>();
            if io.is_some_and(|io| io.kind() == std::io::ErrorKind::StorageFull) {
                return Self::Full;
            }
            cause = error.source();
        }
        Self::Failed(without_queries(&error.to_string()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    fn parts(parts: &[&'static [u8]]) -> impl Stream<Item = Result<Bytes, String>> {
        futures::stream::iter(
            parts
                .iter()
                .map(|part| Ok(Bytes::from_static(part)))
                .collect::<Vec<_>>(),
        )
    }

    #[tokio::test]
    async fn what_is_put_is_read_back_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let stored = blobs
            .put("file_1", parts(&[b"ab", b"", b"c"]), 3)
            .await
            .unwrap();
        assert_eq!(stored.bytes, 3);
        assert_eq!(
            stored.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let (bytes, content) = blobs.get("file_1").await.unwrap();
        let content: Vec<Bytes> = content.try_collect().await.unwrap();
        assert_eq!((bytes, content.concat()), (3, b"abc".to_vec()));
        assert!(matches!(
            blobs.bytes("file_1", 2).await,
            Err(BlobError::TooLarge { bytes_max: 2 })
        ));
        blobs.delete("file_1").await.unwrap();
        blobs.delete("file_1").await.unwrap();
        assert!(matches!(
            blobs.get("file_1").await,
            Err(BlobError::NotFound)
        ));
    }

    #[tokio::test]
    async fn what_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let large = blobs.put("large", parts(&[b"ab", b"c"]), 2).await;
        assert!(matches!(large, Err(BlobError::TooLarge { bytes_max: 2 })));
        let cut = futures::stream::iter([Ok(Bytes::from_static(b"a")), Err("gone")]);
        let cut = blobs.put("cut", cut, 10).await;
        assert!(matches!(cut, Err(BlobError::Source(reason)) if reason == "gone"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn copies_and_placed_files_outlive_the_blob() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(&folder.path().join("blobs")).unwrap();
        blobs.put("file_1", parts(&[b"abc"]), 3).await.unwrap();
        blobs.copy("file_1", "file_2").await.unwrap();
        let mut names = blobs.names().await.unwrap();
        names.sort();
        assert_eq!(names, ["file_1", "file_2"]);
        let placed = folder.path().join("placed");
        blobs.place("file_1", &placed).await.unwrap();
        blobs.delete("file_1").await.unwrap();
        assert_eq!(blobs.bytes("file_2", 3).await.unwrap(), b"abc".as_slice());
        assert_eq!(std::fs::read(placed).unwrap(), b"abc");
        let gone = blobs.copy("file_1", "file_3").await;
        assert!(matches!(gone, Err(BlobError::NotFound)), "{gone:?}");
        let gone = blobs.place("file_1", &folder.path().join("none")).await;
        assert!(matches!(gone, Err(BlobError::NotFound)), "{gone:?}");
    }

    #[tokio::test]
    async fn what_a_dead_daemon_was_writing_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        blobs.put("file_1", parts(&[b"abc"]), 3).await.unwrap();
        std::fs::write(folder.path().join("file_2#1"), "half").unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        assert_eq!(blobs.names().await.unwrap(), ["file_1"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn names_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(&folder.path().join("blobs")).unwrap();
        let _ = blobs.put("../outside", parts(&[b"x"]), 1).await;
        assert!(!folder.path().join("outside").exists());
    }
}
