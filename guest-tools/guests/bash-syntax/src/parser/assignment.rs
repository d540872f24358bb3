//! Assignments.

use bstr::BString;

use super::parts::Parts;
use super::reader::{Parsed, Reader};
use super::token::{Place, Token};
use super::unquoted::Stop;
use crate::Recovery;
use crate::ast::{ArrayElement, Assignment, AssignmentValue, Word, WordPart};

/// Whether a name may hold the byte (the first one may be no digit).
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns the length of the name that `text` begins with.
fn name_length(text: &[u8]) -> usize {
    match text.first() {
        Some(byte) if !byte.is_ascii_digit() => {
            text.iter().take_while(|byte| is_name_byte(**byte)).count()
        }
        _ => 0,
    }
}

/// How an assignment may be written at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Set,
    Append,
}

impl Reader<'_> {
    /// Reads an assignment, or a word that begins like one with a subscript; `None`, with nothing read, when
    /// neither is next.
    pub(super) fn read_assignment(&mut self, is_argument: bool) -> Parsed<Option<Token>> {
        let length = name_length(self.input.rest());
        if length == 0 {
            return Ok(None);
        }
        if self.input.peek_at(length) == Some(b'[') {
            return self.read_element_assignment(length, is_argument);
        }
        let sign = match (self.input.peek_at(length), self.input.peek_at(length + 1)) {
            (Some(b'='), _) => Sign::Set,
            (Some(b'+'), Some(b'=')) => Sign::Append,
            _ => return Ok(None),
        };
        let name = BString::from(self.input.rest().get(..length).unwrap_or_default());
        self.input.skip(length);
        let assignment = self.read_value(name, None, sign)?;
        Ok(Some(Token::Assignment(Box::new(assignment))))
    }

    fn read_element_assignment(
        &mut self,
        length: usize,
        is_argument: bool,
    ) -> Parsed<Option<Token>> {
        let start = self.input.clone();
        let line = self.input.line();
        let name = BString::from(self.input.rest().get(..length).unwrap_or_default());
        self.input.skip(length + 1);
        let stop = if is_argument {
            Stop::BracketOrBlank
        } else {
            Stop::Bracket
        };
        let subscript = self.read_unquoted(stop)?;
        if !self.input.accept(b']') {
            if is_argument {
                self.input = start;
                return Ok(None);
            }
            return Err(self.error_unclosed("]", line));
        }
        let sign = self.peek_sign();
        if let Some(sign) = sign {
            let assignment = self.read_value(name, Some(subscript), sign)?;
            return Ok(Some(Token::Assignment(Box::new(assignment))));
        }
        let mut parts = Parts::default();
        parts.push_text(&name);
        parts.push_byte(b'[');
        parts.push_word(subscript);
        parts.push_byte(b']');
        let extglob = self.options.extglob;
        self.read_unquoted_into(Stop::Word { extglob }, &mut parts)?;
        Ok(Some(Token::Word(parts.into_word())))
    }

    fn peek_sign(&mut self) -> Option<Sign> {
        match (self.input.peek(), self.input.peek_at(1)) {
            (Some(b'='), _) => Some(Sign::Set),
            (Some(b'+'), Some(b'=')) => Some(Sign::Append),
            _ => None,
        }
    }

    /// Reads the sign and the value.
    fn read_value(
        &mut self,
        name: BString,
        subscript: Option<Word>,
        sign: Sign,
    ) -> Parsed<Assignment> {
        self.input.skip(if sign == Sign::Append { 2 } else { 1 });
        let value = if self.input.peek() == Some(b'(') {
            let line = self.input.line();
            self.input.advance();
            self.enter()?;
            let elements = self.read_elements(Some(line)).map_err(|mut error| {
                error.recovery = Recovery::NextLine;
                error
            })?;
            self.leave();
            AssignmentValue::Array(elements)
        } else {
            let extglob = self.options.extglob;
            AssignmentValue::Scalar(self.read_unquoted(Stop::Word { extglob })?)
        };
        Ok(Assignment {
            name,
            subscript,
            is_append: sign == Sign::Append,
            value,
        })
    }

    /// Reads the elements of a compound assignment that begins at `line`, and the parenthesis behind them; or
    /// up to the end of the text.
    pub(super) fn read_elements(&mut self, line: Option<u32>) -> Parsed<Vec<ArrayElement>> {
        let mut elements = Vec::new();
        loop {
            self.skip_blanks();
            match (self.input.peek(), line) {
                (Some(b'\n'), _) => self.input.advance(),
                (Some(b')'), Some(_)) => {
                    self.input.advance();
                    return Ok(elements);
                }
                (None, Some(line)) => return Err(self.error_unclosed(")", line)),
                (None, None) => return Ok(elements),
                (Some(b'<' | b'>'), _) if self.input.peek_at(1) == Some(b'(') => {
                    let element = self.read_element()?;
                    elements.push(element);
                }
                (Some(b'&' | b'|' | b';' | b'<' | b'>' | b'(' | b')'), _) => {
                    self.token = None;
                    return Err(self.unexpected(Place::Plain));
                }
                _ => {
                    let element = self.read_element()?;
                    elements.push(element);
                }
            }
        }
    }

    fn read_element(&mut self) -> Parsed<ArrayElement> {
        let extglob = self.options.extglob;
        let mut parts = Parts::default();
        if self.input.peek() == Some(b'[') {
            let line = self.input.line();
            self.input.advance();
            let key = self.read_unquoted(Stop::Bracket)?;
            if !self.input.accept(b']') {
                return Err(self.error_unclosed("]", line));
            }
            if let Some(sign) = self.peek_sign() {
                self.input.skip(if sign == Sign::Append { 2 } else { 1 });
                return Ok(ArrayElement {
                    key: Some(key),
                    is_append: sign == Sign::Append,
                    value: self.read_unquoted(Stop::Word { extglob })?,
                });
            }
            parts.push_byte(b'[');
            parts.push_word(key);
            parts.push_byte(b']');
        }
        self.read_unquoted_into(Stop::Word { extglob }, &mut parts)?;
        Ok(ArrayElement {
            key: None,
            is_append: false,
            value: parts.into_word(),
        })
    }
}

