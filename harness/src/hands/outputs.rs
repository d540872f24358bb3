//! What a session left in its outputs, as it is committed: read from the tree, not from the folder that a call may
//! be writing to.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::session_files::OUTPUTS;
use super::{OutputFile, Outputs};
use crate::content::{Blocking, Content};
use crate::store::Files;
use crate::tree::{Entry, Folder, Kind, Piece, TreeError, entries, folders, lookup, pieces};

/// Entries that are looked at, files and folders.
const ENTRIES_MAX: usize = 100_000;

/// Returns the files in the outputs in order of their paths, at most `files_max`.
pub(super) fn list(
    reader: &Blocking,
    files: &Files,
    files_max: usize,
) -> Result<Outputs, TreeError> {
    let mut outputs = Outputs::default();
    let mut looked_at = 0;
    let mut open: Vec<(Folder, String)> = folders(reader, files.root)?
        .remove(OUTPUTS.0)
        .map(|folder| (folder, String::new()))
        .into_iter()
        .collect();
    while let Some((folder, path)) = open.pop() {
        for entry in entries(reader, &folder)? {
            looked_at += 1;
            if looked_at > ENTRIES_MAX {
                outputs.is_cut = true;
                break;
            }
            let Ok(name) = String::from_utf8(entry.name) else {
                outputs.is_cut = true;
                continue;
            };
            let path = format!("{path}{name}");
            match entry.kind {
                Kind::Folder(inner) => open.push((inner, format!("{path}/"))),
                Kind::File { bytes, content, .. } => outputs.files.push(OutputFile {
                    path,
                    bytes,
                    mark: content.to_string(),
                }),
                Kind::Link(_) | Kind::Fifo => {}
            }
        }
    }
    outputs.files.sort_by(|a, b| a.path.cmp(&b.path));
    outputs.is_cut |= outputs.files.len() > files_max;
    outputs.files.truncate(files_max);
    Ok(outputs)
}

/// Returns the objects that make up the output at `path`; none if it is no file.
pub(super) fn pieces_of(
    reader: &Blocking,
    files: &Files,
    path: &str,
) -> Result<Option<Vec<Piece>>, TreeError> {
    let mut at = folders(reader, files.root)?.remove(OUTPUTS.0);
    let mut names = path.split('/').peekable();
    while let (Some(folder), Some(name)) = (at, names.next()) {
        let found: Option<Entry> = lookup(reader, &folder, name.as_bytes())?;
        match (found, names.peek()) {
            (Some(entry), None) if matches!(entry.kind, Kind::File { .. }) => {
                return Ok(Some(pieces(reader, &entry)?));
            }
            (
                Some(Entry {
                    kind: Kind::Folder(folder),
                    ..
                }),
                Some(_),
            ) => at = Some(folder),
            _ => at = None,
        }
    }
    Ok(None)
}

/// Returns a content as it is read.
pub(super) fn read(content: Content, pieces: Vec<Piece>) -> BoxStream<'static, io::Result<Bytes>> {
    stream::iter(pieces)
        .then(move |piece| {
            let content = content.clone();
            async move {
                match piece.object() {
                    Some(hash) => {
                        let read = content.get(hash).await.map_err(io::Error::other);
                        stream::iter([read]).boxed()
                    }
                    None => stream::iter(piece.zeros().map(Ok)).boxed(),
                }
            }
        })
        .flatten()
        .boxed()
}

/// Returns the content of what is not there.
pub(super) fn missing() -> BoxStream<'static, io::Result<Bytes>> {
    let gone = io::Error::new(io::ErrorKind::NotFound, "it is no longer a file");
    stream::iter([Err(gone)]).boxed()
}
