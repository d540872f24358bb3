//! The walk beneath a folder that glob and grep share.
//!
//! It asks the file system for as little as possible: one listing per folder, whose entries carry their
//! kind, and no further call per file. Entries come in the order of their names, so an answer is the same
//! each time. Links are shown, never followed: no walk leaves the tree it began in, and none runs in circles.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use crate::ignored::Rules;

/// How many entries one walk looks at. A larger tree would outlast the call, and its answer the context.
pub const WALK_ENTRIES_MAX: usize = 50_000;

/// What an entry is, as its folder's listing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A device, socket or pipe.
    Other,
}

/// One entry met on a walk.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The walk's root with the names down to this entry.
    pub path: &'a Path,
    /// What it is.
    pub kind: Kind,
    /// How many folders below the root: 1 for the root's own entries.
    pub depth: usize,
}

/// What to do after an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on, into the entry if it is a folder.
    Enter,
    /// Go on behind the entry.
    Pass,
    /// End the walk.
    Stop,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was visited.
    Complete,
    /// The visitor stopped it.
    Stopped,
    /// There were more than [`WALK_ENTRIES_MAX`] entries.
    AtLimit,
}

/// A folder whose entries are being visited.
struct Frame {
    entries: vec::IntoIter<(OsString, Kind)>,
    rules: Rules,
}

/// Visits what lies beneath `root` except what `rules` exclude. A folder that cannot be listed is passed
/// over, except the root itself.
pub fn walk(
    root: &Path,
    rules: &Rules,
    mut visit: impl FnMut(&Entry<'_>) -> Next,
) -> io::Result<Ended> {
    let mut path = root.to_path_buf();
    let mut stack = vec![open(&path, rules)?];
    let mut seen = 0;
    while let Some(frame) = stack.last_mut() {
        let Some((name, kind)) = frame.entries.next() else {
            stack.pop();
            path.pop();
            continue;
        };
        seen += 1;
        if seen > WALK_ENTRIES_MAX {
            return Ok(Ended::AtLimit);
        }
        path.push(&name);
        if frame.rules.exclude(&path, kind == Kind::Folder) || is_system_folder(&path) {
            path.pop();
            continue;
        }
        let depth = stack.len();
        match visit(&Entry {
            path: &path,
            kind,
            depth,
        }) {
            Next::Stop => return Ok(Ended::Stopped),
            Next::Enter if kind == Kind::Folder => {
                match stack.last().map(|frame| open(&path, &frame.rules)) {
                    Some(Ok(frame)) => stack.push(frame),
                    Some(Err(_)) | None => {
                        path.pop();
                    }
                }
            }
            Next::Enter | Next::Pass => {
                path.pop();
            }
        }
    }
    Ok(Ended::Complete)
}

/// Lists a folder by name. One entry more than a walk may see is enough to know that it is too many.
fn open(folder: &Path, rules: &Rules) -> io::Result<Frame> {
    let mut entries: Vec<_> = fs::read_dir(folder)?
        .take(WALK_ENTRIES_MAX + 1)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name(), kind(entry.file_type().ok()?)))
        })
        .collect();
    entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let rules = rules.enter(folder, &entries);
    Ok(Frame {
        entries: entries.into_iter(),
        rules,
    })
}

fn kind(file_type: fs::FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_symlink() {
        Kind::Link
    } else {
        Kind::Other
    }
}

/// Tells whether a walk from `/` came to the folders that hold no files but views of the system. Some of
/// what they hold looks like a regular file and never ends.
fn is_system_folder(path: &Path) -> bool {
    [Path::new("/dev"), Path::new("/proc"), Path::new("/sys")].contains(&path)
}

/// Returns the note that a walk's answer ends with when the walk ended early.
pub fn limit_note(ended: Ended) -> Option<String> {
    match ended {
        Ended::AtLimit => Some(format!(
            "[stopped after {WALK_ENTRIES_MAX} entries; narrow the path]"
        )),
        Ended::Complete | Ended::Stopped => None,
    }
}

/// Returns `path` for an answer.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Joins a walk's root and a relative prefix of names.
pub fn below(root: &Path, names: &[&str]) -> PathBuf {
    let mut path = root.to_path_buf();
    path.extend(names);
    path
}

#[cfg(test)]
mod tests;
