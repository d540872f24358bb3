//! One line of a listing: a name, what it is and, if somebody needs it, its status.

use std::io;
use std::path::PathBuf;

use crate::system::{Facts, Kind, Stat, stat};

use super::settings::Settings;

/// A file to be listed.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) path: PathBuf,
    /// What the folder or the status says it is.
    pub(crate) kind: Option<Kind>,
    /// None: not needed, or not to be had.
    pub(crate) status: Option<Stat>,
    /// Where a symbolic link points to.
    pub(crate) target: Option<Target>,
}

/// The target of a symbolic link.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: Vec<u8>,
    /// None: it leads nowhere, or nobody asked.
    pub(crate) status: Option<Stat>,
}

/// Returns what a folder says a file is, if it does.
pub(crate) fn known_kind(kind: Kind) -> Option<Kind> {
    (kind != Kind::Unknown).then_some(kind)
}

impl Entry {
    pub(crate) fn new(name: Vec<u8>, path: PathBuf, kind: Option<Kind>) -> Self {
        Entry {
            name,
            path,
            kind,
            status: None,
            target: None,
        }
    }

    pub(crate) fn with_status(name: Vec<u8>, path: PathBuf, status: Stat) -> Self {
        Entry {
            name,
            path,
            kind: Some(status.kind),
            status: Some(status),
            target: None,
        }
    }

    /// Asks for the status.
    pub(crate) fn look(&mut self, follow: bool) -> io::Result<()> {
        let status = stat(&self.path, follow)?;
        self.kind = Some(status.kind);
        self.status = Some(status);
        Ok(())
    }

    /// Follows a link as far as the settings need it.
    pub(crate) fn complete(&mut self, settings: &Settings) {
        if self.kind != Some(Kind::Symlink) || !settings.needs_target() {
            return;
        }
        let Ok(target) = std::fs::read_link(&self.path) else {
            return;
        };
        self.target = Some(Target {
            name: target.as_os_str().as_encoded_bytes().to_vec(),
            status: stat(&self.path, true).ok(),
        });
    }

    /// Returns whether it counts as a folder for `--group-directories-first`.
    pub(crate) fn is_directory_or_leads_to_one(&self) -> bool {
        self.kind == Some(Kind::Directory)
            || self
                .target
                .as_ref()
                .and_then(|target| target.status.as_ref())
                .is_some_and(Facts::is_directory)
    }
}
