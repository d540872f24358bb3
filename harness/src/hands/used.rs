//! What a session's own folders hold already: a hand's quota counts from there, so that throwing a hand away
//! and making a new one gives no new quota.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Entries that are counted; more than that exceeds any quota anyway.
const ENTRIES_MAX: u64 = 2_000_000;

/// Bytes and names in a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Used {
    pub(super) bytes: u64,
    pub(super) names: u64,
}

/// Counts files and names beneath `folder`; links are counted, never followed. What cannot be read is left
/// out.
pub(super) fn count(folder: &Path, used: &mut Used) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            used.names += 1;
            if used.names >= ENTRIES_MAX {
                return;
            }
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                // The holes of a sparse file take no place.
                Ok(meta) => {
                    let taken = meta.len().min(meta.blocks().saturating_mul(512));
                    used.bytes = used.bytes.saturating_add(taken);
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_files_and_names_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("sub")).unwrap();
        std::fs::write(at("sub/a"), [0; 100]).unwrap();
        std::fs::write(at("b"), [0; 20]).unwrap();
        std::os::unix::fs::symlink("/", at("root")).unwrap();
        std::fs::File::create(at("sparse"))
            .and_then(|file| file.set_len(1 << 40))
            .unwrap();
        let mut used = Used::default();
        count(folder.path(), &mut used);
        assert_eq!(used.names, 5);
        assert!((120..4_096).contains(&used.bytes), "{used:?}");
    }
}
