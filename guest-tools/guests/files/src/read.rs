//! `read`: a file's text, some of its lines, or a picture or document as it is.
//!
//! A name that promises a picture is believed only if the first bytes agree: a wrong media type would make
//! the model refuse the whole request. Everything else must be UTF-8 text.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::error::Error;
use crate::path::Workdir;

/// The most text one call returns, in bytes. More would crowd out the model's context.
pub const TEXT_BYTES_MAX: u64 = 256 * 1024;
/// The largest picture, in bytes of its base64 form: what a model request may carry.
pub const IMAGE_BASE64_BYTES_MAX: u64 = 5 * 1024 * 1024;
/// The largest document in bytes, which its base64 form keeps beneath the size of a model request.
pub const PDF_BYTES_MAX: u64 = 20 * 1024 * 1024;

/// How much of a file is held while its lines are counted.
const CHUNK_BYTES: usize = 64 * 1024;
/// How far into a file its kind is looked for. PDF readers accept their mark within the first KiB.
const HEAD_BYTES: u64 = 1024;

/// What stands for no text, since a model request takes no empty block.
const EMPTY: &str = "(no output)";

const TOOL: &str = "read";
const PDF: &str = "application/pdf";

/// What a file holds, as the model gets it.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 text.
    Text(String),
    /// A picture.
    Image(&'static str, Vec<u8>),
    /// A document.
    Document(&'static str, Vec<u8>),
}

/// Reads `file_path`, or with `view_range` the lines from the first to the last of the two.
pub fn read(
    workdir: &Workdir,
    file_path: &str,
    view_range: Option<(i64, i64)>,
) -> Result<Content, Error> {
    if file_path.is_empty() {
        return Err(Error::Empty {
            tool: TOOL,
            argument: "file_path",
        });
    }
    let target = workdir.resolve(file_path);
    let failed = || Error::file(TOOL, file_path);
    let metadata = fs::metadata(&target).map_err(failed())?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "is a directory; use glob to list it"
        } else {
            "not a regular file"
        };
        return Err(Error::Kind {
            tool: TOOL,
            path: file_path.to_owned(),
            what,
        });
    }
    let mut file = File::open(&target).map_err(failed())?;
    let mut head = Vec::new();
    if promises_media(&target) {
        file.by_ref()
            .take(HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(failed())?;
        if let Some(media_type) = media_type(&head) {
            if view_range.is_some() {
                return Err(Error::RangeOfMedia);
            }
            return media(file, head, media_type, file_path, metadata.len());
        }
    }
    // A device looks like an empty file here and may never end.
    let file = file.take(metadata.len().max(TEXT_BYTES_MAX + 1));
    let bytes = io::Cursor::new(head).chain(file);
    let text = match view_range {
        Some(range) => Lines::new(file_path, range).collect(bytes)?,
        None => whole(bytes, file_path, metadata.len())?,
    };
    match String::from_utf8(text) {
        Ok(text) if text.is_empty() => Ok(Content::Text(EMPTY.to_owned())),
        Ok(text) => Ok(Content::Text(text)),
        Err(_) => Err(Error::ReadBinary {
            path: file_path.to_owned(),
        }),
    }
}

/// Reads a whole text file. The size is checked before, and again after for files that report none.
fn whole(bytes: impl Read, file_path: &str, size: u64) -> Result<Vec<u8>, Error> {
    let too_large = |size| Error::TextTooLarge {
        path: file_path.to_owned(),
        size,
        limit: TEXT_BYTES_MAX,
    };
    if size > TEXT_BYTES_MAX {
        return Err(too_large(size));
    }
    let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    bytes
        .take(TEXT_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .map_err(Error::file(TOOL, file_path))?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err(too_large(text.len() as u64));
    }
    Ok(text)
}

/// Reads the rest of a picture or document.
fn media(
    file: File,
    mut bytes: Vec<u8>,
    media_type: &'static str,
    path: &str,
    size: u64,
) -> Result<Content, Error> {
    // Three bytes become four characters.
    let limit = if media_type == PDF {
        PDF_BYTES_MAX
    } else {
        IMAGE_BASE64_BYTES_MAX / 4 * 3
    };
    let check = |size| match size <= limit {
        true => Ok(()),
        false => Err(Error::MediaTooLarge {
            path: path.to_owned(),
            size,
            limit,
        }),
    };
    check(size)?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::file(TOOL, path))?;
    check(bytes.len() as u64)?;
    Ok(match media_type {
        PDF => Content::Document(media_type, bytes),
        _ => Content::Image(media_type, bytes),
    })
}

/// Tells whether the file's name is that of a picture or document.
fn promises_media(path: &Path) -> bool {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else {
        return false;
    };
    ["png", "jpg", "jpeg", "gif", "webp", "pdf"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Returns the media type that a file's first bytes show.
fn media_type(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => head
            .windows(5)
            .any(|window| window == b"%PDF-")
            .then_some(PDF),
    }
}

/// Collects the lines of a range from a file of any size.
struct Lines<'a> {
    file_path: &'a str,
    range: (i64, i64),
    /// Lines before the range.
    skipped: u64,
    /// The line, counted from 0, before which the range ends.
    end: u64,
    /// The line being read, counted from 0.
    line: u64,
    collected: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn new(file_path: &'a str, range: (i64, i64)) -> Self {
        let (first, last) = range;
        let skipped = u64::try_from(first.saturating_sub(1)).unwrap_or(0);
        let end = if last > 0 {
            last.unsigned_abs()
        } else {
            u64::MAX
        };
        Self {
            file_path,
            range,
            skipped,
            end,
            line: 0,
            collected: Vec::new(),
        }
    }

    fn collect(mut self, mut bytes: impl Read) -> Result<Vec<u8>, Error> {
        let mut chunk = vec![0; CHUNK_BYTES];
        while self.skipped < self.end && self.line < self.end {
            match bytes.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => self.take(chunk.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::file(TOOL, self.file_path)(error)),
            }
        }
        Ok(self.collected)
    }

    /// Takes what belongs to the range; the newline that ends its last line does not.
    fn take(&mut self, chunk: &[u8]) -> Result<(), Error> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            if self.line >= self.end {
                break;
            }
            let line = piece.strip_suffix(b"\n");
            if self.line >= self.skipped {
                let is_last = self.line + 1 == self.end;
                self.collected.extend_from_slice(if is_last {
                    line.unwrap_or(piece)
                } else {
                    piece
                });
                if self.collected.len() as u64 > TEXT_BYTES_MAX {
                    return Err(self.too_large());
                }
            }
            self.line += u64::from(line.is_some());
        }
        Ok(())
    }

    fn too_large(&self) -> Error {
        let (path, limit) = (self.file_path.to_owned(), TEXT_BYTES_MAX);
        let (first, last) = self.range;
        if self.skipped + 1 == self.end {
            return Error::LineTooLarge {
                path,
                line: self.end,
                limit,
            };
        }
        Error::RangeTooLarge {
            path,
            first,
            last,
            limit,
        }
    }
}

#[cfg(test)]
mod tests;
