//! The compressed formats as std's `Read` and `Write`: one reader and one writer for each.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::rc::Rc;

use bzip2::bufread::BzDecoder;
use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use lzma_rust2::{LzmaOptions, LzmaReader, LzmaWriter, XzOptions, XzReader, XzWriter};

use crate::{gzip, zstd};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
}

impl Format {
    /// Returns the format that a file of this beginning has.
    pub(crate) fn of_magic(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x5d, 0, 0, _, ..] => Some(Self::Lzma),
            _ => None,
        }
    }

    /// Returns the program that has this format.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
        }
    }

    /// Returns the level that the program has if none is asked for.
    pub(crate) fn level(self) -> u32 {
        match self {
            Self::Bzip2 => 9,
            Self::Zstd => 3,
            _ => 6,
        }
    }
}

/// Returns a reader of what was compressed. All members that follow each other are read. `trailing` is set if
/// something else follows the last, in the formats that allow it.
pub(crate) fn reader<'a>(
    format: Format,
    source: impl BufRead + 'a,
    trailing: Rc<Cell<bool>>,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match format {
        Format::Gzip => Box::new(gzip::Members::new(source, trailing)),
        Format::Bzip2 => Box::new(Streams {
            source: Some(source),
            stream: None,
            is_first: true,
            trailing,
        }),
        Format::Xz => Box::new(XzReader::new(source, true)),
        Format::Lzma => Box::new(LzmaReader::new_mem_limit(source, u32::MAX, None)?),
        Format::Zstd => Box::new(zstd::Frames::new(source)),
    })
}

/// What is written into it is compressed; [`Compressor::finish`] writes the end.
pub(crate) enum Compressor<W: Write> {
    Gzip(Box<GzEncoder<W>>),
    Bzip2(Box<BzEncoder<W>>),
    Xz(Box<XzWriter<W>>),
    Lzma(Box<LzmaWriter<W>>),
    Zstd(Box<zstd::Compressor<W>>),
}

/// How to compress.
#[derive(Clone, Debug)]
pub(crate) struct How {
    pub(crate) format: Format,
    /// 1 to 9, or what xz and zstd have beyond.
    pub(crate) level: u32,
    /// What a gzip header tells of the file.
    pub(crate) header: gzip::Header,
    /// The check that xz writes, where it is not its own choice.
    pub(crate) check: Option<lzma_rust2::CheckType>,
}

impl How {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            level: format.level(),
            header: gzip::Header::default(),
            check: None,
        }
    }
}

impl<W: Write> Compressor<W> {
    pub(crate) fn new(how: &How, out: W) -> io::Result<Self> {
        Ok(match how.format {
            Format::Gzip => {
                const UNIX: u8 = 3;
                let mut builder = flate2::GzBuilder::new()
                    .operating_system(UNIX)
                    .mtime(how.header.modified);
                if let Some(name) = &how.header.name {
                    builder = builder.filename(name.as_slice());
                }
                let level = flate2::Compression::new(how.level.min(9));
                Self::Gzip(Box::new(builder.write(out, level)))
            }
            Format::Bzip2 => {
                let level = bzip2::Compression::new(how.level.clamp(1, 9));
                Self::Bzip2(Box::new(BzEncoder::new(out, level)))
            }
            Format::Xz => {
                let mut options = XzOptions::with_preset(how.level.min(9));
                if let Some(check) = how.check {
                    options.set_check_sum_type(check);
                }
                Self::Xz(Box::new(XzWriter::new(out, options)?))
            }
            Format::Lzma => {
                let options = LzmaOptions::with_preset(how.level.min(9));
                Self::Lzma(Box::new(LzmaWriter::new_use_header(out, &options, None)?))
            }
            Format::Zstd => Self::Zstd(Box::new(zstd::Compressor::new(out))),
        })
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.finish()?.flush(),
            Self::Bzip2(encoder) => encoder.finish()?.flush(),
            Self::Xz(encoder) => encoder.finish()?.flush(),
            Self::Lzma(encoder) => encoder.finish()?.flush(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Bzip2(encoder) => encoder.write(bytes),
            Self::Xz(encoder) => encoder.write(bytes),
            Self::Lzma(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    /// Does nothing: to flush in the middle would only make the result longer.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies all of a source.
pub(crate) fn pump(source: &mut (impl Read + ?Sized), out: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; 65_536];
    let mut length = 0;
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        out.write_all(buffer.get(..read).unwrap_or_default())?;
        length += read as u64;
    }
}

/// All streams of a bzip2 file.
struct Streams<R: BufRead> {
    source: Option<R>,
    stream: Option<BzDecoder<R>>,
    is_first: bool,
    trailing: Rc<Cell<bool>>,
}

impl<R: BufRead> Read for Streams<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(stream) = &mut self.stream {
                let read = stream.read(buffer)?;
                if read > 0 {
                    return Ok(read);
                }
                self.source = self.stream.take().map(BzDecoder::into_inner);
            }
            let Some(source) = &mut self.source else {
                return Ok(0);
            };
            let head = source.fill_buf()?;
            if head.is_empty() {
                return Ok(0);
            }
            if !self.is_first && head.first() != Some(&b'B') {
                self.trailing.set(true);
                return Ok(0);
            }
            self.is_first = false;
            self.stream = self.source.take().map(BzDecoder::new);
        }
    }
}

/// Returns a buffered reader of a file or the standard input.
pub(crate) fn open(path: &str) -> io::Result<Box<dyn BufRead>> {
    Ok(if path == "-" {
        Box::new(BufReader::with_capacity(65_536, io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(65_536, std::fs::File::open(path)?))
    })
}

/// Returns the standard output with a big buffer.
pub(crate) fn standard_output() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(65_536, io::stdout().lock())
}

/// Counts what passes.
pub(crate) struct Counted<T> {
    pub(crate) inner: T,
    pub(crate) count: Rc<Cell<u64>>,
}

impl<T> Counted<T> {
    pub(crate) fn new(inner: T) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        let counted = Self {
            inner,
            count: Rc::clone(&count),
        };
        (counted, count)
    }

    fn add(&self, bytes: usize) {
        self.count.set(self.count.get() + bytes as u64);
    }
}

impl<T: Write> Write for Counted<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.add(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Counted<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.add(read);
        Ok(read)
    }
}

impl<T: BufRead> BufRead for Counted<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.add(amount);
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn pack(format: Format, content: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut encoder = Compressor::new(&How::new(format), &mut packed).unwrap();
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
        packed
    }

    #[test]
    fn every_format_gives_back_what_it_got_and_notices_a_cut() {
        let content: Vec<u8> = (0..40_000_u32)
            .flat_map(|number| number.to_string().into_bytes())
            .collect();
        for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd] {
            let packed = pack(format, &content);
            assert_eq!(Format::of_magic(&packed), Some(format));
            let twice = [packed.as_slice(), &packed].concat();
            let mut back = Vec::new();
            let read = |bytes: &[u8], back: &mut Vec<u8>| {
                reader(format, bytes, Rc::default())
                    .and_then(|mut reader| reader.read_to_end(back))
                    .is_ok()
            };
            assert!(read(&twice, &mut back), "{format:?}");
            assert_eq!(back, [content.as_slice(), &content].concat(), "{format:?}");
            for cut in [packed.len() / 2, packed.len() - 1] {
                let cut = packed.get(..cut).unwrap();
                assert!(!read(cut, &mut Vec::new()), "{format:?}");
            }
        }
    }
}
