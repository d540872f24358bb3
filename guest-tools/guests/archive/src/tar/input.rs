//! Reading an archive: members one after the other, each with its data.
//!
//! What stands before a member's header (long names, pax records) is read with it. Only one record is in memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::block::{self, BLOCK, Block};
use super::entry::{Entry, Kind, Piece};
use super::pax::{self, Records};
use super::report::{Fatal, Report, UNEXPECTED_END};

/// How much is read at once.
const BUFFER_BYTES: usize = 128 * BLOCK;
/// Longer names and records are no names and records.
const EXTRA_BYTES_MAX: u64 = 16 << 20;

/// Where an archive comes from.
pub(crate) enum Source {
    /// A file in which what is not wanted is jumped over.
    Plain(File),
    Stream(Box<dyn Read>),
}

impl Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Stream(stream) => stream.read(buffer),
        }
    }
}

/// What is read next.
enum Header {
    Entry(Box<Entry>),
    Zeros,
    Bad,
    End,
}

/// The data of the member that was read last.
#[derive(Default)]
struct Current {
    /// Bytes in the archive that are not read yet.
    stored: u64,
    /// Zeros behind them up to the next block.
    padding: u64,
    pieces: VecDeque<Piece>,
    position: u64,
    size: u64,
}

/// Reads an archive.
pub(crate) struct Reader {
    source: Source,
    buffer: Vec<u8>,
    used: usize,
    /// The number of the block at the buffer's begin.
    first: u64,
    at_end: bool,
    /// Whether there were bytes at the end that made no block.
    has_rest: bool,
    /// An error that what was read before comes first of.
    failed: Option<io::Error>,
    current: Current,
    global: Records,
    report: Rc<Report>,
    ignore_zeros: bool,
    is_begun: bool,
    was_bad: bool,
    /// Whether a file of no bytes is an archive.
    pub(crate) may_be_empty: bool,
    /// The block that the archive's end begins at, once it is reached.
    pub(crate) end: Option<u64>,
}

