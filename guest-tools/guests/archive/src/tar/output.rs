//! Writing an archive: headers in the dialect that is asked for, data, and the zeros at the end.

use std::io::{self, Write};

use super::block::{self, BLOCK, Format, Unfit};
use super::entry::{Entry, Kind};
use super::pax;
use crate::codec::Compressor;

/// Where an archive goes.
pub(crate) enum Sink {
    Plain(Box<dyn Write>),
    Packed(Compressor<Box<dyn Write>>),
    /// Another program compresses.
    Piped(process::Stream, process::Running),
}

/// Writes an archive.
pub(crate) struct Writer {
    sink: Sink,
    format: Format,
    /// The archive's size is a multiple of this.
    record_bytes: u64,
    /// Records that pax members shall not have.
    deleted: Vec<String>,
    buffer: Vec<u8>,
    /// All that was written.
    pub(crate) written: u64,
}

const BUFFER_BYTES: usize = 128 * BLOCK;

impl Writer {
    pub(crate) fn new(sink: Sink, format: Format, record_bytes: u64, deleted: Vec<String>) -> Self {
        Self {
            sink,
            format,
            record_bytes,
            deleted,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            written: 0,
        }
    }

    /// Takes an archive's length before what is written now into account.
    pub(crate) fn starts_at(&mut self, length: u64) {
        self.written = length;
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.flush()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            return write(&mut self.sink, bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        write(&mut self.sink, &self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Fills the last block with zeros.
    pub(crate) fn pad(&mut self) -> io::Result<()> {
        let more = self.written.next_multiple_of(BLOCK as u64) - self.written;
        self.zeros(more)
    }

    pub(crate) fn zeros(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let piece = count.min(BLOCK as u64);
            let zeros = [0; BLOCK];
            let piece_bytes = usize::try_from(piece).unwrap_or(BLOCK);
            self.bytes(zeros.get(..piece_bytes).unwrap_or(&zeros))?;
            count -= piece;
        }
        Ok(())
    }

    /// Writes all that stands before a member's data.
    pub(crate) fn header(&mut self, entry: &Entry) -> io::Result<Result<(), Unfit>> {
        let format = self.format;
        let block = match block::encode(entry, entry.kind.letter(), format) {
            Ok(block) => block,
            Err(unfit) => return Ok(Err(unfit)),
        };
        if format.is_gnu() {
            let name_max = if format == Format::OldGnu { 99 } else { 100 };
            for (letter, text) in [(b'K', &entry.link), (b'L', &entry.name)] {
                if text.len() > name_max {
                    self.long(letter, text)?;
                }
            }
        }
        if format == Format::Pax && entry.kind != Kind::Label {
            let records = pax::encode(entry, &self.deleted);
            if !records.is_empty() {
                let name = pax_name(&entry.name);
                let seconds = entry.modified.seconds.max(0);
                let block = block::encode_records(&name, records.len() as u64, seconds);
                self.bytes(&block)?;
                self.bytes(&records)?;
                self.pad()?;
            }
        }
        self.bytes(&block)?;
        Ok(Ok(()))
    }

    /// Writes a name that is too long for its field.
    fn long(&mut self, letter: u8, text: &[u8]) -> io::Result<()> {
        let mut entry = Entry::new(b"././@LongLink".to_vec(), Kind::Other(letter));
        entry.mode = 0o644;
        entry.stored = text.len() as u64 + 1;
        entry.user_name = b"root".to_vec();
        entry.group_name = b"root".to_vec();
        if let Ok(block) = block::encode(&entry, letter, Format::Gnu) {
            self.bytes(&block)?;
        }
        self.bytes(text)?;
        self.bytes(&[0])?;
        self.pad()
    }

    /// Writes the end and returns how many bytes there are in all.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.zeros(2 * BLOCK as u64)?;
        let more = self.written.next_multiple_of(self.record_bytes) - self.written;
        self.zeros(more)?;
        self.flush()?;
        match self.sink {
            Sink::Plain(mut out) => out.flush()?,
            Sink::Packed(encoder) => encoder.finish()?,
            Sink::Piped(input, mut running) => {
                drop(input);
                let status = running.wait();
                if !status.is_success() {
                    return Err(io::Error::other(format!(
                        "Child returned status {}",
                        status.code()
                    )));
                }
            }
        }
        Ok(self.written)
    }
}

fn write(sink: &mut Sink, bytes: &[u8]) -> io::Result<()> {
    match sink {
        Sink::Plain(out) => out.write_all(bytes),
        Sink::Packed(encoder) => encoder.write_all(bytes),
        Sink::Piped(input, _) => input.write_all(bytes),
    }
}

/// Returns the name of the header that records are in: `%d/PaxHeaders/%f`.
fn pax_name(name: &[u8]) -> Vec<u8> {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    let (folder, base) = match name.iter().rposition(|byte| *byte == b'/') {
        Some(place) => name.split_at(place + 1),
        None => (&b"./"[..], name),
    };
    [folder, b"PaxHeaders/", base].concat()
}
