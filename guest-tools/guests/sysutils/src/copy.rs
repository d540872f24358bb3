//! Copying files and trees, for cp, mv (to another file system) and install.
//!
//! A destination is never written through a link that leads nowhere, a file is never copied onto itself, and what
//! this run made is not overwritten by another of its sources.

pub(crate) mod backup;
pub(crate) mod destination;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::quoting;
use crate::report::{complain, reason};
use crate::system::{self, Facts, Kind, NewTime, Stat, stat};
use crate::tree;

use backup::Backup;

/// Bytes that are read at once: few calls of the host for a file, and still little memory.
const BUFFER_BYTES: usize = 256 * 1024;

/// Which links of the source are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    Never,
    Operands,
    Always,
}

/// What becomes of a destination that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    Always,
    Ask,
    Never,
}

/// What is made of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    Copy,
    HardLink,
    Symlink,
    /// A file with the source's attributes and no data.
    Attributes,
}

/// How to copy.
pub(crate) struct Settings {
    pub(crate) is_recursive: bool,
    pub(crate) follow: Follow,
    pub(crate) overwrite: Overwrite,
    /// Removes a destination that cannot be opened.
    pub(crate) force: bool,
    /// Removes each destination before.
    pub(crate) removes_destination: bool,
    pub(crate) only_newer: bool,
    pub(crate) make: Make,
    pub(crate) keeps_mode: bool,
    /// New files get what the umask leaves of all bits, whatever the source has.
    pub(crate) ignores_mode: bool,
    pub(crate) keeps_times: bool,
    pub(crate) keeps_links: bool,
    pub(crate) stays_on_device: bool,
    pub(crate) is_verbose: bool,
    pub(crate) backup: Backup,
    pub(crate) umask: u32,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Settings {
            is_recursive: false,
            follow: Follow::Always,
            overwrite: Overwrite::Always,
            force: false,
            removes_destination: false,
            only_newer: false,
            make: Make::Copy,
            keeps_mode: false,
            ignores_mode: false,
            keeps_times: false,
            keeps_links: false,
            stays_on_device: false,
            is_verbose: false,
            backup: Backup::default(),
            umask: system::umask(),
        }
    }

    /// Sets what `mv` needs where it cannot rename, and `cp -a`.
    pub(crate) fn archive(&mut self) {
        self.is_recursive = true;
        self.follow = Follow::Never;
        self.keeps_mode = true;
        self.keeps_times = true;
        self.keeps_links = true;
    }
}

/// A run of copies.
pub(crate) struct Copy<'a> {
    pub(crate) program: &'a str,
    pub(crate) settings: Settings,
    /// Whether something failed.
    pub(crate) has_failed: bool,
    /// What this run made, by device and inode of the source: for links between sources.
    made: HashMap<(u64, u64), PathBuf>,
    /// Destinations that this run made for operands.
    created: Vec<PathBuf>,
    /// Source and destination of the operand at hand.
    operand: (PathBuf, PathBuf),
    /// Folders that this run made: a tree that is copied into itself meets them.
    folders: Vec<(u64, u64)>,
    buffer: Vec<u8>,
}

