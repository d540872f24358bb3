//! Replacing a file's content where it is.
//!
//! The file is never emptied first: whoever is killed on the way leaves a mixture of old and new at worst,
//! not nothing.

use std::fs::File;
use std::io::{self, Write as _};

/// Puts `content` in place of what `file`, just opened for writing, holds.
pub fn overwrite(file: &mut File, content: &str) -> io::Result<()> {
    file.write_all(content.as_bytes())?;
    let size = content.len() as u64;
    // A device has no size to be changed.
    if file.metadata()?.len() > size {
        file.set_len(size)?;
    }
    Ok(())
}
