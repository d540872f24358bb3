//! Reading JSON texts that come in pieces, with the messages and positions of jq.
//!
//! The parser never holds more than the value it is in. A number or word at the end of a piece may go on in the next.

use std::rc::Rc;

use crate::value::{Members, Val};

/// How deep values may stand in each other; jq's own limit, which also keeps the stack small.
const DEPTH_MAX: usize = 257;

enum Frame {
    Array(Vec<Val>),
    Object(Members),
    /// An object and the key whose value comes.
    Key(Members, Rc<str>),
}

/// Where the parser is in a string.
#[derive(PartialEq)]
enum State {
    Normal,
    String,
    Escape,
}

/// The parser.
pub struct Parser {
    stack: Vec<Frame>,
    next: Option<Val>,
    token: Vec<u8>,
    state: State,
    line: usize,
    column: usize,
    /// The record separator of `--seq` stands between texts.
    is_sequence: bool,
}

impl Parser {
    /// Returns a parser at the beginning.
    pub fn new(is_sequence: bool) -> Self {
        Self {
            stack: Vec::new(),
            next: None,
            token: Vec::new(),
            state: State::Normal,
            line: 1,
            column: 0,
            is_sequence,
        }
    }

    fn place(&self, message: &str) -> String {
        format!("{message} at line {}, column {}", self.line, self.column)
    }

    /// Takes bytes from the front of `piece` until a value is whole. None: the piece is used up.
    pub fn next(&mut self, piece: &mut &[u8]) -> Result<Option<Val>, String> {
        while let Some((&byte, rest)) = piece.split_first() {
            match self.state {
                State::String => {
                    let end = piece
                        .iter()
                        .position(|byte| matches!(byte, b'"' | b'\\' | b'\n'))
                        .unwrap_or(piece.len());
                    let (plain, after) = piece.split_at(end);
                    self.token.extend_from_slice(plain);
                    self.column += end;
                    *piece = after;
                    let Some((&byte, rest)) = after.split_first() else {
                        break;
                    };
                    *piece = rest;
                    self.count(byte);
                    match byte {
                        b'"' => {
                            self.state = State::Normal;
                            self.end_string().map_err(|error| self.place(&error))?;
                            if let Some(value) = self.whole() {
                                return Ok(Some(value));
                            }
                        }
                        b'\\' => {
                            self.token.push(byte);
                            self.state = State::Escape;
                        }
                        byte => self.token.push(byte),
                    }
                }
                State::Escape => {
                    *piece = rest;
                    self.count(byte);
                    self.token.push(byte);
                    self.state = State::String;
                }
                State::Normal => {
                    *piece = rest;
                    self.count(byte);
                    self.normal(byte).map_err(|error| self.place(&error))?;
                    if !self.token.is_empty() {
                        continue;
                    }
                    if let Some(value) = self.whole() {
                        return Ok(Some(value));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Takes the value that the end of the input completes.
    pub fn finish(&mut self) -> Result<Option<Val>, String> {
        let place = |parser: &Self, message: &str| {
            format!(
                "{message} at EOF at line {}, column {}",
                parser.line, parser.column
            )
        };
        if self.state != State::Normal {
            return Err(place(self, "Unfinished string"));
        }
        self.end_literal().map_err(|error| place(self, &error))?;
        if !self.stack.is_empty() {
            return Err(place(self, "Unfinished JSON term"));
        }
        Ok(self.next.take())
    }

    fn count(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        } else {
            self.column += 1;
        }
    }

    fn whole(&mut self) -> Option<Val> {
        if self.stack.is_empty() {
            self.next.take()
        } else {
            None
        }
    }

    fn normal(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.end_literal(),
            0x1e if self.is_sequence => self.end_literal(),
            b'[' | b']' | b'{' | b'}' | b':' | b',' => {
                self.end_literal()?;
                self.structure(byte)
            }
            b'"' => {
                self.end_literal()?;
                self.state = State::String;
                Ok(())
            }
            _ => {
                self.token.push(byte);
                Ok(())
            }
        }
    }

    fn value(&mut self, value: Val) -> Result<(), String> {
        if self.next.is_some() {
            return Err("Expected separator between values".to_owned());
        }
        self.next = Some(value);
        Ok(())
    }

    fn end_literal(&mut self) -> Result<(), String> {
        if self.token.is_empty() {
            return Ok(());
        }
        let token = std::mem::take(&mut self.token);
        let value = match token.first() {
            Some(b't') if token == b"true" => Val::Bool(true),
            Some(b'f') if token == b"false" => Val::Bool(false),
            Some(b'n') if token == b"null" => Val::Null,
            Some(b't' | b'f' | b'n') => return Err("Invalid literal".to_owned()),
            _ => Val::Num(number(&token).ok_or_else(|| "Invalid numeric literal".to_owned())?),
        };
        // The room is kept for the next token.
        self.token = token;
        self.token.clear();
        self.value(value)
    }

    fn end_string(&mut self) -> Result<(), String> {
        let token = std::mem::take(&mut self.token);
        let text = if token.contains(&b'\\') {
            unescape(&token)?
        } else {
            match String::from_utf8(token) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }
        };
        self.value(Val::Str(text.into()))
    }

    fn structure(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b'[' | b'{' => {
                if self.stack.len() >= DEPTH_MAX {
                    return Err("Exceeds depth limit for parsing".to_owned());
                }
                if self.next.is_some() {
                    return Err("Expected separator between values".to_owned());
                }
                self.stack.push(if byte == b'[' {
                    Frame::Array(Vec::new())
                } else {
                    Frame::Object(Members::new())
                });
                Ok(())
            }
            b':' => self.colon(),
            b',' => self.comma(),
            b']' => self.end_array(),
            _ => self.end_object(),
        }
    }

    fn colon(&mut self) -> Result<(), String> {
        match self.stack.pop() {
            Some(Frame::Object(members)) => match self.next.take() {
                None => Err("Expected string key before ':'".to_owned()),
                Some(Val::Str(key)) => {
                    self.stack.push(Frame::Key(members, key));
                    Ok(())
                }
                Some(_) => Err("Object keys must be strings".to_owned()),
            },
            Some(Frame::Key(..)) => Err("':' should follow a key".to_owned()),
            _ => Err("':' not as part of an object".to_owned()),
        }
    }

    fn comma(&mut self) -> Result<(), String> {
        let Some(value) = self.next.take() else {
            return Err("Expected value before ','".to_owned());
        };
        match self.stack.pop() {
            Some(Frame::Array(mut items)) => {
                items.push(value);
                self.stack.push(Frame::Array(items));
                Ok(())
            }
            Some(Frame::Key(mut members, key)) => {
                members.insert(key, value);
                self.stack.push(Frame::Object(members));
                Ok(())
            }
            Some(Frame::Object(_)) => Err("Objects must consist of key:value pairs".to_owned()),
            None => Err("',' not as part of an array".to_owned()),
        }
    }

    fn end_array(&mut self) -> Result<(), String> {
        let Some(Frame::Array(mut items)) = self.stack.pop() else {
            return Err("Unmatched ']'".to_owned());
        };
        match self.next.take() {
            Some(value) => items.push(value),
            None if !items.is_empty() => return Err("Expected another array element".to_owned()),
            None => {}
        }
        self.next = Some(Val::array(items));
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), String> {
        let members = match (self.stack.pop(), self.next.take()) {
            (Some(Frame::Key(mut members, key)), Some(value)) => {
                members.insert(key, value);
                members
            }
            (Some(Frame::Object(members)), None) if members.is_empty() => members,
            (Some(Frame::Object(_)), None) => {
                return Err("Expected another key-value pair".to_owned());
            }
            (Some(Frame::Object(_) | Frame::Key(..)), _) => {
                return Err("Objects must consist of key:value pairs".to_owned());
            }
            _ => return Err("Unmatched '}'".to_owned()),
        };
        self.next = Some(Val::object(members));
        Ok(())
    }
}

/// Returns the number that a token is.
pub fn number(token: &[u8]) -> Option<f64> {
    if !token
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return None;
    }
    std::str::from_utf8(token).ok()?.parse().ok()
}

