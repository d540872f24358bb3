//! One synchronisation of one mount.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use super::manifest::Manifest;
use super::push::Push;
use super::scan::{Local, scan, stamp};
use super::{Mount, folder, pull};
use crate::crash_point;
use crate::data_dir::make_private;
use crate::memory::{MemoryError, MemoryHome};
use crate::store::StoreError;

/// Where a hand finds what was not saved because of a conflict; below its `/tmp`.
pub(super) const CONFLICTS: &str = "/tmp/memory-conflicts";
/// The same, as a name in the hand's `/tmp`.
pub const CONFLICTS_NAME: &str = "memory-conflicts";
/// A file that changed so recently may change again without its time telling.
const GRAIN: Duration = Duration::from_secs(2);
/// Names that are tried for one conflict's content.
const ASIDE_NAMES_MAX: u32 = 100;
/// Most notes for one result; more would only bury it.
const NOTES_MAX: usize = 20;

/// Where a session's mounts lie on the host.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The folder with one folder for each mount.
    pub memory: PathBuf,
    /// The folder behind the hand's `/tmp`.
    pub tmp: PathBuf,
}

/// Why a mount could not be synchronised. Whatever was done holds; the next time goes on.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The memory store failed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The host's disk failed.
    #[error("the folder of a memory mount: {0}")]
    Io(#[from] io::Error),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Memory(error.into())
    }
}

/// An agent's content that gave way to the store's.
pub(super) struct Conflict {
    pub(super) path: String,
    pub(super) content: String,
}

/// A mount that is open.
struct Open {
    beside: Dir,
    root: Dir,
    manifest: Manifest,
    locals: BTreeMap<String, Local>,
}

