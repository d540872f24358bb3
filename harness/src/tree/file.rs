//! The content of one file: into objects and back.
//!
//! A small file is one object. A larger one is cut into pieces where its content says so, and its holes are kept as
//! holes: nobody reads or stores what the disk does not hold.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;

use bytes::Bytes;
use fastcdc::v2020::StreamCDC;
use rustix::fs::SeekFrom as Extent;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::node::{Kind, decode, encode};
use super::{Entry, TreeError};
use crate::content::{Batch, Blocking};
use crate::store::Hash;

/// Files up to this are one object. Larger ones are cut, so that a change of some bytes stores one or two new
/// pieces.
const WHOLE_BYTES_MAX: u64 = 512 << 10;
/// Bounds of one piece.
const PIECE_BYTES_MIN: u32 = 64 << 10;
const PIECE_BYTES_AVERAGE: u32 = 256 << 10;
const PIECE_BYTES_MAX: u32 = 1 << 20;
/// Pieces in memory at the same time while a file is written.
const PIECES_AT_ONCE: usize = 16;
/// Bytes of zeros that stand for a part of a hole where content is read as a whole.
const ZEROS: &[u8] = &[0; 64 << 10];

/// A part of a large file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Piece {
    /// An object, and its length.
    Data(Hash, u32),
    /// So many bytes that no disk holds: all are zero.
    Hole(u64),
}

/// The parts of a large file, in order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Pieces(pub(super) Vec<Piece>);

fn failed(error: io::Error) -> TreeError {
    TreeError::Disk {
        what: "cannot read a file".to_owned(),
        error,
    }
}

/// Takes the objects of a file that is read.
trait Sink {
    fn put(&mut self, content: Bytes) -> Result<Hash, TreeError>;
}

impl Sink for Batch {
    fn put(&mut self, content: Bytes) -> Result<Hash, TreeError> {
        Ok(Batch::put(self, content)?)
    }
}

/// Names objects and keeps none.
struct Names;

impl Sink for Names {
    fn put(&mut self, content: Bytes) -> Result<Hash, TreeError> {
        Ok(Hash::of(&content))
    }
}

/// Stores a file's content, read from its start, and returns what the tree says of it, without its time.
pub(super) fn store(batch: &mut Batch, file: &mut File) -> Result<Kind, TreeError> {
    read(batch, file)
}

/// Returns the hash that a tree has of what a file holds now.
pub(super) fn hash(file: &mut File) -> Result<Hash, TreeError> {
    match read(&mut Names, file)? {
        Kind::File { content, .. } => Ok(content),
        Kind::Link(_) | Kind::Folder(_) | Kind::Fifo => Ok(Hash::of(b"")),
    }
}

fn read(sink: &mut impl Sink, file: &mut File) -> Result<Kind, TreeError> {
    let meta = file.metadata().map_err(failed)?;
    let is_sparse = meta.len() > WHOLE_BYTES_MAX && meta.blocks().saturating_mul(512) < meta.len();
    if is_sparse {
        return sparse(sink, file, meta.len());
    }
    let room = usize::try_from(meta.len().min(WHOLE_BYTES_MAX)).unwrap_or(0) + 1;
    let mut start = Vec::with_capacity(room);
    Read::by_ref(file)
        .take(WHOLE_BYTES_MAX + 1)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if start.len() as u64 <= WHOLE_BYTES_MAX {
        return Ok(Kind::File {
            bytes: start.len() as u64,
            modified: 0,
            content: sink.put(start.into())?,
            pieces: None,
            holes: 0,
        });
    }
    let mut whole = blake3::Hasher::new();
    let mut pieces = Vec::new();
    let bytes = cut(sink, start.as_slice().chain(file), &mut pieces, |content| {
        whole.update(content);
    })?;
    Ok(Kind::File {
        bytes,
        modified: 0,
        content: Hash(*whole.finalize().as_bytes()),
        pieces: Some(sink.put(encode(&Pieces(pieces)))?),
        holes: 0,
    })
}

/// Cuts what a source has into pieces, and returns how much that was.
fn cut(
    sink: &mut impl Sink,
    source: impl Read,
    pieces: &mut Vec<Piece>,
    mut seen: impl FnMut(&[u8]),
) -> Result<u64, TreeError> {
    let mut bytes = 0;
    for piece in StreamCDC::new(
        source,
        PIECE_BYTES_MIN,
        PIECE_BYTES_AVERAGE,
        PIECE_BYTES_MAX,
    ) {
        let piece = piece.map_err(|error| failed(error.into()))?;
        seen(&piece.data);
        let length = u32::try_from(piece.data.len()).unwrap_or(u32::MAX);
        bytes += u64::from(length);
        pieces.push(Piece::Data(sink.put(piece.data.into())?, length));
    }
    Ok(bytes)
}

