//! Zip archives of a folder: read within bounds and with every path checked, written plainly.
//!
//! What comes out of [`unpack`] may be written below any folder: its paths are relative, lead nowhere else,
//! are there once, and none is both a file and a folder. Links are refused.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter, ZipFileHeaderRecord};

/// Longest path in bytes.
const PATH_BYTES_MAX: usize = 1_024;
/// Longest part of a path in bytes, as file systems have it.
const NAME_BYTES_MAX: usize = 255;
/// What some systems put beside the files of every archive.
const NOISE: [&str; 2] = ["__MACOSX/", ".DS_Store"];

/// A file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its path, with `/` between the parts.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
    /// Its owner may run it.
    pub is_executable: bool,
}

/// What an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of all contents together.
    pub bytes_max: u64,
    /// Files.
    pub files_max: usize,
}

/// Why files are refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no zip archive, or a damaged one.
    #[error("the zip archive is damaged: {0}")]
    Damaged(String),
    /// An entry is of a kind that is not taken.
    #[error("{path:?} {why}")]
    Refused {
        /// The entry.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The contents are too large.
    #[error("the files have more than {0} bytes together")]
    TooLarge(u64),
    /// There are too many files.
    #[error("there are more than {0} files")]
    TooMany(usize),
}

fn refused(path: &str, why: &'static str) -> ArchiveError {
    ArchiveError::Refused {
        path: path.to_owned(),
        why,
    }
}

/// Checks paths one after the other, each by itself and beside those before it.
#[derive(Default)]
pub struct Paths {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Paths {
    /// Takes the path of another file.
    pub fn add(&mut self, path: &str) -> Result<(), ArchiveError> {
        if let Some(why) = problem_of_path(path) {
            return Err(refused(path, why));
        }
        if self.folders.contains(path) {
            return Err(refused(path, "is both a file and a folder"));
        }
        if !self.files.insert(path.to_owned()) {
            return Err(refused(path, "is there twice"));
        }
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..at).unwrap_or_default();
            if self.files.contains(folder) {
                return Err(refused(folder, "is both a file and a folder"));
            }
            self.folders.insert(folder.to_owned());
        }
        Ok(())
    }
}

/// Returns why a path cannot be below a folder, if it cannot.
pub fn problem_of_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is an empty path");
    }
    if path.len() > PATH_BYTES_MAX {
        return Some("is too long a path");
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Some("has a backslash or a control character in its path");
    }
    let is_bad = |part: &str| matches!(part, "" | "." | "..");
    if path.split('/').any(is_bad) {
        return Some("must be a relative path without empty, . or .. parts");
    }
    if path.split('/').any(|part| part.len() > NAME_BYTES_MAX) {
        return Some("has too long a name in its path");
    }
    None
}

/// Returns the files of a zip archive, in its order.
pub fn unpack(zip: &[u8], bounds: Bounds) -> Result<Vec<Entry>, ArchiveError> {
    let damaged = |error: rawzip::Error| ArchiveError::Damaged(error.to_string());
    let archive = ZipArchive::from_slice(zip).map_err(damaged)?;
    let mut paths = Paths::default();
    let mut entries = Vec::new();
    let mut bytes = 0u64;
    for record in archive.entries() {
        let record = record.map_err(damaged)?;
        let Some(path) = path_of(&record)? else {
            continue;
        };
        paths.add(&path)?;
        if entries.len() >= bounds.files_max {
            return Err(ArchiveError::TooMany(bounds.files_max));
        }
        let file = archive.get_entry(record.wayfinder()).map_err(damaged)?;
        let left = bounds.bytes_max - bytes;
        let content = match record.compression_method() {
            CompressionMethod::STORE => read(file.verifying_reader(file.data()), left),
            CompressionMethod::DEFLATE => {
                let inflated = DeflateDecoder::new(file.data());
                read(file.verifying_reader(inflated), left)
            }
            _ => {
                return Err(refused(
                    &path,
                    "is compressed by a method other than deflate",
                ));
            }
        };
        let content = content
            .map_err(|error| ArchiveError::Damaged(format!("{path:?}: {error}")))?
            .ok_or(ArchiveError::TooLarge(bounds.bytes_max))?;
        bytes += content.len() as u64;
        entries.push(Entry {
            path,
            content,
            is_executable: record.mode().permissions() & 0o100 != 0,
        });
    }
    Ok(entries)
}

/// Returns the path of a record that is a file; `None` for folders and what is not the author's.
fn path_of(record: &ZipFileHeaderRecord<'_>) -> Result<Option<String>, ArchiveError> {
    let raw = record.file_path();
    let Ok(path) = std::str::from_utf8(raw.as_bytes()) else {
        let shown = String::from_utf8_lossy(raw.as_bytes()).into_owned();
        return Err(refused(&shown, "is no UTF-8 path"));
    };
    if record.is_dir() || path.ends_with('/') {
        let folder = path.trim_end_matches('/');
        return match problem_of_path(folder) {
            Some(why) => Err(refused(path, why)),
            None => Ok(None),
        };
    }
    if record.mode().is_symlink() {
        return Err(refused(path, "is a symbolic link"));
    }
    if record.flags().is_encrypted() {
        return Err(refused(path, "is encrypted"));
    }
    let is_noise = path.starts_with(NOISE[0]) || path.rsplit('/').next() == Some(NOISE[1]);
    Ok((!is_noise).then(|| path.to_owned()))
}

