//! The functions about files.

use std::io::Write as _;

use crate::glob;
use crate::place::shown;
use crate::words::{join, trim, words};

/// Runs a function about names.
pub(super) fn apply(name: &str, text: &[u8]) -> Vec<u8> {
    match name {
        "wildcard" => join(words(text).flat_map(glob::existing)),
        "abspath" => join(words(text).map(absolute)),
        _ => join(words(text).filter_map(real)),
    }
}

/// Returns a name from the root on, without `.`, `..` and doubled slashes.
pub(crate) fn absolute(name: &[u8]) -> Vec<u8> {
    let whole = process::absolute(name);
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in whole.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut path = Vec::new();
    for part in parts {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

/// Returns a name from the root on without symbolic links, if it is there.
fn real(name: &[u8]) -> Option<Vec<u8>> {
    let mut path: Vec<u8> = Vec::new();
    let mut rest: Vec<Vec<u8>> = process::absolute(name)
        .split(|byte| *byte == b'/')
        .rev()
        .map(<[u8]>::to_vec)
        .collect();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                path.truncate(end);
                continue;
            }
            _ => {}
        }
        let mut next = path.clone();
        next.push(b'/');
        next.extend_from_slice(&part);
        let stat = process::stat(&next, false).ok()?;
        if stat.kind == process::Kind::Symlink {
            links += 1;
            if links > 40 {
                return None;
            }
            let target = std::fs::read_link(glob::path(&next)).ok()?;
            let target = process::path_bytes(&target).to_vec();
            if target.starts_with(b"/") {
                path.clear();
            }
            rest.extend(target.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
        } else {
            path = next;
        }
    }
    if path.is_empty() {
        path.push(b'/');
    }
    Some(path)
}

/// Runs `$(file OP NAME,TEXT)`.
pub(super) fn write(first: &[u8], text: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let first = trim(first);
    let (how, name) = if let Some(name) = first.strip_prefix(b">>") {
        ("append", name)
    } else if let Some(name) = first.strip_prefix(b">") {
        ("write", name)
    } else if let Some(name) = first.strip_prefix(b"<") {
        ("read", name)
    } else {
        return Err(format!("file: invalid file operation: {}", shown(first)));
    };
    let name = trim(name);
    if name.is_empty() {
        return Err("file: missing filename".to_owned());
    }
    let path = glob::path(name);
    if how == "read" {
        if text.is_some() {
            return Err("file: too many arguments".to_owned());
        }
        return match std::fs::read(&path) {
            Ok(mut bytes) => {
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                }
                Ok(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(format!(
                "open: {}: {}",
                shown(name),
                process::message(&error)
            )),
        };
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true);
    if how == "append" {
        options.append(true);
    } else {
        options.write(true).truncate(true);
    }
    let mut file = options
        .open(&path)
        .map_err(|error| format!("open: {}: {}", shown(name), process::message(&error)))?;
    if let Some(text) = text {
        let ended = text.ends_with(b"\n") || text.is_empty();
        let end: &[u8] = if ended && !text.is_empty() {
            b""
        } else {
            b"\n"
        };
        file.write_all(text)
            .and_then(|()| file.write_all(end))
            .map_err(|error| format!("write: {}: {}", shown(name), process::message(&error)))?;
    }
    Ok(Vec::new())
}
