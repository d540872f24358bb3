//! The state of reading one complete command.

use std::collections::HashSet;
use std::rc::Rc;

use bstr::BString;

use super::input::Input;
use super::token::Lexed;
use crate::ast::HereDocument;
use crate::{Aliases, ErrorKind, ParseOptions, Recovery, SyntaxError, Warning};

/// The result of reading; the error is boxed to keep frames small, which recursion needs.
pub(super) type Parsed<T> = Result<T, Box<SyntaxError>>;

/// Bounds nesting of commands, substitutions and quotes: each level takes stack, and a stack overflow is a
/// trap.
pub(super) const NESTING_MAX: u32 = 1_000;

/// A here-document whose text has not come yet.
pub(super) struct PendingDocument {
    pub(super) document: Rc<HereDocument>,
    /// The delimiter without quotes.
    pub(super) end: BString,
    /// The line of the redirection, for the warning.
    pub(super) line: u32,
}

/// The state of reading. Topics have their own files: tokens, words, expansions, commands, conditions,
/// here-documents.
pub(super) struct Reader<'a> {
    pub(super) input: Input,
    pub(super) options: ParseOptions,
    pub(super) aliases: &'a dyn Aliases,
    /// The token that was looked at but not taken.
    pub(super) token: Option<Lexed>,
    /// Whether a reserved word is seen as such here: not behind an ordinary word.
    pub(super) is_reserved_acceptable: bool,
    /// Whether `time` is seen as such here.
    pub(super) is_time_acceptable: bool,
    pub(super) pending: Vec<PendingDocument>,
    pub(super) warnings: Vec<Warning>,
    pub(super) depth: u32,
    /// How many command substitutions the reading is in.
    pub(super) substitutions: u32,
    /// Positions in the script of `((` that is no arithmetic and of `${` that is no expansion, which is only
    /// known after trying: a nest of them would otherwise be tried again and again.
    pub(super) dead_ends: HashSet<usize>,
    /// Whether the text ended within a here-document.
    pub(super) has_open_document: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Input, options: ParseOptions, aliases: &'a dyn Aliases) -> Self {
        Self {
            input,
            options,
            aliases,
            token: None,
            is_reserved_acceptable: true,
            is_time_acceptable: true,
            pending: Vec::new(),
            warnings: Vec::new(),
            depth: 0,
            substitutions: 0,
            dead_ends: HashSet::new(),
            has_open_document: false,
        }
    }

    /// Goes one level deeper. After an error nothing is read on, so only success needs [`Self::leave`].
    pub(super) fn enter(&mut self) -> Parsed<()> {
        if self.depth >= NESTING_MAX {
            return Err(self.error_here(ErrorKind::TooDeep, "syntax error: nested too deeply"));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Makes an error at the present line.
    pub(super) fn error_here(
        &mut self,
        kind: ErrorKind,
        message: impl Into<BString>,
    ) -> Box<SyntaxError> {
        Box::new(SyntaxError {
            kind,
            line: self.input.line(),
            message: message.into(),
            source_line: None,
            recovery: Recovery::Ends,
        })
    }

    /// Makes the error of a construct that begins at `line` and has no end.
    pub(super) fn error_unclosed(&mut self, close: &str, line: u32) -> Box<SyntaxError> {
        Box::new(SyntaxError {
            kind: ErrorKind::Incomplete,
            line,
            message: format!("unexpected EOF while looking for matching `{close}'").into(),
            source_line: None,
            recovery: Recovery::Ends,
        })
    }
}
