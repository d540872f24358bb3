//! `edit`: replaces text in a file by exact match. Bytes that are not part of a match stay as they are,
//! line endings and byte order mark included.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::path::Path;

use crate::error::Error;
use crate::overwrite::overwrite;
use crate::path::Workdir;

/// The largest file that is edited, before and after. The whole file is held in memory, twice.
pub const EDIT_BYTES_MAX: u64 = 16 * 1024 * 1024;

const TOOL: &str = "edit";

/// Replaces `old` in `file_path` by `new`: the only occurrence, or every one with `replace_all`.
pub fn edit(
    workdir: &Workdir,
    file_path: &str,
    old: &str,
    new: &str,
    replace_all: bool,
) -> Result<String, Error> {
    for (argument, value) in [("file_path", file_path), ("old_string", old)] {
        if value.is_empty() {
            return Err(Error::Empty {
                tool: TOOL,
                argument,
            });
        }
    }
    if old == new {
        return Err(Error::SameText);
    }
    let target = workdir.resolve(file_path);
    let text = load(&target, file_path)?;
    let count = text.matches(old).count();
    if count == 0 {
        let hint = if would_match_with_crlf(&text, old) {
            " (the file's lines end in \\r\\n, those of old_string in \\n)"
        } else {
            ""
        };
        return Err(Error::NotFound {
            path: file_path.to_owned(),
            hint,
        });
    }
    if count > 1 && !replace_all {
        return Err(Error::NotUnique {
            path: file_path.to_owned(),
            count,
        });
    }
    check_size(
        file_path,
        "would become",
        size_after(&text, old, new, count),
    )?;
    save(&target, file_path, &text, &text.replace(old, new))?;
    Ok(format!("edited {file_path} ({count} replacement(s))"))
}

fn load(target: &Path, file_path: &str) -> Result<String, Error> {
    let metadata = fs::metadata(target).map_err(Error::file(TOOL, file_path))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "is a directory"
        } else {
            "not a regular file"
        };
        return Err(Error::Kind {
            tool: TOOL,
            path: file_path.to_owned(),
            what,
        });
    }
    check_size(file_path, "is", metadata.len())?;
    let mut bytes = Vec::new();
    File::open(target)
        .and_then(|file| file.take(EDIT_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(Error::file(TOOL, file_path))?;
    // A device may report no size at all.
    check_size(file_path, "is", bytes.len() as u64)?;
    String::from_utf8(bytes).map_err(|_| Error::EditBinary {
        path: file_path.to_owned(),
    })
}

/// Writes `updated` over the file in place. If that fails half-way, for want of space, tries to put `before` back.
fn save(target: &Path, file_path: &str, before: &str, updated: &str) -> Result<(), Error> {
    let overwrite = |text: &str| {
        let mut file = OpenOptions::new().write(true).open(target)?;
        Ok(overwrite(&mut file, text))
    };
    match overwrite(updated).map_err(Error::file(TOOL, file_path))? {
        Ok(()) => Ok(()),
        Err(source) => Err(match overwrite(before) {
            Ok(Ok(())) => Error::File {
                tool: TOOL,
                path: file_path.to_owned(),
                source,
            },
            _ => Error::Incomplete {
                tool: TOOL,
                path: file_path.to_owned(),
                source,
            },
        }),
    }
}

fn size_after(text: &str, old: &str, new: &str, count: usize) -> u64 {
    let [text, old, new, count] = [text.len(), old.len(), new.len(), count].map(|n| n as u64);
    (text - old * count).saturating_add(new.saturating_mul(count))
}

fn check_size(file_path: &str, would_be: &'static str, size: u64) -> Result<(), Error> {
    if size <= EDIT_BYTES_MAX {
        return Ok(());
    }
    Err(Error::EditTooLarge {
        path: file_path.to_owned(),
        would_be,
        size,
        limit: EDIT_BYTES_MAX,
    })
}

/// Tells whether only the line endings kept `old` from being found.
fn would_match_with_crlf(text: &str, old: &str) -> bool {
    old.contains('\n') && !old.contains("\r\n") && text.contains(&old.replace('\n', "\r\n"))
}

#[cfg(test)]
mod tests;
