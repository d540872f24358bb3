//! What a mount's folder holds now. Guests wrote it: nothing in it is followed or trusted.

use std::collections::BTreeMap;
use std::io::{self, Read};

use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::manifest::{Manifest, Stamp};
use crate::blobs::sha256;
use crate::memory::path::SEGMENTS_MAX;
use crate::memory::{CONTENT_BYTES_MAX, MEMORIES_MAX};

/// Most entries that are looked at: a store holds far fewer.
const ENTRIES_MAX: usize = 10 * MEMORIES_MAX;

/// One thing in the folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Local {
    /// A file of a size that a memory may have.
    File { sha256: String, stamp: Stamp },
    /// What cannot be a memory, and why.
    Bad(String),
}

impl Local {
    /// Returns the hash of a file that may be a memory.
    pub(super) fn sha256(&self) -> Option<&str> {
        match self {
            Local::File { sha256, .. } => Some(sha256),
            Local::Bad(_) => None,
        }
    }
}

/// Returns everything in the folder but folders, by its path as a memory's.
pub(super) fn scan(root: &Dir, manifest: &Manifest) -> io::Result<BTreeMap<String, Local>> {
    let mut found = BTreeMap::new();
    // By their paths, so that one is open at a time: a guest can make many.
    let mut folders = vec![(String::new(), 0)];
    let mut seen = 0;
    while let Some((path, depth)) = folders.pop() {
        let opened = match path.is_empty() {
            true => root.try_clone(),
            false => root.open_dir(path.trim_start_matches('/')),
        };
        let folder = match opened {
            Ok(folder) => folder,
            // What is not seen must not count as deleted.
            Err(error) => {
                let why = format!("the folder {path} cannot be read: {error}");
                found.insert(String::new(), Local::Bad(why));
                return Ok(found);
            }
        };
        for entry in folder.entries()? {
            let entry = entry?;
            seen += 1;
            if seen > ENTRIES_MAX {
                let why = format!("more than {ENTRIES_MAX} files and folders are in it");
                found.insert(String::new(), Local::Bad(why));
                return Ok(found);
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let path = format!("{path}/{}", name.to_string_lossy());
                let why = "its name is not UTF-8".to_owned();
                found.insert(path, Local::Bad(why));
                continue;
            };
            let path = format!("{path}/{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                // Deeper than any path may be: its files are not looked for.
                if depth > SEGMENTS_MAX {
                    found.insert(path, Local::Bad("it is too deep".to_owned()));
                } else {
                    folders.push((path, depth + 1));
                }
            } else if kind.is_file() {
                let local = file(&folder, name, &path, manifest);
                // Gone since the folder was read.
                if let Some(local) = local? {
                    found.insert(path, local);
                }
            } else {
                let why = "it is not a regular file".to_owned();
                found.insert(path, Local::Bad(why));
            }
        }
    }
    Ok(found)
}

fn file(folder: &Dir, name: &str, path: &str, manifest: &Manifest) -> io::Result<Option<Local>> {
    let known = manifest.entries.get(path);
    let (meta, content) = match read(folder, name) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Ok(Some(Local::Bad(format!("it cannot be read: {error}")))),
    };
    let Some(mut content) = content else {
        return Ok(Some(Local::Bad(too_large(meta.len()))));
    };
    let stamp = stamp(&meta);
    if let Some(known) = known
        && known.stamp == Some(stamp)
    {
        return Ok(Some(Local::File {
            sha256: known.sha256.clone(),
            stamp,
        }));
    }
    match bytes(&mut content)? {
        Some(bytes) => Ok(Some(Local::File {
            sha256: sha256(&bytes),
            stamp,
        })),
        None => Ok(Some(Local::Bad(too_large(meta.len())))),
    }
}

fn too_large(size: u64) -> String {
    format!("it has {size} bytes, and a memory holds at most {CONTENT_BYTES_MAX}")
}

/// Opens a file without waiting for anyone and without following a link; none if it is too large.
fn read(folder: &Dir, name: &str) -> io::Result<(Metadata, Option<cap_std::fs::File>)> {
    let mut options = OpenOptions::new();
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    options.read(true).custom_flags(flags.bits() as i32);
    let file = folder.open_with(name, &options)?;
    let meta = file.metadata()?;
    let fits = meta.is_file() && meta.len() <= CONTENT_BYTES_MAX as u64;
    Ok((meta, fits.then_some(file)))
}

fn bytes(file: &mut cap_std::fs::File) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(CONTENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() <= CONTENT_BYTES_MAX).then_some(bytes))
}

/// Returns a file's content now; none if it became too large or is gone.
pub(super) fn content(root: &Dir, path: &str) -> io::Result<Option<Vec<u8>>> {
    match read(root, path.trim_start_matches('/')) {
        Ok((_, Some(mut file))) => bytes(&mut file),
        Ok((_, None)) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns a file's state without its content.
pub(super) fn stamp(meta: &Metadata) -> Stamp {
    Stamp {
        inode: meta.ino(),
        size: meta.len(),
        changed_seconds: meta.ctime(),
        changed_nanos: meta.ctime_nsec(),
    }
}
