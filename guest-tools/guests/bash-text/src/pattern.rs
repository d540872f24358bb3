//! Shell patterns: `*`, `?`, `[...]`, and with extglob `?(` `*(` `+(` `@(` `!(`.
//!
//! A pattern is compiled once from pieces that are quoted (literal) or active. Matching never blows up:
//! plain patterns need no backtracking beyond the last star, extended groups remember what they tried.

use std::ops::Range;

use bstr::BString;

/// A run of pattern text that is either quoted, hence literal, or active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text; in an active piece a backslash quotes the next character.
    pub text: &'a [u8],
    /// Whether every byte stands for itself.
    pub is_quoted: bool,
}

/// How a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// Whether the extended groups are active (`shopt -s extglob`; always on inside `[[ == ]]`).
    pub extglob: bool,
    /// Whether letters match both cases (`nocasematch`, `nocaseglob`).
    pub ignore_case: bool,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    literal: BString,
}

impl Pattern {
    /// Compiles `pieces`, which are read as one text. Never fails: what is no valid pattern is literal.
    pub fn compile(pieces: &[Piece<'_>], options: Options) -> Self {
        let _ = (pieces, options);
        Self {
            literal: BString::default(),
        }
    }

    /// Compiles active text (backslash quotes), for the value of a variable such as GLOBIGNORE.
    pub fn from_text(text: &[u8], options: Options) -> Self {
        Self::compile(
            &[Piece {
                text,
                is_quoted: false,
            }],
            options,
        )
    }

    /// Returns the text that alone matches, when the pattern has no active part.
    pub fn as_literal(&self) -> Option<&[u8]> {
        Some(&self.literal)
    }

    /// Returns whether all of `text` matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        let _ = text;
        false
    }

    /// Returns the length of the shortest matching prefix: `${x#pattern}` removes that many bytes.
    pub fn shortest_prefix(&self, text: &[u8]) -> Option<usize> {
        let _ = text;
        None
    }

    /// Returns the length of the longest matching prefix: `${x##pattern}`.
    pub fn longest_prefix(&self, text: &[u8]) -> Option<usize> {
        let _ = text;
        None
    }

    /// Returns where the shortest matching suffix starts: `${x%pattern}` keeps that many bytes.
    pub fn shortest_suffix(&self, text: &[u8]) -> Option<usize> {
        let _ = text;
        None
    }

    /// Returns where the longest matching suffix starts: `${x%%pattern}`.
    pub fn longest_suffix(&self, text: &[u8]) -> Option<usize> {
        let _ = text;
        None
    }

    /// Returns the leftmost longest match at or after byte `from`.
    pub fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let _ = (text, from);
        None
    }
}

/// Which matches `${x/pattern/text}` replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// `/`: the leftmost longest.
    First,
    /// `//`: every one, left to right.
    All,
    /// `/#`: the longest at the start.
    Prefix,
    /// `/%`: the longest at the end.
    Suffix,
}

impl Pattern {
    /// Replaces matches in `text` as `${x/pattern/text}` does.
    ///
    /// `replacement` writes the text for one match, which it is given for `&` (patsub_replacement). A
    /// pattern that matches the empty text replaces as in bash: only `/#` and `/%` insert, and an all-empty
    /// `//` match leaves the text alone.
    pub fn replace(
        &self,
        text: &[u8],
        which: Replace,
        replacement: &mut dyn FnMut(&[u8], &mut Vec<u8>),
    ) -> BString {
        let _ = (which, replacement);
        BString::from(text)
    }
}

/// Writes `replacement` for `matched`: an unquoted `&` is the match, `\&` an ampersand, `\\` a backslash.
pub fn write_replacement(replacement: &[Piece<'_>], matched: &[u8], output: &mut Vec<u8>) {
    let _ = (replacement, matched, output);
}

/// Returns whether active text holds a pattern character that asks for pathname expansion.
pub fn is_active(pieces: &[Piece<'_>], extglob: bool) -> bool {
    let _ = (pieces, extglob);
    false
}

/// Returns active text that matches just `text`: pattern characters are backslash-quoted.
pub fn escape(text: &[u8]) -> BString {
    BString::from(text)
}
