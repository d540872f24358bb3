//! Making members of files: `tar c`, and what `r` and `u` add.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use process::Stat;

use super::block::Unfit;
use super::entry::{Entry, Kind, Time};
use super::list::Listing;
use super::names::{self, Safe};
use super::output::Writer;
use super::patterns::Kept;
use super::report::{Fatal, Report, quoted};
use super::settings::{Name, Settings};
use super::transform::{self, Which};
use crate::tar::block::Format;

/// Adds files to an archive.
pub(crate) struct Creator<'a> {
    settings: &'a Settings,
    report: Rc<Report>,
    pub(crate) writer: Writer,
    listing: Listing,
    safe: Safe,
    /// Files of several names, by device and number, and the name that they came by.
    links: BTreeMap<(u64, u64), Vec<u8>>,
    /// The archive, which is no member of itself.
    own: Option<(u64, u64)>,
    /// Members that are there already, and how old they are: only newer files are added.
    known: Option<BTreeMap<Vec<u8>, Time>>,
    removed: Vec<(std::path::PathBuf, bool, Vec<u8>)>,
    buffer: Vec<u8>,
}

impl<'a> Creator<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        report: &Rc<Report>,
        writer: Writer,
        known: Option<BTreeMap<Vec<u8>, Time>>,
    ) -> Self {
        let own = process::stat(&settings.archive, true).ok();
        Self {
            settings,
            report: Rc::clone(report),
            writer,
            listing: Listing::new(settings.archive == "-"),
            safe: Safe::default(),
            links: BTreeMap::new(),
            own: own
                .filter(|stat| settings.archive != "-" && stat.kind == process::Kind::Regular)
                .map(|stat| (stat.device, stat.inode)),
            known,
            removed: Vec::new(),
            buffer: vec![0; 65_536],
        }
    }

    /// Adds all names.
    pub(crate) fn all(&mut self) -> Result<(), Fatal> {
        let mut checked = std::path::PathBuf::new();
        for name in &self.settings.names {
            if name.folder != checked {
                check_folder(&name.folder)?;
                checked.clone_from(&name.folder);
            }
            let mut path = name.name.clone();
            while path.len() > 1 && path.ends_with(b"/") {
                path.pop();
            }
            if self.settings.excluded.first_have(name.excluded, &path) {
                continue;
            }
            self.file(name, &path, None)?;
        }
        if !self.settings.trailing.is_empty() && !self.settings.names.is_empty() {
            self.report.error(
                "The following options were used after any non-optional arguments in archive \
                 create or update mode.  These options are positional and affect only arguments \
                 that follow them.  Please, rearrange them properly.",
            );
            for option in &self.settings.trailing {
                self.report.error(&format!("{option} has no effect"));
            }
        }
        Ok(())
    }

    /// Ends the archive, and removes what is now in it if that is asked for.
    pub(crate) fn finish(self) -> Result<u64, Fatal> {
        let (settings, report, removed) = (self.settings, self.report, self.removed);
        let written = self
            .writer
            .finish()
            .map_err(|error| write_failed(settings, &error))?;
        for (path, is_folder, name) in removed {
            let outcome = if is_folder {
                fs::remove_dir(&path)
            } else {
                fs::remove_file(&path)
            };
            if let Err(error) = outcome {
                let what = if is_folder {
                    "Cannot rmdir"
                } else {
                    "Cannot unlink"
                };
                report.file(&name, what, &error);
            }
        }
        Ok(written)
    }

    fn failed(&self, name: &[u8], what: &str, error: &io::Error) {
        if self.settings.ignore_failed_read {
            let words = process::message(error);
            self.report
                .warning(&format!("{}: Warning: {what}: {words}", quoted(name)));
        } else {
            self.report.file(name, what, error);
        }
    }

    /// Adds a file, and what is in it if it is a folder. `name` is its path from where the names begin.
    fn file(&mut self, origin: &Name, name: &[u8], device: Option<u64>) -> Result<(), Fatal> {
        let settings = self.settings;
        let path = match names::below(&origin.folder, name) {
            Ok(path) => path,
            Err(error) => {
                self.failed(name, "Cannot stat", &error);
                return Ok(());
            }
        };
        let stat = match process::stat(process::path_bytes(&path), settings.dereference) {
            Ok(stat) => stat,
            Err(error) => {
                self.failed(name, "Cannot stat", &error.into());
                return Ok(());
            }
        };
        if device.is_some_and(|device| device != stat.device) && settings.one_file_system {
            return Ok(());
        }
        if self.own == Some((stat.device, stat.inode)) {
            self.report.warning(&format!(
                "{}: file is the archive; not dumped",
                quoted(name)
            ));
            return Ok(());
        }
        let is_folder = stat.kind == process::Kind::Directory;
        if !is_folder && self.is_old(name, &stat) {
            return Ok(());
        }
        let kind = match stat.kind {
            process::Kind::Regular => Kind::Regular,
            process::Kind::Directory => Kind::Directory,
            process::Kind::Symlink => Kind::Symlink,
            process::Kind::Fifo => Kind::Fifo,
            process::Kind::CharacterDevice => Kind::CharacterDevice,
            process::Kind::BlockDevice => Kind::BlockDevice,
            process::Kind::Socket => {
                if settings.warns("file-ignored") {
                    self.report
                        .warning(&format!("{}: socket ignored", quoted(name)));
                }
                return Ok(());
            }
            process::Kind::Unknown => {
                self.report.error(&format!(
                    "{}: Unknown file type; file ignored",
                    quoted(name)
                ));
                return Ok(());
            }
        };
        let mut whole = name.to_vec();
        if is_folder && !whole.ends_with(b"/") {
            whole.push(b'/');
        }
        let member = self.member_name(&whole, Which::Member);
        let mut entry = Entry::new(member, kind);
        self.attributes(&mut entry, &stat);
        match kind {
            Kind::Directory => return self.folder(origin, &path, name, &entry, &stat),
            Kind::Symlink => match fs::read_link(&path) {
                Ok(target) => {
                    let target = process::path_bytes(&target);
                    entry.link = transform::apply(&settings.transforms, target, Which::Symlink);
                }
                Err(error) => {
                    self.failed(name, "Cannot readlink", &error);
                    return Ok(());
                }
            },
            _ => {}
        }
        let is_one = self.is_known_link(&whole, &mut entry, &stat);
        if is_one || kind != Kind::Regular {
            self.header(name, &entry)?;
            return self.done(&path, false, name);
        }
        entry.size = stat.size;
        entry.stored = stat.size;
        self.regular(&path, name, &entry)
    }

    fn is_old(&self, name: &[u8], stat: &Stat) -> bool {
        let modified = Time::from(stat.modified);
        if let Some(known) = &self.known {
            let member = transform::apply(&self.settings.transforms, name, Which::Member);
            let member = names::strip(&member, 0).unwrap_or(&member).to_vec();
            // Archives know whole seconds.
            return known
                .get(&member)
                .is_some_and(|old| old.seconds >= modified.seconds);
        }
        if self.settings.newer.is_some_and(|newer| modified < newer) {
            if self.settings.verbose > 0 && self.settings.warns("file-unchanged") {
                self.report
                    .warning(&format!("{}: file is unchanged; not dumped", quoted(name)));
            }
            return true;
        }
        false
    }

    fn member_name(&self, name: &[u8], which: Which) -> Vec<u8> {
        let changed = transform::apply(&self.settings.transforms, name, which);
        if self.settings.absolute {
            return changed;
        }
        self.safe
            .name(&changed, which == Which::HardLink, &self.report)
            .into_owned()
    }

    fn attributes(&self, entry: &mut Entry, stat: &Stat) {
        let settings = self.settings;
        entry.mode = stat.mode;
        if let Some(mode) = &settings.mode {
            let changed =
                bash_text::mode::change(mode.as_bytes(), stat.mode, entry.is_directory(), 0);
            entry.mode = changed.unwrap_or(stat.mode);
        }
        entry.modified = Time::from(stat.modified);
        if let Some(modified) = settings.modified
            && (!settings.clamp || entry.modified > modified)
        {
            entry.modified = modified;
        }
        if settings.dialect == Format::Pax {
            entry.accessed = Some(Time::from(stat.accessed));
            entry.changed = Some(Time::from(stat.changed));
        }
        entry.user = settings.user.id.unwrap_or(u64::from(process::USER));
        entry.group = settings.group.id.unwrap_or(u64::from(process::GROUP));
        if !settings.numeric_owner && settings.dialect != Format::V7 {
            let name = |given: &Option<String>, own: &str| match given {
                Some(name) => name.as_bytes().to_vec(),
                None => own.as_bytes().to_vec(),
            };
            entry.user_name = name(&settings.user.name, process::USER_NAME);
            entry.group_name = name(&settings.group.name, process::GROUP_NAME);
        }
    }

    /// Makes a hard link of a file that the archive has by another name.
    fn is_known_link(&mut self, whole: &[u8], entry: &mut Entry, stat: &Stat) -> bool {
        if self.settings.hard_dereference {
            return false;
        }
        let key = (stat.device, stat.inode);
        if let Some(first) = self.links.get(&key) {
            let link = first.clone();
            entry.link = self.member_name(&link, Which::HardLink);
            entry.kind = Kind::HardLink;
            return true;
        }
        // With several names a file may come twice.
        let may_return =
            stat.links > 1 || self.settings.names.len() > 1 || self.settings.dereference;
        if may_return {
            self.links.insert(key, whole.to_vec());
        }
        false
    }

    fn header(&mut self, name: &[u8], entry: &Entry) -> Result<bool, Fatal> {
        let outcome = self
            .writer
            .header(entry)
            .map_err(|error| write_failed(self.settings, &error))?;
        match outcome {
            Ok(()) => {}
            Err(unfit) => {
                let shown = quoted(&entry.name);
                let text = match unfit {
                    Unfit::Name => {
                        format!("{shown}: file name is too long (cannot be split); not dumped")
                    }
                    Unfit::NameMax(max) => {
                        format!("{shown}: file name is too long (max {max}); not dumped")
                    }
                    Unfit::Link => {
                        format!("{}: link name is too long; not dumped", quoted(&entry.link))
                    }
                    Unfit::Number(number) => format!("value {number} out of range"),
                };
                self.report.error(&text);
                return Ok(false);
            }
        }
        if self.settings.verbose > 0 {
            let shown = if self.settings.show_transformed {
                &entry.name
            } else if entry.is_directory() && !name.ends_with(b"/") {
                &[name, b"/"].concat()
            } else {
                name
            };
            self.listing
                .show(self.settings, entry, shown, self.settings.verbose - 1)
                .map_err(Fatal::from)?;
        }
        Ok(true)
    }

    fn done(&mut self, path: &Path, is_folder: bool, name: &[u8]) -> Result<(), Fatal> {
        if self.settings.remove_files {
            self.removed
                .push((path.to_owned(), is_folder, name.to_vec()));
        }
        Ok(())
    }

    fn regular(&mut self, path: &Path, name: &[u8], entry: &Entry) -> Result<(), Fatal> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                self.failed(name, "Cannot open", &error);
                return Ok(());
            }
        };
        if !self.header(name, entry)? {
            return Ok(());
        }
        let mut left = entry.stored;
        while left > 0 {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let place = self.buffer.get_mut(..wanted).unwrap_or_default();
            match file.read(place) {
                Ok(0) => {
                    self.report.warning(&format!(
                        "{}: File shrank by {left} bytes; padding with zeros",
                        quoted(name)
                    ));
                    self.report.differs();
                    break;
                }
                Ok(read) => {
                    let bytes = self.buffer.get(..read).unwrap_or_default();
                    self.writer
                        .bytes(bytes)
                        .map_err(|error| write_failed(self.settings, &error))?;
                    left -= read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let at = entry.stored - left;
                    let text = format!("Read error at byte {at}, while reading");
                    self.failed(name, &text, &error);
                    break;
                }
            }
        }
        self.writer
            .zeros(left)
            .and_then(|()| self.writer.pad())
            .map_err(|error| write_failed(self.settings, &error))?;
        self.done(path, false, name)
    }

    fn folder(
        &mut self,
        origin: &Name,
        path: &Path,
        name: &[u8],
        entry: &Entry,
        stat: &Stat,
    ) -> Result<(), Fatal> {
        let tag = self
            .settings
            .tags
            .iter()
            .take(origin.tags)
            .find(|tag| is_tagged(&path.join(&tag.file), tag.begins));
        if tag.is_some_and(|tag| tag.keeps == Kept::Nothing) {
            return Ok(());
        }
        if !origin.recursive {
            self.header(name, entry)?;
            return self.done(path, true, name);
        }
        let listed = fs::read_dir(path).and_then(|listing| {
            listing
                .map(|entry| Ok(process::path_bytes(Path::new(&entry?.file_name())).to_vec()))
                .collect::<io::Result<Vec<Vec<u8>>>>()
        });
        let mut children = match listed {
            Ok(children) => children,
            Err(error) => {
                self.failed(name, "Cannot open", &error);
                return Ok(());
            }
        };
        let is_newer = self.known.is_none() || !self.is_old_folder(name, stat);
        if is_newer && !self.header(name, entry)? {
            return Ok(());
        }
        if let Some(tag) = tag {
            if self.settings.verbose > 0 && self.settings.warns("cachedir") {
                let file = quoted(&[name, b"/"].concat());
                let what = if tag.begins.is_empty() {
                    "contains an exclusion tag"
                } else {
                    "contains a cache directory tag"
                };
                let rest = if tag.keeps == Kept::Tag {
                    "contents not dumped"
                } else {
                    "directory contents not dumped"
                };
                self.report
                    .warning(&format!("{file}: {what} {}; {rest}", tag.file));
            }
            children.retain(|child| tag.keeps == Kept::Tag && *child == tag.file.as_bytes());
        }
        children.sort();
        for child in children {
            let child = if name.ends_with(b"/") {
                [name, &child].concat()
            } else {
                [name, b"/", &child].concat()
            };
            if !self.settings.excluded.first_have(origin.excluded, &child) {
                self.file(origin, &child, Some(stat.device))?;
            }
        }
        // After its content: a folder goes when it is empty.
        self.done(path, true, name)
    }

    fn is_old_folder(&self, name: &[u8], stat: &Stat) -> bool {
        self.is_old(name, stat)
    }
}

fn is_tagged(path: &Path, begins: &[u8]) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut head = Vec::new();
    let length = begins.len() as u64;
    file.take(length).read_to_end(&mut head).is_ok() && head == begins
}

/// Complains about a folder that is not there to go to.
pub(crate) fn check_folder(folder: &Path) -> Result<(), Fatal> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let name = process::path_bytes(folder);
    match process::stat(name, true) {
        Ok(stat) if stat.kind == process::Kind::Directory => Ok(()),
        Ok(_) => Err(Fatal::open(name, &process::Errno::NotDirectory.into())),
        Err(error) => Err(Fatal::open(name, &error.into())),
    }
}

fn write_failed(settings: &Settings, error: &io::Error) -> Fatal {
    Fatal::new(format!(
        "{}: Cannot write: {}",
        quoted(settings.archive.as_bytes()),
        process::message(error)
    ))
}
