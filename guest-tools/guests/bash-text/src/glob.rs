//! Pathname expansion over a small view of the file system.
//!
//! Results are sorted by bytes (C.UTF-8). An empty answer means that nothing matched: whether the word then
//! stays, vanishes (nullglob) or is an error (failglob) is the caller's decision.

use bstr::BString;

use crate::pattern::{self, Pattern, Piece};

/// What a directory entry is, as far as a listing knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A symbolic link, whatever it leads to.
    Link,
    /// Anything else.
    Other,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without its directory.
    pub name: BString,
    /// What it is.
    pub kind: Kind,
}

/// The file system as globbing sees it. Paths are as written in the word, relative ones to the shell's
/// working directory; the empty path is the working directory itself.
pub trait Files {
    /// Lists a directory, without `.` and `..`, in any order; `None` when it cannot be read.
    fn list(&mut self, directory: &[u8]) -> Option<Vec<Entry>>;
    /// Returns whether there is anything at `path`, a dangling link included.
    fn exists(&mut self, path: &[u8]) -> bool;
    /// Returns whether `path` is a directory, following links.
    fn is_directory(&mut self, path: &[u8]) -> bool;
}

/// The shell options that rule pathname expansion.
#[derive(Debug, Clone)]
pub struct Options {
    /// `dotglob`: `*` and `?` match a leading dot. Setting GLOBIGNORE turns it on; the caller does that.
    pub dotglob: bool,
    /// `extglob`.
    pub extglob: bool,
    /// `globskipdots`: never return `.` and `..`. On by default in 5.2.
    pub globskipdots: bool,
    /// `globstar`: `**` crosses directories.
    pub globstar: bool,
    /// `nocaseglob`.
    pub nocaseglob: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dotglob: false,
            extglob: false,
            globskipdots: true,
            globstar: false,
            nocaseglob: false,
        }
    }
}

/// Bounds how deep `**` descends, against directories without end.
const DEPTH_MAX: usize = 256;

/// Expands the pathname pattern made of `pieces`; an empty answer means that nothing matched.
///
/// `ignored` are the patterns of GLOBIGNORE, compiled by [`ignore_patterns`].
pub fn expand(
    pieces: &[Piece<'_>],
    options: &Options,
    ignored: &[Ignored],
    files: &mut dyn Files,
) -> Vec<BString> {
    let parts = parts(pieces);
    let mut walk = Walk {
        options,
        files,
        found: Vec::new(),
    };
    walk.from(BString::default(), &parts);
    let mut found = walk.found;
    if !ignored.is_empty() {
        found.retain(|path| {
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            name != b"." && name != b".." && !ignored.iter().any(|pattern| pattern.matches(path))
        });
    }
    found.sort_unstable();
    // `**` twice can lead to one path in several ways.
    if parts
        .iter()
        .filter(|part| is_globstar(&part.pieces))
        .count()
        > 1
    {
        found.dedup();
    }
    found
}

/// A pattern of GLOBIGNORE, by the names between its slashes: no part of it matches a slash.
#[derive(Debug, Clone)]
pub struct Ignored(Vec<Pattern>);

impl Ignored {
    fn matches(&self, path: &[u8]) -> bool {
        let names = path.split(|byte| *byte == b'/');
        names.clone().count() == self.0.len()
            && self
                .0
                .iter()
                .zip(names)
                .all(|(pattern, name)| pattern.matches(name))
    }
}

/// Compiles the colon-separated value of GLOBIGNORE.
pub fn ignore_patterns(value: &[u8], extglob: bool) -> Vec<Ignored> {
    let options = pattern::Options {
        extglob,
        ignore_case: false,
    };
    let mut patterns = Vec::new();
    let mut start = 0;
    let mut is_quoted = false;
    let mut depth = 0_usize;
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if is_quoted => is_quoted = false,
            b'\\' => is_quoted = true,
            b'[' | b'(' => depth += 1,
            b']' | b')' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => {
                patterns.extend(value.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    patterns.extend(value.get(start..));
    patterns
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| {
            let names = text.split(|byte| *byte == b'/');
            Ignored(
                names
                    .map(|name| Pattern::from_text(name, options))
                    .collect(),
            )
        })
        .collect()
}

/// The pattern between two runs of slashes.
struct Part<'a> {
    pieces: Vec<Piece<'a>>,
    /// The slashes behind it, empty at the end of the word.
    slashes: usize,
}

/// Cuts the word at its slashes, quoted or not; a part of no text is what precedes a leading slash.
fn parts<'a>(pieces: &[Piece<'a>]) -> Vec<Part<'a>> {
    let mut parts = vec![Part {
        pieces: Vec::new(),
        slashes: 0,
    }];
    for piece in pieces {
        for (at, text) in piece.text.split(|byte| *byte == b'/').enumerate() {
            if at > 0
                && let Some(part) = parts.last_mut()
            {
                part.slashes += 1;
            }
            if text.is_empty() {
                continue;
            }
            if parts.last().is_some_and(|part| part.slashes > 0) {
                parts.push(Part {
                    pieces: Vec::new(),
                    slashes: 0,
                });
            }
            if let Some(part) = parts.last_mut() {
                part.pieces.push(Piece { text, ..*piece });
            }
        }
    }
    parts
}

