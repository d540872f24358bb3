//! Simple commands and function definitions.

use std::rc::Rc;

use bstr::ByteSlice;

use super::reader::{Parsed, Reader};
use super::reserved::Reserved;
use super::token::{Operator, Place, Token};
use crate::ast::{
    Argument, Assignment, Command, CommandKind, FunctionDefinition, Redirection, SimpleCommand,
    Word,
};
use crate::print::print_word;

/// What kind of arguments a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    Words,
    /// Assignments, compound ones, too.
    Assignments,
    /// `eval`, `let`: compound assignments are read, but stay words.
    Text,
    /// `command` in POSIX mode: what follows may take assignments, but only scalar ones are read.
    Prefix,
    Scalars,
}

impl Taking {
    fn of(word: &Word, is_posix: bool) -> Self {
        match word.as_literal().map(|text| text.as_bytes()) {
            Some(b"declare" | b"typeset" | b"local" | b"export" | b"readonly" | b"alias") => {
                Self::Assignments
            }
            Some(b"eval" | b"let") => Self::Text,
            Some(b"command") if is_posix => Self::Prefix,
            _ => Self::Words,
        }
    }

    /// What a command takes once `word` has followed a prefix.
    fn behind_prefix(word: &Word) -> Self {
        match Self::of(word, true) {
            Self::Assignments => Self::Scalars,
            Self::Prefix => Self::Prefix,
            _ => Self::Words,
        }
    }
}

