//! Tokens: operators, words, redirection operators.

use bstr::{BString, ByteSlice};

use super::assignment::is_name_byte;
use super::reader::{Parsed, Reader};
use super::unquoted::Stop;
use crate::ErrorKind;
use crate::Recovery;
use crate::SyntaxError;
use crate::ast::{Assignment, Descriptor, RedirectionOperator, Word};
use crate::print::print_word;

/// A token and where it is.
#[derive(Debug)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) line: u32,
}

/// A token.
#[derive(Debug)]
pub(super) enum Token {
    Word(Word),
    Assignment(Box<Assignment>),
    /// `((...))`.
    Arithmetic(Word),
    Redirection(Option<Descriptor>, RedirectionOperator, bool),
    Operator(Operator),
    End,
}

/// A control operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Newline,
    Semicolon,
    Ampersand,
    And,
    Or,
    Pipe,
    PipeBoth,
    Open,
    Close,
    CaseLeave,
    CaseFallThrough,
    CaseContinue,
}

impl Operator {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Newline => "newline",
            Self::Semicolon => ";",
            Self::Ampersand => "&",
            Self::And => "&&",
            Self::Or => "||",
            Self::Pipe => "|",
            Self::PipeBoth => "|&",
            Self::Open => "(",
            Self::Close => ")",
            Self::CaseLeave => ";;",
            Self::CaseFallThrough => ";&",
            Self::CaseContinue => ";;&",
        }
    }
}

/// Where a token is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where a command may begin: reserved words, aliases, `((`.
    Command,
    /// Behind assignments or redirections: assignments, aliases, no reserved words.
    CommandName,
    /// Arguments.
    Argument,
    /// Arguments of a command that assigns.
    Declaration,
    /// Patterns of `case`, names: no aliases.
    Plain,
    /// In `[[ ]]`.
    Condition,
    /// The pattern in `[[ x == pattern ]]`.
    ConditionPattern,
    /// The regular expression in `[[ x =~ regex ]]`.
    ConditionRegex,
}

