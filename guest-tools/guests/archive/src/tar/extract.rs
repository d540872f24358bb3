//! Making files of members: `tar x`.
//!
//! Nothing lands outside the folder: names lose what leads out of it, and a symbolic link that leads out is an empty
//! file until all else is done, so that no later member goes through it. Folders get their modes and times last.

mod content;
mod delayed;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use process::{Errno, Kind as FileKind, OpenHow, Stat};

use super::entry::{Entry, Kind, Time};
use super::input::Reader;
use super::list::Listing;
use super::names::{self, Safe};
use super::report::{Fatal, Report, quoted};
use super::settings::{Existing, Settings};
use super::transform::{self, Which};
use delayed::Delayed;

/// Makes files.
pub(crate) struct Extractor<'a> {
    settings: &'a Settings,
    report: Rc<Report>,
    listing: Listing,
    safe: Safe,
    delayed: Delayed,
    umask: u32,
    now: Time,
}

/// Whether to try again after something that was in the way is gone.
#[derive(PartialEq, Eq)]
enum Way {
    Clear,
    /// The member is left out; that is told already if it is to be.
    Blocked,
    /// What was there stays and is an error.
    Failed,
}

impl<'a> Extractor<'a> {
    pub(crate) fn new(settings: &'a Settings, report: &Rc<Report>) -> Self {
        let (seconds, nanoseconds) = crate::times::now();
        Self {
            settings,
            report: Rc::clone(report),
            listing: Listing::new(settings.to_stdout),
            safe: Safe::default(),
            delayed: Delayed::default(),
            umask: process::umask(),
            now: Time {
                seconds,
                nanoseconds,
            },
        }
    }

    /// Makes a file of a member. `folder`: where names begin.
    pub(crate) fn member(
        &mut self,
        reader: &mut Reader,
        entry: &Entry,
        folder: &Path,
    ) -> Result<(), Fatal> {
        let settings = self.settings;
        let Some(name) = self.local_name(&entry.name, Which::Member) else {
            return Ok(());
        };
        if settings.verbose > 0 {
            let shown = if settings.show_transformed {
                &name
            } else {
                &entry.name
            };
            self.listing
                .show(settings, entry, shown, settings.verbose - 1)?;
        }
        if names::has_parent(&entry.name) && !settings.absolute {
            self.report.error(&format!(
                "{}: Member name contains '..'",
                quoted(&entry.name)
            ));
            return Ok(());
        }
        if entry.kind == Kind::Label {
            return Ok(());
        }
        let is_file = matches!(entry.kind, Kind::Regular | Kind::Other(_));
        if settings.to_stdout || settings.to_command.is_some() {
            if is_file {
                self.pass(reader, entry, &name)?;
            }
            return Ok(());
        }
        let path = match names::below(folder, &name) {
            Ok(path) => path,
            Err(error) => {
                self.report.file(&name, "Cannot open", &error);
                return Ok(());
            }
        };
        if settings.unlink_first && entry.kind != Kind::Directory {
            self.remove(&path);
        }
        if !self.is_wanted(entry, &path, &name) {
            return Ok(());
        }
        if settings.backup && entry.kind != Kind::Directory {
            self.back_up(&path, &name)?;
        }
        match entry.kind {
            Kind::Directory => self.folder(entry, &path, &name),
            Kind::Symlink => self.symlink(entry, &path, &name),
            Kind::HardLink => self.hard_link(entry, &path, &name, folder),
            Kind::Fifo => {
                self.make(entry, &path, &name, "Cannot mkfifo", |path| {
                    process::mkfifo(process::path_bytes(path), entry.mode & 0o777)
                        .map_err(io::Error::from)
                });
                Ok(())
            }
            Kind::CharacterDevice | Kind::BlockDevice => {
                let error = Errno::NotPermitted.into();
                self.report.file(&name, "Cannot mknod", &error);
                Ok(())
            }
            Kind::Label => Ok(()),
            Kind::Regular => self.regular(reader, entry, &path, &name),
            Kind::Other(letter) => {
                self.report.warning(&format!(
                    "{}: Unknown file type '{}', extracted as normal file",
                    quoted(&name),
                    char::from(letter)
                ));
                self.regular(reader, entry, &path, &name)
            }
        }
    }

