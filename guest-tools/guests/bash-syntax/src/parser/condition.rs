//! `[[ ... ]]`.

use bstr::BString;

use super::reader::{Parsed, Reader};
use super::token::{Operator, Place, Token, operator_text};
use crate::ast::{BinaryTest, Condition, RedirectionOperator, UnaryTest, Word};
use crate::{ErrorKind, Recovery, SyntaxError};

impl Reader<'_> {
    /// Reads the rest of `[[ ... ]]`, of which the first word is taken.
    pub(super) fn parse_condition_command(&mut self) -> Parsed<Condition> {
        let condition = self.parse_condition()?;
        if !self.is_condition_end()? {
            let message = self.with_token(
                "syntax error in conditional expression",
                ": unexpected token `",
                "'",
            )?;
            return Err(self.condition_error(message));
        }
        self.take_reserved();
        Ok(condition)
    }

    fn parse_condition(&mut self) -> Parsed<Condition> {
        let mut terms = vec![self.parse_conjunction()?];
        while self.peek_operator(Place::Condition)? == Some(Operator::Or) {
            self.take_operator();
            terms.push(self.parse_conjunction()?);
        }
        Ok(single_or(terms, Condition::Or))
    }

    fn parse_conjunction(&mut self) -> Parsed<Condition> {
        let mut terms = vec![self.parse_term()?];
        while self.peek_operator(Place::Condition)? == Some(Operator::And) {
            self.take_operator();
            terms.push(self.parse_term()?);
        }
        Ok(single_or(terms, Condition::And))
    }

    fn parse_term(&mut self) -> Parsed<Condition> {
        self.enter()?;
        self.skip_newlines(Place::Condition)?;
        let is_end = self.is_condition_end()?;
        let term = match self.peek_token(Place::Condition)? {
            Token::Operator(Operator::Open) => {
                self.take_operator();
                let inner = self.parse_condition()?;
                if self.peek_operator(Place::Condition)? != Some(Operator::Close) {
                    let message = self.with_token("", "unexpected token `", "', expected `)'")?;
                    let message = if message.is_empty() {
                        BString::from("expected `)'")
                    } else {
                        message
                    };
                    return Err(self.condition_error(message));
                }
                self.take_operator();
                Condition::Group(Box::new(inner))
            }
            Token::Word(word) if word.as_literal().is_some_and(|text| text == "!") => {
                self.token = None;
                Condition::Not(Box::new(self.parse_term()?))
            }
            Token::Word(_) if !is_end => self.parse_test()?,
            _ => {
                let message =
                    self.with_token("", "unexpected token `", "' in conditional command")?;
                return Err(self.condition_error(message));
            }
        };
        self.leave();
        self.skip_newlines(Place::Condition)?;
        Ok(term)
    }

    /// Reads a test that begins with a word.
    fn parse_test(&mut self) -> Parsed<Condition> {
        let left = self.take_condition_word(Place::Condition)?;
        if let Some(test) = unary_test(&left) {
            if self.is_operand_next(Place::Condition)? {
                let operand = self.take_condition_word(Place::Condition)?;
                return Ok(Condition::Unary { test, operand });
            }
            let message = self.with_token(
                "",
                "unexpected argument `",
                "' to conditional unary operator",
            )?;
            return Err(self.condition_error(message));
        }
        let is_end = self.is_condition_end()?;
        let test = match self.peek_token(Place::Condition)? {
            _ if is_end => None,
            Token::Operator(Operator::And | Operator::Or | Operator::Close) => None,
            Token::Redirection(_, RedirectionOperator::Input, _) => Some(BinaryTest::Before),
            Token::Redirection(_, RedirectionOperator::Output, _) => Some(BinaryTest::After),
            Token::Word(word)
                if let Some(test) = word
                    .as_literal()
                    .and_then(|text| BinaryTest::from_text(text)) =>
            {
                Some(test)
            }
            _ => {
                let expected = "conditional binary operator expected";
                let message =
                    self.with_token("", "unexpected token `", &format!("', {expected}"))?;
                let message = if message.is_empty() {
                    BString::from(expected)
                } else {
                    message
                };
                return Err(self.condition_error(message));
            }
        };
        let Some(test) = test else {
            return Ok(Condition::NotEmpty(left));
        };
        self.token = None;
        let place = match test {
            BinaryTest::Matches { .. } | BinaryTest::MatchesNot => Place::ConditionPattern,
            BinaryTest::Regex => Place::ConditionRegex,
            _ => Place::Condition,
        };
        if self.is_operand_next(place)? {
            let right = self.take_condition_word(place)?;
            return Ok(Condition::Binary { test, left, right });
        }
        let message = self.with_token(
            "",
            "unexpected argument `",
            "' to conditional binary operator",
        )?;
        Err(self.condition_error(message))
    }

    /// Whether the next token is a word that is not `]]`.
    fn is_operand_next(&mut self, place: Place) -> Parsed<bool> {
        Ok(match self.peek_token(place)? {
            Token::Word(word) => word.as_literal().is_none_or(|text| text != "]]"),
            _ => false,
        })
    }

    fn is_condition_end(&mut self) -> Parsed<bool> {
        Ok(match self.peek_token(Place::Condition)? {
            Token::Word(word) => word.as_literal().is_some_and(|text| text == "]]"),
            _ => false,
        })
    }

    fn take_condition_word(&mut self, place: Place) -> Parsed<Word> {
        match self.take_token(place)?.token {
            Token::Word(word) => Ok(word),
            _ => Err(self.unexpected(place)),
        }
    }

    /// Returns `before`, and around the next token, when it is not an ordinary word, `open` and `close`.
    fn with_token(&mut self, before: &str, open: &str, close: &str) -> Parsed<BString> {
        let text = match self.peek_token(Place::Condition)? {
            Token::End => "EOF",
            Token::Operator(operator) => operator.text(),
            Token::Redirection(_, operator, strips_tabs) => operator_text(*operator, *strips_tabs),
            Token::Word(word) if word.as_literal().is_some_and(|text| text == "]]") => "]]",
            _ => return Ok(BString::from(before)),
        };
        Ok(BString::from(format!("{before}{open}{text}{close}")))
    }

    fn condition_error(&mut self, message: BString) -> Box<SyntaxError> {
        let is_over = matches!(
            self.token.as_ref().map(|lexed| &lexed.token),
            Some(Token::End)
        );
        let kind = if is_over {
            ErrorKind::Incomplete
        } else {
            ErrorKind::Invalid
        };
        if message.is_empty() {
            return self.unexpected(Place::Condition);
        }
        let line = self.token_line();
        Box::new(SyntaxError {
            kind,
            line,
            message,
            source_line: None,
            recovery: if is_over {
                Recovery::Ends
            } else {
                Recovery::EndsAsBefore
            },
        })
    }
}

fn single_or(mut terms: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            join(terms)
        }
        None => join(terms),
    }
}

fn unary_test(word: &Word) -> Option<UnaryTest> {
    match word.as_literal().map(|text| -> &[u8] { text })? {
        [b'-', letter] if b"abcdefghknoprstuvwxzGLNORS".contains(letter) => {
            Some(UnaryTest(*letter))
        }
        _ => None,
    }
}