impl Reader<'_> {
    /// Looks at the next token; `place` counts only when it was not looked at before.
    pub(super) fn peek_token(&mut self, place: Place) -> Parsed<&Token> {
        if self.token.is_none() {
            let lexed = self.lex(place)?;
            self.token = Some(lexed);
        }
        Ok(self
            .token
            .as_ref()
            .map_or(&Token::End, |lexed| &lexed.token))
    }

    /// Takes the token that was looked at.
    pub(super) fn take_token(&mut self, place: Place) -> Parsed<Lexed> {
        match self.token.take() {
            Some(lexed) => Ok(lexed),
            None => self.lex(place),
        }
    }

    /// Takes an operator that was looked at: behind it, a command may begin.
    pub(super) fn take_operator(&mut self) {
        let operator = self.token.take();
        self.is_reserved_acceptable = true;
        self.is_time_acceptable = !matches!(
            operator.map(|lexed| lexed.token),
            Some(Token::Operator(Operator::Pipe | Operator::PipeBoth))
        );
    }

    /// Returns the operator that is next, if it is one.
    pub(super) fn peek_operator(&mut self, place: Place) -> Parsed<Option<Operator>> {
        match self.peek_token(place)? {
            Token::Operator(operator) => Ok(Some(*operator)),
            _ => Ok(None),
        }
    }

    /// Returns the line of the token that was looked at.
    pub(super) fn token_line(&mut self) -> u32 {
        match &self.token {
            Some(lexed) => lexed.line,
            None => self.input.line(),
        }
    }

    pub(super) fn skip_newlines(&mut self, place: Place) -> Parsed<()> {
        while self.peek_operator(place)? == Some(Operator::Newline) {
            let is_time_acceptable = self.is_time_acceptable;
            self.take_operator();
            self.is_time_acceptable = is_time_acceptable;
        }
        Ok(())
    }

    /// The error of meeting the next token where it cannot be.
    pub(super) fn unexpected(&mut self, place: Place) -> Box<SyntaxError> {
        if let Err(error) = self.peek_token(place) {
            return error;
        }
        let Some(lexed) = self.token.take() else {
            return self.error_here(
                ErrorKind::Incomplete,
                "syntax error: unexpected end of file",
            );
        };
        let text = match &lexed.token {
            Token::End => {
                let close = self.substitutions > 0;
                let line = self.input.line();
                return if close {
                    self.error_unclosed(")", line)
                } else {
                    self.error_here(
                        ErrorKind::Incomplete,
                        "syntax error: unexpected end of file",
                    )
                };
            }
            Token::Operator(operator) => BString::from(operator.text()),
            Token::Word(word) => print_word(word),
            Token::Assignment(assignment) => print_word(&assignment.to_word()),
            Token::Arithmetic(_) => BString::from("(("),
            Token::Redirection(Some(Descriptor::Number(number)), ..) => {
                BString::from(number.to_string())
            }
            Token::Redirection(_, operator, strips_tabs) => {
                BString::from(operator_text(*operator, *strips_tabs))
            }
        };
        let is_newline = matches!(lexed.token, Token::Operator(Operator::Newline));
        let line = if is_newline {
            lexed.line
        } else {
            self.input.line()
        };
        let mut message = BString::from("syntax error near unexpected token `");
        message.extend_from_slice(&text);
        message.push(b'\'');
        Box::new(SyntaxError {
            kind: ErrorKind::Invalid,
            line,
            message,
            source_line: Some(self.input.line_text()),
            recovery: Recovery::Ends,
        })
    }

    fn lex(&mut self, place: Place) -> Parsed<Lexed> {
        loop {
            self.skip_blanks();
            let line = self.input.line();
            let token = match self.input.peek() {
                None => Token::End,
                Some(b'\n') => {
                    self.input.advance();
                    self.read_here_documents();
                    Token::Operator(Operator::Newline)
                }
                Some(b'<' | b'>') if self.input.peek_at(1) == Some(b'(') => {
                    Token::Word(self.read_token_word(place)?)
                }
                Some(b'(' | b'|') if place == Place::ConditionRegex => {
                    Token::Word(self.read_token_word(place)?)
                }
                Some(b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') => self.lex_operator(place)?,
                Some(byte) => {
                    if let Some(token) = self.lex_descriptor(byte, place)? {
                        token
                    } else {
                        match self.lex_word(place)? {
                            Some(token) => token,
                            None => continue,
                        }
                    }
                }
            };
            return Ok(Lexed { token, line });
        }
    }

    /// Passes blanks, line continuations and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.input.peek() {
                Some(b' ' | b'\t') => self.input.advance(),
                Some(b'\\')
                    if self.input.peek_at(1) == Some(b'\n') && !self.input.is_last_newline(1) =>
                {
                    self.input.skip_continuations();
                }
                Some(b'#') if self.options.comments => {
                    let rest = self.input.rest();
                    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    self.input.skip(length);
                    // The text of an alias has no newline at its end: the comment goes on below it.
                    if self.input.peek().is_none_or(|byte| byte == b'\n') {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    /// Reads an operator.
    fn lex_operator(&mut self, place: Place) -> Parsed<Token> {
        if place == Place::Command
            && self.is_reserved_acceptable
            && (self.input.peek(), self.input.peek_at(1)) == (Some(b'('), Some(b'('))
            && let Some(word) = self.read_arithmetic_command()?
        {
            return Ok(Token::Arithmetic(word));
        }
        let first = self.input.bump();
        self.input.skip_continuations();
        let second = self.input.peek();
        let is_condition = matches!(
            place,
            Place::Condition | Place::ConditionPattern | Place::ConditionRegex
        );
        let operator = match (first, second) {
            (Some(b';'), Some(b';')) => {
                self.input.advance();
                self.input.skip_continuations();
                if self.input.accept(b'&') {
                    Operator::CaseContinue
                } else {
                    Operator::CaseLeave
                }
            }
            (Some(b';'), Some(b'&')) => self.second(Operator::CaseFallThrough),
            (Some(b';'), _) => Operator::Semicolon,
            (Some(b'&'), Some(b'&')) => self.second(Operator::And),
            (Some(b'&'), Some(b'>')) => {
                self.input.advance();
                let operator = if self.input.accept(b'>') {
                    RedirectionOperator::AppendOutputAndError
                } else {
                    RedirectionOperator::OutputAndError
                };
                return Ok(Token::Redirection(None, operator, false));
            }
            (Some(b'&'), _) => Operator::Ampersand,
            (Some(b'|'), Some(b'|')) => self.second(Operator::Or),
            (Some(b'|'), Some(b'&')) => self.second(Operator::PipeBoth),
            (Some(b'|'), _) => Operator::Pipe,
            (Some(b'('), _) => Operator::Open,
            (Some(b')'), _) => Operator::Close,
            (Some(b'<'), _) if is_condition => {
                return Ok(Token::Redirection(None, RedirectionOperator::Input, false));
            }
            (Some(b'>'), _) if is_condition => {
                return Ok(Token::Redirection(None, RedirectionOperator::Output, false));
            }
            (Some(byte), _) => {
                let (operator, strips_tabs) = self.lex_redirection(byte);
                return Ok(Token::Redirection(None, operator, strips_tabs));
            }
            (None, _) => return Ok(Token::End),
        };
        Ok(Token::Operator(operator))
    }

    fn second(&mut self, operator: Operator) -> Operator {
        self.input.advance();
        operator
    }

    /// Reads the rest of an operator that begins with `<` or `>`, which is passed.
    fn lex_redirection(&mut self, first: u8) -> (RedirectionOperator, bool) {
        self.input.skip_continuations();
        let operator = match (first, self.input.peek()) {
            (b'<', Some(b'<')) => {
                self.input.advance();
                self.input.skip_continuations();
                match self.input.peek() {
                    Some(b'<') => RedirectionOperator::HereString,
                    Some(b'-') => {
                        self.input.advance();
                        return (RedirectionOperator::HereDocument, true);
                    }
                    _ => return (RedirectionOperator::HereDocument, false),
                }
            }
            (b'<', Some(b'&')) => RedirectionOperator::DuplicateInput,
            (b'<', Some(b'>')) => RedirectionOperator::ReadWrite,
            (b'<', _) => return (RedirectionOperator::Input, false),
            (_, Some(b'>')) => RedirectionOperator::Append,
            (_, Some(b'&')) => RedirectionOperator::DuplicateOutput,
            (_, Some(b'|')) => RedirectionOperator::Clobber,
            _ => return (RedirectionOperator::Output, false),
        };
        self.input.advance();
        (operator, false)
    }

    /// Reads `2>` and `{name}>`.
    fn lex_descriptor(&mut self, byte: u8, place: Place) -> Parsed<Option<Token>> {
        if matches!(
            place,
            Place::Condition | Place::ConditionPattern | Place::ConditionRegex
        ) {
            return Ok(None);
        }
        let rest = self.input.rest();
        let length = match byte {
            b'0'..=b'9' => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
            b'{' => match rest
                .get(1..)
                .and_then(|rest| rest.find_byteset(b"} \t\n<>;&|(){\\\"'"))
            {
                Some(at) if rest.get(at + 1) == Some(&b'}') => at + 2,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let Some(first @ (b'<' | b'>')) = self.input.peek_at(length) else {
            return Ok(None);
        };
        // `2<(...)` is a word.
        if self.input.peek_at(length + 1) == Some(b'(') {
            return Ok(None);
        }
        let text = rest.get(..length).unwrap_or_default();
        let descriptor = if byte == b'{' {
            let name = text.get(1..length - 1).unwrap_or_default();
            let base = name.iter().take_while(|byte| is_name_byte(**byte)).count();
            let is_element = name.get(base) == Some(&b'[') && name.last() == Some(&b']');
            let is_name = base > 0
                && !name.first().is_some_and(u8::is_ascii_digit)
                && (base == name.len() || is_element);
            if !is_name {
                return Ok(None);
            }
            Descriptor::Variable(BString::from(name))
        } else {
            match text.to_str().ok().and_then(|text| text.parse().ok()) {
                Some(number) => Descriptor::Number(number),
                None => return Ok(None),
            }
        };
        self.input.skip(length);
        self.input.peek();
        self.input.advance();
        let (operator, strips_tabs) = self.lex_redirection(first);
        Ok(Some(Token::Redirection(
            Some(descriptor),
            operator,
            strips_tabs,
        )))
    }

    /// Reads a word or an assignment; `None` when it was an alias, whose text comes next.
    fn lex_word(&mut self, place: Place) -> Parsed<Option<Token>> {
        let may_assign = matches!(
            place,
            Place::Command | Place::CommandName | Place::Declaration
        );
        let expands_next = std::mem::take(&mut self.input.expands_next);
        if may_assign {
            let assignment = self.read_assignment(place == Place::Declaration)?;
            if let Some(token) = assignment {
                return Ok(Some(token));
            }
        }
        let word = self.read_token_word(place)?;
        let is_command_name = matches!(place, Place::Command | Place::CommandName);
        if self.options.expand_aliases
            && (is_command_name || (expands_next && place != Place::Plain))
        {
            let literal = word
                .as_literal()
                .filter(|name| !self.input.is_in_alias(name));
            let is_reserved = self.options.posix
                && place == Place::Command
                && self.is_reserved_acceptable
                && literal.is_some_and(|name| super::reserved::Reserved::from_text(name).is_some());
            if let Some(name) = literal.filter(|_| !is_reserved)
                && let Some(value) = self.aliases.value(name)
            {
                self.input.push_alias(name, value);
                return Ok(None);
            }
        }
        Ok(Some(Token::Word(word)))
    }

    fn read_token_word(&mut self, place: Place) -> Parsed<Word> {
        let extglob = self.options.extglob || place == Place::ConditionPattern;
        let stop = if place == Place::ConditionRegex {
            Stop::Regex
        } else {
            Stop::Word { extglob }
        };
        self.read_unquoted(stop)
    }
}

/// Returns how a redirection operator is written.
pub(super) fn operator_text(operator: RedirectionOperator, strips_tabs: bool) -> &'static str {
    match operator {
        RedirectionOperator::Input => "<",
        RedirectionOperator::Output => ">",
        RedirectionOperator::Append => ">>",
        RedirectionOperator::Clobber => ">|",
        RedirectionOperator::ReadWrite => "<>",
        RedirectionOperator::DuplicateInput => "<&",
        RedirectionOperator::DuplicateOutput => ">&",
        RedirectionOperator::OutputAndError => "&>",
        RedirectionOperator::AppendOutputAndError => "&>>",
        RedirectionOperator::HereString => "<<<",
        RedirectionOperator::HereDocument if strips_tabs => "<<-",
        RedirectionOperator::HereDocument => "<<",
    }
}
