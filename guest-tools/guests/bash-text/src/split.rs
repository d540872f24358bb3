//! Word splitting by IFS.

/// A part of an expanded word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text of one origin.
    Text(Run<'a>),
    /// An end of a field that the expansion itself made: between the elements of `"$@"`.
    Break,
}

/// Text of one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The bytes.
    pub text: &'a [u8],
    /// Whether the text is the result of an unquoted expansion, hence split.
    pub is_splittable: bool,
    /// Whether the text was quoted: it makes a field even when empty, and is literal for globbing.
    pub is_quoted: bool,
}

/// The separators of IFS, prepared once per value.
#[derive(Debug, Clone)]
pub struct Separators {
    ascii: [Class; 128],
    wide: Vec<Vec<u8>>,
    is_empty: bool,
}

/// What a character means for splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Part of a field.
    Field,
    /// Space, tab or newline in IFS: runs of it separate once.
    Blank,
    /// Another character of IFS: each separates.
    Mark,
}

impl Separators {
    /// Prepares the value of IFS; `None` when it is unset, which means space, tab, newline.
    pub fn new(value: Option<&[u8]>) -> Self {
        let _ = value;
        Self {
            ascii: [Class::Field; 128],
            wide: Vec::new(),
            is_empty: true,
        }
    }

    /// Returns whether nothing separates (IFS is empty).
    pub fn is_empty(&self) -> bool {
        self.is_empty
            && self.wide.is_empty()
            && self.ascii.iter().all(|class| *class == Class::Field)
    }
}

/// Splits an expanded word into fields, each the runs it is made of; a word can give no field at all.
pub fn fields<'a>(parts: &[Part<'a>], separators: &Separators) -> Vec<Vec<Run<'a>>> {
    let _ = (parts, separators);
    Vec::new()
}

/// Splits plain text, all of it splittable: `for x in $text`.
pub fn text<'a>(text: &'a [u8], separators: &Separators) -> Vec<&'a [u8]> {
    let _ = separators;
    vec![text]
}
