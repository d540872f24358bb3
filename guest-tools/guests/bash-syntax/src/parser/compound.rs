//! Compound commands.

use std::rc::Rc;

use super::quoted::QuotedStop;
use super::reader::{Parsed, Reader};
use super::reserved::Reserved;
use super::token::{Operator, Place, Token};
use crate::ErrorKind;
use crate::ast::{
    ArithmeticFor, Case, CaseClause, CaseEnd, Command, CommandKind, For, If, IfBranch, List, Loop,
    Select, Word, WordPart,
};
use crate::print::print_word;

impl Reader<'_> {
    /// Reads a command.
    pub(super) fn parse_command(&mut self) -> Parsed<Command> {
        let reserved = self.peek_reserved(Place::Command)?;
        let line = self.token_line();
        let is_compound = match self.peek_token(Place::Command)? {
            Token::Operator(Operator::Open) | Token::Arithmetic(_) => true,
            Token::Operator(_) | Token::End => return Err(self.unexpected(Place::Command)),
            _ => reserved.is_some(),
        };
        if !is_compound {
            return self.parse_simple(None, line);
        }
        self.enter()?;
        let command = match reserved {
            Some(Reserved::Function) => {
                self.take_reserved();
                self.parse_function(line)?
            }
            Some(Reserved::Coproc) => {
                self.take_reserved();
                self.parse_coprocess(line)?
            }
            _ => Command {
                line,
                kind: self.parse_compound(reserved)?,
                redirections: self.parse_redirections()?,
            },
        };
        self.leave();
        Ok(command)
    }

    fn parse_compound(&mut self, reserved: Option<Reserved>) -> Parsed<CommandKind> {
        let Some(reserved) = reserved else {
            return self.parse_parenthesised();
        };
        if !reserved.opens_compound() {
            return Err(self.unexpected(Place::Command));
        }
        self.take_reserved();
        match reserved {
            Reserved::If => self.parse_if(),
            Reserved::While => Ok(CommandKind::While(self.parse_loop()?)),
            Reserved::Until => Ok(CommandKind::Until(self.parse_loop()?)),
            Reserved::For => self.parse_for(),
            Reserved::Select => self.parse_select(),
            Reserved::Case => self.parse_case(),
            Reserved::OpenCondition => {
                let condition = self.parse_condition_command()?;
                Ok(CommandKind::Condition(condition))
            }
            _ => {
                let list = self.parse_list()?;
                self.expect_reserved(Reserved::CloseBrace)?;
                Ok(CommandKind::Group(list))
            }
        }
    }

    fn parse_parenthesised(&mut self) -> Parsed<CommandKind> {
        match self.take_token(Place::Command)?.token {
            Token::Arithmetic(word) => {
                self.is_reserved_acceptable = true;
                Ok(CommandKind::Arithmetic(word))
            }
            _ => {
                self.is_reserved_acceptable = true;
                self.is_time_acceptable = true;
                let list = self.parse_list()?;
                self.expect_operator(Operator::Close, Place::Command)?;
                Ok(CommandKind::Subshell(list))
            }
        }
    }

    fn parse_if(&mut self) -> Parsed<CommandKind> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.parse_list()?;
            self.expect_reserved(Reserved::Then)?;
            let body = self.parse_list()?;
            branches.push(IfBranch { condition, body });
            match self.peek_reserved(Place::Command)? {
                Some(Reserved::Elif) => self.take_reserved(),
                Some(Reserved::Else) => {
                    self.take_reserved();
                    otherwise = Some(self.parse_list()?);
                    break;
                }
                _ => break,
            }
        }
        self.expect_reserved(Reserved::Fi)?;
        Ok(CommandKind::If(If {
            branches,
            otherwise,
        }))
    }

    fn parse_loop(&mut self) -> Parsed<Loop> {
        let condition = self.parse_list()?;
        self.expect_reserved(Reserved::Do)?;
        let body = self.parse_list()?;
        self.expect_reserved(Reserved::Done)?;
        Ok(Loop { condition, body })
    }

    /// Reads `do ...; done` or `{ ...; }`.
    fn parse_loop_body(&mut self) -> Parsed<Rc<List>> {
        self.is_reserved_acceptable = true;
        let close = match self.peek_reserved(Place::Command)? {
            Some(Reserved::Do) => Reserved::Done,
            Some(Reserved::OpenBrace) => Reserved::CloseBrace,
            _ => return Err(self.unexpected(Place::Command)),
        };
        self.take_reserved();
        let body = self.parse_list()?;
        self.expect_reserved(close)?;
        Ok(body)
    }

    fn parse_for(&mut self) -> Parsed<CommandKind> {
        self.skip_blanks();
        if self.input.peek() == Some(b'(') && self.input.peek_at(1) == Some(b'(') {
            return self.parse_arithmetic_for();
        }
        let (name, words) = self.parse_variable_and_words()?;
        let body = self.parse_loop_body()?;
        Ok(CommandKind::For(For {
            name: print_word(&name),
            words,
            body,
        }))
    }

    fn parse_select(&mut self) -> Parsed<CommandKind> {
        let (name, words) = self.parse_variable_and_words()?;
        let body = self.parse_loop_body()?;
        Ok(CommandKind::Select(Select {
            name: print_word(&name),
            words,
            body,
        }))
    }

    /// Reads `name [in words] ;`.
    fn parse_variable_and_words(&mut self) -> Parsed<(Word, Option<Vec<Word>>)> {
        let name = self.take_plain_word()?;
        self.is_reserved_acceptable = true;
        if self.peek_operator(Place::Plain)? == Some(Operator::Semicolon) {
            self.take_operator();
            self.skip_newlines(Place::Command)?;
            return Ok((name, None));
        }
        // Right behind the name, `in` and `do` are seen, but no other reserved word.
        let is_on_same_line = self.peek_operator(Place::Plain)?.is_none();
        self.skip_newlines(Place::Plain)?;
        match self.peek_reserved(Place::Plain)? {
            Some(Reserved::In) => {}
            Some(Reserved::OpenBrace) if is_on_same_line => {
                return Err(self.unexpected(Place::Plain));
            }
            _ => return Ok((name, None)),
        }
        self.take_reserved();
        self.is_reserved_acceptable = false;
        let mut words = Vec::new();
        while matches!(self.peek_token(Place::Argument)?, Token::Word(_)) {
            let word = self.take_plain_word()?;
            words.push(word);
        }
        match self.peek_operator(Place::Argument)? {
            Some(Operator::Semicolon | Operator::Newline) => self.take_operator(),
            _ => return Err(self.unexpected(Place::Argument)),
        }
        self.skip_newlines(Place::Command)?;
        Ok((name, Some(words)))
    }

    fn parse_arithmetic_for(&mut self) -> Parsed<CommandKind> {
        let line = self.input.line();
        self.input.skip(2);
        let mut expressions = Vec::new();
        loop {
            let expression = self.read_quoted(QuotedStop::ParenthesisOrSemicolon)?;
            expressions.push(without_leading_blanks(expression));
            match self.input.bump() {
                Some(b';') => {}
                Some(_) => {
                    if self.input.accept(b')') {
                        break;
                    }
                    return Err(self.unexpected(Place::Plain));
                }
                None => return Err(self.error_unclosed(")", line)),
            }
        }
        let mut expressions = expressions.into_iter();
        let (Some(start), Some(condition), Some(step)) =
            (expressions.next(), expressions.next(), expressions.next())
        else {
            return Err(self.error_here(
                ErrorKind::Invalid,
                "syntax error: arithmetic expression required",
            ));
        };
        if expressions.next().is_some() {
            return Err(self.error_here(ErrorKind::Invalid, "syntax error: `;' unexpected"));
        }
        self.is_reserved_acceptable = true;
        if matches!(
            self.peek_operator(Place::Command)?,
            Some(Operator::Semicolon | Operator::Newline)
        ) {
            self.take_operator();
            self.skip_newlines(Place::Command)?;
        }
        let body = self.parse_loop_body()?;
        Ok(CommandKind::ArithmeticFor(ArithmeticFor {
            start,
            condition,
            step,
            body,
        }))
    }

    fn parse_case(&mut self) -> Parsed<CommandKind> {
        let subject = self.take_plain_word()?;
        self.is_reserved_acceptable = true;
        self.skip_newlines(Place::Plain)?;
        if self.peek_reserved(Place::Plain)? != Some(Reserved::In) {
            return Err(self.unexpected(Place::Plain));
        }
        self.take_reserved();
        let mut clauses = Vec::new();
        loop {
            self.skip_newlines(Place::Plain)?;
            if self.peek_reserved(Place::Plain)? == Some(Reserved::Esac) {
                break;
            }
            let patterns = self.parse_patterns()?;
            let body = Rc::new(self.parse_list_or_nothing()?);
            let end = match self.peek_operator(Place::Command)? {
                Some(Operator::CaseLeave) => CaseEnd::Leave,
                Some(Operator::CaseFallThrough) => CaseEnd::FallThrough,
                Some(Operator::CaseContinue) => CaseEnd::Continue,
                _ => {
                    let end = CaseEnd::Leave;
                    clauses.push(CaseClause {
                        patterns,
                        body,
                        end,
                    });
                    break;
                }
            };
            self.take_operator();
            clauses.push(CaseClause {
                patterns,
                body,
                end,
            });
        }
        self.expect_reserved(Reserved::Esac)?;
        Ok(CommandKind::Case(Case { subject, clauses }))
    }

    /// Reads `(a | b)`, of which the first parenthesis may be missing.
    fn parse_patterns(&mut self) -> Parsed<Vec<Word>> {
        if self.peek_operator(Place::Plain)? == Some(Operator::Open) {
            self.take_operator();
        }
        let mut patterns = Vec::new();
        loop {
            let pattern = self.take_plain_word()?;
            patterns.push(pattern);
            match self.peek_operator(Place::Plain)? {
                Some(Operator::Pipe) => self.take_operator(),
                Some(Operator::Close) => {
                    self.take_operator();
                    return Ok(patterns);
                }
                _ => return Err(self.unexpected(Place::Plain)),
            }
        }
    }
}

fn without_leading_blanks(mut word: Word) -> Word {
    if let Some(WordPart::Literal(text)) = word.parts.first_mut() {
        let blanks = text
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
            .count();
        text.drain(..blanks);
        if text.is_empty() {
            word.parts.remove(0);
        }
    }
    word
}
