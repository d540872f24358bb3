//! The files in a session's uploads: made and removed so that the folder is what the session's log says.
//!
//! A list beside the folder says what was placed. It is written after the files, so whatever a crash left
//! half done is done again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::mounts::UploadMount;
use crate::blobs::{BlobError, Blobs};
use crate::data_dir::make_private;

/// The list, in a folder that no guest sees.
const LIST: &str = "uploads.json";
/// A file on its way into the folder.
const INCOMING: &str = "incoming-upload";

/// Which blob lies at which path.
type Placed = BTreeMap<String, String>;

/// Makes the uploads of the session in `folder` those that are `wanted`. A file whose blob is gone is left
/// out.
pub(super) async fn place(
    folder: &Path,
    blobs: &Blobs,
    wanted: &[UploadMount],
) -> Result<(), BlobError> {
    let wanted: Placed = wanted
        .iter()
        .map(|mount| (mount.path.clone(), mount.blob.clone()))
        .collect();
    let mut placed = blocking({
        let (folder, wanted) = (folder.to_owned(), wanted.clone());
        move || start(&folder, &wanted)
    })
    .await?;
    if placed == wanted {
        return Ok(());
    }
    let incoming = folder.join(INCOMING);
    for (path, blob) in &wanted {
        if placed.get(path) == Some(blob) {
            continue;
        }
        match blobs.place(blob, &incoming).await {
            Ok(()) => {}
            Err(BlobError::NotFound) => {
                tracing::warn!(
                    file = blob,
                    path,
                    "a mounted file was deleted, so it is not there"
                );
                continue;
            }
            Err(error) => return Err(error),
        }
        let (from, to) = (incoming.clone(), uploads(folder).join(path));
        blocking(move || {
            if let Some(parent) = to.parent() {
                make_private(parent)?;
            }
            std::fs::rename(from, to)
        })
        .await?;
        placed.insert(path.clone(), blob.clone());
    }
    let folder = folder.to_owned();
    blocking(move || write_list(&folder, &placed)).await
}

/// Removes what is not wanted, and returns what is there.
fn start(folder: &Path, wanted: &Placed) -> io::Result<Placed> {
    let uploads = uploads(folder);
    make_private(&uploads)?;
    let _ = std::fs::remove_file(folder.join(INCOMING));
    let listed = match std::fs::read(folder.join(LIST)) {
        Ok(list) => serde_json::from_slice::<Placed>(&list).ok(),
        Err(_) => None,
    };
    let Some(mut placed) = listed else {
        // Never placed, or not to its end.
        clear(&uploads)?;
        return Ok(Placed::new());
    };
    let unwanted: Vec<String> = placed
        .iter()
        .filter(|(path, blob)| wanted.get(*path) != Some(*blob))
        .map(|(path, _)| path.clone())
        .collect();
    if unwanted.is_empty() {
        return Ok(placed);
    }
    for path in &unwanted {
        match std::fs::remove_file(uploads.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The folders that were made for it, as far as nothing else is in them.
        for parent in Path::new(path).ancestors().skip(1) {
            if parent.as_os_str().is_empty() || std::fs::remove_dir(uploads.join(parent)).is_err() {
                break;
            }
        }
    }
    placed.retain(|path, blob| wanted.get(path) == Some(&*blob));
    write_list(folder, &placed)?;
    Ok(placed)
}

/// Empties a folder that stays, since hands have it open.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

fn write_list(folder: &Path, placed: &Placed) -> io::Result<()> {
    let new = folder.join(LIST).with_extension("new");
    std::fs::write(&new, serde_json::to_vec(placed)?)?;
    std::fs::rename(new, folder.join(LIST))
}

fn uploads(folder: &Path) -> PathBuf {
    folder.join("uploads")
}

/// Runs system calls off the daemon's own threads: a folder may lie on a slow disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(BlobError::from_io),
        Err(error) => Err(BlobError::Failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(path: &str, blob: &str) -> UploadMount {
        UploadMount {
            path: path.to_owned(),
            blob: blob.to_owned(),
        }
    }

    #[tokio::test]
    async fn the_folder_becomes_what_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(&folder.path().join("blobs")).unwrap();
        for (name, content) in [("file_1", "one"), ("file_2", "two")] {
            blobs.put_bytes(name, content.into()).await.unwrap();
        }
        let session = folder.path().join("session");
        let read = |path: &str| std::fs::read_to_string(session.join("uploads").join(path)).ok();
        let (a, b) = (mount("a", "file_1"), mount("x/y/b", "file_2"));
        place(&session, &blobs, &[a.clone(), b.clone()])
            .await
            .unwrap();
        assert_eq!(read("a").as_deref(), Some("one"));
        assert_eq!(read("x/y/b").as_deref(), Some("two"));
        // What is placed needs its blob no more.
        blobs.delete("file_2").await.unwrap();
        place(&session, &blobs, &[mount("a", "file_2"), b.clone()])
            .await
            .unwrap();
        assert_eq!((read("a"), read("x/y/b").as_deref()), (None, Some("two")));
        place(&session, &blobs, &[a]).await.unwrap();
        assert_eq!((read("a").as_deref(), read("x/y/b")), (Some("one"), None));
        assert!(!session.join("uploads/x").exists());
        // A crash before the list was written.
        std::fs::remove_file(session.join(LIST)).unwrap();
        std::fs::write(session.join("uploads/half"), "").unwrap();
        place(&session, &blobs, &[mount("c", "file_1")])
            .await
            .unwrap();
        assert_eq!(read("c").as_deref(), Some("one"));
        assert_eq!((read("a"), read("half")), (None, None));
    }
}
