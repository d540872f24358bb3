//! What begins with `$`, a backquote, `<(` or `>(`.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

use super::command::List;
use super::redirection::{Redirection, RedirectionOperator};
use super::word::Word;
use super::{CommandKind, Connector};
use crate::SyntaxError;

/// `$x` or `${...}`.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterExpansion {
    /// The value of a parameter, perhaps changed.
    Value(ValueExpansion),
    /// `${!prefix*}`, `${!prefix@}`: the names of variables.
    Names {
        /// What the names begin with.
        prefix: BString,
        /// Whether in double quotes they are one word.
        joining: Joining,
    },
    /// `${!name[@]}`, `${!name[*]}`: the indices or keys of an array.
    Keys {
        /// The array.
        name: BString,
        /// Whether in double quotes they are one word.
        joining: Joining,
    },
    /// Anything else between the braces. Bash finds out when it expands it: `${text}: bad substitution`.
    Bad {
        /// The text between the braces.
        text: BString,
    },
}

/// The value of a parameter, and what is done with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueExpansion {
    /// The parameter.
    pub parameter: Parameter,
    /// `${!x...}`: the value of the parameter names the parameter meant.
    pub is_indirect: bool,
    /// What is done with the value.
    pub operation: Operation,
    /// Whether it is written with braces; only for printing.
    pub is_braced: bool,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// A variable.
    Name(BString),
    /// `1` and up. A number too big for the type is the biggest.
    Positional(usize),
    /// `$?` and its like.
    Special(Special),
    /// `name[subscript]`.
    Element {
        /// The array.
        name: BString,
        /// Which elements.
        subscript: Subscript,
    },
}

/// A special parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// `$@`.
    At,
    /// `$*`.
    Star,
    /// `$#`.
    Count,
    /// `$?`.
    Status,
    /// `$-`.
    Flags,
    /// `$$`.
    ProcessId,
    /// `$!`.
    BackgroundId,
    /// `$0`.
    Zero,
}

/// What stands in `[...]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Subscript {
    /// `[@]` or `[*]`.
    All(Joining),
    /// An expression for an indexed array, a key for an associative one. Read as an unquoted word in which
    /// blanks and operators are text, also inside double quotes: its own quotes are quotes.
    Index(Word),
}

/// How several values meet in double quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Joining {
    /// `@`: one word each.
    Separate,
    /// `*`: one word, joined by the first character of `IFS`.
    Joined,
}

/// What `${...}` does with a value.
///
/// Words of patterns are read as unquoted words even inside double quotes (`"${x#'a'}"`: the quotes quote);
/// the word of [`Operation::WhenUnset`] inside double quotes is read as the inside of double quotes; offsets
/// and lengths are arithmetic (see [`Arithmetic`]).
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `${x}`.
    Get,
    /// `${#x}`: characters, elements or positional parameters.
    Length,
    /// `${x-word}`, `${x:=word}`...
    WhenUnset {
        /// What is done.
        action: UnsetAction,
        /// With a colon: empty counts as unset.
        or_empty: bool,
        /// The word.
        word: Word,
    },
    /// `${x#pattern}` and its like.
    Remove {
        /// From which side.
        side: RemoveSide,
        /// The longest match (`##`, `%%`) rather than the shortest.
        is_longest: bool,
        /// The pattern.
        pattern: Word,
    },
    /// `${x/pattern/replacement}` and its like.
    Replace {
        /// Which matches.
        anchor: ReplaceAnchor,
        /// The pattern.
        pattern: Word,
        /// The replacement; `None` when the second slash is missing. In double quotes read as the inside of
        /// double quotes, except that single quotes quote.
        replacement: Option<Word>,
    },
    /// `${x^pattern}` and its like.
    ChangeCase {
        /// The change.
        change: CaseChange,
        /// Every matching character (doubled operator), not only the first.
        is_all: bool,
        /// What a character must match; `None` when nothing is written, which is any.
        pattern: Option<Word>,
    },
    /// `${x:offset:length}`.
    Substring {
        /// Where it begins, an arithmetic expression.
        offset: Word,
        /// How long it is, an arithmetic expression.
        length: Option<Word>,
    },
    /// `${x@Q}` and its like.
    Transform(Transformation),
}

