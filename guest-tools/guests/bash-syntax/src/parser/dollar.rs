//! What begins with `$`, a backquote, `<(` or `>(`.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

use super::ansi;
use super::assignment::is_name_byte;
use super::parts::Parts;
use super::quoted::QuotedStop;
use super::reader::{Parsed, Reader};
use super::token::{Operator, Place};
use crate::ErrorKind;
use crate::ast::{
    Arithmetic, ArithmeticStyle, Backquoted, CommandSubstitution, List, Operation, Parameter,
    ParameterExpansion, ProcessDirection, ProcessSubstitution, Special, ValueExpansion, Word,
    WordPart,
};

impl Reader<'_> {
    /// Reads what begins with `$` or a backquote, which is next.
    pub(super) fn read_dollar_into(&mut self, is_quoted: bool, parts: &mut Parts) -> Parsed<()> {
        if self.input.peek() == Some(b'`') {
            let part = self.read_backquotes(is_quoted)?;
            parts.push(part);
            return Ok(());
        }
        self.input.advance();
        self.input.skip_continuations();
        match self.input.peek() {
            Some(b'(') => {
                let part = self.read_parenthesised()?;
                parts.push(part);
            }
            Some(b'[') => {
                let part = self.read_bracketed()?;
                parts.push(part);
            }
            Some(b'{') => {
                let expansion = self.read_braces(is_quoted)?;
                parts.push(WordPart::Parameter(Box::new(expansion)));
            }
            Some(b'\'') if !is_quoted => {
                let part = WordPart::AnsiQuoted(self.read_ansi_quotes()?);
                parts.push(part);
            }
            Some(b'"') if !is_quoted => {
                let part = WordPart::LocaleQuoted(self.read_double_quotes()?);
                parts.push(part);
            }
            Some(byte) => match self.read_plain_parameter(byte) {
                Some(parameter) => parts.push(WordPart::Parameter(Box::new(
                    ParameterExpansion::Value(ValueExpansion {
                        parameter,
                        is_indirect: false,
                        operation: Operation::Get,
                        is_braced: false,
                    }),
                ))),
                None => parts.push_byte(b'$'),
            },
            None => parts.push_byte(b'$'),
        }
        Ok(())
    }

    /// Reads the parameter of `$x`.
    fn read_plain_parameter(&mut self, byte: u8) -> Option<Parameter> {
        if byte.is_ascii_digit() {
            self.input.advance();
            return Some(match byte {
                b'0' => Parameter::Special(Special::Zero),
                digit => Parameter::Positional(usize::from(digit - b'0')),
            });
        }
        if let Some(special) = special(byte) {
            self.input.advance();
            return Some(Parameter::Special(special));
        }
        let name = self.read_name();
        if name.is_empty() {
            None
        } else {
            Some(Parameter::Name(name))
        }
    }

    /// Reads a name; empty when there is none.
    pub(super) fn read_name(&mut self) -> BString {
        let mut name = BString::default();
        if self.input.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return name;
        }
        loop {
            let rest = self.input.rest();
            let length = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
            name.extend_from_slice(rest.get(..length).unwrap_or_default());
            self.input.skip(length);
            if self.input.peek() != Some(b'\\') || self.input.peek_at(1) != Some(b'\n') {
                return name;
            }
            self.input.skip_continuations();
            if self.input.peek() == Some(b'\\') {
                return name;
            }
        }
    }

    /// Reads `$((...))` or `$(...)`, of which the first parenthesis is next.
    fn read_parenthesised(&mut self) -> Parsed<WordPart> {
        self.enter()?;
        let is_doubled = self.input.peek_at(1) == Some(b'(');
        let line = self.input.line();
        let expression = if is_doubled {
            self.try_arithmetic()?
        } else {
            None
        };
        let part = if let Some(expression) = expression {
            WordPart::Arithmetic(Rc::new(Arithmetic {
                expression,
                style: ArithmeticStyle::Parenthesised,
            }))
        } else {
            self.input.advance();
            let list = self.read_substituted_list().map_err(|mut error| {
                // Bash has looked for the end before it knew that these are commands.
                if is_doubled && error.kind == ErrorKind::Incomplete {
                    error.line = line;
                }
                error
            })?;
            WordPart::Command(Rc::new(CommandSubstitution::Parenthesised(Rc::new(list))))
        };
        self.leave();
        Ok(part)
    }

    /// Reads `((...))`, of which the first parenthesis is next, if it is arithmetic.
    pub(super) fn read_arithmetic_command(&mut self) -> Parsed<Option<Word>> {
        self.enter()?;
        let expression = self.try_arithmetic()?;
        self.leave();
        Ok(expression)
    }

    /// Reads `((...))`, or returns to where it begins when it does not end in `))`.
    fn try_arithmetic(&mut self) -> Parsed<Option<Word>> {
        let place = self.input.place();
        if place.is_some_and(|place| self.dead_ends.contains(&place)) {
            return Ok(None);
        }
        let start = self.input.clone();
        let (depth, substitutions, warnings) =
            (self.depth, self.substitutions, self.warnings.len());
        let line = self.input.line();
        self.input.skip(2);
        match self.read_quoted(QuotedStop::Parenthesis) {
            Ok(word) => {
                if self.input.peek().is_none() {
                    return Err(self.error_unclosed(")", line));
                }
                self.input.advance();
                if self.input.accept(b')') {
                    return Ok(Some(word));
                }
            }
            Err(error) if error.kind == ErrorKind::TooDeep => return Err(error),
            // What is an error in arithmetic may be a command: its own error is reported then.
            Err(_) => {}
        }
        self.dead_ends.extend(place);
        self.input = start;
        self.token = None;
        self.depth = depth;
        self.substitutions = substitutions;
        self.warnings.truncate(warnings);
        Ok(None)
    }

    /// Reads the commands of a substitution and the parenthesis behind them.
    pub(super) fn read_substituted_list(&mut self) -> Parsed<List> {
        let token = self.token.take();
        let pending = std::mem::take(&mut self.pending);
        let is_reserved_acceptable = std::mem::replace(&mut self.is_reserved_acceptable, true);
        let is_time_acceptable = std::mem::replace(&mut self.is_time_acceptable, true);
        self.substitutions += 1;
        let list = self.parse_list_or_nothing()?;
        if self.peek_operator(Place::Command)? != Some(Operator::Close) {
            return Err(self.unexpected(Place::Command));
        }
        self.substitutions -= 1;
        self.token = token;
        self.is_reserved_acceptable = is_reserved_acceptable;
        self.is_time_acceptable = is_time_acceptable;
        self.warn_of_pending();
        self.pending.splice(..0, pending);
        Ok(list)
    }

    /// Reads `<(...)`, `>(...)`.
    pub(super) fn read_process(&mut self) -> Parsed<WordPart> {
        self.enter()?;
        let direction = if self.input.bump() == Some(b'<') {
            ProcessDirection::Read
        } else {
            ProcessDirection::Write
        };
        self.input.advance();
        let list = self.read_substituted_list()?;
        self.leave();
        Ok(WordPart::Process(Rc::new(ProcessSubstitution {
            direction,
            list: Rc::new(list),
        })))
    }

    /// Reads `$[...]`, of which the bracket is next.
    fn read_bracketed(&mut self) -> Parsed<WordPart> {
        let line = self.input.line();
        self.enter()?;
        self.input.advance();
        let expression = self.read_quoted(QuotedStop::Bracket)?;
        self.leave();
        if !self.input.accept(b']') {
            return Err(self.error_unclosed("]", line));
        }
        Ok(WordPart::Arithmetic(Rc::new(Arithmetic {
            expression,
            style: ArithmeticStyle::Bracketed,
        })))
    }

    /// Reads `` `...` ``.
    pub(super) fn read_backquotes(&mut self, is_quoted: bool) -> Parsed<WordPart> {
        let line = self.input.line();
        self.input.advance();
        let mut source = BString::default();
        let mut text = BString::default();
        loop {
            let rest = self.input.rest();
            let run = memchr::memchr2(b'`', b'\\', rest).unwrap_or(rest.len());
            let plain = rest.get(..run).unwrap_or_default();
            source.extend_from_slice(plain);
            text.extend_from_slice(plain);
            self.input.skip(run);
            match self.input.bump() {
                None => return Err(self.error_unclosed("`", line)),
                Some(b'`') => break,
                Some(backslash) => {
                    let Some(next) = self.input.bump() else {
                        return Err(self.error_unclosed("`", line));
                    };
                    if next == b'\n' {
                        continue;
                    }
                    source.push(backslash);
                    source.push(next);
                    let is_removed =
                        matches!(next, b'$' | b'`' | b'\\') || (is_quoted && next == b'"');
                    if !is_removed {
                        text.push(backslash);
                    }
                    text.push(next);
                }
            }
        }
        Ok(WordPart::Command(Rc::new(CommandSubstitution::Backquoted(
            Backquoted {
                source,
                text,
                line,
                is_quoted,
                parsed: OnceCell::new(),
            },
        ))))
    }

    /// Reads `$'...'`, of which the quote is next; returns what it stands for.
    pub(super) fn read_ansi_quotes(&mut self) -> Parsed<BString> {
        let line = self.input.line();
        self.input.advance();
        let mut raw = BString::default();
        loop {
            let rest = self.input.rest();
            let run = memchr::memchr2(b'\'', b'\\', rest).unwrap_or(rest.len());
            raw.extend_from_slice(rest.get(..run).unwrap_or_default());
            self.input.skip(run);
            match self.input.bump() {
                None => return Err(self.error_unclosed("'", line)),
                Some(b'\'') => break,
                Some(backslash) => {
                    raw.push(backslash);
                    if let Some(next) = self.input.bump() {
                        raw.push(next);
                    }
                }
            }
        }
        Ok(ansi::decode(&raw))
    }
}

/// Returns the special parameter that is written so.
pub(super) fn special(byte: u8) -> Option<Special> {
    Some(match byte {
        b'@' => Special::At,
        b'*' => Special::Star,
        b'#' => Special::Count,
        b'?' => Special::Status,
        b'-' => Special::Flags,
        b'$' => Special::ProcessId,
        b'!' => Special::BackgroundId,
        _ => return None,
    })
}
