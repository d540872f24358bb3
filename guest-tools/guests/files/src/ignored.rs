//! What a search leaves out, as ripgrep decides it: hidden entries, and what `.rgignore`, `.ignore` and,
//! inside a git repository, `.gitignore` and `.git/info/exclude` name. The matching is ripgrep's own; only
//! the finding of the files is ours, because ripgrep's walker probes for each of them in every folder, and
//! here each probe crosses into the host. A folder's listing already says what there is.
//!
//! A user's global ignore file is deliberately not looked for.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::folder::Kind;

/// How much of an ignore file is read. Its patterns become one automaton, which must fit in memory.
const IGNORE_FILE_BYTES_MAX: u64 = 256 * 1024;

/// The ignore files of a folder, strongest first. The second half counts only inside a repository.
const SOURCES: [&str; 4] = [".rgignore", ".ignore", ".gitignore", ".git/info/exclude"];
/// Where in [`SOURCES`] git's own begin.
const GIT_SOURCES: usize = 2;

/// The rules that hold in one folder.
#[derive(Debug, Clone)]
pub struct Rules {
    /// False if nothing is ever excluded.
    active: bool,
    innermost: Option<Rc<Level>>,
}

/// The rules that one folder adds.
#[derive(Debug)]
struct Level {
    /// One for each of [`SOURCES`]; none where the file is missing or has no patterns.
    sources: [Option<Gitignore>; SOURCES.len()],
    /// Whether this folder is the top of a repository.
    has_repository: bool,
    /// Whether this folder or one above it is.
    in_repository: bool,
    outer: Option<Rc<Level>>,
}

impl Rules {
    /// Excludes nothing.
    pub fn none() -> Self {
        Self {
            active: false,
            innermost: None,
        }
    }

    /// Collects the rules that the folders above `root` set for it.
    pub fn above(root: &Path) -> Self {
        let mut rules = Self {
            active: true,
            innermost: None,
        };
        let mut folders: Vec<_> = root.ancestors().skip(1).collect();
        folders.reverse();
        for folder in folders {
            let is_repository = [".git", ".jj"]
                .iter()
                .any(|name| fs::metadata(folder.join(name)).is_ok());
            rules = rules.with(folder, is_repository, |_| true);
        }
        rules
    }

    /// Adds the rules of `folder`, of which `entries` is the listing in the order of names.
    pub fn enter(&self, folder: &Path, entries: &[(OsString, Kind)]) -> Self {
        if !self.active {
            return self.clone();
        }
        let has = |name: &str| {
            entries
                .binary_search_by(|entry| entry.0.as_os_str().cmp(OsStr::new(name)))
                .is_ok()
        };
        let has_git = has(".git");
        self.with(folder, has_git || has(".jj"), |source| {
            if source.starts_with(".git/") {
                has_git
            } else {
                has(source)
            }
        })
    }

    fn with(&self, folder: &Path, has_repository: bool, may_have: impl Fn(&str) -> bool) -> Self {
        let sources = SOURCES.map(|source| {
            if may_have(source) {
                load(folder, source)
            } else {
                None
            }
        });
        if !has_repository && sources.iter().all(Option::is_none) {
            return self.clone();
        }
        let in_repository = has_repository
            || self
                .innermost
                .as_ref()
                .is_some_and(|level| level.in_repository);
        let level = Level {
            sources,
            has_repository,
            in_repository,
            outer: self.innermost.clone(),
        };
        Self {
            active: true,
            innermost: Some(Rc::new(level)),
        }
    }

    /// Tells whether a search leaves `path` out. Patterns come before hiddenness: `!.env` brings `.env` back.
    pub fn exclude(&self, path: &Path, is_folder: bool) -> bool {
        if !self.active {
            return false;
        }
        match self.matched(path, is_folder) {
            Match::Ignore(()) => true,
            Match::Whitelist(()) => false,
            Match::None => path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b".")),
        }
    }

    /// Asks each source from the folder outwards; the first that knows the path speaks for its kind. Git's
    /// sources are asked up to the top of the repository only.
    fn matched(&self, path: &Path, is_folder: bool) -> Match<()> {
        let Some(innermost) = &self.innermost else {
            return Match::None;
        };
        let mut answers: [Match<()>; SOURCES.len()] = [const { Match::None }; SOURCES.len()];
        let mut level = Some(innermost);
        let mut git_counts = innermost.in_repository;
        while let Some(here) = level {
            for (index, (source, answer)) in here.sources.iter().zip(&mut answers).enumerate() {
                if let Some(source) = source
                    && answer.is_none()
                    && (index < GIT_SOURCES || git_counts)
                {
                    *answer = source.matched(path, is_folder).map(|_| ());
                }
            }
            git_counts &= !here.has_repository;
            level = here.outer.as_ref();
        }
        answers
            .into_iter()
            .find(|answer| !answer.is_none())
            .unwrap_or(Match::None)
    }
}

/// Reads one ignore file. What cannot be read or parsed excludes nothing, as with ripgrep.
fn load(folder: &Path, source: &str) -> Option<Gitignore> {
    let mut bytes = Vec::new();
    File::open(folder.join(source))
        .ok()?
        .take(IGNORE_FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}

#[cfg(test)]
mod tests;