    /// Returns what a name of the archive is called here; none if it loses all its components.
    fn local_name(&self, name: &[u8], which: Which) -> Option<Vec<u8>> {
        let settings = self.settings;
        let changed = transform::apply(&settings.transforms, name, which);
        let changed = if settings.absolute {
            changed
        } else {
            let is_link = which == Which::HardLink;
            self.safe.name(&changed, is_link, &self.report).into_owned()
        };
        let stripped = if settings.strip > 0 {
            names::strip(&changed, settings.strip)?.to_vec()
        } else {
            changed
        };
        let Some(top) = &settings.top_level else {
            return Some(stripped);
        };
        let top = top.as_bytes();
        let rest = stripped.strip_prefix(top);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            return Some(stripped);
        }
        let inner = stripped.strip_prefix(b"./").unwrap_or(&stripped);
        Some([top, b"/", inner].concat())
    }

    /// Returns whether a file is to be made where another may be.
    fn is_wanted(&self, entry: &Entry, path: &Path, name: &[u8]) -> bool {
        let settings = self.settings;
        if settings.existing == Existing::KeepNewer && entry.kind != Kind::Directory {
            let there = stat(path);
            if there.is_ok_and(|stat| Time::from(stat.modified) >= entry.modified) {
                let name = String::from_utf8_lossy(name);
                self.report
                    .warning(&format!("Current ‘{name}’ is newer or same age"));
                return false;
            }
        }
        true
    }

    fn back_up(&self, path: &Path, name: &[u8]) -> Result<(), Fatal> {
        let Ok(there) = stat(path) else {
            return Ok(());
        };
        if there.kind == FileKind::Directory {
            return Ok(());
        }
        let mut target = path.as_os_str().to_owned();
        target.push(&self.settings.suffix);
        match fs::rename(path, &target) {
            Ok(()) if self.settings.verbose > 0 => {
                let name = String::from_utf8_lossy(name);
                let line = format!("Renaming ‘{name}’ to ‘{name}{}’", self.settings.suffix);
                self.listing.line(&line)?;
            }
            Ok(()) => {}
            Err(error) => self.report.file(name, "Cannot rename", &error),
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> bool {
        let Ok(there) = stat(path) else {
            return false;
        };
        if there.kind != FileKind::Directory {
            return fs::remove_file(path).is_ok();
        }
        if self.settings.recursive_unlink {
            return fs::remove_dir_all(path).is_ok();
        }
        fs::remove_dir(path).is_ok()
    }

    /// Sees to what keeps a file from being made: a folder that is missing, a file that is there.
    fn clear(&self, path: &Path, name: &[u8], error: &io::Error) -> Way {
        match Errno::from(error) {
            Errno::NoEntry => {
                if self.parents(path) {
                    Way::Clear
                } else {
                    Way::Failed
                }
            }
            Errno::Exists | Errno::IsDirectory | Errno::Loop => match self.settings.existing {
                Existing::Skip => {
                    if self.settings.verbose > 0 {
                        self.report
                            .warning(&format!("{}: skipping existing file", quoted(name)));
                    }
                    Way::Blocked
                }
                Existing::Keep => Way::Failed,
                Existing::Replace | Existing::Overwrite | Existing::KeepNewer => {
                    if self.remove(path) {
                        Way::Clear
                    } else {
                        Way::Failed
                    }
                }
            },
            _ => Way::Failed,
        }
    }

    /// Makes the folders above a path. Returns whether one was missing.
    fn parents(&self, path: &Path) -> bool {
        let Some(parent) = path.parent() else {
            return false;
        };
        if parent.as_os_str().is_empty() || stat(parent).is_ok() {
            return false;
        }
        fs::create_dir_all(parent).is_ok()
    }

    /// Makes something, after what is in the way is gone. Returns whether it is there.
    fn make(
        &self,
        entry: &Entry,
        path: &Path,
        name: &[u8],
        what: &str,
        make: impl Fn(&Path) -> io::Result<()>,
    ) -> bool {
        const TRIES: u32 = 3;
        for attempt in 1..=TRIES {
            let Err(error) = make(path) else {
                if entry.kind != Kind::HardLink {
                    self.finish(entry, path, name);
                }
                return true;
            };
            match self.clear(path, name, &error) {
                Way::Clear if attempt < TRIES => {}
                Way::Blocked => return false,
                _ => {
                    self.report.file(name, what, &error);
                    return false;
                }
            }
        }
        false
    }

    /// Gives a file its mode and time.
    fn finish(&self, entry: &Entry, path: &Path, name: &[u8]) {
        let settings = self.settings;
        if settings.keep_modes && entry.kind != Kind::Symlink {
            let outcome = process::chmod(process::path_bytes(path), entry.mode);
            if let Err(error) = outcome {
                self.report.file(name, "Cannot change mode", &error.into());
            }
        }
        if !settings.touch {
            self.check_time(entry, name);
            if let Err(error) = delayed::set_time(path, entry.modified) {
                self.report.file(name, "Cannot utime", &error);
            }
        }
    }

    fn check_time(&self, entry: &Entry, name: &[u8]) {
        if !self.settings.warns("timestamp") {
            return;
        }
        let modified = entry.modified;
        let shown = || {
            let text = crate::times::show(modified.seconds, "%Y-%m-%d %H:%M:%S");
            (quoted(name), text)
        };
        if modified.seconds < 0 {
            let (name, time) = shown();
            self.report
                .warning(&format!("{name}: implausibly old time stamp {time}"));
        } else if modified > self.now {
            let (name, time) = shown();
            let mut seconds = modified.seconds - self.now.seconds;
            let mut part = i64::from(modified.nanoseconds) - i64::from(self.now.nanoseconds);
            if part < 0 {
                part += 1_000_000_000;
                seconds -= 1;
            }
            let part = format!("{part:09}");
            let part = part.trim_end_matches('0');
            let dot = if part.is_empty() { "" } else { "." };
            self.report.warning(&format!(
                "{name}: time stamp {time} is {seconds}{dot}{part} s in the future"
            ));
        }
    }

    fn folder(&mut self, entry: &Entry, path: &Path, name: &[u8]) -> Result<(), Fatal> {
        const TRIES: u32 = 3;
        let mut is_new = true;
        for attempt in 1..=TRIES {
            let error = match fs::create_dir(path) {
                Ok(()) => break,
                Err(error) => error,
            };
            let there = stat(path);
            if there.is_ok_and(|stat| stat.kind == FileKind::Directory) {
                is_new = false;
                break;
            }
            if self.settings.keep_folder_links
                && process::stat(process::path_bytes(path), true)
                    .is_ok_and(|stat| stat.kind == FileKind::Directory)
            {
                return Ok(());
            }
            match self.clear(path, name, &error) {
                Way::Clear if attempt < TRIES => {}
                Way::Blocked => return Ok(()),
                _ => {
                    self.report.file(name, "Cannot mkdir", &error);
                    return Ok(());
                }
            }
        }
        let keeps_old = !is_new
            && (!self.settings.overwrite_folder
                || matches!(
                    self.settings.existing,
                    Existing::Keep | Existing::Skip | Existing::KeepNewer
                ));
        if keeps_old {
            return Ok(());
        }
        let mode = if self.settings.keep_modes {
            entry.mode
        } else {
            entry.mode & 0o777 & !self.umask
        };
        if mode & 0o700 != 0o700 || is_new {
            // Its members are still to come.
            let _ = process::chmod(process::path_bytes(path), mode | 0o700);
        }
        if !self.settings.touch {
            self.check_time(entry, name);
        }
        let time = (!self.settings.touch).then_some(entry.modified);
        self.delayed.folder(path, mode, time);
        Ok(())
    }

    fn symlink(&mut self, entry: &Entry, path: &Path, name: &[u8]) -> Result<(), Fatal> {
        let target = transform::apply(&self.settings.transforms, &entry.link, Which::Symlink);
        let leads_out = target.starts_with(b"/") || names::has_parent(&target);
        let shown = String::from_utf8_lossy(&target).into_owned();
        if !leads_out || self.settings.absolute {
            let what = format!("Cannot create symlink to ‘{shown}’");
            self.make(entry, path, name, &what, |path| {
                Ok(rustix::fs::symlink(names::path(&target)?, path)?)
            });
            return Ok(());
        }
        let empty = OpenHow {
            exclusive: true,
            truncate: false,
            ..OpenHow::WRITE
        };
        let what = "Cannot open";
        let placeholder = Entry {
            kind: Kind::HardLink,
            ..entry.clone()
        };
        let is_there = self.make(&placeholder, path, name, what, |path| {
            process::open(process::path_bytes(path), empty, 0).map_err(io::Error::from)?;
            Ok(())
        });
        if is_there && let Ok(stat) = stat(path) {
            let time = (!self.settings.touch).then_some(entry.modified);
            self.delayed.symlink(path, target, &stat, time);
        }
        Ok(())
    }

    fn hard_link(
        &mut self,
        entry: &Entry,
        path: &Path,
        name: &[u8],
        folder: &Path,
    ) -> Result<(), Fatal> {
        let Some(target) = self.local_name(&entry.link, Which::HardLink) else {
            return Ok(());
        };
        let shown = String::from_utf8_lossy(&target).into_owned();
        let what = format!("Cannot hard link to ‘{shown}’");
        if names::has_parent(&target) && !self.settings.absolute {
            let error = Errno::NotPermitted.into();
            self.report.file(name, &what, &error);
            return Ok(());
        }
        let from: PathBuf = match names::below(folder, &target) {
            Ok(from) => from,
            Err(error) => {
                self.report.file(name, &what, &error);
                return Ok(());
            }
        };
        let same = |one: Stat, other: Stat| (one.device, one.inode) == (other.device, other.inode);
        if let (Ok(from), Ok(to)) = (stat(&from), stat(path))
            && same(from, to)
        {
            return Ok(());
        }
        let is_there = self.make(entry, path, name, &what, |path| {
            let flags = rustix::fs::AtFlags::empty();
            let here = rustix::fs::CWD;
            Ok(rustix::fs::linkat(here, &from, here, path, flags)?)
        });
        if is_there && let Ok(stat) = stat(path) {
            self.delayed.link(path, &stat);
        }
        Ok(())
    }

    /// Does what had to wait.
    pub(crate) fn end(self) {
        self.delayed.finish(&self.report);
    }
}

/// Returns what is at a path itself.
fn stat(path: &Path) -> Result<Stat, Errno> {
    process::stat(process::path_bytes(path), false)
}