/// Makes the folder and the store the same, as far as they can be, and returns what the model must be told
/// since [`clear_notes`].
pub async fn sync(
    home: &MemoryHome<'_>,
    folders: &Folders,
    mount: &Mount,
) -> Result<Vec<String>, SyncError> {
    let Open {
        beside,
        root,
        mut manifest,
        locals,
    } = blocking({
        let (folders, mount) = (folders.clone(), mount.clone());
        move || open(&folders, &mount)
    })
    .await?;
    let (mut notes, mut conflicts) = (Vec::new(), Vec::new());
    let mount_path = mount.path();
    let before = manifest.clone();
    if mount.is_writable {
        let mut push = Push {
            home,
            root: &root,
            mount_path: &mount_path,
            manifest: &mut manifest,
            locals: &locals,
            notes: &mut notes,
            conflicts: &mut conflicts,
            is_full: false,
        };
        if push.has_changes() {
            crash_point::reach("memory-before-push");
            push.run().await?;
            crash_point::reach("memory-after-push");
        }
    }
    if !conflicts.is_empty() {
        let (folders, mount) = (folders.clone(), mount.clone());
        let set_aside = blocking(move || Ok(set_aside(&folders, &mount, conflicts)));
        let told;
        (conflicts, told) = set_aside.await?;
        notes.extend(told);
    }
    // Files that were not seen must not be replaced.
    let is_partial = locals.contains_key("");
    // Read before the memories: what changes in between is brought in the next time.
    let actions = match home.row().await {
        Ok(row) if !is_partial && (row.revision != manifest.revision || !conflicts.is_empty()) => {
            manifest.revision = row.revision;
            pull::plan(home, &mut manifest, &locals, &conflicts).await?
        }
        // Deleted: what is in the folder stays for this session.
        Ok(_) | Err(MemoryError::NoStore) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let is_settled = manifest == before && actions.is_empty() && has_stamps(&manifest, &locals);
    if is_settled && notes.is_empty() {
        return Ok(manifest.notes);
    }
    let (folders, mount) = (folders.clone(), mount.clone());
    blocking(move || {
        if !conflicts.is_empty() {
            // The model hears of it also if the daemon dies once the files are replaced.
            let mut told = manifest.clone();
            told.revision = 0;
            told.notes.extend(notes.iter().cloned());
            told.write(&manifest_path(&folders, &mount))?;
        }
        notes.extend(pull::apply(
            &beside,
            &root,
            &mount_path,
            &mut manifest,
            actions,
        )?);
        set_stamps(&root, &mut manifest, &locals);
        // Files before what is said of them: after a loss of power an empty one would look like the agent's.
        if manifest.entries != before.entries {
            flush(&folder(&folders, &mount))?;
        }
        manifest.notes.extend(notes);
        if manifest.notes.len() > NOTES_MAX {
            let more = manifest.notes.len() - NOTES_MAX;
            manifest.notes.truncate(NOTES_MAX);
            manifest
                .notes
                .push(format!("{more} more notes of this kind are left out."));
        }
        crash_point::reach("memory-before-manifest");
        manifest.write(&manifest_path(&folders, &mount))?;
        crash_point::reach("memory-after-manifest");
        Ok(manifest.notes)
    })
    .await
}

/// Forgets notes that the model has been told.
pub async fn clear_notes(folders: &Folders, mount: &Mount) -> Result<(), SyncError> {
    let path = manifest_path(folders, mount);
    blocking(move || {
        let mut manifest = Manifest::read(&path);
        manifest.notes.clear();
        Ok(manifest.write(&path)?)
    })
    .await
}

fn manifest_path(folders: &Folders, mount: &Mount) -> PathBuf {
    folders.memory.join(format!("{}.json", mount.slug))
}

fn open(folders: &Folders, mount: &Mount) -> Result<Open, SyncError> {
    let path = folder(folders, mount);
    // A manifest without its folder must not make every memory look deleted.
    let manifest = match path.is_dir() {
        true => Manifest::read(&manifest_path(folders, mount)),
        false => Manifest::default(),
    };
    make_private(&path)?;
    let root = Dir::open_ambient_dir(&path, ambient_authority())?;
    let beside = Dir::open_ambient_dir(&folders.memory, ambient_authority())?;
    let locals = scan(&root, &manifest)?;
    Ok(Open {
        beside,
        root,
        manifest,
        locals,
    })
}

/// Keeps what gave way where the agent finds it. Returns the conflicts whose content is kept, and a note for each
/// of all: one that cannot be kept stays in its file, which is not saved then.
fn set_aside(
    folders: &Folders,
    mount: &Mount,
    conflicts: Vec<Conflict>,
) -> (Vec<Conflict>, Vec<String>) {
    let tmp = make_private(&folders.tmp)
        .and_then(|()| Dir::open_ambient_dir(&folders.tmp, ambient_authority()));
    let (mut kept, mut notes) = (Vec::new(), Vec::new());
    for conflict in conflicts {
        let file = format!("{}{}", mount.path(), conflict.path);
        let aside = match &tmp {
            Ok(tmp) => keep(tmp, &mount.slug, &conflict),
            Err(error) => Err(io::Error::from(error.kind())),
        };
        match aside {
            Ok(aside) => {
                notes.push(format!(
                    "{file} was not saved: it was changed outside this session meanwhile. The file now holds that \
                     other content, and your content is in {aside}. Merge the two and write the file again if \
                     your change is still needed."
                ));
                kept.push(conflict);
            }
            Err(error) => notes.push(format!(
                "{file} was not saved: it was changed outside this session meanwhile, and your content cannot be put \
                 below {CONFLICTS} ({error}). Move what is there away, or remove your file to get the other \
                 content."
            )),
        }
    }
    (kept, notes)
}

/// Writes a conflict's content under a name that is free, or has that content already. Returns its path in the hand.
fn keep(tmp: &Dir, slug: &str, conflict: &Conflict) -> io::Result<String> {
    let path = format!("{CONFLICTS}/{slug}{}", conflict.path);
    let mut failure = None;
    for number in 1..=ASIDE_NAMES_MAX {
        let path = match number {
            1 => path.clone(),
            number => format!("{path}.{number}"),
        };
        let name = path.trim_start_matches("/tmp/");
        if let Some((folder, _)) = name.rsplit_once('/') {
            tmp.create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        match tmp.open_with(name, options.write(true).create_new(true)) {
            Ok(mut file) => {
                file.write_all(conflict.content.as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(error) => failure = Some(error),
        }
        // Set aside before a crash that came before its note.
        let is_there = super::scan::content(tmp, name);
        if is_there.is_ok_and(|there| there.as_deref() == Some(conflict.content.as_bytes())) {
            return Ok(path);
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists)))
}

/// Brings a folder's files to the disk.
fn flush(folder: &Path) -> io::Result<()> {
    let folder = std::fs::File::open(folder)?;
    rustix::fs::syncfs(&folder)?;
    Ok(())
}

fn has_stamps(manifest: &Manifest, locals: &BTreeMap<String, Local>) -> bool {
    manifest.entries.iter().all(|(path, entry)| {
        let known = locals.get(path);
        entry.stamp.is_some()
            || !matches!(known, Some(Local::File { stamp, .. }) if is_old(stamp.changed_seconds))
    })
}

/// Notes how the files look, so that the next time only those that changed are read. One that was read
/// before and looks the same now still has that content.
fn set_stamps(root: &Dir, manifest: &mut Manifest, locals: &BTreeMap<String, Local>) {
    for (path, entry) in &mut manifest.entries {
        entry.stamp = None;
        let Some(Local::File {
            sha256,
            stamp: read,
        }) = locals.get(path)
        else {
            continue;
        };
        let Ok(meta) = root.symlink_metadata(path.trim_start_matches('/')) else {
            continue;
        };
        let is_same = *sha256 == entry.sha256 && stamp(&meta) == *read;
        if is_same && is_old(read.changed_seconds) {
            entry.stamp = Some(*read);
        }
    }
}

fn is_old(changed_seconds: i64) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let end = now.saturating_sub(GRAIN).as_secs();
    changed_seconds < i64::try_from(end).unwrap_or(i64::MAX)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| SyncError::Io(io::Error::other(error)))?
}
