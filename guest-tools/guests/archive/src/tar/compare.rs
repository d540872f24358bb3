//! `tar d`: whether files are still as the archive has them.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use process::Kind as FileKind;

use super::entry::{Entry, Kind};
use super::input::Reader;
use super::list::Listing;
use super::names::{self, Safe};
use super::report::{Fatal, Report, quoted};
use super::settings::Settings;
use super::transform::{self, Which};

pub(crate) struct Comparison<'a> {
    settings: &'a Settings,
    report: Rc<Report>,
    listing: Listing,
    safe: Safe,
    /// Whether an archive is checked that was just made.
    verifies: bool,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(settings: &'a Settings, report: &Rc<Report>, verifies: bool) -> Self {
        Self {
            settings,
            report: Rc::clone(report),
            listing: Listing::new(false),
            safe: Safe::default(),
            verifies,
        }
    }

    fn differs(&self, name: &[u8], how: &str) -> Result<(), Fatal> {
        self.report.differs();
        self.listing.line(&format!("{}: {how}", quoted(name)))?;
        Ok(())
    }

    pub(crate) fn member(
        &self,
        reader: &mut Reader,
        entry: &Entry,
        folder: &Path,
    ) -> Result<(), Fatal> {
        let settings = self.settings;
        if settings.verbose > 0 {
            if self.verifies {
                let line = format!("Verify {}", quoted(&entry.name));
                self.listing.line(&line)?;
            } else {
                self.listing
                    .show(settings, entry, &entry.name, settings.verbose - 1)?;
            }
        }
        if entry.kind == Kind::Label {
            return Ok(());
        }
        let changed = transform::apply(&settings.transforms, &entry.name, Which::Member);
        let name = if settings.absolute {
            changed
        } else {
            self.safe.name(&changed, false, &self.report).into_owned()
        };
        let shown = name.strip_suffix(b"/").unwrap_or(&name);
        let path = names::below(folder, &name)?;
        let follows = settings.dereference;
        let plain = names::below(folder, shown)?;
        let stat = match process::stat(process::path_bytes(&plain), follows) {
            Ok(stat) => stat,
            Err(error) => {
                self.report.differs();
                self.report
                    .warning(&format!("{}: Warning: Cannot stat: {error}", quoted(shown)));
                return Ok(());
            }
        };
        let expected = match entry.kind {
            Kind::Directory => FileKind::Directory,
            Kind::Symlink => FileKind::Symlink,
            Kind::Fifo => FileKind::Fifo,
            Kind::CharacterDevice => FileKind::CharacterDevice,
            Kind::BlockDevice => FileKind::BlockDevice,
            Kind::HardLink => {
                let link = names::below(folder, &entry.link)?;
                let other = process::stat(process::path_bytes(&link), false);
                let same = other
                    .is_ok_and(|other| (other.device, other.inode) == (stat.device, stat.inode));
                if !same {
                    let link = quoted(&entry.link);
                    self.differs(shown, &format!("Not linked to {link}"))?;
                }
                return Ok(());
            }
            Kind::Regular | Kind::Other(_) | Kind::Label => FileKind::Regular,
        };
        if stat.kind != expected {
            return self.differs(shown, "File type differs");
        }
        if entry.kind == Kind::Symlink {
            let target = fs::read_link(&plain)?;
            if process::path_bytes(&target) != entry.link {
                self.differs(shown, "Symlink differs")?;
            }
            return Ok(());
        }
        if stat.mode != entry.mode {
            self.differs(shown, "Mode differs")?;
        }
        if entry.user != u64::from(process::USER) {
            self.differs(shown, "Uid differs")?;
        }
        if entry.group != u64::from(process::GROUP) {
            self.differs(shown, "Gid differs")?;
        }
        if entry.kind != Kind::Regular {
            return Ok(());
        }
        let is_exact = entry.modified.nanoseconds > 0;
        if stat.modified.seconds != entry.modified.seconds
            || (is_exact && stat.modified.nanoseconds != entry.modified.nanoseconds)
        {
            self.differs(shown, "Mod time differs")?;
        }
        if stat.size != entry.size {
            return self.differs(shown, "Size differs");
        }
        match File::open(&path) {
            Ok(file) => {
                if !is_same(reader, file)? {
                    self.differs(shown, "Contents differ")?;
                }
            }
            Err(error) => self.report.file(shown, "Cannot open", &error),
        }
        Ok(())
    }
}

fn is_same(reader: &mut Reader, mut file: File) -> Result<bool, Fatal> {
    let mut wanted = vec![0; 65_536];
    let mut found = vec![0; 65_536];
    loop {
        let read = reader.read(&mut wanted)?;
        if read == 0 {
            return Ok(true);
        }
        let place = found.get_mut(..read).unwrap_or_default();
        if file.read_exact(place).is_err() || wanted.get(..read) != found.get(..read) {
            return Ok(false);
        }
    }
}
