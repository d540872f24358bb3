//! The files of one session as its hand sees them: folders on this host, kept to the session's tree.
//!
//! Opening puts the folders to the committed tree; saving makes a tree of what a call changed, to be committed with
//! the call's result; only then the folders count as that tree. Whatever is not committed is undone by the next
//! opening, however it came about. All of this blocks, so it runs on threads that may.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sinew_runtime::fs::{Dirt, DirtySet};
use tokio::sync::OwnedMutexGuard;

use super::folder_state::{FolderState, Known, change_time_now};
use crate::content::{Blocking, Content, Finished};
use crate::crash_point;
use crate::data_dir::make_private;
use crate::memory::mount::MOUNT_ROOT;
use crate::store::{Files, FilesChange};
use crate::tree::{
    Folder, Folders, Marks, Trash, TreeError, Trust, changes, inodes, is_empty, restore, seal,
    snapshot,
};

/// Where the guest has the folders that a session keeps, and what they are called on the host.
pub(super) const WORKSPACE: (&str, &str) = ("/workspace", "workspace");
pub(super) const TMP: (&str, &str) = ("/tmp", "tmp");
pub(super) const OUTPUTS: (&str, &str) = ("/mnt/session/outputs", "outputs");
/// All memory mounts, each a folder in it, with what was last synchronised beside them.
pub(super) const MEMORY: (&str, &str) = (MOUNT_ROOT, "memory");
/// What is being removed, in a folder that no guest sees.
const TRASH: &str = "trash";
/// Differences between two roots that are looked at one by one; with more of them everything is.
const CHANGES_MAX: usize = 100_000;

/// A folder that is kept.
struct Kept {
    guest_path: &'static str,
    dir: OwnedFd,
}

/// The files of one session.
pub(super) struct SessionFiles {
    content: Content,
    kept: Vec<Kept>,
    inner: Mutex<Inner>,
    /// They were not at rest when they were opened: a call was cut off.
    pub(super) was_cut_off: bool,
    /// There are files that no tree has yet, put there before the first hand.
    pub(super) has_unseen: bool,
    /// Nobody else works on the folders as long as this lives.
    _turn: OwnedMutexGuard<()>,
}

struct Inner {
    state: FolderState,
    /// What is committed.
    files: Option<Files>,
    folders: Folders,
    shell: Option<Bytes>,
    /// What was saved and may be committed by now.
    saved: Option<Saved>,
}

struct Saved {
    files: Files,
    folders: Folders,
    shell: Option<Bytes>,
    since: i64,
    /// Keeps new objects from being taken for garbage.
    _objects: Finished,
}

