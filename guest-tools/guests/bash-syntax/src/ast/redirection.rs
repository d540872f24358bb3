//! Redirections.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

use super::word::Word;
use crate::SyntaxError;

/// A redirection.
#[derive(Debug, Clone, PartialEq)]
pub struct Redirection {
    /// What stands before the operator; `None` is the operator's own default (0 for input, 1 for output).
    pub descriptor: Option<Descriptor>,
    /// The operator.
    pub operator: RedirectionOperator,
    /// What follows it.
    pub target: RedirectionTarget,
    /// The line of the operator.
    pub line: u32,
}

/// The descriptor that is redirected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descriptor {
    /// `2>`.
    Number(u32),
    /// `{name}>`: a free one is chosen and its number assigned; the text is a name or `name[subscript]`.
    Variable(BString),
}

/// A redirection operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RedirectionOperator {
    /// `<`.
    Input,
    /// `>`.
    Output,
    /// `>>`.
    Append,
    /// `>|`.
    Clobber,
    /// `<>`.
    ReadWrite,
    /// `<&`: the word, expanded, is a number, a number and `-` (move), or `-` (close).
    DuplicateInput,
    /// `>&`: as `<&`; any other word, when no descriptor is given, is a file for both output and error.
    DuplicateOutput,
    /// `&>`.
    OutputAndError,
    /// `&>>`.
    AppendOutputAndError,
    /// `<<<`.
    HereString,
    /// `<<`, `<<-`.
    HereDocument,
}

/// What follows a redirection operator.
#[derive(Debug, Clone, PartialEq)]
pub enum RedirectionTarget {
    /// A word.
    Word(Word),
    /// The text of a here-document.
    HereDocument(Rc<HereDocument>),
}

/// A here-document.
#[derive(Debug, Clone)]
pub struct HereDocument {
    /// The delimiter as written, quotes included.
    pub delimiter: Word,
    /// Whether the delimiter is quoted: nothing in the text is expanded.
    pub is_literal: bool,
    /// `<<-`: leading tabs are removed (from [`HereDocument::text`] they are gone already).
    pub strips_tabs: bool,
    /// The text, set by the parser once it has passed it; empty until then.
    pub(crate) text: OnceCell<(BString, u32)>,
    /// The text as a word, once asked.
    pub(crate) word: OnceCell<Result<Word, SyntaxError>>,
}

impl PartialEq for HereDocument {
    fn eq(&self, other: &Self) -> bool {
        self.delimiter == other.delimiter
            && self.strips_tabs == other.strips_tabs
            && self.text() == other.text()
    }
}

impl HereDocument {
    /// Returns the text between the delimiters, each line with its newline.
    pub fn text(&self) -> &[u8] {
        self.text.get().map_or(&[], |(text, _)| text)
    }

    /// Returns the line on which the text begins.
    pub fn text_line(&self) -> u32 {
        self.text.get().map_or(0, |(_, line)| *line)
    }
}