fn is_globstar(pieces: &[Piece<'_>]) -> bool {
    matches!(
        pieces,
        [Piece {
            text: b"**",
            is_quoted: false
        }]
    )
}

struct Walk<'a> {
    options: &'a Options,
    files: &'a mut dyn Files,
    found: Vec<BString>,
}

impl Walk<'_> {
    /// Finds what `parts` match below `base`, which is empty or ends in a slash.
    fn from(&mut self, base: BString, parts: &[Part<'_>]) {
        let Some((part, rest)) = parts.split_first() else {
            self.found.push(base);
            return;
        };
        if self.options.globstar && is_globstar(&part.pieces) {
            self.globstar(base, part, rest, 0);
            return;
        }
        if !pattern::is_active(&part.pieces, self.options.extglob) {
            self.literal(base, part, rest);
            return;
        }
        let options = pattern::Options {
            extglob: self.options.extglob,
            ignore_case: self.options.nocaseglob,
        };
        let compiled = Pattern::compile(&part.pieces, options);
        for entry in self.entries(&base, &part.pieces) {
            if !compiled.matches_name(&entry.name, !self.options.dotglob || is_dots(&entry.name)) {
                continue;
            }
            let mut path = base.clone();
            path.extend_from_slice(&entry.name);
            self.enter(path, part, rest, &entry);
        }
    }

    /// Goes on behind a name that matched.
    fn enter(&mut self, path: BString, part: &Part<'_>, rest: &[Part<'_>], entry: &Entry) {
        let mut path = path;
        if part.slashes == 0 {
            self.found.push(path);
            return;
        }
        let is_directory = match entry.kind {
            Kind::Directory => true,
            Kind::Link => self.files.is_directory(&path),
            Kind::Other => false,
        };
        if is_directory {
            path.extend(std::iter::repeat_n(b'/', part.slashes));
            self.from(path, rest);
        }
    }

    /// Appends a part without pattern characters; that it exists is looked at when it is the last.
    fn literal(&mut self, base: BString, part: &Part<'_>, rest: &[Part<'_>]) {
        let mut path = base;
        for piece in &part.pieces {
            path.extend_from_slice(&unquoted(piece));
        }
        if part.slashes == 0 {
            if self.files.exists(&path) {
                self.found.push(path);
            }
            return;
        }
        let is_root = part.pieces.is_empty();
        if !is_root && rest.is_empty() && !self.files.is_directory(&path) {
            return;
        }
        path.extend(std::iter::repeat_n(b'/', part.slashes));
        self.from(path, rest);
    }

    /// `**`: this directory and all below; as the last part every path, else the rest in each directory.
    fn globstar(&mut self, base: BString, part: &Part<'_>, rest: &[Part<'_>], depth: usize) {
        let is_last = part.slashes == 0;
        if depth == 0 && is_last && !base.is_empty() {
            self.found.push(base.clone());
        }
        if depth == 0 && !is_last && rest.is_empty() && !base.is_empty() {
            self.found.push(base.clone());
        }
        if !is_last && !rest.is_empty() {
            self.from(base.clone(), rest);
        }
        if depth >= DEPTH_MAX {
            return;
        }
        for entry in self.entries(&base, &[]) {
            if !self.options.dotglob && entry.name.first() == Some(&b'.') {
                continue;
            }
            let mut path = base.clone();
            path.extend_from_slice(&entry.name);
            if is_last {
                self.found.push(path.clone());
            }
            // Links are not followed, so that the walk ends.
            if entry.kind == Kind::Directory {
                let slashes = part.slashes.max(1);
                path.extend(std::iter::repeat_n(b'/', slashes));
                if !is_last && rest.is_empty() {
                    self.found.push(path.clone());
                }
                self.globstar(path, part, rest, depth + 1);
            } else if entry.kind == Kind::Link
                && !is_last
                && rest.is_empty()
                && self.files.is_directory(&path)
            {
                path.extend(std::iter::repeat_n(b'/', part.slashes));
                self.found.push(path);
            }
        }
    }

    /// Lists a directory; `.` and `..` take part when the options let them.
    fn entries(&mut self, base: &[u8], pieces: &[Piece<'_>]) -> Vec<Entry> {
        let mut entries = self.files.list(base).unwrap_or_default();
        if !self.options.globskipdots
            && pieces
                .first()
                .is_some_and(|piece| piece.text.first() == Some(&b'.'))
        {
            let dots = [".", ".."].map(|name| Entry {
                name: BString::from(name),
                kind: Kind::Directory,
            });
            entries.extend(dots);
        }
        entries
    }
}