impl Reader {
    pub(crate) fn new(source: Source, report: Rc<Report>, ignore_zeros: bool) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            used: 0,
            first: 0,
            at_end: false,
            has_rest: false,
            failed: None,
            current: Current::default(),
            global: Records::default(),
            report,
            ignore_zeros,
            is_begun: false,
            was_bad: false,
            may_be_empty: false,
            end: None,
        }
    }

    /// Returns the number of the next block.
    pub(crate) fn block(&self) -> u64 {
        self.first + (self.used / BLOCK) as u64
    }

    /// Fills the buffer with whole blocks; what is less at the end does not count.
    fn fill(&mut self) -> Result<(), Fatal> {
        self.first += (self.buffer.len() / BLOCK) as u64;
        self.used = 0;
        if let Some(error) = self.failed.take() {
            self.buffer.clear();
            return Err(Fatal::from(error));
        }
        self.buffer.resize(BUFFER_BYTES, 0);
        let mut filled = 0;
        while filled < BUFFER_BYTES && !self.at_end {
            let rest = self.buffer.get_mut(filled..).unwrap_or_default();
            match self.source.read(rest) {
                Ok(0) => self.at_end = true,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What came before the error is still good.
                Err(error) if filled >= BLOCK => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => {
                    self.buffer.clear();
                    return Err(Fatal::from(error));
                }
            }
            // A pipe is listed as it comes.
            if filled > 0 && filled % BLOCK == 0 {
                break;
            }
        }
        self.has_rest = !filled.is_multiple_of(BLOCK);
        self.buffer.truncate(filled - filled % BLOCK);
        Ok(())
    }

    fn next_block(&mut self) -> Result<Option<Block>, Fatal> {
        if self.used >= self.buffer.len() {
            self.fill()?;
        }
        let bytes = self.buffer.get(self.used..self.used + BLOCK);
        let Some(block) = bytes.and_then(|bytes| Block::try_from(bytes).ok()) else {
            return Ok(None);
        };
        self.used += BLOCK;
        Ok(Some(block))
    }

    /// Reads what a block must hold.
    fn need_block(&mut self) -> Result<Block, Fatal> {
        self.next_block()?.ok_or_else(unexpected_end)
    }

    /// Returns the next member; none at the end.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, Fatal> {
        self.skip_data()?;
        loop {
            let at = self.block();
            match self.header()? {
                Header::Entry(entry) => {
                    self.is_begun = true;
                    self.was_bad = false;
                    return Ok(Some(*entry));
                }
                Header::End => {
                    if !self.is_begun && (self.has_rest || !self.may_be_empty) {
                        self.report.error("This does not look like a tar archive");
                    }
                    self.end = Some(at);
                    return Ok(None);
                }
                Header::Zeros => {
                    let is_second = matches!(self.header()?, Header::Zeros);
                    if self.ignore_zeros {
                        continue;
                    }
                    if !is_second {
                        let number = at + 1;
                        self.report
                            .warning(&format!("A lone zero block at {number}"));
                    }
                    self.end = Some(at);
                    return Ok(None);
                }
                Header::Bad => {
                    if !self.is_begun {
                        self.report.error("This does not look like a tar archive");
                    }
                    if !self.was_bad {
                        self.report.error("Skipping to next header");
                    }
                    self.is_begun = true;
                    self.was_bad = true;
                }
            }
        }
    }

    /// Reads the rest, so that who writes it is not cut off.
    pub(crate) fn drain(&mut self) -> Result<(), Fatal> {
        if matches!(self.source, Source::Stream(_)) {
            while !self.at_end {
                self.fill()?;
            }
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Header, Fatal> {
        let start = self.block();
        let mut records = self.global.clone();
        let (mut name, mut link) = (None, None);
        loop {
            let Some(block) = self.next_block()? else {
                return Ok(Header::End);
            };
            let (letter, mut entry) = match block::decode(&block) {
                block::Read::Zeros => return Ok(Header::Zeros),
                block::Read::Bad => return Ok(Header::Bad),
                block::Read::Header(letter, entry) => (letter, *entry),
            };
            match letter {
                b'L' => name = Some(self.extra_text(&entry)?),
                b'K' => link = Some(self.extra_text(&entry)?),
                b'x' | b'X' => {
                    let text = self.extra(&entry)?;
                    if records.add(&text).is_none() {
                        self.report.error("Malformed extended header");
                    }
                }
                b'g' => {
                    let text = self.extra(&entry)?;
                    if self.global.add(&text).is_none() {
                        self.report.error("Malformed extended header");
                    }
                    records = self.global.clone();
                }
                _ => {
                    if letter == b'S' && block::has_more_pieces(&block) {
                        self.more_pieces(&mut entry)?;
                    }
                    let had_slash = entry.name.ends_with(b"/");
                    records.apply(&mut entry);
                    if let Some(name) = name {
                        entry.name = name;
                    }
                    if let Some(link) = link {
                        entry.link = link;
                    }
                    let is_plain = matches!(letter, 0 | b'0');
                    if is_plain && entry.name.ends_with(b"/") && !had_slash {
                        entry.kind = Kind::Directory;
                    }
                    entry.block = start;
                    self.begin(&mut entry, &records)?;
                    return Ok(Header::Entry(Box::new(entry)));
                }
            }
        }
    }

    /// Reads the data of a header that speaks of the next.
    fn extra(&mut self, entry: &Entry) -> Result<Vec<u8>, Fatal> {
        if entry.size > EXTRA_BYTES_MAX {
            return Err(Fatal::new("Malformed extended header: too long"));
        }
        let mut text = Vec::new();
        let mut left = usize::try_from(entry.size).unwrap_or(0);
        while left > 0 {
            let block = self.need_block()?;
            let taken = left.min(BLOCK);
            text.extend_from_slice(block.get(..taken).unwrap_or_default());
            left -= taken;
        }
        Ok(text)
    }

    fn extra_text(&mut self, entry: &Entry) -> Result<Vec<u8>, Fatal> {
        let mut text = self.extra(entry)?;
        if let Some(end) = text.iter().position(|byte| *byte == 0) {
            text.truncate(end);
        }
        Ok(text)
    }

    fn more_pieces(&mut self, entry: &mut Entry) -> Result<(), Fatal> {
        loop {
            let block = self.need_block()?;
            let Some((pieces, has_more)) = block::more_pieces(&block) else {
                return Err(Fatal::new("Malformed map of a sparse file"));
            };
            entry.pieces.get_or_insert_default().extend(pieces);
            if !has_more {
                return Ok(());
            }
        }
    }

    /// Prepares for a member's data.
    fn begin(&mut self, entry: &mut Entry, records: &Records) -> Result<(), Fatal> {
        let has_data = matches!(entry.kind, Kind::Regular | Kind::Other(_));
        if !has_data {
            // Some archives tell the size of what a link leads to.
            entry.stored = 0;
            if entry.kind != Kind::HardLink {
                entry.size = 0;
            }
        }
        let mut stored = entry.stored;
        let padding = |bytes: u64| bytes.next_multiple_of(BLOCK as u64) - bytes;
        self.current = Current {
            stored,
            padding: padding(stored),
            ..Current::default()
        };
        if records.has_map_in_data() && entry.pieces.is_some() {
            let (pieces, blocks) = self.map_in_data()?;
            stored = stored.saturating_sub(blocks * BLOCK as u64);
            self.current.stored = stored;
            entry.pieces = Some(pieces);
        }
        let pieces = entry.pieces.clone().unwrap_or_else(|| {
            vec![Piece {
                offset: 0,
                length: stored,
            }]
        });
        let mut place = 0_u64;
        for piece in &pieces {
            let end = piece.offset.checked_add(piece.length);
            if piece.offset < place || end.is_none_or(|end| end > entry.size && has_data) {
                return Err(Fatal::new("Malformed map of a sparse file"));
            }
            place = end.unwrap_or(place);
        }
        self.current.pieces = pieces.into();
        self.current.size = if has_data { entry.size } else { 0 };
        Ok(())
    }

    /// Reads a map that the data begins with: numbers, one a line. Also says how many blocks it took.
    fn map_in_data(&mut self) -> Result<(Vec<Piece>, u64), Fatal> {
        let malformed = || Fatal::new("Malformed map of a sparse file");
        let mut numbers = Vec::new();
        let mut digits = Vec::new();
        let mut blocks = 0;
        let mut wanted = None;
        while wanted.is_none_or(|wanted| numbers.len() < wanted) {
            if self.current.stored < (blocks + 1) * BLOCK as u64 {
                return Err(malformed());
            }
            blocks += 1;
            for byte in self.need_block()? {
                if byte != b'\n' {
                    digits.push(byte);
                    continue;
                }
                let number = pax::number(&digits).ok_or_else(malformed)?;
                digits.clear();
                match wanted {
                    None => {
                        let count = usize::try_from(number).ok();
                        let count = count.and_then(|count| count.checked_mul(2));
                        wanted = Some(count.ok_or_else(malformed)?);
                    }
                    Some(_) => numbers.push(number),
                }
                if wanted.is_some_and(|wanted| numbers.len() >= wanted) {
                    break;
                }
            }
        }
        let pieces = numbers
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [offset, length] => Some(Piece {
                    offset: *offset,
                    length: *length,
                }),
                _ => None,
            })
            .collect();
        Ok((pieces, blocks))
    }

    /// Jumps over what is left of a member's data.
    fn skip_data(&mut self) -> Result<(), Fatal> {
        let current = std::mem::take(&mut self.current);
        let mut left = current.stored + current.padding;
        let buffered = (self.buffer.len() - self.used) as u64;
        if left > buffered
            && let Source::Plain(file) = &mut self.source
        {
            let jump = left - buffered;
            let position = file.stream_position()?;
            let end = file.metadata()?.len();
            if position + jump > end {
                return Err(unexpected_end());
            }
            file.seek(SeekFrom::Start(position + jump))?;
            self.first += (self.buffer.len() as u64 + jump) / BLOCK as u64;
            self.buffer.clear();
            self.used = 0;
            return Ok(());
        }
        while left > 0 {
            if self.used >= self.buffer.len() {
                self.fill()?;
                if self.buffer.is_empty() {
                    return Err(unexpected_end());
                }
            }
            let taken = left.min((self.buffer.len() - self.used) as u64);
            self.used += usize::try_from(taken).unwrap_or(0);
            left -= taken;
        }
        Ok(())
    }

    /// Reads stored bytes of the current member.
    fn stored(&mut self, buffer: &mut [u8]) -> Result<usize, Fatal> {
        if self.used >= self.buffer.len() {
            self.fill()?;
        }
        let there = self.buffer.get(self.used..).unwrap_or_default();
        let left = usize::try_from(self.current.stored).unwrap_or(usize::MAX);
        let taken = buffer.len().min(there.len()).min(left);
        if taken == 0 {
            return Err(unexpected_end());
        }
        for (place, byte) in buffer.iter_mut().zip(there).take(taken) {
            *place = *byte;
        }
        self.used += taken;
        self.current.stored -= taken as u64;
        if self.current.stored == 0 {
            self.used += usize::try_from(self.current.padding).unwrap_or(0);
            self.current.padding = 0;
        }
        Ok(taken)
    }

    /// Reads the member's data, holes as zeros; 0 at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fatal> {
        let fit = |bytes: u64| {
            usize::try_from(bytes)
                .unwrap_or(usize::MAX)
                .min(buffer.len())
        };
        let position = self.current.position;
        while self
            .current
            .pieces
            .front()
            .is_some_and(|piece| piece.offset + piece.length <= position)
        {
            self.current.pieces.pop_front();
        }
        let zeros = match self.current.pieces.front() {
            Some(piece) if piece.offset <= position => {
                let length = fit(piece.offset + piece.length - position);
                let read = self.stored(buffer.get_mut(..length).unwrap_or_default())?;
                self.current.position += read as u64;
                return Ok(read);
            }
            Some(piece) => fit(piece.offset - position),
            None => fit(self.current.size.saturating_sub(position)),
        };
        buffer.get_mut(..zeros).unwrap_or_default().fill(0);
        self.current.position += zeros as u64;
        Ok(zeros)
    }
}

fn unexpected_end() -> Fatal {
    Fatal::new(UNEXPECTED_END)
}
