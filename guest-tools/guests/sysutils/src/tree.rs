//! Reading folders in a fixed order.

use std::io;
use std::path::{Path, PathBuf};

/// Returns the paths of what a folder holds, by name: programs that walk trees then do the same every time.
pub(crate) fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        children.push(entry?.path());
    }
    children.sort();
    Ok(children)
}
