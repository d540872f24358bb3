//! The zstd format: frames that follow each other.

use std::io::{self, BufRead, Read, Write};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// The words of zstd for a frame with another content than was packed.
pub(crate) const BAD_CHECKSUM: &str = "Decoding error (36) : Restored data doesn't match checksum";
/// The words of zstd for a frame that cannot be decoded.
pub(crate) const BAD_FORMAT: &str = "Decoding error (36) : Data corruption detected";
/// The words of zstd for something else than a frame.
pub(crate) const NO_FRAME: &str = "unsupported format";

/// How much a frame holds. The compressor reads its source to the end and panics when its drain fails, so it only
/// ever sees memory.
const FRAME_BYTES_MAX: usize = 8 << 20;

/// Compresses into frames of bounded size.
pub(crate) struct Compressor<W: Write> {
    out: W,
    piece: Vec<u8>,
    is_begun: bool,
}

impl<W: Write> Compressor<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            piece: Vec::new(),
            is_begun: false,
        }
    }

    fn frame(&mut self) -> io::Result<()> {
        let frame = compress_to_vec(self.piece.as_slice(), CompressionLevel::Fastest);
        self.piece.clear();
        self.is_begun = true;
        self.out.write_all(&frame)
    }

    /// Writes the last frame; of nothing there is an empty one.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.piece.is_empty() || !self.is_begun {
            self.frame()?;
        }
        self.out.flush()
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = FRAME_BYTES_MAX - self.piece.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        if self.piece.len() == FRAME_BYTES_MAX {
            self.frame()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A reader of all frames.
pub(crate) struct Frames<R: BufRead> {
    source: Option<R>,
    frame: Option<Box<StreamingDecoder<R, FrameDecoder>>>,
}

impl<R: BufRead> Frames<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source: Some(source),
            frame: None,
        }
    }

    /// Begins with the next frame; says whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        let Some(source) = &mut self.source else {
            return Ok(false);
        };
        loop {
            let head = source.fill_buf()?;
            if head.is_empty() {
                return Ok(false);
            }
            // A buffer's end may fall into the magic number; its first byte tells enough then.
            match head {
                [0x28, 0xb5, 0x2f, 0xfd, ..] => break,
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => skip(source)?,
                [_, _, _, _, ..] => return Err(io::Error::other(NO_FRAME)),
                [0x28, ..] => break,
                [0x50..=0x5f, ..] => skip(source)?,
                _ => return Err(io::Error::other(NO_FRAME)),
            }
        }
        if let Some(source) = self.source.take() {
            let frame = StreamingDecoder::new(source).map_err(|error| ended(&error))?;
            self.frame = Some(Box::new(frame));
        }
        Ok(true)
    }
}

/// Skips a frame that holds no data.
fn skip(source: &mut impl BufRead) -> io::Result<()> {
    let mut head = [0; 8];
    source.read_exact(&mut head)?;
    let [_, magic @ .., size0, size1, size2, size3] = head;
    if magic != [0x2a, 0x4d, 0x18] {
        return Err(io::Error::other(NO_FRAME));
    }
    let size = u64::from(u32::from_le_bytes([size0, size1, size2, size3]));
    if io::copy(&mut source.take(size), &mut io::sink())? < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// The decoder tells an early end, and an error of the file, only in the depth of its errors.
fn ended(error: &(dyn std::error::Error + 'static)) -> io::Error {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(inner) = error.downcast_ref::<io::Error>() {
            if let Some(number) = inner.raw_os_error() {
                return io::Error::from_raw_os_error(number);
            }
            if inner.kind() == io::ErrorKind::UnexpectedEof {
                return inner.kind().into();
            }
            if let Some(wrapped) = inner.get_ref() {
                next = Some(wrapped);
                continue;
            }
        }
        next = error.source();
    }
    io::Error::other(BAD_FORMAT)
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(frame) = &mut self.frame else {
                if !self.begin()? {
                    return Ok(0);
                }
                continue;
            };
            let read = frame.read(buffer).map_err(|error| ended(&error))?;
            if read > 0 || buffer.is_empty() {
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
                return Err(io::Error::other(BAD_CHECKSUM));
            }
        }
    }
}
