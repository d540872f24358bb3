//! Names with wildcards.

use std::ffi::OsStr;
use std::path::PathBuf;

/// Returns a path of the standard library's.
pub(crate) fn path(name: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(OsStr::from_bytes(name))
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(OsStr::new(String::from_utf8_lossy(name).as_ref()))
    }
}

/// Returns whether a name has wildcards.
pub(crate) fn has_wildcards(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Returns the names that match, in order; a name without wildcards matches itself.
pub(crate) fn expand(name: &[u8]) -> Vec<Vec<u8>> {
    let name = home(name);
    if !has_wildcards(&name) {
        return vec![name];
    }
    let found = matching(&name);
    if found.is_empty() { vec![name] } else { found }
}

/// Returns the names that match and are there.
pub(crate) fn existing(name: &[u8]) -> Vec<Vec<u8>> {
    let name = home(name);
    if !has_wildcards(&name) {
        let is_there = process::stat(&name, true).is_ok();
        return if is_there { vec![name] } else { Vec::new() };
    }
    matching(&name)
}

fn home(name: &[u8]) -> Vec<u8> {
    if let Some(rest) = name.strip_prefix(b"~")
        && (rest.is_empty() || rest.starts_with(b"/"))
        && let Some(home) = std::env::var_os("HOME")
    {
        return [home.as_encoded_bytes(), rest].concat();
    }
    name.to_vec()
}

fn matching(name: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = vec![Vec::new()];
    let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
    let last = parts.len().saturating_sub(1);
    for (number, part) in parts.iter().enumerate() {
        let mut next = Vec::new();
        for before in &found {
            let begin: &[u8] = if number > 0 { b"/" } else { b"" };
            let base = [before.as_slice(), begin].concat();
            if !has_wildcards(part) {
                let path = [base.as_slice(), part].concat();
                if number < last || path.is_empty() || process::stat(&path, true).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let folder: &[u8] = if base.is_empty() { b"." } else { &base };
            let Ok(entries) = std::fs::read_dir(path(folder)) else {
                continue;
            };
            for entry in entries.flatten() {
                let entry = entry.file_name().as_encoded_bytes().to_vec();
                let is_hidden = entry.starts_with(b".") && !part.starts_with(b".");
                if !is_hidden && is_match(part, &entry) {
                    next.push([base.as_slice(), &entry].concat());
                }
            }
        }
        found = next;
    }
    found.sort_unstable();
    found
}

/// Returns whether a name matches a pattern without slashes.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => {
            (0..=name.len()).any(|skip| is_match(rest, name.get(skip..).unwrap_or_default()))
        }
        Some((b'?', rest)) => name
            .split_first()
            .is_some_and(|(_, name)| is_match(rest, name)),
        Some((b'[', rest)) => {
            let Some((letter, name_rest)) = name.split_first() else {
                return false;
            };
            match bracket(rest, *letter) {
                Some((hit, rest)) => hit && is_match(rest, name_rest),
                None => *letter == b'[' && is_match(rest, name_rest),
            }
        }
        Some((b'\\', [letter, rest @ ..])) | Some((letter, rest)) => name
            .split_first()
            .is_some_and(|(first, name)| first == letter && is_match(rest, name)),
    }
}

/// Reads what stands in brackets; returns whether a letter is in it and what follows.
fn bracket(text: &[u8], letter: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut hit, mut first) = (false, true);
    loop {
        match rest {
            [b']', behind @ ..] if !first => return Some((hit != negated, behind)),
            [low, b'-', high, behind @ ..] if *high != b']' => {
                hit |= (*low..=*high).contains(&letter);
                rest = behind;
            }
            [one, behind @ ..] => {
                hit |= *one == letter;
                rest = behind;
            }
            [] => return None,
        }
        first = false;
    }
}
