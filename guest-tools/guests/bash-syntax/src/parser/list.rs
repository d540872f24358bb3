//! Lists and pipelines.

use std::rc::Rc;

use super::reader::{Parsed, Reader};
use super::reserved::Reserved;
use super::token::{Operator, Place, Token};
use crate::ast::{
    AndOr, Connector, Descriptor, List, ListItem, Pipeline, Redirection, RedirectionOperator,
    RedirectionTarget, TimeFormat, Word,
};

/// How the reading of a complete command ended.
pub(super) struct Complete {
    pub(super) list: List,
    /// Whether a newline ended it, rather than the end of the text.
    pub(super) has_newline: bool,
}

impl Reader<'_> {
    /// Reads a complete command: up to a newline or the end of the text. `None` when there is none.
    pub(super) fn parse_complete(&mut self) -> Parsed<Option<Complete>> {
        self.skip_newlines(Place::Command)?;
        if matches!(self.peek_token(Place::Command)?, Token::End) {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            if !self.is_command_next()? {
                return Err(self.unexpected(Place::Command));
            }
            let chain = Rc::new(self.parse_and_or()?);
            let operator = self.peek_operator(Place::Plain)?;
            list.items.push(ListItem {
                chain,
                is_background: operator == Some(Operator::Ampersand),
                is_line_end: operator == Some(Operator::Newline),
            });
            if matches!(operator, Some(Operator::Ampersand | Operator::Semicolon)) {
                self.take_operator();
            }
            // Here, not in the loop's head, because an empty line is no command.
            match self.peek_operator(Place::Command)? {
                Some(Operator::Newline) => {
                    self.take_operator();
                    return Ok(Some(Complete {
                        list,
                        has_newline: true,
                    }));
                }
                _ if matches!(self.peek_token(Place::Command)?, Token::End) => {
                    return Ok(Some(Complete {
                        list,
                        has_newline: false,
                    }));
                }
                _ if matches!(operator, Some(Operator::Ampersand | Operator::Semicolon)) => {}
                _ => return Err(self.unexpected(Place::Command)),
            }
        }
    }

    /// Reads the list of a compound command, at least one command, up to what can belong to none.
    pub(super) fn parse_list(&mut self) -> Parsed<Rc<List>> {
        let list = self.parse_list_or_nothing()?;
        if list.items.is_empty() {
            return Err(self.unexpected(Place::Command));
        }
        Ok(Rc::new(list))
    }

    /// The same, but it may be empty.
    pub(super) fn parse_list_or_nothing(&mut self) -> Parsed<List> {
        self.skip_newlines(Place::Command)?;
        let mut list = List::default();
        while self.is_command_next()? {
            let chain = Rc::new(self.parse_and_or()?);
            let operator = self.peek_operator(Place::Plain)?;
            list.items.push(ListItem {
                chain,
                is_background: operator == Some(Operator::Ampersand),
                is_line_end: operator == Some(Operator::Newline),
            });
            match operator {
                Some(Operator::Ampersand | Operator::Semicolon | Operator::Newline) => {
                    self.take_operator()
                }
                _ => break,
            }
            self.skip_newlines(Place::Command)?;
        }
        Ok(list)
    }

    /// Whether the next token can begin a command.
    fn is_command_next(&mut self) -> Parsed<bool> {
        if let Some(reserved) = self.peek_reserved(Place::Command)? {
            return Ok(reserved.opens_command());
        }
        Ok(match self.peek_token(Place::Command)? {
            Token::Word(_)
            | Token::Assignment(_)
            | Token::Arithmetic(_)
            | Token::Redirection(..) => true,
            Token::Operator(operator) => *operator == Operator::Open,
            Token::End => false,
        })
    }

    /// Returns the reserved word that is next, if one is and it is seen as one here.
    pub(super) fn peek_reserved(&mut self, place: Place) -> Parsed<Option<Reserved>> {
        let (is_acceptable, is_time_acceptable) =
            (self.is_reserved_acceptable, self.is_time_acceptable);
        let Token::Word(word) = self.peek_token(place)? else {
            return Ok(None);
        };
        let reserved = word.as_literal().and_then(|text| Reserved::from_text(text));
        Ok(reserved.filter(|reserved| {
            is_acceptable && (is_time_acceptable || *reserved != Reserved::Time)
        }))
    }

    /// Takes the reserved word that was looked at.
    pub(super) fn take_reserved(&mut self) {
        self.token = None;
        self.is_reserved_acceptable = true;
        self.is_time_acceptable = true;
    }

    /// Takes the reserved word that must be next.
    pub(super) fn expect_reserved(&mut self, reserved: Reserved) -> Parsed<()> {
        if self.peek_reserved(Place::Command)? != Some(reserved) {
            return Err(self.unexpected(Place::Command));
        }
        self.take_reserved();
        Ok(())
    }

    /// Takes the operator that must be next.
    pub(super) fn expect_operator(&mut self, operator: Operator, place: Place) -> Parsed<()> {
        if self.peek_operator(place)? != Some(operator) {
            return Err(self.unexpected(place));
        }
        self.take_operator();
        Ok(())
    }

    fn parse_and_or(&mut self) -> Parsed<AndOr> {
        let first = Rc::new(self.parse_pipeline()?);
        let mut rest = Vec::new();
        loop {
            let connector = match self.peek_operator(Place::Plain)? {
                Some(Operator::And) => Connector::And,
                Some(Operator::Or) => Connector::Or,
                _ => return Ok(AndOr { first, rest }),
            };
            self.take_operator();
            self.skip_newlines(Place::Command)?;
            rest.push((connector, Rc::new(self.parse_pipeline()?)));
        }
    }

    fn parse_pipeline(&mut self) -> Parsed<Pipeline> {
        self.peek_token(Place::Command)?;
        let mut pipeline = Pipeline {
            is_negated: false,
            time: None,
            commands: Vec::new(),
            line: self.token_line(),
        };
        let mut has_prefix = false;
        loop {
            match self.peek_reserved(Place::Command)? {
                Some(Reserved::Bang) => {
                    self.take_reserved();
                    pipeline.is_negated = !pipeline.is_negated;
                }
                Some(Reserved::Time) => {
                    self.take_reserved();
                    pipeline.time = Some(self.read_time_options());
                }
                _ => break,
            }
            has_prefix = true;
        }
        if has_prefix {
            let is_over = match self.peek_token(Place::Command)? {
                Token::Operator(operator) => {
                    matches!(operator, Operator::Newline | Operator::Semicolon)
                }
                token => matches!(token, Token::End),
            };
            if is_over {
                return Ok(pipeline);
            }
        }
        loop {
            let mut command = self.parse_command()?;
            let operator = self.peek_operator(Place::Plain)?;
            if operator == Some(Operator::PipeBoth) {
                command.redirections.push(Redirection {
                    descriptor: Some(Descriptor::Number(2)),
                    operator: RedirectionOperator::DuplicateOutput,
                    target: RedirectionTarget::Word(Word::literal("1")),
                    line: command.line,
                });
            }
            pipeline.commands.push(Rc::new(command));
            if !matches!(operator, Some(Operator::Pipe | Operator::PipeBoth)) {
                return Ok(pipeline);
            }
            self.take_operator();
            self.skip_newlines(Place::Command)?;
        }
    }

    fn read_time_options(&mut self) -> TimeFormat {
        let format = if self.accept_option(b"-p") {
            TimeFormat::Posix
        } else {
            TimeFormat::Shell
        };
        self.accept_option(b"--");
        format
    }

    /// Passes a word that stands here exactly so.
    fn accept_option(&mut self, option: &[u8]) -> bool {
        self.skip_blanks();
        let is_next = self.input.rest().starts_with(option)
            && self.input.peek_at(option.len()).is_none_or(|byte| {
                matches!(
                    byte,
                    b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>'
                )
            });
        if is_next {
            self.input.skip(option.len());
        }
        is_next
    }
}