fn unescape(token: &[u8]) -> Result<String, String> {
    let invalid = || "Invalid escape".to_owned();
    let mut text = Vec::with_capacity(token.len());
    let mut rest = token;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        let (plain, escape) = rest.split_at(place);
        text.extend_from_slice(plain);
        let kind = *escape.get(1).ok_or_else(invalid)?;
        rest = escape.get(2..).unwrap_or_default();
        let byte = match kind {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'"' | b'\\' | b'/' => kind,
            b'u' => {
                let (unit, after) = unit(rest).ok_or_else(invalid)?;
                rest = after;
                let mut code = unit;
                if (0xd800..0xdc00).contains(&unit)
                    && let Some(low) = rest.strip_prefix(b"\\u")
                    && let Some((low, after)) = self::unit(low)
                    && (0xdc00..0xe000).contains(&low)
                {
                    code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    rest = after;
                }
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return Err(invalid()),
        };
        text.push(byte);
    }
    text.extend_from_slice(rest);
    Ok(match String::from_utf8(text) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn unit(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    let mut unit = 0;
    for digit in digits {
        unit = unit * 16 + char::from(*digit).to_digit(16)?;
    }
    Some((unit, rest))
}

/// Parses exactly one value.
pub fn whole(text: &[u8]) -> Result<Val, String> {
    let mut all = many(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(value), true) => Ok(value),
        (None, _) => Err("Expected JSON value".to_owned()),
        (Some(_), false) => Err("Unexpected extra JSON values".to_owned()),
    }
}

/// Parses all values.
pub fn many(mut text: &[u8]) -> Result<Vec<Val>, String> {
    let mut parser = Parser::new(false);
    let mut all = Vec::new();
    while let Some(value) = parser.next(&mut text)? {
        all.push(value);
    }
    all.extend(parser.finish()?);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::many;

    #[test]
    fn mistakes() {
        let check = |text: &str, expected: &str| {
            assert_eq!(many(text.as_bytes()).unwrap_err(), expected, "{text}");
        };
        check("{bad\n", "Invalid numeric literal at line 2, column 0");
        check("[1,2", "Unfinished JSON term at EOF at line 1, column 4");
        check("\"abc", "Unfinished string at EOF at line 1, column 4");
        check(
            "{\"a\" 1}",
            "Expected separator between values at line 1, column 7",
        );
        check("{1:2}", "Object keys must be strings at line 1, column 3");
        check("[,]", "Expected value before ',' at line 1, column 2");
        check("}", "Unmatched '}' at line 1, column 1");
        check(
            "{\"a\":1,}",
            "Expected another key-value pair at line 1, column 8",
        );
        check("tru", "Invalid literal at EOF at line 1, column 3");
    }
}