/// What is done when a parameter is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnsetAction {
    /// `-`: the word stands in.
    Default,
    /// `=`: and is assigned.
    Assign,
    /// `?`: the word is an error message.
    Fail,
    /// `+`: the word stands in when it is set.
    Alternate,
}

/// A side of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoveSide {
    /// `#`.
    Prefix,
    /// `%`.
    Suffix,
}

/// Which matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplaceAnchor {
    /// `/`.
    First,
    /// `//`.
    All,
    /// `/#`.
    Prefix,
    /// `/%`.
    Suffix,
}

/// A change of case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseChange {
    /// `^`.
    Upper,
    /// `,`.
    Lower,
    /// `~`.
    Toggle,
}

/// The letter of `${x@...}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transformation {
    /// `Q`.
    Quote,
    /// `E`.
    Escapes,
    /// `P`.
    Prompt,
    /// `A`.
    Assignment,
    /// `K`: keys and quoted values in one word.
    KeysQuoted,
    /// `k`: keys and values, one word each.
    Keys,
    /// `a`.
    Attributes,
    /// `u`.
    UpperFirst,
    /// `U`.
    Upper,
    /// `L`.
    Lower,
}

/// `$(...)` or backquotes.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandSubstitution {
    /// `$(...)`.
    Parenthesised(Rc<List>),
    /// Backquotes.
    Backquoted(Backquoted),
}

/// Text in backquotes, which bash parses when it runs it: an error in it is an error of the substitution only,
/// and its first commands run before it.
#[derive(Debug, Clone)]
pub struct Backquoted {
    /// The text as written.
    pub source: BString,
    /// The text to run: the backslashes that backquotes consume are gone.
    pub text: BString,
    /// The line it begins on.
    pub line: u32,
    /// Whether it is inside double quotes (there `\"` is one of those backslashes).
    pub is_quoted: bool,
    /// The commands once [`Backquoted::list`] was asked.
    pub(crate) parsed: OnceCell<Result<Rc<List>, SyntaxError>>,
}

impl PartialEq for Backquoted {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.is_quoted == other.is_quoted
    }
}

impl CommandSubstitution {
    /// Returns the redirection of `$(< file)`, which stands for the file's content.
    ///
    /// Backquotes may say it as well, but must be parsed to be known: see [`List::as_file_read`].
    pub fn as_file_read(&self) -> Option<&Redirection> {
        match self {
            Self::Parenthesised(list) => list.as_file_read(),
            Self::Backquoted(_) => None,
        }
    }
}

impl List {
    /// Returns the redirection when the list is `< file` alone.
    pub fn as_file_read(&self) -> Option<&Redirection> {
        let [item] = self.items.as_slice() else {
            return None;
        };
        let pipeline = &item.chain.first;
        let is_plain = !item.is_background
            && item.chain.rest.is_empty()
            && !pipeline.is_negated
            && pipeline.time.is_none();
        let [command] = pipeline.commands.as_slice() else {
            return None;
        };
        let CommandKind::Simple(simple) = &command.kind else {
            return None;
        };
        match command.redirections.as_slice() {
            [redirection]
                if is_plain
                    && simple.assignments.is_empty()
                    && simple.arguments.is_empty()
                    && redirection.descriptor.is_none()
                    && redirection.operator == RedirectionOperator::Input =>
            {
                Some(redirection)
            }
            _ => None,
        }
    }
}

/// Arithmetic in a word.
#[derive(Debug, Clone, PartialEq)]
pub struct Arithmetic {
    /// The expression, to be expanded as the inside of double quotes (its parts are read so; `"` in it is a
    /// quote and goes away), then evaluated.
    pub expression: Word,
    /// How it is written.
    pub style: ArithmeticStyle,
}

/// The two ways to write [`Arithmetic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithmeticStyle {
    /// `$((...))`.
    Parenthesised,
    /// `$[...]`.
    Bracketed,
}

/// `<(...)`, `>(...)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessSubstitution {
    /// Which way.
    pub direction: ProcessDirection,
    /// The commands.
    pub list: Rc<List>,
}

/// Which end of the pipe the word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessDirection {
    /// `<(...)`: the word is read from.
    Read,
    /// `>(...)`: the word is written to.
    Write,
}

impl Connector {
    /// Returns the operator as written.
    pub fn text(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}
