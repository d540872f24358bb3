//! `write`: puts a whole file in place.
//!
//! The file is overwritten where it is, not replaced by a new one, so that links keep leading to it and it
//! keeps its mode (WASI cannot set one). What a crash leaves half-written the workspace's snapshot undoes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::Error;
use crate::overwrite::overwrite;
use crate::path::Workdir;

const TOOL: &str = "write";

/// Writes `content` to `file_path`, making missing folders.
pub fn write(workdir: &Workdir, file_path: &str, content: &str) -> Result<String, Error> {
    if file_path.is_empty() {
        return Err(Error::Empty {
            tool: TOOL,
            argument: "file_path",
        });
    }
    let target = workdir.resolve(file_path);
    let mut file = create(&target).map_err(Error::file(TOOL, file_path))?;
    overwrite(&mut file, content).map_err(|source| Error::Incomplete {
        tool: TOOL,
        path: file_path.to_owned(),
        source,
    })?;
    Ok(format!("wrote {} bytes to {file_path}", content.len()))
}

/// Opens a file for writing, making it and its folders only when they turn out to be missing.
fn create(target: &Path) -> io::Result<File> {
    let mut open = OpenOptions::new();
    open.write(true).create(true).truncate(false);
    match open.open(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            open.open(target)
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests;
