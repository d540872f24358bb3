//! Words: a list of parts that keeps all quoting.

use std::rc::Rc;

use bstr::{BStr, BString};

use super::expansion::{Arithmetic, CommandSubstitution, ParameterExpansion, ProcessSubstitution};

/// A word before any expansion.
///
/// Neighbouring literals are one part. A line continuation (backslash newline) has left no trace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Word {
    /// The parts in order; none for the empty word, which only stands where a word is optional (`x=`,
    /// `${x:-}`). `''` has one part.
    pub parts: Vec<WordPart>,
}

/// A part of a word.
///
/// Inside [`WordPart::DoubleQuoted`], and in a word that was read as the inside of double quotes (the words of
/// `"${x:-word}"`, here-documents, arithmetic), a literal is quoted text.
#[derive(Debug, Clone, PartialEq)]
pub enum WordPart {
    /// Unquoted text. Its `*?[]` are pattern characters, its `{,..}` may be a brace expansion, its `~` may be
    /// a tilde prefix. Extended pattern groups such as `@(a|b c)` are here as they stand: blanks and operators
    /// within the parentheses belong to the text, and quoted parts within a group are parts of their own
    /// between the literals.
    Literal(BString),
    /// A character (all its bytes) quoted by a backslash, without the backslash. In double quotes only the
    /// characters that a backslash quotes there; before any other it is literal text.
    Escaped(BString),
    /// `'...'`: the text between the quotes.
    SingleQuoted(BString),
    /// `$'...'`: the text that it stands for. Bash forgets the spelling, too: it prints as `'...'`.
    AnsiQuoted(BString),
    /// `"..."`.
    DoubleQuoted(Vec<WordPart>),
    /// `$"..."`: in the C and C.UTF-8 locales the same as `"..."`, and printed so.
    LocaleQuoted(Vec<WordPart>),
    /// `$x`, `${...}`.
    Parameter(Box<ParameterExpansion>),
    /// `$(...)` or backquotes.
    Command(Rc<CommandSubstitution>),
    /// `$((...))` or `$[...]`.
    Arithmetic(Rc<Arithmetic>),
    /// `<(...)`, `>(...)`.
    Process(Rc<ProcessSubstitution>),
}

impl Word {
    /// Makes a word of one literal; the empty word from empty text.
    pub fn literal(text: impl Into<BString>) -> Self {
        let text = text.into();
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![WordPart::Literal(text)]
        };
        Self { parts }
    }

    /// Returns the text when the word is nothing but unquoted text.
    pub fn as_literal(&self) -> Option<&BStr> {
        match self.parts.as_slice() {
            [] => Some(BStr::new("")),
            [WordPart::Literal(text)] => Some(text.as_ref()),
            _ => None,
        }
    }

    /// Returns whether any part is quoted: `'x'`, `"x"`, `\x`, also when it quotes nothing. It makes a
    /// here-document literal, and keeps an alias or a reserved word from being seen.
    pub fn has_quotes(&self) -> bool {
        self.parts.iter().any(|part| {
            matches!(
                part,
                WordPart::Escaped(_)
                    | WordPart::SingleQuoted(_)
                    | WordPart::AnsiQuoted(_)
                    | WordPart::DoubleQuoted(_)
                    | WordPart::LocaleQuoted(_)
            )
        })
    }
}
