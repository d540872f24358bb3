//! What lets a compiled component be loaded again without reading all of it.
//!
//! The seal is a keyed hash of the whole artefact, which takes longer than everything else that a cold start does. Once
//! it was found right, a witness is written: a keyed hash of what the file system says of the artefact, its time of
//! change included. Nobody but root can set that time, so a file that was changed, replaced or restored has another one
//! and is read whole again. A file that changed a moment ago gets no witness: a clock tick may hide a second change.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

/// Age from which the time of change tells every later change from this one; coarser than any file system's clock.
const AGE_MIN: Duration = Duration::from_secs(3);

/// Returns the witness of an artefact that was found to be right together with `parts`: key, tools and seal.
pub(crate) fn witness(seal_key: &[u8; 32], parts: [&[u8]; 3], artefact: &Metadata) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(seal_key);
    hasher.update(b"witness");
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    for number in [artefact.dev(), artefact.ino(), artefact.size()] {
        hasher.update(&number.to_le_bytes());
    }
    for number in [
        artefact.mtime(),
        artefact.mtime_nsec(),
        artefact.ctime(),
        artefact.ctime_nsec(),
    ] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.finalize()
}

/// Returns whether a file has been as it is for long enough to be witnessed.
pub(crate) fn is_settled(artefact: &Metadata, now: SystemTime) -> bool {
    let changed = u64::try_from(artefact.ctime())
        .ok()
        .map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    changed.is_some_and(|changed| now.duration_since(changed).is_ok_and(|age| age >= AGE_MIN))
}

/// Returns whether the witness that was written says that the artefact is still the one that was checked.
pub(crate) fn is_witnessed(file: &mut File, expected: &blake3::Hash) -> bool {
    let mut written = [0; blake3::OUT_LEN];
    std::io::Read::read_exact(file, &mut written).is_ok()
        // Compared in constant time.
        && *expected == blake3::Hash::from_bytes(written)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_witness_is_of_one_file_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&path, "machine code").unwrap();
        std::fs::write(&other, "machine code").unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        let of = |key, parts, path| witness(&[key; 32], parts, &std::fs::metadata(path).unwrap());
        let first = of(1, [b"a", b"bc", b"d"], &path);
        assert_eq!(first, of(1, [b"a", b"bc", b"d"], &path));
        assert_ne!(first, of(2, [b"a", b"bc", b"d"], &path), "another key");
        assert_ne!(first, of(1, [b"ab", b"c", b"d"], &path), "other parts");
        assert_ne!(first, of(1, [b"a", b"bc", b"d"], &other), "another file");
        std::fs::write(&path, "machine cod_").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(metadata.modified().unwrap() + Duration::from_secs(1))
            .unwrap();
        assert_ne!(first, of(1, [b"a", b"bc", b"d"], &path), "it changed");

        let now = SystemTime::now();
        assert!(!is_settled(&metadata, now), "it is new");
        assert!(is_settled(&metadata, now + 2 * AGE_MIN));

        std::fs::write(&other, first.as_bytes()).unwrap();
        assert!(is_witnessed(&mut File::open(&other).unwrap(), &first));
        std::fs::write(&other, b"short").unwrap();
        assert!(!is_witnessed(&mut File::open(&other).unwrap(), &first));
    }
}