impl<'a> Copy<'a> {
    pub(crate) fn new(program: &'a str, settings: Settings) -> Self {
        Copy {
            program,
            settings,
            has_failed: false,
            made: HashMap::new(),
            created: Vec::new(),
            operand: (PathBuf::new(), PathBuf::new()),
            folders: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Copies an operand to a path.
    pub(crate) fn operand(&mut self, from: &Path, to: &Path) {
        let follow = self.settings.follow != Follow::Never;
        let status = match stat(from, follow) {
            Ok(status) => status,
            Err(error) => {
                return self.fail(format_args!(
                    "cannot stat {}: {}",
                    quoted(from),
                    reason(&error)
                ));
            }
        };
        if status.is_directory() && !self.settings.is_recursive {
            return self.fail(format_args!(
                "-r not specified; omitting directory {}",
                quoted(from)
            ));
        }
        if self.created.iter().any(|created| created == to) && !status.is_directory() {
            let (from, to) = (quoted(from), quoted(to));
            return self.fail(format_args!(
                "will not overwrite just-created {to} with {from}"
            ));
        }
        self.operand = (from.to_path_buf(), to.to_path_buf());
        self.file(from, to, &status, status.device);
        self.created.push(to.to_path_buf());
    }

    /// Copies a file of any kind.
    fn file(&mut self, from: &Path, to: &Path, status: &Stat, device: u64) {
        let there = stat(to, false).ok();
        let replaced = match &there {
            Some(there) => match self.prepare(from, to, status, there) {
                Some(replaced) => replaced,
                None => return,
            },
            None => Replaced::default(),
        };
        if self.settings.is_verbose
            && !(status.is_directory() && there.as_ref().is_some_and(Facts::is_directory))
        {
            let note = replaced
                .backup
                .map(|path| format!(" (backup: {})", quoted(&path)))
                .unwrap_or_default();
            self.say(format_args!("{} -> {}{note}", quoted(from), quoted(to)));
        }
        if let Some(first) = self
            .settings
            .keeps_links
            .then(|| self.made.get(&(status.device, status.inode)).cloned())
            .flatten()
            && !status.is_directory()
        {
            if let Err(error) = system::hard_link(&first, to, false) {
                self.fail(format_args!(
                    "cannot create hard link {} to {}: {}",
                    quoted(to),
                    quoted(&first),
                    reason(&error)
                ));
            }
            return;
        }
        match status.kind {
            Kind::Directory => return self.folder(from, to, status, device),
            _ if self.settings.make == Make::HardLink => {
                if let Err(error) =
                    system::hard_link(from, to, self.settings.follow == Follow::Always)
                {
                    self.fail(format_args!(
                        "cannot create hard link {} to {}: {}",
                        quoted(to),
                        quoted(from),
                        reason(&error)
                    ));
                }
                return;
            }
            _ if self.settings.make == Make::Symlink => return self.symlink(from, to),
            Kind::Symlink => {
                let made = fs::read_link(from).and_then(|target| system::symlink(&target, to));
                if let Err(error) = made {
                    return self.fail(format_args!(
                        "cannot create symbolic link {}: {}",
                        quoted(to),
                        reason(&error)
                    ));
                }
            }
            Kind::Fifo if self.settings.is_recursive => {
                if let Err(error) = system::mkfifo(to, status.mode & !self.settings.umask) {
                    return self.fail(format_args!(
                        "cannot create fifo {}: {}",
                        quoted(to),
                        reason(&error)
                    ));
                }
            }
            _ => {
                if !self.regular(from, to, status, there.is_some() && !replaced.is_gone) {
                    return;
                }
            }
        }
        if self.settings.keeps_links && status.links > 1 {
            self.made
                .insert((status.device, status.inode), to.to_path_buf());
        }
        self.attributes(to, status, there.is_some() && !replaced.is_gone);
    }

    /// Decides about a destination that exists; none if nothing is to be copied.
    fn prepare(&mut self, from: &Path, to: &Path, status: &Stat, there: &Stat) -> Option<Replaced> {
        let beyond = stat(to, true).ok();
        let leads_to_folder = beyond.as_ref().is_some_and(Facts::is_directory);
        if status.is_directory() {
            if there.is_directory() || (leads_to_folder && self.settings.follow == Follow::Always) {
                return Some(Replaced::default());
            }
            if self.settings.overwrite == Overwrite::Never {
                return None;
            }
            self.fail(format_args!(
                "cannot overwrite non-directory {} with directory {}",
                quoted(to),
                quoted(from)
            ));
            return None;
        }
        if there.is_directory() {
            self.fail(format_args!(
                "cannot overwrite directory {} with non-directory",
                quoted(to)
            ));
            return None;
        }
        let target = beyond.as_ref().unwrap_or(there);
        let writes_through = self.settings.make == Make::Copy && status.kind != Kind::Symlink;
        let is_same = if writes_through {
            status.is_same_file(target)
        } else {
            status.is_same_file(there)
        };
        if self.settings.only_newer && status.modified <= target.modified {
            return None;
        }
        match self.settings.overwrite {
            Overwrite::Never => return None,
            Overwrite::Ask if !ask(self.program, to) => return None,
            _ => {}
        }
        if is_same && self.settings.make == Make::HardLink {
            return None;
        }
        let removes = self.settings.removes_destination || !writes_through;
        if is_same
            && self.settings.backup == Backup::None
            && (!self.settings.removes_destination || status.is_same_file(there))
        {
            self.fail(format_args!(
                "{} and {} are the same file",
                quoted(from),
                quoted(to)
            ));
            return None;
        }
        match self.settings.backup.make(to) {
            Ok(Some(backup)) => {
                return Some(Replaced {
                    is_gone: true,
                    backup: Some(backup),
                });
            }
            Ok(None) => {}
            Err(error) => {
                self.fail(format_args!(
                    "cannot backup {}: {}",
                    quoted(to),
                    reason(&error)
                ));
                return None;
            }
        }
        if removes {
            if self.settings.make != Make::Copy
                && !self.settings.force
                && !self.settings.removes_destination
            {
                // Links are made, not overwritten, unless one asks for it; the attempt tells so.
                return Some(Replaced::default());
            }
            if let Err(error) = fs::remove_file(to) {
                self.fail(format_args!(
                    "cannot remove {}: {}",
                    quoted(to),
                    reason(&error)
                ));
                return None;
            }
            return Some(Replaced {
                is_gone: true,
                backup: None,
            });
        }
        if there.kind == Kind::Symlink && beyond.is_none() {
            self.fail(format_args!(
                "not writing through dangling symlink {}",
                quoted(to)
            ));
            return None;
        }
        Some(Replaced::default())
    }

    fn symlink(&mut self, from: &Path, to: &Path) {
        let is_here = to
            .parent()
            .is_none_or(|parent| parent.as_os_str().is_empty() || parent == Path::new("."));
        if !from.is_absolute() && !is_here {
            return self.fail(format_args!(
                "{}: can make relative symbolic links only in current directory",
                to.display()
            ));
        }
        if let Err(error) = system::symlink(from, to) {
            self.fail(format_args!(
                "cannot create symbolic link {} to {}: {}",
                quoted(to),
                quoted(from),
                reason(&error)
            ));
        }
    }

    fn folder(&mut self, from: &Path, to: &Path, status: &Stat, device: u64) {
        let exists = stat(to, true).is_ok_and(|there| there.is_directory());
        if !exists && let Err(error) = fs::create_dir(to) {
            return self.fail(format_args!(
                "cannot create directory {}: {}",
                quoted(to),
                reason(&error)
            ));
        }
        if let Ok(made) = stat(to, true) {
            if !exists {
                self.folders.push((made.device, made.inode));
                // What is to be put in must be possible, whatever the mode is to be in the end.
                if made.mode & 0o700 != 0o700 {
                    let _ = system::chmod(to, made.mode | 0o700);
                }
            }
            if made.is_same_file(status) {
                return self.fail(format_args!(
                    "cannot copy a directory, {}, into itself, {}",
                    quoted(from),
                    quoted(to)
                ));
            }
        }
        match tree::children(from) {
            Ok(children) => {
                for child in children {
                    let Some(name) = child.file_name() else {
                        continue;
                    };
                    self.child(&child, &to.join(name), device);
                }
            }
            Err(error) => self.fail(format_args!(
                "cannot access {}: {}",
                quoted(from),
                reason(&error)
            )),
        }
        self.attributes(to, status, exists);
    }

    fn child(&mut self, from: &Path, to: &Path, device: u64) {
        match stat(from, self.settings.follow == Follow::Always) {
            Ok(status)
                if status.is_directory()
                    && self.folders.contains(&(status.device, status.inode)) =>
            {
                let (from, to) = (quoted(&self.operand.0), quoted(&self.operand.1));
                self.fail(format_args!(
                    "cannot copy a directory, {from}, into itself, {to}"
                ));
            }
            Ok(status) if self.settings.stays_on_device && status.device != device => {}
            Ok(status) => self.file(from, to, &status, device),
            Err(error) => self.fail(format_args!(
                "cannot stat {}: {}",
                quoted(from),
                reason(&error)
            )),
        }
    }

    /// Copies the data of a file; false if that failed.
    fn regular(&mut self, from: &Path, to: &Path, status: &Stat, exists: bool) -> bool {
        let mut source = match File::open(from) {
            Ok(source) => source,
            Err(error) => {
                self.fail(format_args!(
                    "cannot open {} for reading: {}",
                    quoted(from),
                    reason(&error)
                ));
                return false;
            }
        };
        let truncates = self.settings.make == Make::Copy;
        let mut opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(truncates)
            .open(to);
        if opened.is_err() && exists && self.settings.force && fs::remove_file(to).is_ok() {
            opened = OpenOptions::new().write(true).create_new(true).open(to);
        }
        let mut target = match opened {
            Ok(target) => target,
            Err(error) => {
                self.fail(format_args!(
                    "cannot create regular file {}: {}",
                    quoted(to),
                    reason(&error)
                ));
                return false;
            }
        };
        if !exists && !self.settings.keeps_mode {
            // Before the data, so that nobody reads what the mode is to hide.
            let all = if self.settings.ignores_mode {
                0o666
            } else {
                status.mode & 0o777
            };
            let _ = system::chmod(to, all & !self.settings.umask);
        }
        if !truncates {
            return true;
        }
        let copied = self.data(&mut source, &mut target);
        if let Err((what, error)) = copied {
            let path = if what == "reading" { from } else { to };
            self.fail(format_args!(
                "error {what} {}: {}",
                quoted(path),
                reason(&error)
            ));
            return false;
        }
        true
    }

    fn data(
        &mut self,
        source: &mut File,
        target: &mut File,
    ) -> Result<(), (&'static str, io::Error)> {
        self.buffer.resize(BUFFER_BYTES, 0);
        loop {
            let count = match source.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(("reading", error)),
            };
            let bytes = self.buffer.get(..count).unwrap_or(&[]);
            target
                .write_all(bytes)
                .map_err(|error| ("writing", error))?;
        }
    }

    /// Gives the copy what the source has and the settings ask for.
    fn attributes(&mut self, to: &Path, status: &Stat, existed: bool) {
        let is_link = status.kind == Kind::Symlink;
        if self.settings.keeps_times
            && let Err(error) = system::set_times(
                to,
                NewTime::At(status.accessed),
                NewTime::At(status.modified),
                !is_link,
            )
        {
            self.fail(format_args!(
                "preserving times for {}: {}",
                quoted(to),
                reason(&error)
            ));
        }
        let mode = if self.settings.keeps_mode {
            Some(status.mode)
        } else if status.is_directory() && !existed {
            let all = if self.settings.ignores_mode {
                0o777
            } else {
                status.mode & 0o777
            };
            Some(all & !self.settings.umask)
        } else {
            None
        };
        if let Some(mode) = mode.filter(|_| !is_link)
            && let Err(error) = system::chmod(to, mode)
        {
            self.fail(format_args!(
                "preserving permissions for {}: {}",
                quoted(to),
                reason(&error)
            ));
        }
    }

    fn say(&mut self, message: std::fmt::Arguments<'_>) {
        if let Err(error) = writeln!(io::stdout(), "{message}") {
            complain(
                self.program,
                format_args!("write error: {}", reason(&error)),
            );
            self.has_failed = true;
        }
    }

    pub(crate) fn fail(&mut self, message: std::fmt::Arguments<'_>) {
        complain(self.program, message);
        self.has_failed = true;
    }
}

/// What became of a destination.
#[derive(Default)]
struct Replaced {
    is_gone: bool,
    backup: Option<PathBuf>,
}

/// Asks whether to overwrite a file; only a yes is one.
pub(crate) fn ask(program: &str, path: &Path) -> bool {
    eprint!("{program}: overwrite {}? ", quoted(path));
    let mut answer = String::new();
    let _ = io::stdin().read_line(&mut answer);
    answer.trim_start().starts_with(['y', 'Y'])
}

pub(crate) fn quoted(path: &Path) -> String {
    quoting::quoted(&path.to_string_lossy())
}
