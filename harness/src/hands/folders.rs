//! The folders that a session's hand is shown, opened.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sinew_runtime::fs::Rights;

use super::session_files::{MEMORY, OUTPUTS, SessionFiles, TMP, WORKSPACE};
use super::used::{Used, count};
use crate::data_dir::make_private;
use crate::memory::mount::Mount;

/// Opens the folder of a memory store below a session's own.
fn open_memory(folder: &Path, mount: &Mount) -> std::io::Result<(String, Dir, Rights)> {
    let path = folder.join(MEMORY.1).join(&mount.slug);
    make_private(&path)?;
    let folder = Dir::open_ambient_dir(&path, ambient_authority())?;
    let rights = match mount.is_writable {
        true => Rights::ReadWrite,
        false => Rights::ReadOnly,
    };
    Ok((mount.path(), folder, rights))
}

/// The folders of one session, opened once; guests never see a path of the host.
pub(super) struct Folders {
    /// What is in the folders already that the session may write to; a folder of the host's is not counted.
    pub(super) used: Used,
    pub(super) workspace: Dir,
    pub(super) tmp: Dir,
    pub(super) outputs: Dir,
    pub(super) uploads: Dir,
    pub(super) memory: Vec<(String, Dir, Rights)>,
    /// `tmp` once more, for outputs that are too long.
    pub(super) spill: Dir,
}

impl Folders {
    pub(super) fn open(
        folder: &Path,
        workspace: Option<PathBuf>,
        memory: &[Mount],
        kept: &SessionFiles,
    ) -> std::io::Result<Self> {
        let open = |path: &Path| Dir::open_ambient_dir(path, ambient_authority());
        let own = |path: &'static str| {
            let missing = || std::io::Error::other(format!("{path} is not kept"));
            kept.dir(path)?.ok_or_else(missing)
        };
        let (names, bytes) = kept.usage();
        let mut used = Used { names, bytes };
        if kept.has_unseen {
            // No tree has them yet that could tell.
            for (_, name) in [WORKSPACE, TMP, OUTPUTS] {
                count(&folder.join(name), &mut used);
            }
        }
        for mount in memory.iter().filter(|mount| mount.is_writable) {
            count(&folder.join(MEMORY.1).join(&mount.slug), &mut used);
        }
        let memory = memory.iter().map(|mount| open_memory(folder, mount));
        let uploads = folder.join("uploads");
        make_private(&uploads)?;
        Ok(Self {
            used,
            workspace: match workspace {
                Some(path) => open(&path)?,
                None => own(WORKSPACE.0)?,
            },
            tmp: own(TMP.0)?,
            outputs: own(OUTPUTS.0)?,
            uploads: open(&uploads)?,
            memory: memory.collect::<std::io::Result<_>>()?,
            spill: own(TMP.0)?,
        })
    }
}
