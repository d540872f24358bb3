//! An expanded word before splitting: runs of text that remember where they came from.

use bash_text::pattern::Piece;
use bash_text::split::{Part, Run, Separators, fields};
use bstr::BString;

/// A part of an expanded word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fragment {
    /// Text of one origin.
    Text {
        /// The bytes.
        text: BString,
        /// Whether it is the result of an unquoted expansion.
        is_splittable: bool,
        /// Whether it was quoted.
        is_quoted: bool,
    },
    /// The end of a field that the expansion itself made.
    Break,
}

/// An expanded word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// Its parts in order.
    pub fragments: Vec<Fragment>,
    /// Whether a quoted `$@` without elements stood here: it takes the empty field of its quotes away.
    pub had_empty_list: bool,
}

impl Expanded {
    /// Appends text; adjacent text of the same origin is joined.
    pub fn push(&mut self, text: &[u8], is_splittable: bool, is_quoted: bool) {
        if let Some(Fragment::Text {
            text: last,
            is_splittable: last_splittable,
            is_quoted: last_quoted,
        }) = self.fragments.last_mut()
            && *last_splittable == is_splittable
            && *last_quoted == is_quoted
        {
            last.extend_from_slice(text);
            return;
        }
        if text.is_empty() && !is_quoted {
            return;
        }
        self.fragments.push(Fragment::Text {
            text: BString::from(text),
            is_splittable,
            is_quoted,
        });
    }

    /// Appends the end of a field.
    pub fn push_break(&mut self) {
        self.fragments.push(Fragment::Break);
    }

    /// Returns all text as one: for assignments, here-strings, `case` words.
    pub fn joined(&self) -> BString {
        let mut whole = BString::default();
        for fragment in &self.fragments {
            match fragment {
                Fragment::Text { text, .. } => whole.extend_from_slice(text),
                Fragment::Break => whole.push(b' '),
            }
        }
        whole
    }

    /// Returns the text as pieces of a pattern.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        self.fragments
            .iter()
            .map(|fragment| match fragment {
                Fragment::Text {
                    text, is_quoted, ..
                } => Piece {
                    text,
                    is_quoted: *is_quoted,
                },
                Fragment::Break => Piece {
                    text: b" ",
                    is_quoted: true,
                },
            })
            .collect()
    }

    /// Splits into fields.
    pub fn split(&self, separators: &Separators) -> Vec<Vec<Run<'_>>> {
        let parts: Vec<Part<'_>> = self
            .fragments
            .iter()
            .map(|fragment| match fragment {
                Fragment::Text {
                    text,
                    is_splittable,
                    is_quoted,
                } => Part::Text(Run {
                    text,
                    is_splittable: *is_splittable,
                    is_quoted: *is_quoted,
                }),
                Fragment::Break => Part::Break,
            })
            .collect();
        fields(&parts, separators)
    }
}
