//! The gzip format: members that follow each other, each with a checksum and a length.
//!
//! What is behind the last member is left alone: it is the caller's to complain about.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

/// The words of gzip for a member whose content is not what was packed.
pub(crate) const BAD_CHECKSUM: &str = "invalid compressed data--crc error";
/// The words of gzip for a member of another length.
pub(crate) const BAD_LENGTH: &str = "invalid compressed data--length error";
/// Both of them; the second needs a name.
pub(crate) const BAD_BOTH: &str =
    "invalid compressed data--crc error\n\ngzip: invalid compressed data--length error";
/// The words of gzip for what cannot be decoded.
pub(crate) const BAD_FORMAT: &str = "invalid compressed data--format violated";

/// What the first member's header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The name of the packed file, without folders.
    pub(crate) name: Option<Vec<u8>>,
    /// When it was last changed, in seconds; 0 is unknown.
    pub(crate) modified: u32,
}

/// Reads a header up to the data.
pub(crate) fn header(source: &mut impl BufRead) -> io::Result<Header> {
    let mut fixed = [0; 10];
    source.read_exact(&mut fixed)?;
    let [0x1f, 0x8b, method, flags, time0, time1, time2, time3, _, _] = fixed else {
        return Err(io::Error::other(BAD_FORMAT));
    };
    if method != 8 || flags & 0xe0 != 0 {
        return Err(io::Error::other(BAD_FORMAT));
    }
    if flags & 4 != 0 {
        let mut length = [0; 2];
        source.read_exact(&mut length)?;
        let mut extra = vec![0; usize::from(u16::from_le_bytes(length))];
        source.read_exact(&mut extra)?;
    }
    let name = if flags & 8 != 0 {
        Some(text(source)?)
    } else {
        None
    };
    if flags & 16 != 0 {
        text(source)?;
    }
    if flags & 2 != 0 {
        source.read_exact(&mut [0; 2])?;
    }
    Ok(Header {
        name,
        modified: u32::from_le_bytes([time0, time1, time2, time3]),
    })
}

/// Reads a text and the zero behind it.
fn text(source: &mut impl BufRead) -> io::Result<Vec<u8>> {
    const BYTES_MAX: u64 = 65_536;
    let mut text = Vec::new();
    source.take(BYTES_MAX).read_until(0, &mut text)?;
    match text.pop() {
        Some(0) => Ok(text),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A reader of all members.
pub(crate) struct Members<R: BufRead> {
    source: Option<R>,
    member: Option<Member<R>>,
    trailing: Rc<Cell<bool>>,
    is_first: bool,
}

struct Member<R: BufRead> {
    data: DeflateDecoder<R>,
    sum: Crc,
}

impl<R: BufRead> Members<R> {
    /// Makes a reader. It sets `trailing` when it finds something that is no member behind the last.
    pub(crate) fn new(source: R, trailing: Rc<Cell<bool>>) -> Self {
        Self {
            source: Some(source),
            member: None,
            trailing,
            is_first: true,
        }
    }

    /// Begins with the next member; says whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        let Some(source) = &mut self.source else {
            return Ok(false);
        };
        if !std::mem::take(&mut self.is_first) {
            // Zeros behind the last member are padding of a tape.
            loop {
                let buffer = source.fill_buf()?;
                let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
                if zeros == 0 {
                    break;
                }
                source.consume(zeros);
            }
            let buffer = source.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            if !matches!(buffer, [0x1f, 0x8b, ..] | [0x1f]) {
                self.trailing.set(true);
                return Ok(false);
            }
        }
        header(source)?;
        if let Some(source) = self.source.take() {
            self.member = Some(Member {
                data: DeflateDecoder::new(source),
                sum: Crc::new(),
            });
        }
        Ok(true)
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(member) = &mut self.member else {
                if !self.begin()? {
                    return Ok(0);
                }
                continue;
            };
            let read = member.data.read(buffer).map_err(|error| {
                if error.kind() == io::ErrorKind::UnexpectedEof {
                    error
                } else {
                    io::Error::other(BAD_FORMAT)
                }
            })?;
            if read > 0 {
                member.sum.update(buffer.get(..read).unwrap_or_default());
                return Ok(read);
            }
            let Some(member) = self.member.take() else {
                return Ok(0);
            };
            let mut source = member.data.into_inner();
            let (mut sum, mut length) = ([0; 4], [0; 4]);
            source.read_exact(&mut sum)?;
            source.read_exact(&mut length)?;
            let is_sum = u32::from_le_bytes(sum) == member.sum.sum();
            let is_length = u32::from_le_bytes(length) == member.sum.amount();
            match (is_sum, is_length) {
                (true, true) => self.source = Some(source),
                (false, true) => return Err(io::Error::other(BAD_CHECKSUM)),
                (true, false) => return Err(io::Error::other(BAD_LENGTH)),
                (false, false) => return Err(io::Error::other(BAD_BOTH)),
            }
        }
    }
}