/// Names to look at beside those that the hand's file system reports.
#[derive(Default)]
pub(super) struct Touched {
    /// Guest paths of a folder and a name below it that the host wrote.
    pub(super) names: Vec<(&'static str, PathBuf)>,
    /// Memory mounts may have changed.
    pub(super) memory: bool,
}

impl SessionFiles {
    /// Puts the folders below `folder` to the committed files. With a workspace of the host's, that one is
    /// nobody's to keep. `turn` is held as long as the files are.
    pub(super) fn open(
        content: &Content,
        folder: &Path,
        has_workspace: bool,
        files: Option<Files>,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Self, TreeError> {
        make_private(folder).map_err(disk("make the session's folder"))?;
        let mut state = FolderState::open(folder).map_err(disk("read the folder's state"))?;
        let reader = content.blocking();
        let root = files.map(|files| files.root);
        let folders = crate::tree::folders(&reader, root)?;
        let shell = match files.and_then(|files| files.shell) {
            Some(shell) => Some(reader.get(shell)?),
            None => None,
        };
        let mut kept = Vec::new();
        let all = [WORKSPACE, TMP, OUTPUTS, MEMORY];
        for (guest_path, name) in all.into_iter().skip(usize::from(has_workspace)) {
            let path = folder.join(name);
            make_private(&path).map_err(disk("make a folder of the session"))?;
            let dir = Dir::open_ambient_dir(&path, ambient_authority());
            let dir = dir.map_err(disk("open a folder of the session"))?;
            kept.push(Kept {
                guest_path,
                dir: dir.into(),
            });
        }
        let known = state.known();
        let was_cut_off = matches!(known, Known::Was(..));
        // What is there before the first note becomes the session's with its first snapshot.
        let is_unseen = state.is_new() && files.is_none();
        let mut has_unseen = false;
        if is_unseen {
            for place in &kept {
                has_unseen |= !is_empty(place.dir.as_fd())?;
            }
        } else if known != Known::Is(root) {
            state.stir().map_err(disk("write the folder's state"))?;
            let mut trash = Trash::open(&folder.join(TRASH))?;
            let old = match known {
                Known::Nothing => None,
                // An older copy of the database may not have it: then nothing is known.
                Known::Was(old, _) | Known::Is(old) => crate::tree::folders(&reader, old).ok(),
            };
            for place in &kept {
                let target = folders.get(place.guest_path);
                let differing = old
                    .as_ref()
                    .and_then(|old| differences(&reader, old.get(place.guest_path), target).ok());
                let (marks, trust) = match (differing, known) {
                    (Some(marks), Known::Was(_, since)) => (marks, Trust::UnchangedSince(since)),
                    (Some(marks), Known::Is(_)) => (marks, Trust::Unmarked),
                    _ => (Marks::whole(), Trust::Nothing),
                };
                restore(
                    &reader,
                    place.dir.as_fd(),
                    target,
                    &marks,
                    trust,
                    &mut trash,
                )?;
            }
            trash.empty()?;
            crash_point::reach("trash-after-emptying");
        }
        state
            .set(root, change_time_now(), false)
            .map_err(disk("write the folder's state"))?;
        Ok(Self {
            content: content.clone(),
            kept,
            inner: Mutex::new(Inner {
                state,
                files,
                folders,
                shell,
                saved: None,
            }),
            was_cut_off,
            has_unseen,
            _turn: turn,
        })
    }

    /// Returns a handle on a kept folder.
    pub(super) fn dir(&self, guest_path: &str) -> std::io::Result<Option<Dir>> {
        let place = self
            .kept
            .iter()
            .find(|place| place.guest_path == guest_path);
        place
            .map(|place| Ok(Dir::from(place.dir.try_clone()?)))
            .transpose()
    }

    /// Returns names and bytes of all kept folders but memory, as committed.
    pub(super) fn usage(&self) -> (u64, u64) {
        let inner = self.inner();
        let kept = inner
            .folders
            .iter()
            .filter(|(path, _)| *path != MEMORY.0)
            .map(|(_, folder)| (folder.names, folder.bytes));
        kept.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
    }

    /// Returns what the session's shell goes on from.
    pub(super) fn shell(&self) -> Option<Bytes> {
        self.inner().shell.clone()
    }

    /// Makes a tree of what changed since the last one: `dirty` and `touched` say where, `since` is an instant
    /// before all of it, `shell` what the shell goes on from now. Returns what is to be committed, or nothing if
    /// nothing changed. Until [`SessionFiles::commit`] the next one goes on from what was saved.
    pub(super) fn save(
        &self,
        dirty: &DirtySet,
        touched: &Touched,
        shell: Option<Bytes>,
        since: i64,
    ) -> Result<Option<FilesChange>, TreeError> {
        let mut inner = self.inner();
        let mut batch = self.content.batch();
        // What was saved and not yet committed goes on from there; its objects are the caller's to have stored.
        let (before, shell_before, since) = match &inner.saved {
            Some(saved) => (&saved.folders, &saved.shell, saved.since.min(since)),
            None => (&inner.folders, &inner.shell, since),
        };
        let mut folders = before.clone();
        for place in &self.kept {
            let marks = self.marks(place, dirty, touched)?;
            let base = before.get(place.guest_path);
            if marks.is_empty() && base.is_some() {
                continue;
            }
            let marks = match base {
                Some(_) => marks,
                None => Marks::whole(),
            };
            let folder = snapshot(&mut batch, place.dir.as_fd(), base, &marks)?;
            folders.insert(place.guest_path.to_owned(), folder);
        }
        if folders == *before && shell == *shell_before {
            if inner.saved.is_some() {
                return Ok(None);
            }
            // Nothing changed, so what was marked is clean.
            let root = inner.files.map(|files| files.root);
            inner
                .state
                .set(root, since, false)
                .map_err(disk("write the folder's state"))?;
            return Ok(None);
        }
        let (root, digest) = seal(&mut batch, &folders, MEMORY.0)?;
        let shell_hash = match &shell {
            Some(shell) => Some(batch.put(shell.clone())?),
            None => None,
        };
        let files = Files {
            root,
            digest,
            shell: shell_hash,
        };
        let finished = batch.finish()?;
        let change = FilesChange {
            files,
            also: Vec::new(),
            objects: finished.objects.clone(),
        };
        inner.saved = Some(Saved {
            files,
            folders,
            shell,
            since,
            _objects: finished,
        });
        Ok(Some(change))
    }

    /// Takes what was saved last for committed.
    pub(super) fn commit(&self) -> std::io::Result<()> {
        let mut inner = self.inner();
        let Some(saved) = inner.saved.take() else {
            return Ok(());
        };
        inner.files = Some(saved.files);
        inner.folders = saved.folders;
        inner.shell = saved.shell;
        inner.state.set(Some(saved.files.root), saved.since, false)
    }

    /// Notes that the folders are what is committed, and that nothing changes them any more.
    pub(super) fn rest(&self) -> std::io::Result<()> {
        let mut inner = self.inner();
        if inner.saved.is_some() {
            return Ok(());
        }
        let root = inner.files.map(|files| files.root);
        inner.state.set(root, change_time_now(), true)
    }

    fn marks(&self, place: &Kept, dirty: &DirtySet, touched: &Touched) -> Result<Marks, TreeError> {
        if place.guest_path == MEMORY.0 {
            return Ok(match touched.memory {
                true => Marks::whole(),
                false => Marks::default(),
            });
        }
        let mut marks = Marks::default();
        if let Some(mount) = dirty.mount(place.guest_path) {
            marks = Marks::of_mount(mount);
            if !mount.hard_linked.is_empty() && !marks.is_whole {
                let linked: &BTreeSet<(u64, u64)> = &mount.hard_linked;
                for path in inodes(place.dir.as_fd(), linked)? {
                    marks.add(&path, Dirt::Entry);
                }
            }
        }
        for (guest_path, path) in &touched.names {
            if *guest_path == place.guest_path {
                marks.add(path, Dirt::Subtree);
            }
        }
        Ok(marks)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn disk(what: &'static str) -> impl Fn(std::io::Error) -> TreeError {
    move |error| TreeError::Disk {
        what: format!("cannot {what}"),
        error,
    }
}

/// Marks what differs between two trees.
fn differences(
    reader: &Blocking,
    old: Option<&Folder>,
    new: Option<&Folder>,
) -> Result<Marks, TreeError> {
    let (found, is_cut) = changes(reader, old, new, CHANGES_MAX)?;
    if is_cut {
        return Ok(Marks::whole());
    }
    let mut marks = Marks::default();
    for change in found {
        let path: PathBuf = change
            .path
            .iter()
            .map(|name| OsStr::from_bytes(name))
            .collect();
        marks.add(&path, Dirt::Entry);
    }
    Ok(marks)
}