fn is_dots(name: &[u8]) -> bool {
    name == b"." || name == b".."
}

/// Returns the text of a piece without the backslashes that quote in active text.
fn unquoted(piece: &Piece<'_>) -> Vec<u8> {
    if piece.is_quoted || !piece.text.contains(&b'\\') {
        piece.text.to_vec()
    } else {
        Vec::from(crate::read::unescape(piece.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(&'static [&'static str]);

    impl Files for Tree {
        fn list(&mut self, directory: &[u8]) -> Option<Vec<Entry>> {
            let mut entries: Vec<Entry> = Vec::new();
            for path in self.0 {
                let Some(rest) = path.as_bytes().strip_prefix(directory) else {
                    continue;
                };
                let mut parts = rest.splitn(2, |byte| *byte == b'/');
                let name = parts.next().unwrap_or_default();
                let kind = if parts.next().is_some() {
                    Kind::Directory
                } else {
                    Kind::Other
                };
                if !name.is_empty() && !entries.iter().any(|entry| entry.name == name) {
                    entries.push(Entry {
                        name: BString::from(name),
                        kind,
                    });
                }
            }
            Some(entries)
        }
        fn exists(&mut self, path: &[u8]) -> bool {
            self.0.iter().any(|known| known.as_bytes() == path) || self.is_directory(path)
        }
        fn is_directory(&mut self, path: &[u8]) -> bool {
            self.0.iter().any(|known| {
                known
                    .as_bytes()
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with(b"/"))
            })
        }
    }

    #[test]
    fn paths() {
        let mut tree = Tree(&["a.c", "b.c", ".h", "d/x.c", "d/e/y.c", "f/x.c"]);
        let options = Options {
            globstar: true,
            extglob: true,
            ..Options::default()
        };
        for (pattern, expected) in [
            ("*.c", "a.c b.c"),
            ("*", "a.c b.c d f"),
            (".*", ".h"),
            ("*/x.c", "d/x.c f/x.c"),
            ("*/", "d/ f/"),
            ("**/*.c", "a.c b.c d/e/y.c d/x.c f/x.c"),
            ("d/**", "d/ d/e d/e/y.c d/x.c"),
            ("!(a).c", "b.c"),
            ("z*", ""),
        ] {
            let pieces = [Piece {
                text: pattern.as_bytes(),
                is_quoted: false,
            }];
            let found = expand(&pieces, &options, &[], &mut tree);
            assert_eq!(bstr::join(" ", found), expected.as_bytes(), "{pattern}");
        }
        let pieces = [Piece {
            text: b"*.c",
            is_quoted: false,
        }];
        let found = expand(
            &pieces,
            &options,
            &ignore_patterns(b"x:a*", false),
            &mut tree,
        );
        assert_eq!(found, ["b.c"]);
    }
}
