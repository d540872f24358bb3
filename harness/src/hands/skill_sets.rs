//! Skills as folders that hands show: one folder for each set of versions, shared by all sessions that have it.
//!
//! A version never changes, so neither does a set: it is unpacked once, at the first hand that needs it. The
//! folder is a cache; it is emptied at every start, and what is in it is made again from the blobs.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::mounts::SkillMount;
use crate::archive::{self, Bounds};
use crate::blobs::{BlobError, Blobs};
use crate::data_dir::make_private;

/// What one skill may hold: more than an upload may, since it was checked then.
const BOUNDS: Bounds = Bounds {
    bytes_max: 64 << 20,
    files_max: 10_000,
};

/// The unpacked sets.
pub(super) struct SkillSets {
    folder: PathBuf,
    made: AtomicU64,
}

impl SkillSets {
    /// Returns the sets in a folder, which is emptied.
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        if let Err(error) = std::fs::remove_dir_all(&folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the folder of unpacked skills could not be emptied");
        }
        Self {
            folder,
            made: AtomicU64::new(0),
        }
    }

    /// Returns the folder that holds these skills. One whose version was deleted is left out.
    pub(super) async fn folder_of(
        &self,
        blobs: &Blobs,
        skills: &[SkillMount],
    ) -> Result<PathBuf, BlobError> {
        let mut name = blake3::Hasher::new();
        for skill in skills {
            // Neither holds a newline, so no two sets read the same.
            name.update(format!("{}\n{}\n", skill.folder, skill.blob).as_bytes());
        }
        let set = self.folder.join(name.finalize().to_hex().as_str());
        if set.is_dir() {
            return Ok(set);
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let new = self.folder.join(format!("new-{number}"));
        for skill in skills {
            let zip = match blobs.bytes(&skill.blob, BOUNDS.bytes_max).await {
                Ok(zip) => zip,
                Err(BlobError::NotFound) => {
                    tracing::warn!(
                        version = skill.blob,
                        "a session's skill was deleted, so it is not there"
                    );
                    continue;
                }
                Err(error) => return Err(error),
            };
            let folder = new.join(&skill.folder);
            blocking(move || unpack(&zip, &folder)).await?;
        }
        let to = set.clone();
        blocking(move || {
            make_private(&new)?;
            match std::fs::rename(&new, &to) {
                // Another hand was faster; its set is the same.
                Err(_) if to.is_dir() => std::fs::remove_dir_all(new),
                renamed => renamed,
            }
        })
        .await?;
        Ok(set)
    }
}

fn unpack(zip: &[u8], folder: &Path) -> io::Result<()> {
    let entries = archive::unpack(zip, BOUNDS).map_err(io::Error::other)?;
    for entry in entries {
        // The archive's one top folder is the skill itself.
        let Some((_, below)) = entry.path.split_once('/') else {
            continue;
        };
        let path = folder.join(below);
        if let Some(parent) = path.parent() {
            make_private(parent)?;
        }
        let mode = if entry.is_executable { 0o755 } else { 0o644 };
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        io::Write::write_all(&mut file, &entry.content)?;
    }
    Ok(())
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(BlobError::from_io),
        Err(error) => Err(BlobError::Failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Entry;

    #[tokio::test]
    async fn a_set_is_unpacked_once() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(&folder.path().join("blobs")).unwrap();
        let zip = archive::pack(&[Entry {
            path: "one/scripts/run.sh".to_owned(),
            content: b"echo".to_vec(),
            is_executable: true,
        }]);
        blobs
            .put_bytes("skver_1", zip.unwrap().into())
            .await
            .unwrap();
        let sets = SkillSets::in_folder(folder.path().join("skills"));
        let skill = |folder: &str, blob: &str| SkillMount {
            folder: folder.to_owned(),
            blob: blob.to_owned(),
        };
        let skills = [skill("one", "skver_1"), skill("two", "skver_gone")];
        let set = sets.folder_of(&blobs, &skills).await.unwrap();
        let file = set.join("one/scripts/run.sh");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "echo");
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111 & mode, "it may be run: {mode:o}");
        assert!(!set.join("two").exists());
        blobs.delete("skver_1").await.unwrap();
        assert_eq!(sets.folder_of(&blobs, &skills).await.unwrap(), set);
        let other = sets.folder_of(&blobs, &skills[1..]).await.unwrap();
        assert_ne!(other, set);
        assert_eq!(std::fs::read_dir(other).unwrap().count(), 0);
        assert_eq!(
            std::fs::read_dir(folder.path().join("skills"))
                .unwrap()
                .count(),
            2
        );
    }
}
