//! Writing a zip file: members copied from the old one, and new ones.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use process::Kind;

use super::arguments::Settings;
use super::files::Found;
use super::record::{self, BZIPPED, DEFLATED, FLAG_LATER, FLAG_UTF8, Member, STORED};
use super::{Failure, say, warn};
use crate::codec::Counted;
use crate::zip::archive::{Archive, shown};

/// Sizes from here on need bigger fields; packed data may be a little longer than what it holds.
const BIG: u64 = 0xf000_0000;

enum Sink {
    /// A new file, which takes the old one's place at the end.
    File(BufWriter<File>, PathBuf),
    Stdout(io::StdoutLock<'static>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file, _) => file.write(bytes),
            Self::Stdout(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.flush(),
            Self::Stdout(out) => out.flush(),
        }
    }
}

/// A zip file that is being made.
pub(crate) struct Output<'a> {
    settings: &'a Settings,
    sink: Sink,
    /// Where the next byte goes.
    place: u64,
    members: Vec<Member>,
    total: (u64, u64),
}

impl<'a> Output<'a> {
    pub(crate) fn create(settings: &'a Settings) -> Result<Self, Failure> {
        let sink = if settings.to_stdout() {
            Sink::Stdout(io::stdout().lock())
        } else {
            let target = Path::new(settings.target());
            let name = format!("zi{:06}", process::pid() % 1_000_000);
            let path = match target.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.join(name),
                _ => PathBuf::from(name),
            };
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)
                .map_err(|error| {
                    let error = process::message(&error);
                    let target = settings.target();
                    eprintln!("zip I/O error: {error}");
                    Failure::new(15, format!("Could not create output file ({target})"))
                })?;
            Sink::File(BufWriter::with_capacity(65_536, file), path)
        };
        Ok(Self {
            settings,
            sink,
            place: 0,
            members: Vec::new(),
            total: (0, 0),
        })
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.place += bytes.len() as u64;
        Ok(())
    }

    /// Copies a member of the old archive as it is.
    pub(crate) fn copy(&mut self, old: &Archive, member: &Member) -> io::Result<()> {
        let start = old.before + member.offset;
        // What belongs to it ends where the next begins.
        let end = old
            .members
            .iter()
            .map(|other| old.before + other.offset)
            .filter(|other| *other > start)
            .min()
            .unwrap_or(old.directory);
        let mut copied = member.clone();
        copied.offset = self.place;
        let mut source = old.range(start, end - start)?;
        let copied_bytes = io::copy(&mut source, &mut self.sink)?;
        if copied_bytes != end - start {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.place += copied_bytes;
        self.members.push(copied);
        Ok(())
    }

    /// Adds a file. Returns whether it could be read.
    pub(crate) fn add(&mut self, found: &Found, verb: &str) -> io::Result<bool> {
        let settings = self.settings;
        let opened: io::Result<Box<dyn Read>> = match (&found.path, found.kind) {
            (_, Kind::Directory) => Ok(Box::new(io::empty())),
            (Some(path), Kind::Symlink) => fs::read_link(path).map(|target| {
                let target = process::path_bytes(&target).to_vec();
                Box::new(io::Cursor::new(target)) as Box<dyn Read>
            }),
            (Some(path), _) => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
            (None, _) => Ok(Box::new(io::stdin())),
        };
        let mut source = match opened {
            Ok(source) => source,
            Err(error) => {
                let name = String::from_utf8_lossy(&found.name).into_owned();
                say(
                    settings,
                    &format!("    zip warning: {}", process::message(&error)),
                );
                warn(settings, &format!("could not open for reading: {name}"));
                return Ok(false);
            }
        };
        let mut member = self.member(found);
        let extra = self.extra(found);
        // Small files are seen whole before anything is written.
        const SMALL_BYTES: u64 = 65_536;
        let mut head = Vec::new();
        source.by_ref().take(SMALL_BYTES).read_to_end(&mut head)?;
        let is_small = (head.len() as u64) < SMALL_BYTES;
        let may_pack = settings.level > 0
            && !head.is_empty()
            && !matches!(found.kind, Kind::Directory | Kind::Symlink)
            && !settings
                .stored_suffixes
                .iter()
                .any(|suffix| !suffix.is_empty() && found.name.ends_with(suffix.as_bytes()));
        if may_pack {
            // Only what is packed is looked at.
            member.internal = u16::from(is_text(&head));
            self.pack_flags(&mut member);
        }
        let is_big = found.size >= BIG || (found.path.is_none() && !is_small);
        if is_big {
            member.needed = 45;
        }
        let later = self.settings.to_stdout();
        if later && may_pack {
            member.flags |= FLAG_LATER;
        }
        let start = self.place;
        member.offset = start;
        if is_small && !(later && may_pack) {
            self.small(&mut member, &head, &extra)?;
        } else {
            let header = member.local(&extra, is_big);
            self.bytes(&header)?;
            let whole = head.as_slice().chain(source);
            self.stream(&mut member, whole)?;
            if later {
                let record = member.later(is_big);
                self.bytes(&record)?;
            } else {
                self.settle(&mut member, found, &extra, is_big)?;
            }
        }
        self.total.0 += member.size;
        self.total.1 += member.packed;
        self.tell(&member, verb);
        self.members.push(member);
        Ok(true)
    }

    fn small(&mut self, member: &mut Member, content: &[u8], extra: &[u8]) -> io::Result<()> {
        let mut packed = Vec::new();
        if member.method != STORED {
            let method = member.method;
            pack(method, self.settings.level, content, &mut packed)?;
            if packed.len() >= content.len() {
                store(member);
            }
        }
        let mut sum = flate2::Crc::new();
        sum.update(content);
        member.crc = sum.sum();
        member.size = content.len() as u64;
        let data = if member.method == STORED {
            content
        } else {
            &packed
        };
        member.packed = data.len() as u64;
        let header = member.local(extra, false);
        self.bytes(&header)?;
        self.bytes(data)
    }

    /// Writes what a source holds, and puts sums and sizes into the member.
    fn stream(&mut self, member: &mut Member, source: impl Read) -> io::Result<()> {
        let mut source = Summed {
            source,
            sum: flate2::Crc::new(),
            length: 0,
        };
        let (mut out, count) = Counted::new(&mut self.sink);
        pack(member.method, self.settings.level, &mut source, &mut out)?;
        member.crc = source.sum.sum();
        member.size = source.length;
        member.packed = count.get();
        self.place += count.get();
        Ok(())
    }

    /// Goes back to the header, now that sums and sizes are known. What did not get shorter is stored instead.
    fn settle(
        &mut self,
        member: &mut Member,
        found: &Found,
        extra: &[u8],
        is_big: bool,
    ) -> io::Result<()> {
        let again = member.method != STORED && member.packed >= member.size;
        if again && let Some(path) = &found.path {
            self.rewind(member.offset)?;
            store(member);
            if is_big {
                member.needed = 45;
            }
            let header = member.local(extra, is_big);
            self.bytes(&header)?;
            self.stream(member, File::open(path)?)?;
            self.sink.flush()?;
            if let Sink::File(file, _) = &mut self.sink {
                file.get_mut().set_len(self.place)?;
            }
        }
        let end = self.place;
        self.rewind(member.offset)?;
        let header = member.local(extra, is_big);
        self.bytes(&header)?;
        self.rewind(end)
    }

    fn rewind(&mut self, place: u64) -> io::Result<()> {
        if let Sink::File(file, _) = &mut self.sink {
            file.seek(SeekFrom::Start(place))?;
            self.place = place;
        }
        Ok(())
    }

    fn pack_flags(&self, member: &mut Member) {
        if self.settings.bzip {
            member.method = BZIPPED;
            member.needed = 46;
            return;
        }
        member.method = DEFLATED;
        member.needed = 20;
        member.flags |= match self.settings.level {
            1 | 2 => 4,
            8.. => 2,
            _ => 0,
        };
    }

    fn member(&self, found: &Found) -> Member {
        const MADE_BY_UNIX: u16 = 0x031e;
        let bits = match found.kind {
            Kind::Directory => 0o040_000,
            Kind::Symlink => 0o120_000,
            Kind::Fifo => 0o010_000,
            _ => 0o100_000,
        };
        let dos = if found.kind == Kind::Directory {
            0x10
        } else {
            0
        };
        let (date, time) = record::to_dos(found.modified.seconds);
        let mut member = Member {
            name: found.name.clone(),
            made_by: MADE_BY_UNIX,
            needed: 10,
            flags: if found.name.is_ascii() { 0 } else { FLAG_UTF8 },
            method: STORED,
            time,
            date,
            external: (bits | found.mode) << 16 | dos,
            ..Member::default()
        };
        if !self.settings.no_extra {
            let seconds = clip(found.modified.seconds);
            member.extra.extend([0x55, 0x54, 5, 0, 3]);
            member.extra.extend(seconds.to_le_bytes());
            member.extra.extend(owner());
        }
        member.modified = Some(found.modified.seconds);
        member
    }

    /// Returns the extra fields before the data.
    fn extra(&self, found: &Found) -> Vec<u8> {
        let mut extra = Vec::new();
        if !self.settings.no_extra {
            extra.extend([0x55, 0x54, 9, 0, 3]);
            extra.extend(clip(found.modified.seconds).to_le_bytes());
            extra.extend(clip(found.accessed.seconds).to_le_bytes());
            extra.extend(owner());
        }
        extra
    }

    fn tell(&self, member: &Member, verb: &str) {
        let settings = self.settings;
        if settings.quiet > 0 {
            return;
        }
        let name = String::from_utf8_lossy(&shown(&member.name)).into_owned();
        let percent = percent(member.size, member.packed);
        let how = match member.method {
            STORED => format!("(stored {percent}%)"),
            BZIPPED => format!("(bzipped {percent}%)"),
            _ => format!("(deflated {percent}%)"),
        };
        if settings.verbose > 0 {
            let sizes = format!("\t(in={}) (out={})", member.size, member.packed);
            say(settings, &format!("{verb}: {name}{sizes} {how}"));
        } else {
            say(settings, &format!("{verb}: {name} {how}"));
        }
    }

    /// Writes the directory and puts the file in its place.
    pub(crate) fn finish(mut self, comment: &[u8]) -> io::Result<()> {
        let start = self.place;
        let (mut out, count) = Counted::new(&mut self.sink);
        for member in &self.members {
            member.write(&mut out)?;
        }
        let entries = self.members.len() as u64;
        record::write_end(&mut self.sink, entries, start, count.get(), comment)?;
        self.sink.flush()?;
        let target = self.settings.target();
        if let Sink::File(file, path) = self.sink {
            // The new file is as open to others as the old one.
            if let Ok(stat) = process::stat(target, true) {
                let _ = process::chmod(process::path_bytes(&path), stat.mode & 0o777);
            }
            drop(file);
            fs::rename(&path, target)?;
            let latest = self.members.iter().map(Member::seconds).max();
            if self.settings.latest
                && let Some(latest) = latest
            {
                crate::times::set(Path::new(target), latest, 0)?;
            }
        }
        if self.settings.verbose > 0 && self.settings.quiet == 0 {
            let (size, packed) = self.total;
            let line = format!(
                "total bytes={size}, compressed={packed} -> {}% savings",
                percent(size, packed)
            );
            say(self.settings, &line);
        }
        Ok(())
    }

    /// Leaves no trace.
    pub(crate) fn abandon(self) {
        if let Sink::File(file, path) = self.sink {
            drop(file);
            // It is ours and new; that it does not go harms nothing.
            let _ = fs::remove_file(path);
        }
    }
}