/// Reads to the end, at most `bytes_max`; `None` if there is more.
fn read(content: impl Read, bytes_max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    content
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}

/// Returns files as a zip archive.
pub fn pack(entries: &[Entry]) -> Result<Vec<u8>, ArchiveError> {
    let failed = |error: &dyn std::fmt::Display| ArchiveError::Damaged(error.to_string());
    let mut zip = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut zip);
    for entry in entries {
        let (mut file, config) = archive
            .new_file(entry.path.as_str())
            .compression_method(CompressionMethod::DEFLATE)
            .unix_permissions(0o100_644 | if entry.is_executable { 0o111 } else { 0 })
            .start()
            .map_err(|error| failed(&error))?;
        let deflated = DeflateEncoder::new(&mut file, flate2::Compression::default());
        let mut writer = config.wrap(deflated);
        writer
            .write_all(&entry.content)
            .map_err(|error| failed(&error))?;
        let (deflated, descriptor) = writer.finish().map_err(|error| failed(&error))?;
        deflated.finish().map_err(|error| failed(&error))?;
        file.finish(descriptor).map_err(|error| failed(&error))?;
    }
    archive.finish().map_err(|error| failed(&error))?;
    Ok(zip)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        bytes_max: 1_000,
        files_max: 3,
    };

    fn entry(path: &str, content: &[u8]) -> Entry {
        Entry {
            path: path.to_owned(),
            content: content.to_vec(),
            is_executable: false,
        }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let script = Entry {
            is_executable: true,
            ..entry("s/run.sh", b"#!/bin/sh\n")
        };
        let entries = [entry("s/SKILL.md", &[b'x'; 900]), script, entry("é", b"")];
        let zip = pack(&entries).unwrap();
        assert!(zip.len() < 700, "{}", zip.len());
        assert_eq!(unpack(&zip, BOUNDS).unwrap(), entries);
    }

    #[test]
    fn bounds_hold_for_what_comes_out() {
        let bomb = pack(&[entry("bomb", &vec![0; 10 << 20])]).unwrap();
        assert_eq!(unpack(&bomb, BOUNDS), Err(ArchiveError::TooLarge(1_000)));
        let halves = pack(&[entry("a", &[0; 600]), entry("b", &[0; 600])]).unwrap();
        assert_eq!(unpack(&halves, BOUNDS), Err(ArchiveError::TooLarge(1_000)));
        let many: Vec<Entry> = (0..4).map(|n| entry(&n.to_string(), b"")).collect();
        let many = pack(&many).unwrap();
        assert_eq!(unpack(&many, BOUNDS), Err(ArchiveError::TooMany(3)));
    }

    #[test]
    fn bad_paths_and_damage_are_refused() {
        // The writer mends paths, so they are broken behind its back.
        for (good, bad) in [
            ("aa/evil", "../evil"),
            ("aa/evil", "aa/../x"),
            ("a/evil", "/aevil"),
            ("aa/evil", "aa//vil"),
            ("aa/evil", "aa\\evil"),
            ("aa/evil", "aa/e\til"),
        ] {
            let zip = pack(&[entry(good, b"x")]).unwrap();
            let bytes = replace(&zip, good.as_bytes(), bad.as_bytes());
            let error = unpack(&bytes, BOUNDS).unwrap_err();
            assert!(
                matches!(&error, ArchiveError::Refused { path, .. } if path == bad),
                "{bad}: {error}"
            );
        }
        for (other, why) in [("a/x", "twice"), ("a", "both a file and a folder")] {
            let mut entries = [entry("a/x", b"1"), entry("b/x", b"2")];
            entries[1].path = format!("{:1$}", "b", other.len()).replace(' ', "x");
            let zip = pack(&entries).unwrap();
            let zip = replace(&zip, entries[1].path.as_bytes(), other.as_bytes());
            let error = unpack(&zip, BOUNDS).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let mut zip = pack(&[entry("a", b"content")]).unwrap();
        assert!(matches!(
            unpack(&zip[1..20], BOUNDS),
            Err(ArchiveError::Damaged(_))
        ));
        let at = zip.len() / 4;
        zip[at] ^= 1;
        assert!(unpack(&zip, BOUNDS).is_err());
        assert!(unpack(b"", BOUNDS).is_err());
    }

    #[test]
    fn links_are_refused() {
        let mut zip = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut zip);
        let (mut file, config) = archive
            .new_file("link")
            .unix_permissions(0o120_777)
            .start()
            .unwrap();
        let mut writer = config.wrap(&mut file);
        writer.write_all(b"/etc/passwd").unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        file.finish(descriptor).unwrap();
        archive.finish().unwrap();
        let error = unpack(&zip, BOUNDS).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }

    fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes.to_vec();
        let found: Vec<usize> = (0..=bytes.len() - from.len())
            .filter(|at| bytes[*at..].starts_with(from))
            .collect();
        assert!(!found.is_empty());
        for at in found {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
        bytes
    }
}
