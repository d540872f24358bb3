//! Which names are meant: patterns of what to leave out, and names of what to take.

use bash_text::pattern::{Options, Pattern};

/// How a name on the command line is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matching {
    pub(crate) wildcards: bool,
    /// Only from the beginning, not after any slash.
    pub(crate) anchored: bool,
    pub(crate) ignore_case: bool,
    /// Whether wildcards match slashes.
    pub(crate) slash: bool,
}

impl Matching {
    /// As names of members are compared.
    pub(crate) const MEMBERS: Self = Self {
        wildcards: false,
        anchored: true,
        ignore_case: false,
        slash: true,
    };
    /// As what is left out is compared.
    pub(crate) const EXCLUDED: Self = Self {
        wildcards: true,
        anchored: false,
        ignore_case: false,
        slash: true,
    };
}

/// A name or pattern, ready for comparing.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    text: Vec<u8>,
    matching: Matching,
    /// By components if wildcards do not match slashes.
    patterns: Vec<Pattern>,
}

impl Matcher {
    pub(crate) fn new(text: &[u8], matching: Matching) -> Self {
        let options = Options {
            extglob: false,
            ignore_case: matching.ignore_case,
        };
        let mut text = text.to_vec();
        while text.len() > 1 && text.ends_with(b"/") {
            text.pop();
        }
        let patterns = match (matching.wildcards, matching.slash) {
            (false, _) => Vec::new(),
            (true, true) => vec![Pattern::from_text(&text, options)],
            (true, false) => text
                .split(|byte| *byte == b'/')
                .map(|part| Pattern::from_text(part, options))
                .collect(),
        };
        Self {
            text,
            matching,
            patterns,
        }
    }

    /// Returns whether a name, or a folder above it if `leading`, is meant.
    pub(crate) fn matches(&self, name: &[u8], leading: bool) -> bool {
        let name = name.strip_suffix(b"/").unwrap_or(name);
        if self.at(name, leading) {
            return true;
        }
        if self.matching.anchored {
            return false;
        }
        name.iter().enumerate().any(|(place, byte)| {
            *byte == b'/'
                && name.get(place + 1) != Some(&b'/')
                && self.at(name.get(place + 1..).unwrap_or_default(), leading)
        })
    }

    fn at(&self, name: &[u8], leading: bool) -> bool {
        if self.whole(name) {
            return true;
        }
        leading
            && name.iter().enumerate().any(|(place, byte)| {
                *byte == b'/' && self.whole(name.get(..place).unwrap_or_default())
            })
    }

    fn whole(&self, name: &[u8]) -> bool {
        match (self.matching.wildcards, self.patterns.as_slice()) {
            (false, _) if self.matching.ignore_case => self.text.eq_ignore_ascii_case(name),
            (false, _) => self.text == name,
            (true, [pattern]) if self.matching.slash => pattern.matches(name),
            (true, patterns) => {
                let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').collect();
                parts.len() == patterns.len()
                    && patterns
                        .iter()
                        .zip(parts)
                        .all(|(pattern, part)| pattern.matches(part))
            }
        }
    }
}

/// Returns whether a text has a character that is a wildcard.
pub(crate) fn has_wildcard(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// What is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excluded(Vec<Matcher>);

impl Excluded {
    pub(crate) fn add(&mut self, text: &[u8], matching: Matching) {
        self.0.push(Matcher::new(text, matching));
    }

    /// Returns how many patterns there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has(&self, name: &[u8]) -> bool {
        self.first_have(self.len(), name)
    }

    /// Returns whether one of the first `count` patterns leaves a name out.
    pub(crate) fn first_have(&self, count: usize, name: &[u8]) -> bool {
        let first = self.0.iter().take(count);
        first.into_iter().any(|matcher| matcher.matches(name, true))
    }
}

/// What version control leaves in folders.
pub(crate) const VERSION_CONTROL: &[&str] = &[
    "CVS",
    ".cvsignore",
    "RCS",
    "SCCS",
    ".svn",
    ".git",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".arch-ids",
    "{arch}",
    "=RELEASE-ID",
    "=meta-update",
    "=update",
    ".bzr",
    ".bzrignore",
    ".bzrtags",
    ".hg",
    ".hgignore",
    ".hgrags",
    "_darcs",
];

/// What editors leave behind.
pub(crate) const BACKUPS: &[&str] = &[".#*", "*~", "#*#"];

/// A file by which a folder is left out.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) file: String,
    /// What the file must begin with.
    pub(crate) begins: &'static [u8],
    pub(crate) keeps: Kept,
}

/// What of a tagged folder is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The folder and the tag.
    Tag,
    /// The folder only.
    Folder,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_meant_as_by_tar() {
        let cases = [
            ("*.txt", "d/s/c.txt", Matching::EXCLUDED, true),
            ("d/s", "d/s/c.txt", Matching::EXCLUDED, true),
            ("s", "d/s/c.txt", Matching::EXCLUDED, true),
            ("d/*", "d/", Matching::EXCLUDED, false),
            ("d", "d/a", Matching::MEMBERS, true),
            ("d/", "d/", Matching::MEMBERS, true),
            ("a", "d/a", Matching::MEMBERS, false),
            ("*.txt", "d/a.txt", Matching::MEMBERS, false),
        ];
        for (pattern, name, matching, expected) in cases {
            let matcher = Matcher::new(pattern.as_bytes(), matching);
            assert_eq!(
                matcher.matches(name.as_bytes(), true),
                expected,
                "{pattern} {name}"
            );
        }
        let one = Matching {
            slash: false,
            ..Matching::EXCLUDED
        };
        assert!(!Matcher::new(b"d*c", one).matches(b"d/c", false));
    }
}
