//! A folder of this machine as the zip archive that a skill is uploaded as.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::api::SKILL_BOUNDS;
use crate::archive::{self, Entry};

/// What belongs to the folder's keeper, not to the skill.
const LEFT_OUT: [&str; 2] = [".git", ".DS_Store"];
/// How a zip archive begins.
const ZIP_MAGIC: &[u8; 4] = b"PK\x03\x04";

/// Returns a folder's files, with the folder's own name before their paths.
pub(super) fn pack(folder: &Path) -> Result<Vec<u8>> {
    let whole = folder
        .canonicalize()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let top = whole.file_name().and_then(|name| name.to_str());
    let top = top.with_context(|| format!("{} has no UTF-8 name", whole.display()))?;
    let mut entries = Vec::new();
    let mut bytes_left = SKILL_BOUNDS.bytes_max;
    collect(&whole, top, &mut entries, &mut bytes_left)?;
    if entries.is_empty() {
        bail!(
            "{} is empty; a skill has a SKILL.md at least",
            folder.display()
        );
    }
    Ok(archive::pack(&entries)?)
}

fn collect(
    folder: &Path,
    prefix: &str,
    entries: &mut Vec<Entry>,
    bytes_left: &mut u64,
) -> Result<()> {
    let cannot_read = |path: &Path| format!("cannot read {}", path.display());
    let listed = std::fs::read_dir(folder).and_then(|listed| listed.collect::<Result<Vec<_>, _>>());
    for entry in listed.with_context(|| cannot_read(folder))? {
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            bail!("{} has no UTF-8 name", path.display());
        };
        if LEFT_OUT.contains(&name) {
            continue;
        }
        let inside = format!("{prefix}/{name}");
        // Of the entry itself: a link is not followed.
        let found = entry.metadata().with_context(|| cannot_read(&path))?;
        if found.is_dir() {
            collect(&path, &inside, entries, bytes_left)?;
            continue;
        }
        if !found.is_file() {
            bail!(
                "{} is no regular file; a skill holds files and folders only",
                path.display()
            );
        }
        if entries.len() >= SKILL_BOUNDS.files_max {
            bail!("a skill holds at most {} files", SKILL_BOUNDS.files_max);
        }
        let Some(left) = bytes_left.checked_sub(found.len()) else {
            bail!(
                "the files of a skill have at most {} bytes together",
                SKILL_BOUNDS.bytes_max
            );
        };
        *bytes_left = left;
        entries.push(Entry {
            path: inside,
            content: std::fs::read(&path).with_context(|| cannot_read(&path))?,
            is_executable: found.permissions().mode() & 0o100 != 0,
        });
    }
    Ok(())
}

/// Refuses a file that is no zip archive.
pub(super) fn check_archive(path: &Path) -> Result<()> {
    let mut begin = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    match read {
        Ok(()) if begin == *ZIP_MAGIC => Ok(()),
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(error).with_context(|| format!("cannot read {}", path.display()))
        }
        _ => bail!(
            "{} is neither a folder nor a zip archive; name the folder that its SKILL.md is in",
            path.display()
        ),
    }
}
