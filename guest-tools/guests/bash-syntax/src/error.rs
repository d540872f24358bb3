//! Why text is not a script, in bash's words.

use bstr::BString;

/// A syntax error.
///
/// Bash prints `NAME: line LINE: MESSAGE`, and when there is a source line, on a second line
/// `NAME: line LINE: ` followed by the source line in `` `' ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// The line.
    pub line: u32,
    /// The message without any prefix.
    pub message: BString,
    /// The line of the source that bash shows.
    pub source_line: Option<BString>,
    /// How a script goes on.
    pub recovery: Recovery,
}

/// How a script goes on after a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// It ends with status 2.
    Ends,
    /// It ends with the status of the command before: an error inside `[[ ]]`.
    EndsAsBefore,
    /// The next line runs: an error inside `name=( )`.
    NextLine,
}

/// The kinds of syntax errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The text ends too early: more text may make it right.
    Incomplete,
    /// The text is wrong whatever follows.
    Invalid,
    /// The text is nested more deeply than the parser follows.
    TooDeep,
}

/// Something that bash complains about and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line.
    pub line: u32,
    /// The message, with `warning: ` before it and without any other prefix.
    pub message: BString,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for SyntaxError {}
