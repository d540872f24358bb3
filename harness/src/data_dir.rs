//! The data folder: who holds it, and where things lie in it.
//!
//! One daemon at a time: the lock is the operating system's, so it ends with its process, however that ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Longest note about the holder that is read back.
const NOTE_BYTES_MAX: u64 = 1_024;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another daemon has it.
    #[error(
        "the data folder {} is held by another daemon ({holder}); stop it, or give this one its own \
         folder with --data",
        path.display()
    )]
    Held {
        /// The folder.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// It cannot be made, opened or locked.
    #[error("cannot use the data folder {}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What failed.
        error: std::io::Error,
    },
}

/// A locked data folder. Dropping it gives the lock back.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the folder if need be, readable by its owner only, and locks it.
    pub fn lock(path: &Path) -> Result<Self, DataDirError> {
        let io = |error| DataDirError::Io {
            path: path.to_owned(),
            error,
        };
        make_private(path).map_err(io)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(io)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                // The note is a courtesy; without it the lock still speaks for itself.
                let _ = Read::by_ref(&mut lock)
                    .take(NOTE_BYTES_MAX)
                    .read_to_string(&mut holder);
                return Err(DataDirError::Held {
                    path: path.to_owned(),
                    holder: match holder.trim() {
                        "" => "which left no note".to_owned(),
                        note => note.to_owned(),
                    },
                });
            }
            Err(error) => return Err(io(error.into())),
        }
        let mut dir = Self {
            path: path.to_owned(),
            lock,
        };
        dir.note(&format!("process {}", std::process::id()))
            .map_err(io)?;
        Ok(dir)
    }

    /// Writes who holds the folder, for the next one that wants it.
    pub fn note(&mut self, text: &str) -> std::io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        self.lock.write_all(text.as_bytes())
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the database file.
    pub fn database(&self) -> PathBuf {
        database(&self.path)
    }

    /// Returns the folder of compiled components.
    pub fn components(&self) -> PathBuf {
        self.path.join("components")
    }

    /// Returns the folder of the sessions' files.
    pub fn sessions(&self) -> PathBuf {
        self.path.join("sessions")
    }

    /// Returns the folder of unpacked skills.
    pub fn skills(&self) -> PathBuf {
        self.path.join("skills")
    }

    /// Returns the file of master keys, unless the configuration names another source.
    pub fn master_key(&self) -> PathBuf {
        self.path.join("master-key")
    }

    /// Returns the folder of packs: contents of sessions' files that are too large for the database.
    pub fn packs(&self) -> PathBuf {
        self.path.join("packs")
    }

    /// Returns the folder of blobs.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

/// Returns the database file of a data folder.
pub fn database(path: &Path) -> PathBuf {
    path.join("sinew.db")
}

/// Makes a folder with its parents, readable by its owner only.
pub fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_second_holder_hears_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = DataDir::lock(folder.path()).unwrap();
        first.note("process 7, listening on 127.0.0.1:1").unwrap();
        let refused = DataDir::lock(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains("process 7, listening on 127.0.0.1:1"),
            "{refused}"
        );
        drop(first);
        DataDir::lock(folder.path()).unwrap();
    }
}
