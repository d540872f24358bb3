//! What waits until all members are there: modes and times of folders, and symbolic links that lead out.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use process::Stat;

use crate::tar::entry::Time;
use crate::tar::names;
use crate::tar::report::Report;

#[derive(Default)]
pub(super) struct Delayed {
    folders: Vec<(PathBuf, u32, Option<Time>)>,
    /// By device and number of the empty file that stands for the link.
    symlinks: BTreeMap<(u64, u64), Symlink>,
}

struct Symlink {
    /// All its names.
    paths: Vec<PathBuf>,
    target: Vec<u8>,
    time: Option<Time>,
}

fn key(stat: &Stat) -> (u64, u64) {
    (stat.device, stat.inode)
}

impl Delayed {
    pub(super) fn folder(&mut self, path: &Path, mode: u32, time: Option<Time>) {
        self.folders.push((path.to_owned(), mode, time));
    }

    pub(super) fn symlink(
        &mut self,
        path: &Path,
        target: Vec<u8>,
        stat: &Stat,
        time: Option<Time>,
    ) {
        let link = Symlink {
            paths: vec![path.to_owned()],
            target,
            time,
        };
        // A file that is gone may have left its number to this one.
        self.symlinks.insert(key(stat), link);
    }

    /// Notes another name of what may stand for a symbolic link.
    pub(super) fn link(&mut self, path: &Path, stat: &Stat) {
        if let Some(link) = self.symlinks.get_mut(&key(stat)) {
            link.paths.push(path.to_owned());
        }
    }

    pub(super) fn finish(self, report: &Report) {
        for (known, link) in self.symlinks {
            link.make(known, report);
        }
        for (path, mode, time) in self.folders.into_iter().rev() {
            let name = process::path_bytes(&path);
            // Another member may have taken the folder's place.
            let is_folder =
                process::stat(name, false).is_ok_and(|stat| stat.kind == process::Kind::Directory);
            if !is_folder {
                continue;
            }
            if let Some(time) = time
                && let Err(error) = set_time(&path, time)
            {
                report.file(name, "Cannot utime", &error);
            }
            if let Err(error) = process::chmod(name, mode) {
                report.file(name, "Cannot change mode", &error.into());
            }
        }
    }
}

impl Symlink {
    fn make(&self, known: (u64, u64), report: &Report) {
        let mut first: Option<&Path> = None;
        for path in &self.paths {
            let name = process::path_bytes(path);
            let is_ours = process::stat(name, false).is_ok_and(|stat| key(&stat) == known);
            if !is_ours {
                continue;
            }
            let made = fs::remove_file(path).and_then(|()| match first {
                Some(first) => {
                    let flags = rustix::fs::AtFlags::empty();
                    let here = rustix::fs::CWD;
                    Ok(rustix::fs::linkat(here, first, here, path, flags)?)
                }
                None => Ok(rustix::fs::symlink(names::path(&self.target)?, path)?),
            });
            match made {
                Ok(()) => {
                    if first.is_none()
                        && let Some(time) = self.time
                        && let Err(error) = set_time(path, time)
                    {
                        report.file(name, "Cannot utime", &error);
                    }
                    first = first.or(Some(path));
                }
                Err(error) => {
                    let target = String::from_utf8_lossy(&self.target);
                    let what = format!("Cannot create symlink to ‘{target}’");
                    report.file(name, &what, &error);
                }
            }
        }
    }
}

/// Sets when something was last changed; of a link its own time.
pub(super) fn set_time(path: &Path, modified: Time) -> io::Result<()> {
    crate::times::set(path, modified.seconds, modified.nanoseconds)
}
