//! The compressed formats as std's `Read` and `Write`: one reader and one writer for each.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

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
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x5d, 0, 0, _, ..] => Some(Self::Lzma),
            _ => None,
        }
    }
}

/// Returns a reader of what was compressed. All members that follow each other are read.
pub(crate) fn reader<'a>(
    format: Format,
    source: impl BufRead + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match format {
        Format::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Format::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
        Format::Xz => Box::new(lzma_rust2::XzReader::new(source, true)),
        Format::Lzma => Box::new(lzma_rust2::LzmaReader::new_mem_limit(
            source,
            u32::MAX,
            None,
        )?),
        Format::Zstd => Box::new(Frames {
            source: Some(source),
            frame: None,
        }),
    })
}

/// Compresses all of a source. `level` is 1 to 9, or what xz and zstd have beyond.
pub(crate) fn compress(
    format: Format,
    level: u32,
    mut source: impl Read,
    out: impl Write,
) -> io::Result<u64> {
    Ok(match format {
        Format::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(out, flate2::Compression::new(level.min(9)));
            let length = pump(&mut source, &mut encoder)?;
            encoder.finish()?.flush()?;
            length
        }
        Format::Bzip2 => {
            let mut encoder =
                bzip2::write::BzEncoder::new(out, bzip2::Compression::new(level.clamp(1, 9)));
            let length = pump(&mut source, &mut encoder)?;
            encoder.finish()?.flush()?;
            length
        }
        Format::Xz => {
            let options = lzma_rust2::XzOptions::with_preset(level.min(9));
            let mut encoder = lzma_rust2::XzWriter::new(out, options)?;
            let length = pump(&mut source, &mut encoder)?;
            encoder.finish()?.flush()?;
            length
        }
        Format::Lzma => {
            let options = lzma_rust2::LzmaOptions::with_preset(level.min(9));
            let mut encoder = lzma_rust2::LzmaWriter::new_use_header(out, &options, None)?;
            let length = pump(&mut source, &mut encoder)?;
            encoder.finish()?.flush()?;
            length
        }
        Format::Zstd => zstd(source, out)?,
    })
}

/// Compresses in frames of a bounded size: the compressor reads its source to the end and panics when its drain
/// fails, so it only ever sees memory.
fn zstd(mut source: impl Read, mut out: impl Write) -> io::Result<u64> {
    const FRAME_BYTES_MAX: u64 = 8 << 20;
    let mut length = 0;
    loop {
        let mut piece = Vec::new();
        source
            .by_ref()
            .take(FRAME_BYTES_MAX)
            .read_to_end(&mut piece)?;
        if piece.is_empty() && length > 0 {
            break;
        }
        length += piece.len() as u64;
        let frame = ruzstd::encoding::compress_to_vec(
            piece.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        out.write_all(&frame)?;
        if (piece.len() as u64) < FRAME_BYTES_MAX {
            break;
        }
    }
    out.flush()?;
    Ok(length)
}

/// Copies all of a source.
pub(crate) fn pump(source: &mut impl Read, out: &mut impl Write) -> io::Result<u64> {
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

/// All frames of a zstd file.
struct Frames<R: BufRead> {
    source: Option<R>,
    frame: Option<Box<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer)?;
                if read > 0 {
                    return Ok(read);
                }
                let Some(frame) = self.frame.take() else {
                    return Ok(0);
                };
                let (source, decoder) = frame.into_parts();
                self.source = Some(source);
                if let Some(wanted) = decoder.get_checksum_from_data()
                    && Some(wanted) != decoder.get_calculated_checksum()
                {
                    return Err(io::Error::other("Restored data doesn't match checksum"));
                }
            }
            let Some(source) = &mut self.source else {
                return Ok(0);
            };
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            if let Some(source) = self.source.take() {
                let frame =
                    ruzstd::decoding::StreamingDecoder::new(source).map_err(io::Error::other)?;
                self.frame = Some(Box::new(frame));
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_format_gives_back_what_it_got_and_notices_a_cut() {
        let content: Vec<u8> = (0..40_000_u32)
            .flat_map(|number| number.to_string().into_bytes())
            .collect();
        for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd] {
            let mut packed = Vec::new();
            compress(format, 6, content.as_slice(), &mut packed).unwrap();
            assert_eq!(Format::of_magic(&packed), Some(format));
            let twice = [packed.as_slice(), &packed].concat();
            let mut back = Vec::new();
            reader(format, twice.as_slice())
                .unwrap()
                .read_to_end(&mut back)
                .unwrap();
            assert_eq!(back, [content.as_slice(), &content].concat(), "{format:?}");
            let cut = packed.get(..packed.len() / 2).unwrap();
            let outcome =
                reader(format, cut).and_then(|mut reader| reader.read_to_end(&mut Vec::new()));
            assert!(outcome.is_err(), "{format:?}");
        }
    }
}
