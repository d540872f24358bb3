//! From the names on the command line to files and what they are called in the archive.

use std::fs;
use std::path::{Path, PathBuf};

use process::{Kind, Moment};

use super::arguments::Settings;
use super::{say, warn};
use crate::names;

/// A file to add.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its name in the archive; a folder's ends with a slash.
    pub(crate) name: Vec<u8>,
    /// None: the standard input.
    pub(crate) path: Option<PathBuf>,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    pub(crate) accessed: Moment,
}

/// Returns whether there is a file for a member.
pub(crate) fn is_there(name: &[u8]) -> bool {
    process::stat(name, true).is_ok()
}

/// Finds all files that names mean.
pub(crate) fn find(settings: &Settings, given: &[Vec<u8>], status: &mut u8) -> Vec<Found> {
    let mut search = Search {
        settings,
        found: Vec::new(),
        status,
        own: [settings.target(), &settings.archive]
            .into_iter()
            .filter_map(|path| process::stat(path, true).ok())
            .map(|stat| (stat.device, stat.inode))
            .collect(),
    };
    for name in given {
        if name == b"-" {
            search.input();
            continue;
        }
        let mut name = name.as_slice();
        while name.len() > 1 {
            match name.strip_suffix(b"/") {
                Some(shorter) => name = shorter,
                None => break,
            }
        }
        search.file(name, true);
    }
    search.found
}

struct Search<'a> {
    settings: &'a Settings,
    found: Vec<Found>,
    status: &'a mut u8,
    /// The archive itself, which is no member of itself.
    own: Vec<(u64, u64)>,
}

impl Search<'_> {
    fn input(&mut self) {
        let (seconds, nanoseconds) = crate::times::now();
        let now = Moment {
            seconds,
            nanoseconds,
        };
        self.found.push(Found {
            name: b"-".to_vec(),
            path: None,
            kind: Kind::Fifo,
            mode: 0o600,
            size: 0,
            modified: now,
            accessed: now,
        });
    }

    fn file(&mut self, path: &[u8], is_named: bool) {
        let settings = self.settings;
        let looked = process::stat(path, !settings.keeps_links)
            // What leads nowhere can only be a link.
            .and_then(|stat| {
                names::path(path)
                    .map(|path| (stat, path))
                    .map_err(Into::into)
            });
        let (stat, place) = match looked {
            Ok(found) => found,
            Err(_) => {
                if is_named && settings.quiet > 0 {
                    return;
                }
                if is_named {
                    let name = String::from_utf8_lossy(path);
                    warn(settings, &format!("name not matched: {name}"));
                } else {
                    let name = String::from_utf8_lossy(path);
                    if settings.quiet == 0 {
                        warn(settings, &format!("could not open for reading: {name}"));
                    }
                    *self.status = 18;
                }
                return;
            }
        };
        let is_folder = stat.kind == Kind::Directory;
        let is_own = self.own.contains(&(stat.device, stat.inode));
        if (is_own && !is_folder)
            || !matches!(stat.kind, Kind::Regular | Kind::Directory | Kind::Symlink)
        {
            return;
        }
        let name = self.member_name(path, is_folder);
        let is_in_time = settings
            .after
            .is_none_or(|after| stat.modified.seconds >= after)
            && settings
                .before
                .is_none_or(|before| stat.modified.seconds < before);
        if let Some(name) = name
            && settings.takes(&name)
            && (is_in_time || is_folder)
            && (!settings.by_pattern || self.fits(&name))
        {
            self.found.push(Found {
                name,
                path: Some(place.to_owned()),
                kind: stat.kind,
                mode: stat.mode,
                size: stat.size,
                modified: stat.modified,
                accessed: stat.accessed,
            });
        }
        if is_folder && settings.recursive {
            self.folder(path, place);
        }
    }

    /// Returns whether a name fits the patterns of `-R`.
    fn fits(&self, name: &[u8]) -> bool {
        let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        self.settings
            .patterns
            .iter()
            .any(|pattern| pattern.matches(name) || pattern.matches(base))
    }

    /// Returns what a file is called in the archive; none if it has no name there.
    fn member_name(&self, path: &[u8], is_folder: bool) -> Option<Vec<u8>> {
        let mut name = path;
        loop {
            name = match name {
                [b'.', b'/', rest @ ..] | [b'/', rest @ ..] => rest,
                _ => break,
            };
        }
        if is_folder && (self.settings.no_folders || self.settings.junk) {
            return None;
        }
        if self.settings.junk {
            name = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        }
        if name.is_empty() || name == b"." {
            return None;
        }
        let mut name = name.to_vec();
        if is_folder {
            name.push(b'/');
        }
        Some(name)
    }

    fn folder(&mut self, path: &[u8], place: &Path) {
        let listed = fs::read_dir(place).and_then(|listing| {
            listing
                .map(|entry| Ok(process::path_bytes(Path::new(&entry?.file_name())).to_vec()))
                .collect::<std::io::Result<Vec<Vec<u8>>>>()
        });
        let mut children = match listed {
            Ok(children) => children,
            Err(_) => {
                let name = String::from_utf8_lossy(path);
                warn(self.settings, &format!("could not open directory: {name}"));
                *self.status = 18;
                return;
            }
        };
        children.sort();
        for child in children {
            let whole = if path == b"." {
                child
            } else if path.ends_with(b"/") {
                [path, &child].concat()
            } else {
                [path, b"/", &child].concat()
            };
            self.file(&whole, false);
        }
    }
}

/// Removes files that are in the archive now, folders after what is in them.
pub(crate) fn remove(settings: &Settings, done: &[Found]) {
    for file in done.iter().rev() {
        let Some(path) = &file.path else {
            continue;
        };
        let outcome = if file.kind == Kind::Directory {
            fs::remove_dir(path)
        } else {
            fs::remove_file(path)
        };
        if let Err(error) = outcome
            && file.kind != Kind::Directory
        {
            let error = process::message(&error);
            say(
                settings,
                &format!("\tzip warning: error deleting {}: {error}", path.display()),
            );
        }
    }
}
