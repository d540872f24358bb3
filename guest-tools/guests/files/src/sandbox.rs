//! A folder for one test, played as the root of a hand: files by name, and calls that show it as `/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::path::Workdir;

/// The folder, removed when dropped.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// Makes a folder that holds `files`, with the folders that they need. A name ending in `/` is a folder.
    pub fn with(files: &[(&str, &[u8])]) -> Self {
        let sandbox = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, content) in files {
            let path = sandbox.path(name);
            if name.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
        sandbox
    }

    /// The real path of a name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// What a file holds.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The folder as working directory.
    pub fn workdir(&self) -> Workdir {
        Workdir::new(self.path("").to_str().unwrap())
    }

    /// Sets how many seconds ago a file was changed.
    pub fn age(&self, name: &str, seconds: u64) {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 - seconds);
        fs::File::open(self.path(name))
            .unwrap()
            .set_modified(then)
            .unwrap();
    }

    /// The answer or the error as the model reads it, with this folder's path shown as `/w`.
    pub fn shown(&self, outcome: Result<String, Error>) -> String {
        let text = outcome.unwrap_or_else(|error| format!("error: {error}"));
        text.replace(self.path("").to_str().unwrap().trim_end_matches('/'), "/w")
    }
}
