//! `glob`: the paths that match a pattern, newest first.
//!
//! The walk begins behind the pattern's leading plain names and goes no deeper than the pattern can match.
//! Unlike a search it includes hidden and ignored files, since a name pattern says exactly what is wanted;
//! only the inside of `.git` is left out unless the pattern names it.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::time::SystemTime;

use globset::{GlobBuilder, GlobSet};

use crate::error::Error;
use crate::ignored::Rules;
use crate::path::Workdir;
use crate::walk::{self, Next};

/// How many paths one answer lists.
pub const RESULTS_MAX: usize = 200;
/// The longest pattern in bytes: longer ones are no names but programs.
pub const PATTERN_BYTES_MAX: usize = 4096;

const TOOL: &str = "glob";

/// Lists what beneath `path` matches `pattern`.
pub fn glob(workdir: &Workdir, pattern: &str, path: Option<&str>) -> Result<String, Error> {
    let pattern = Pattern::parse(pattern)?;
    let path = path.unwrap_or_default();
    let root = workdir.resolve(path);
    if !fs::metadata(&root)
        .map_err(Error::file(TOOL, path))?
        .is_dir()
    {
        return Err(Error::Kind {
            tool: TOOL,
            path: path.to_owned(),
            what: "not a directory",
        });
    }
    let mut found = Vec::new();
    let start = walk::below(&root, &pattern.prefix);
    let walked = walk::walk(&start, &Rules::none(), |entry| {
        if entry
            .path
            .strip_prefix(&root)
            .is_ok_and(|relative| pattern.names.is_match(relative))
        {
            found.push(entry.path.to_path_buf());
        }
        let is_git = !pattern.wants_git && entry.name == ".git";
        if is_git || entry.depth >= pattern.depth_max {
            Next::Pass
        } else {
            Next::Enter
        }
    });
    let walked = match walked {
        Ok(walked) => walked,
        // A prefix that leads nowhere matches nothing.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok("no matches".to_owned());
        }
        Err(error) => return Err(Error::file(TOOL, path)(error)),
    };
    let total = found.len();
    // A dangling link counts as old.
    found.sort_by_cached_key(|path| {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
        (
            Reverse(modified.unwrap_or(SystemTime::UNIX_EPOCH)),
            path.clone(),
        )
    });
    let mut lines: Vec<_> = found
        .iter()
        .take(RESULTS_MAX)
        .map(|path| walk::shown(path))
        .collect();
    if lines.is_empty() {
        lines.push("no matches".to_owned());
    }
    if total > RESULTS_MAX {
        lines.push(format!(
            "[the newest {RESULTS_MAX} of {total} matches; narrow the pattern]"
        ));
    }
    lines.extend(walked.notes());
    Ok(lines.join("\n"))
}

/// A pattern, and what it says about the walk.
struct Pattern<'a> {
    /// The whole pattern, over paths relative to the root.
    names: GlobSet,
    /// The leading names without wildcards, except the last name.
    prefix: Vec<&'a str>,
    /// How far below the prefix a match can lie.
    depth_max: usize,
    /// Whether the inside of `.git` may be meant.
    wants_git: bool,
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Result<Self, Error> {
        if text.starts_with('/') {
            return Err(Error::AbsolutePattern);
        }
        let names: Vec<_> = text
            .split('/')
            .filter(|name| !matches!(*name, "" | "."))
            .collect();
        if names.is_empty() {
            return Err(Error::Empty {
                tool: TOOL,
                argument: "pattern",
            });
        }
        if names.contains(&"..") {
            return Err(Error::ParentInPattern);
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err(Error::BadPattern(format!(
                "longer than {PATTERN_BYTES_MAX} bytes"
            )));
        }
        let plain = names
            .iter()
            .take_while(|name| !name.contains(['*', '?', '[', ']', '{', '}', '\\']))
            .count();
        let prefix: Vec<_> = names
            .iter()
            .copied()
            .take(plain.min(names.len() - 1))
            .collect();
        // Braces may hold slashes.
        let is_deep = text.contains("**") || text.contains('{');
        Ok(Self {
            depth_max: if is_deep {
                usize::MAX
            } else {
                names.len() - prefix.len()
            },
            wants_git: text.contains(".git"),
            names: compile(&names.join("/"))?,
            prefix,
        })
    }
}

/// Compiles a pattern through a set, because a set reports a pattern that is too large where a single one panics.
fn compile(pattern: &str) -> Result<GlobSet, Error> {
    let parsed = GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    let glob = parsed.map_err(|error| Error::BadPattern(error.kind().to_string()))?;
    let compiled = GlobSet::builder().add(glob).build();
    compiled.map_err(|_| Error::BadPattern("too large or too deeply nested".to_owned()))
}

#[cfg(test)]
mod tests;
