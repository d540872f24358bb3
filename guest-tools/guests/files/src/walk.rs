//! The walk beneath a folder that glob and grep share.
//!
//! It asks the file system for as little as possible: one listing per folder, whose entries carry their
//! kind, and nothing more per file. Entries come in the order of their names, so an answer is the same
//! each time. Links are shown, never followed: no walk leaves the tree it began in, and none runs in circles.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use crate::folder::{Folder, Kind};
use crate::ignored::Rules;

/// How many entries one walk looks at. A larger tree would outlast the call, and its answer the context.
pub const WALK_ENTRIES_MAX: usize = 50_000;

/// One entry met on a walk.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The walk's root with the names down to this entry.
    pub path: &'a Path,
    /// The folder that holds it.
    pub folder: &'a Folder,
    /// Its name there.
    pub name: &'a OsStr,
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
    /// There were more entries than a walk looks at.
    AtLimit,
}

/// What is to be said of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// How it ended.
    pub ended: Ended,
    /// How many folders could not be listed and were passed over.
    pub unlisted: usize,
}

impl Walked {
    /// Returns the notes that an answer ends with when the walk did not see everything.
    pub fn notes(self) -> impl Iterator<Item = String> {
        let limit = (self.ended == Ended::AtLimit)
            .then(|| format!("[stopped after {WALK_ENTRIES_MAX} entries; narrow the path]"));
        let unlisted = (self.unlisted > 0)
            .then(|| format!("[{} folder(s) could not be listed]", self.unlisted));
        limit.into_iter().chain(unlisted)
    }
}

/// A folder whose entries are being visited.
struct Frame {
    folder: Folder,
    entries: vec::IntoIter<(OsString, Kind)>,
    rules: Rules,
}

/// Visits what lies beneath `root` except what `rules` exclude, up to [`WALK_ENTRIES_MAX`] entries. It is an
/// error if the root itself cannot be listed.
pub fn walk(
    root: &Path,
    rules: &Rules,
    visit: impl FnMut(&Entry<'_>) -> Next,
) -> io::Result<Walked> {
    walk_within(WALK_ENTRIES_MAX, root, rules, visit)
}

fn walk_within(
    entries_max: usize,
    root: &Path,
    rules: &Rules,
    mut visit: impl FnMut(&Entry<'_>) -> Next,
) -> io::Result<Walked> {
    let mut path = root.to_path_buf();
    // One entry more than may be seen is enough to know that there are too many.
    let mut stack = vec![list(Folder::open(root)?, &path, rules, entries_max + 1)?];
    let mut seen = 0;
    let mut unlisted = 0;
    loop {
        let depth = stack.len();
        let Some(frame) = stack.last_mut() else {
            return Ok(Walked {
                ended: Ended::Complete,
                unlisted,
            });
        };
        let Some((name, kind)) = frame.entries.next() else {
            stack.pop();
            path.pop();
            continue;
        };
        seen += 1;
        if seen > entries_max {
            return Ok(Walked {
                ended: Ended::AtLimit,
                unlisted,
            });
        }
        path.push(&name);
        if !frame.rules.exclude(&path, kind == Kind::Folder) && !is_system_folder(&path) {
            match visit(&Entry {
                path: &path,
                folder: &frame.folder,
                name: &name,
                kind,
                depth,
            }) {
                Next::Stop => {
                    return Ok(Walked {
                        ended: Ended::Stopped,
                        unlisted,
                    });
                }
                Next::Enter if kind == Kind::Folder => {
                    let opened = frame.folder.folder(&name);
                    if let Ok(inner) =
                        opened.and_then(|folder| list(folder, &path, &frame.rules, entries_max + 1))
                    {
                        stack.push(inner);
                        continue;
                    }
                    unlisted += 1;
                }
                Next::Enter | Next::Pass => {}
            }
        }
        path.pop();
    }
}

fn list(folder: Folder, path: &Path, rules: &Rules, count_max: usize) -> io::Result<Frame> {
    let entries = folder.entries(count_max)?;
    let rules = rules.enter(path, &entries);
    Ok(Frame {
        folder,
        entries: entries.into_iter(),
        rules,
    })
}

/// Tells whether a walk from `/` came to the folders that hold no files but views of the system. Some of
/// what they hold looks like a regular file and never ends.
fn is_system_folder(path: &Path) -> bool {
    [Path::new("/dev"), Path::new("/proc"), Path::new("/sys")].contains(&path)
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