impl Assignment {
    /// Returns the word that the assignment is written as.
    pub fn to_word(&self) -> Word {
        let mut parts = Parts::default();
        parts.push_text(&self.name);
        if let Some(subscript) = &self.subscript {
            parts.push_byte(b'[');
            parts.push_word(subscript.clone());
            parts.push_byte(b']');
        }
        parts.push_text(if self.is_append { b"+=" } else { b"=" });
        match &self.value {
            AssignmentValue::Scalar(word) => parts.push_word(word.clone()),
            AssignmentValue::Array(elements) => {
                parts.push_byte(b'(');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        parts.push_byte(b' ');
                    }
                    push_element(element, &mut parts);
                }
                parts.push_byte(b')');
            }
        }
        parts.into_word()
    }

    /// Returns the assignment that a word is in the form of: `name=`, `name+=` and, when it is plain text,
    /// `name[subscript]=`, all unquoted.
    pub fn from_word(word: &Word) -> Option<Self> {
        let (first, rest) = word.parts.split_first()?;
        let WordPart::Literal(text) = first else {
            return None;
        };
        let length = name_length(text);
        let (name, mut after) = text
            .split_at_checked(length)
            .filter(|(name, _)| !name.is_empty())?;
        let mut subscript = None;
        if let Some(inside) = after.strip_prefix(b"[") {
            let end = inside
                .windows(2)
                .position(|pair| matches!(pair, b"]=" | b"]+"))?;
            let (key, behind) = inside
                .split_at_checked(end)
                .filter(|(key, _)| !key.is_empty())?;
            subscript = Some(Word::literal(key));
            after = behind.strip_prefix(b"]")?;
        }
        let is_append = after.starts_with(b"+");
        let value = after
            .strip_prefix(b"+")
            .unwrap_or(after)
            .strip_prefix(b"=")?;
        let mut parts = Word::literal(value).parts;
        parts.extend_from_slice(rest);
        Some(Self {
            name: BString::from(name),
            subscript,
            is_append,
            value: AssignmentValue::Scalar(Word { parts }),
        })
    }
}

fn push_element(element: &ArrayElement, parts: &mut Parts) {
    if let Some(key) = &element.key {
        parts.push_byte(b'[');
        parts.push_word(key.clone());
        parts.push_text(if element.is_append { b"]+=" } else { b"]=" });
    }
    parts.push_word(element.value.clone());
}