fn clip(seconds: i64) -> u32 {
    u32::try_from(seconds).unwrap_or(0)
}

/// Returns the extra field of the owner.
fn owner() -> Vec<u8> {
    let mut field = vec![0x75, 0x78, 11, 0, 1, 4];
    field.extend(process::USER.to_le_bytes());
    field.push(4);
    field.extend(process::GROUP.to_le_bytes());
    field
}

fn store(member: &mut Member) {
    member.method = STORED;
    member.needed = 10;
    member.flags &= !6;
}

fn pack(method: u16, level: u32, mut source: impl Read, out: &mut impl Write) -> io::Result<()> {
    match method {
        DEFLATED => {
            let level = flate2::Compression::new(level.min(9));
            let mut encoder = flate2::write::DeflateEncoder::new(&mut *out, level);
            io::copy(&mut source, &mut encoder)?;
            encoder.finish()?;
        }
        BZIPPED => {
            let level = bzip2::Compression::new(level.clamp(1, 9));
            let mut encoder = bzip2::write::BzEncoder::new(&mut *out, level);
            io::copy(&mut source, &mut encoder)?;
            encoder.finish()?;
        }
        _ => {
            io::copy(&mut source, out)?;
        }
    }
    Ok(())
}

/// Returns how much shorter something is, in percent, as zip rounds.
fn percent(size: u64, packed: u64) -> i64 {
    if size == 0 {
        return 0;
    }
    let (size, packed) = (i128::from(size), i128::from(packed));
    i64::try_from((1 + 200 * (size - packed) / size) / 2).unwrap_or(0)
}

/// Returns whether bytes look like text: as zip decides, by the control characters that texts do not have.
fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && !bytes
            .iter()
            .any(|byte| matches!(byte, 0..=6 | 14..=25 | 28..=31))
}

/// Sums up what passes.
struct Summed<R> {
    source: R,
    sum: flate2::Crc,
    length: u64,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.sum.update(buffer.get(..read).unwrap_or_default());
        self.length += read as u64;
        Ok(read)
    }
}