/// Reads a file with holes. Its hash is the one of its list of pieces.
fn sparse(sink: &mut impl Sink, file: &mut File, length: u64) -> Result<Kind, TreeError> {
    let mut pieces = Vec::new();
    let (mut at, mut holes) = (0, 0);
    while at < length {
        let data = extent(file, Extent::Data(at))?
            .unwrap_or(length)
            .min(length);
        if data > at {
            pieces.push(Piece::Hole(data - at));
            holes += data - at;
        }
        if data >= length {
            at = data;
            break;
        }
        let end = extent(file, Extent::Hole(data))?
            .unwrap_or(length)
            .min(length);
        file.seek(SeekFrom::Start(data)).map_err(failed)?;
        let source = Read::by_ref(file).take(end - data);
        let read = cut(sink, source, &mut pieces, |_| {})?;
        at = data + read;
        if read < end - data {
            // It has become shorter meanwhile.
            break;
        }
    }
    let list = sink.put(encode(&Pieces(pieces)))?;
    Ok(Kind::File {
        bytes: at,
        modified: 0,
        content: list,
        pieces: Some(list),
        holes,
    })
}

/// Returns where the next data or hole begins; none if there is none.
fn extent(file: &File, from: Extent) -> Result<Option<u64>, TreeError> {
    match rustix::fs::seek(file, from) {
        Ok(at) => Ok(Some(at)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(failed(error.into())),
    }
}

/// Returns the parts that make up a file's content, in order.
pub fn pieces(reader: &Blocking, entry: &Entry) -> Result<Vec<Piece>, TreeError> {
    match &entry.kind {
        Kind::File { bytes: 0, .. } => Ok(Vec::new()),
        Kind::File {
            bytes,
            content,
            pieces: None,
            ..
        } => Ok(vec![Piece::Data(
            *content,
            u32::try_from(*bytes).unwrap_or(u32::MAX),
        )]),
        Kind::File {
            pieces: Some(list), ..
        } => {
            let pieces: Pieces = decode(&reader.get(*list)?).ok_or(TreeError::Malformed {
                hash: *list,
                what: "list of pieces",
            })?;
            Ok(pieces.0)
        }
        Kind::Link(_) | Kind::Folder(_) | Kind::Fifo => Ok(Vec::new()),
    }
}

/// Writes a file's content into an empty file.
pub(super) fn write(reader: &Blocking, entry: &Entry, file: &mut File) -> Result<(), TreeError> {
    let failed = |error| TreeError::Disk {
        what: format!("cannot write {:?}", String::from_utf8_lossy(&entry.name)),
        error,
    };
    let mut length = 0;
    for some in pieces(reader, entry)?.chunks(PIECES_AT_ONCE) {
        let hashes: Vec<Hash> = some.iter().filter_map(Piece::object).collect();
        let mut contents = reader.get_all(&hashes)?.into_iter();
        for piece in some {
            match piece {
                Piece::Data(_, bytes) => {
                    let content = contents.next().unwrap_or_default();
                    file.write_all(&content).map_err(failed)?;
                    length += u64::from(*bytes);
                }
                Piece::Hole(bytes) => {
                    length += bytes;
                    file.seek(SeekFrom::Start(length)).map_err(failed)?;
                    file.set_len(length).map_err(failed)?;
                }
            }
        }
    }
    Ok(())
}

impl Piece {
    /// Returns the object that holds it; none for a hole.
    pub fn object(&self) -> Option<Hash> {
        match self {
            Self::Data(hash, _) => Some(*hash),
            Self::Hole(_) => None,
        }
    }

    /// Returns the zeros of a hole in parts; nothing for data.
    pub fn zeros(&self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let mut left = match self {
            Self::Data(..) => 0,
            Self::Hole(bytes) => *bytes,
        };
        std::iter::from_fn(move || {
            let part = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
            left -= part as u64;
            (part > 0).then(|| Bytes::from_static(ZEROS.get(..part).unwrap_or_default()))
        })
    }
}

/// Returns a whole content that is at most `bytes_max`; none if it is larger.
pub fn content(
    reader: &Blocking,
    entry: &Entry,
    bytes_max: u64,
) -> Result<Option<Bytes>, TreeError> {
    match &entry.kind {
        Kind::File { bytes, .. } if *bytes > bytes_max => return Ok(None),
        _ => {}
    }
    let mut whole = Vec::new();
    for piece in pieces(reader, entry)? {
        match piece.object() {
            Some(hash) => whole.extend_from_slice(&reader.get(hash)?),
            None => piece
                .zeros()
                .for_each(|zeros| whole.extend_from_slice(&zeros)),
        }
    }
    Ok(Some(whole.into()))
}
