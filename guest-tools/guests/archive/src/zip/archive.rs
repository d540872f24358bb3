//! Reading zip files: the directory at the end, and members by their place.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::record::{BZIPPED, DEFLATED, END, END64, Fields, LOCATOR64, Member, STORED};

/// An opened zip file.
pub(crate) struct Archive {
    file: File,
    pub(crate) size: u64,
    pub(crate) members: Vec<Member>,
    pub(crate) comment: Vec<u8>,
    /// Bytes before the zip file itself: of a program that unpacks it, for one.
    pub(crate) before: u64,
    /// Where the directory begins.
    pub(crate) directory: u64,
}

/// Why a file is no zip file.
#[derive(Debug)]
pub(crate) enum Problem {
    Io(io::Error),
    /// The record at the end is missing.
    NoEnd,
    /// The directory is not as the end says.
    Directory,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct End {
    entries: u64,
    size: u64,
    offset: u64,
    comment: Vec<u8>,
    /// Where it is itself.
    at: u64,
}

impl Archive {
    pub(crate) fn open(path: &str) -> Result<Self, Problem> {
        let mut file = File::open(path)?;
        let size = file.seek(SeekFrom::End(0))?;
        let end = find_end(&mut file, size)?.ok_or(Problem::NoEnd)?;
        let directory = end.at.checked_sub(end.size).ok_or(Problem::Directory)?;
        let before = directory
            .checked_sub(end.offset)
            .ok_or(Problem::Directory)?;
        file.seek(SeekFrom::Start(directory))?;
        let mut members = Vec::new();
        let mut source = BufReader::new(&mut file).take(end.size);
        for _ in 0..end.entries {
            match Member::read(&mut source) {
                Ok(Some(member)) => members.push(member),
                Ok(None) => return Err(Problem::Directory),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(Problem::Directory);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self {
            file,
            size,
            members,
            comment: end.comment,
            before,
            directory,
        })
    }

    /// Returns where a member's data begins, and its record's extra fields.
    pub(crate) fn data(&self, member: &Member) -> io::Result<(u64, Vec<u8>)> {
        let mut file = &self.file;
        let at = self.before.saturating_add(member.offset);
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 30];
        file.read_exact(&mut head)?;
        let mut fields = Fields(&head);
        let is_local = fields.long() == Some(0x0403_4b50);
        fields.bytes(22);
        let (Some(name), Some(extra), true) = (fields.short(), fields.short(), is_local) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        file.seek_relative(i64::from(name))?;
        let mut fields = vec![0; usize::from(extra)];
        file.read_exact(&mut fields)?;
        Ok((at + 30 + u64::from(name) + u64::from(extra), fields))
    }

    /// Returns a member's bytes as they are in the file.
    pub(crate) fn packed<'a>(&'a self, member: &Member) -> io::Result<impl Read + use<'a>> {
        let (at, _) = self.data(member)?;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        Ok(file.take(member.packed))
    }

    /// Returns a member's content. Nobody may use the file meanwhile.
    pub(crate) fn content<'a>(&'a self, member: &Member) -> io::Result<Box<dyn Read + 'a>> {
        let packed = BufReader::with_capacity(65_536, self.packed(member)?);
        Ok(match member.method {
            STORED => Box::new(packed),
            DEFLATED => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
            BZIPPED => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        })
    }

    /// Copies bytes of the file.
    pub(crate) fn range(&self, from: u64, length: u64) -> io::Result<impl Read> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(from))?;
        Ok(file.take(length))
    }
}

/// Looks for the end's record from behind: only a comment may follow it.
fn find_end(file: &mut File, size: u64) -> io::Result<Option<End>> {
    const TAIL_BYTES_MAX: u64 = 65_557;
    let start = size.saturating_sub(TAIL_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.by_ref().take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
    let signature = END.to_le_bytes();
    let found = tail
        .windows(4)
        .enumerate()
        .rev()
        .filter(|(_, window)| *window == signature)
        .find_map(|(place, _)| {
            let end = end(tail.get(place..)?, start + place as u64)?;
            Some((end, place))
        });
    let Some((mut end, place)) = found else {
        return Ok(None);
    };
    let locator = place
        .checked_sub(20)
        .and_then(|from| tail.get(from..place))
        .and_then(|locator| {
            let mut fields = Fields(locator);
            let is_locator = fields.long()? == LOCATOR64;
            fields.long()?;
            is_locator.then(|| fields.number(8))?
        });
    if let Some(offset) = locator {
        file.seek(SeekFrom::Start(offset))?;
        let mut record = [0; 56];
        if file.read_exact(&mut record).is_ok() {
            let mut fields = Fields(&record);
            if fields.long() == Some(END64) {
                fields.bytes(28);
                let numbers = (fields.number(8), fields.number(8), fields.number(8));
                if let (Some(entries), Some(size), Some(at)) = numbers {
                    end.entries = entries;
                    end.size = size;
                    end.offset = at;
                    end.at = offset;
                }
            }
        }
    }
    Ok(Some(end))
}

fn end(record: &[u8], at: u64) -> Option<End> {
    let mut fields = Fields(record);
    fields.bytes(10)?;
    let entries = fields.number(2)?;
    let size = fields.number(4)?;
    let offset = fields.number(4)?;
    let comment = fields.short()?;
    Some(End {
        entries,
        size,
        offset,
        comment: fields.bytes(usize::from(comment))?.to_vec(),
        at,
    })
}

/// Returns how much shorter a member is than its content, in thousandths, rounded.
pub(crate) fn ratio(size: u64, packed: u64) -> i64 {
    if size == 0 {
        return 0;
    }
    let (size, packed) = (i128::from(size), i128::from(packed));
    let ratio = if size >= packed {
        (1000 * (size - packed) + size / 2) / size
    } else {
        -((1000 * (packed - size) + size / 2) / size)
    };
    i64::try_from(ratio).unwrap_or(0)
}

/// Shows a name: control characters as `^X`.
pub(crate) fn shown(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in name {
        if *byte < 32 {
            text.extend([b'^', byte + 64]);
        } else {
            text.push(*byte);
        }
    }
    text
}
