//! A session's shell between hands: the source text from which a new shell goes on, kept beside the session's folders.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// The file, in a folder that no guest sees.
const FILE: &str = "shell-state.bash";

/// The kept state of one session's shell.
pub(super) struct ShellState {
    path: PathBuf,
}

impl ShellState {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE),
        }
    }

    /// Returns what was kept; none if the session's shell was never used.
    pub(super) fn read(&self) -> io::Result<Option<Bytes>> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces what is kept, whole or not at all.
    pub(super) fn write(&self, state: &[u8]) -> io::Result<()> {
        let new = self.path.with_extension("new");
        std::fs::write(&new, state)?;
        std::fs::rename(new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_is_kept_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let state = ShellState::in_folder(folder.path());
        assert_eq!(state.read().unwrap(), None);
        state.write(b"x=1\n").unwrap();
        state.write(b"x=2\n").unwrap();
        assert_eq!(state.read().unwrap().unwrap(), "x=2\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