impl Reader<'_> {
    /// Reads a simple command, or the definition of a function. `first` is its first word when it is taken
    /// already.
    pub(super) fn parse_simple(&mut self, first: Option<Word>, line: u32) -> Parsed<Command> {
        let mut simple = SimpleCommand::default();
        let mut redirections = Vec::new();
        let mut taking = Taking::Words;
        let mut place = Place::Command;
        if let Some(word) = first {
            taking = Taking::of(&word, self.options.posix);
            simple.arguments.push(Argument::Word(word));
            place = argument_place(taking);
        }
        loop {
            match self.peek_token(place)? {
                Token::Redirection(..) => {
                    let redirection = self.parse_redirection(place)?;
                    redirections.push(redirection);
                }
                Token::Word(_) | Token::Assignment(_) => {
                    let token = self.take_token(place)?.token;
                    self.is_reserved_acceptable = false;
                    self.push_token(token, &mut simple, &mut taking);
                }
                Token::Operator(Operator::Open) if redirections.is_empty() => {
                    if let Some(name) = only_word(&simple) {
                        let name = name.clone();
                        return self.parse_function_body(&name, false, line);
                    }
                    return Err(self.unexpected(place));
                }
                _ => break,
            }
            place = if simple.arguments.is_empty() {
                Place::CommandName
            } else {
                argument_place(taking)
            };
        }
        if simple.arguments.is_empty() && simple.assignments.is_empty() && redirections.is_empty() {
            return Err(self.unexpected(place));
        }
        Ok(Command {
            line,
            kind: CommandKind::Simple(simple),
            redirections,
        })
    }

    fn push_token(&mut self, token: Token, simple: &mut SimpleCommand, taking: &mut Taking) {
        let argument = match token {
            Token::Assignment(assignment) if simple.arguments.is_empty() => {
                simple.assignments.push(*assignment);
                return;
            }
            Token::Assignment(assignment) if *taking == Taking::Assignments => {
                Argument::Assignment(assignment)
            }
            Token::Assignment(assignment) => Argument::Word(assignment.to_word()),
            Token::Word(word) => {
                if simple.arguments.is_empty() {
                    *taking = Taking::of(&word, self.options.posix);
                } else if *taking == Taking::Prefix {
                    *taking = Taking::behind_prefix(&word);
                }
                match Assignment::from_word(&word).filter(|_| *taking == Taking::Scalars) {
                    Some(assignment) => Argument::Assignment(Box::new(assignment)),
                    None => Argument::Word(word),
                }
            }
            _ => return,
        };
        simple.arguments.push(argument);
    }

    /// Reads the rest of a function definition, from its parentheses on, if it has any.
    pub(super) fn parse_function_body(
        &mut self,
        name: &Word,
        has_keyword: bool,
        line: u32,
    ) -> Parsed<Command> {
        // Behind `function name`, a parenthesis may also begin the body.
        if self.peek_operator(Place::Command)? == Some(Operator::Open) {
            self.skip_blanks();
            if !has_keyword || self.input.peek() == Some(b')') {
                self.take_operator();
                self.expect_operator(Operator::Close, Place::Plain)?;
            }
        }
        self.is_reserved_acceptable = true;
        self.skip_newlines(Place::Command)?;
        if !self.is_compound_next()? {
            return Err(self.unexpected(Place::Command));
        }
        let body = Rc::new(self.parse_command()?);
        Ok(Command {
            line,
            kind: CommandKind::Function(Rc::new(FunctionDefinition {
                name: print_word(name),
                body,
                has_keyword,
                line,
            })),
            redirections: Vec::new(),
        })
    }

    /// Whether a compound command is next.
    pub(super) fn is_compound_next(&mut self) -> Parsed<bool> {
        if let Some(reserved) = self.peek_reserved(Place::Command)? {
            return Ok(reserved.opens_compound());
        }
        Ok(matches!(
            self.peek_token(Place::Command)?,
            Token::Operator(Operator::Open) | Token::Arithmetic(_)
        ))
    }

    /// Reads `function name ...`, of which the first word is taken.
    pub(super) fn parse_function(&mut self, line: u32) -> Parsed<Command> {
        let name = self.take_plain_word()?;
        self.is_reserved_acceptable = true;
        self.parse_function_body(&name, true, line)
    }

    /// Takes the word that must be next.
    pub(super) fn take_plain_word(&mut self) -> Parsed<Word> {
        if !matches!(self.peek_token(Place::Plain)?, Token::Word(_)) {
            return Err(self.unexpected(Place::Plain));
        }
        self.is_reserved_acceptable = false;
        match self.token.take().map(|lexed| lexed.token) {
            Some(Token::Word(word)) => Ok(word),
            _ => Ok(Word::default()),
        }
    }

    /// Reads `coproc ...`, of which the first word is taken.
    pub(super) fn parse_coprocess(&mut self, line: u32) -> Parsed<Command> {
        let mut name = "COPROC".into();
        let command = if self.is_compound_next()? {
            self.parse_command()?
        } else if matches!(self.peek_token(Place::Command)?, Token::Word(_))
            && self.peek_reserved(Place::Command)?.is_none()
        {
            let command_line = self.token_line();
            let word = self.take_plain_word()?;
            // Behind the name, as nowhere else behind a word, reserved words are seen.
            self.skip_blanks();
            let is_arithmetic = self.input.rest().starts_with(b"((");
            let is_parenthesis =
                self.input.peek() == Some(b'(') && self.input.peek_at(1) != Some(b')');
            let is_reserved = self
                .peek_raw_reserved()
                .is_some_and(Reserved::opens_compound);
            if is_arithmetic || is_parenthesis || is_reserved {
                self.is_reserved_acceptable = true;
                name = print_word(&word);
                self.parse_command()?
            } else {
                self.parse_simple(Some(word), command_line)?
            }
        } else {
            self.parse_command()?
        };
        Ok(Command {
            line,
            kind: CommandKind::Coprocess(crate::ast::Coprocess {
                name,
                command: Rc::new(command),
            }),
            redirections: Vec::new(),
        })
    }

    /// Returns the reserved word that stands at the position.
    fn peek_raw_reserved(&self) -> Option<Reserved> {
        let rest = self.input.rest();
        let length = rest.find_byteset(b" \t\n;&|()<>").unwrap_or(rest.len());
        Reserved::from_text(rest.get(..length).unwrap_or_default())
    }

    /// Reads the redirections behind a compound command.
    pub(super) fn parse_redirections(&mut self) -> Parsed<Vec<Redirection>> {
        let mut redirections = Vec::new();
        while matches!(self.peek_token(Place::Plain)?, Token::Redirection(..)) {
            let redirection = self.parse_redirection(Place::Plain)?;
            redirections.push(redirection);
        }
        Ok(redirections)
    }
}

fn argument_place(taking: Taking) -> Place {
    match taking {
        Taking::Assignments | Taking::Text => Place::Declaration,
        _ => Place::Argument,
    }
}

/// Returns the word of a command that is nothing but one word.
fn only_word(simple: &SimpleCommand) -> Option<&Word> {
    match simple.arguments.as_slice() {
        [Argument::Word(word)] if simple.assignments.is_empty() => Some(word),
        _ => None,
    }
}
