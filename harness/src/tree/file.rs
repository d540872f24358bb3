//! The content of one file: into objects and back.

use std::fs::File;
use std::io::{Read, Write};

use bytes::Bytes;
use fastcdc::v2020::StreamCDC;

use super::node::{Kind, Pieces, decode, encode};
use super::{Entry, TreeError};
use crate::content::{Batch, Blocking};
use crate::store::Hash;

/// Files up to this are one object. Larger ones are cut where their content says so, so that a change of some
/// bytes stores one or two new pieces.
const WHOLE_BYTES_MAX: u64 = 512 << 10;
/// Bounds of one piece.
const PIECE_BYTES_MIN: u32 = 64 << 10;
const PIECE_BYTES_AVERAGE: u32 = 256 << 10;
const PIECE_BYTES_MAX: u32 = 1 << 20;
/// Pieces in memory at the same time while a file is written.
const PIECES_AT_ONCE: usize = 16;

/// Stores a file's content and returns what the tree says of it: its length, its hash, its list of pieces.
pub(super) fn store(
    batch: &mut Batch,
    file: &mut File,
    bytes_expected: u64,
) -> Result<(u64, Hash, Option<Hash>), TreeError> {
    let failed = |error| TreeError::Disk {
        what: "cannot read a file".to_owned(),
        error,
    };
    let mut start =
        Vec::with_capacity(usize::try_from(bytes_expected.min(WHOLE_BYTES_MAX)).unwrap_or(0) + 1);
    Read::by_ref(file)
        .take(WHOLE_BYTES_MAX + 1)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if start.len() as u64 <= WHOLE_BYTES_MAX {
        let bytes = start.len() as u64;
        return Ok((bytes, batch.put(start.into())?, None));
    }
    let rest = start.as_slice().chain(file);
    let cutter = StreamCDC::new(rest, PIECE_BYTES_MIN, PIECE_BYTES_AVERAGE, PIECE_BYTES_MAX);
    let mut whole = blake3::Hasher::new();
    let mut pieces = Vec::new();
    let mut bytes = 0;
    for piece in cutter {
        let piece = piece.map_err(|error| failed(error.into()))?;
        whole.update(&piece.data);
        let length = u32::try_from(piece.data.len()).unwrap_or(u32::MAX);
        bytes += u64::from(length);
        pieces.push((batch.put(piece.data.into())?, length));
    }
    let list = batch.put(encode(&Pieces(pieces)))?;
    Ok((bytes, Hash(*whole.finalize().as_bytes()), Some(list)))
}

/// Returns the objects that make up a file's content, in order, with their lengths.
pub fn pieces(reader: &Blocking, entry: &Entry) -> Result<Vec<(Hash, u64)>, TreeError> {
    match &entry.kind {
        Kind::File { bytes: 0, .. } => Ok(Vec::new()),
        Kind::File {
            bytes,
            content,
            pieces: None,
            ..
        } => Ok(vec![(*content, *bytes)]),
        Kind::File {
            pieces: Some(list), ..
        } => {
            let pieces: Pieces = decode(&reader.get(*list)?).ok_or(TreeError::Malformed {
                hash: *list,
                what: "list of pieces",
            })?;
            let pieces = pieces.0.into_iter();
            Ok(pieces
                .map(|(hash, length)| (hash, u64::from(length)))
                .collect())
        }
        Kind::Link(_) | Kind::Folder(_) | Kind::Fifo => Ok(Vec::new()),
    }
}

/// Writes a file's content.
pub(super) fn write(reader: &Blocking, entry: &Entry, file: &mut File) -> Result<(), TreeError> {
    let hashes: Vec<Hash> = pieces(reader, entry)?
        .into_iter()
        .map(|(hash, _)| hash)
        .collect();
    for some in hashes.chunks(PIECES_AT_ONCE) {
        for content in reader.get_all(some)? {
            file.write_all(&content).map_err(|error| TreeError::Disk {
                what: format!("cannot write {:?}", String::from_utf8_lossy(&entry.name)),
                error,
            })?;
        }
    }
    Ok(())
}

/// Returns the hash of what a file holds now.
pub(super) fn hash(file: &mut File) -> std::io::Result<Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(Hash(*hasher.finalize().as_bytes()))
}

/// Returns a whole content that is at most `bytes_max`; none if it is larger.
pub fn content(
    reader: &Blocking,
    entry: &Entry,
    bytes_max: u64,
) -> Result<Option<Bytes>, TreeError> {
    let pieces = pieces(reader, entry)?;
    if pieces.iter().map(|(_, bytes)| bytes).sum::<u64>() > bytes_max {
        return Ok(None);
    }
    let hashes: Vec<Hash> = pieces.into_iter().map(|(hash, _)| hash).collect();
    let mut parts = reader.get_all(&hashes)?;
    match parts.len() {
        1 => Ok(parts.pop()),
        _ => Ok(Some(parts.concat().into())),
    }
}
