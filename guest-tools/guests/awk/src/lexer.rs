//! Splits a program into tokens.
//!
//! Whether `/` begins a regular expression is the parser's knowledge: it asks for one with `regex` when it stands
//! where an operand must come.

use std::rc::Rc;

use crate::Error;
use crate::builtin::Builtin;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A number.
    Number(f64),
    /// A string, its escapes replaced.
    Text(Vec<u8>),
    /// A name.
    Name(String),
    /// A name with `(` directly behind it.
    FunctionName(String),
    /// A function of the language.
    Builtin(Builtin),
    /// A word of the language.
    Word(Word),
    /// An operator or a piece of punctuation.
    Sign(&'static str),
    /// The end of a line.
    Newline,
    /// The end of the program.
    End,
}

/// The words of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Begin,
    BeginFile,
    Break,
    Case,
    Continue,
    Default,
    Delete,
    Do,
    Else,
    End,
    EndFile,
    Exit,
    For,
    Function,
    Getline,
    If,
    In,
    Next,
    NextFile,
    Print,
    Printf,
    Return,
    Switch,
    While,
}

const WORDS: &[(&str, Word)] = &[
    ("BEGIN", Word::Begin),
    ("BEGINFILE", Word::BeginFile),
    ("END", Word::End),
    ("ENDFILE", Word::EndFile),
    ("break", Word::Break),
    ("case", Word::Case),
    ("continue", Word::Continue),
    ("default", Word::Default),
    ("delete", Word::Delete),
    ("do", Word::Do),
    ("else", Word::Else),
    ("exit", Word::Exit),
    ("for", Word::For),
    ("func", Word::Function),
    ("function", Word::Function),
    ("getline", Word::Getline),
    ("if", Word::If),
    ("in", Word::In),
    ("next", Word::Next),
    ("nextfile", Word::NextFile),
    ("print", Word::Print),
    ("printf", Word::Printf),
    ("return", Word::Return),
    ("switch", Word::Switch),
    ("while", Word::While),
];

/// Operators, longer ones first.
const SIGNS: &[&str] = &[
    "**=", "&&", "||", "|&", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "<=",
    ">=", "!=", "!~", ">>", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^",
    "!", ">", "<", "|", "?", ":", "~", "$", "=", "@",
];

/// One piece of program text and what messages call it.
#[derive(Debug, Clone)]
pub struct Source {
    /// `cmd. line` or a file name.
    pub name: String,
    /// The text.
    pub text: Rc<[u8]>,
}

/// The lexer.
#[derive(Debug)]
pub struct Lexer {
    source: Source,
    at: usize,
    line: u32,
    /// Where the newest token begins.
    begin: usize,
    begin_line: u32,
}

impl Lexer {
    /// Begins at the start of a source.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            at: 0,
            line: 1,
            begin: 0,
            begin_line: 1,
        }
    }

    /// Returns the line of the newest token.
    pub fn token_line(&self) -> u32 {
        self.begin_line
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.text.get(self.at + ahead).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek(0)?;
        self.at += 1;
        Some(byte)
    }

    /// Returns a syntax error at the newest token, in gawk's form: the line and a mark under it.
    pub fn error(&self, what: &str) -> Error {
        let text = &self.source.text;
        let before = text.get(..self.begin).unwrap_or_default();
        let line_begin = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |place| place + 1);
        let rest = text.get(line_begin..).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mark = " ".repeat(self.begin - line_begin);
        let place = format!("{}:{}: ", self.source.name, self.begin_line);
        Error::syntax(format!(
            "{place}{}\n{place}{mark}^ {what}",
            String::from_utf8_lossy(line)
        ))
    }

    /// Returns an error at the newest token, without the line itself.
    pub fn message(&self, what: &str) -> Error {
        Error::syntax(format!("{}:{}: {what}", self.source.name, self.begin_line))
    }

    /// Returns whether the word behind the newest token is `getline`; reads nothing.
    pub fn peek_is_getline(&mut self) -> Result<bool, Error> {
        let kept = (self.at, self.line, self.begin, self.begin_line);
        let token = self.next();
        (self.at, self.line, self.begin, self.begin_line) = kept;
        Ok(token? == Token::Word(Word::Getline))
    }

    fn skip_blanks(&mut self) -> Result<(), Error> {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'#') => {
                    while self.peek(0).is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                Some(b'\\') => {
                    let ahead = if self.peek(1) == Some(b'\r') { 2 } else { 1 };
                    match self.peek(ahead) {
                        Some(b'\n') => {
                            self.at += ahead + 1;
                            self.line += 1;
                        }
                        None => self.at += ahead,
                        Some(_) => {
                            self.begin = self.at;
                            return Err(self.error("backslash not last character on line"));
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Returns the next token.
    pub fn next(&mut self) -> Result<Token, Error> {
        self.skip_blanks()?;
        (self.begin, self.begin_line) = (self.at, self.line);
        let Some(byte) = self.peek(0) else {
            return Ok(Token::End);
        };
        match byte {
            b'\n' => {
                self.at += 1;
                self.line += 1;
                Ok(Token::Newline)
            }
            b'"' => self.string(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Ok(self.word()),
            _ => {
                let rest = self.source.text.get(self.at..).unwrap_or_default();
                match SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes())) {
                    Some(sign) => {
                        self.at += sign.len();
                        Ok(Token::Sign(match *sign {
                            "**" => "^",
                            "**=" => "^=",
                            sign => sign,
                        }))
                    }
                    None => {
                        let what = if byte.is_ascii_graphic() {
                            format!(
                                "syntax error: invalid char '{}' in expression",
                                byte as char
                            )
                        } else {
                            format!("invalid char '\\{byte:o}' in expression")
                        };
                        Err(self.error(&what))
                    }
                }
            }
        }
    }

    fn word(&mut self) -> Token {
        let begin = self.at;
        while self
            .peek(0)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.at += 1;
        }
        let name =
            String::from_utf8_lossy(self.source.text.get(begin..self.at).unwrap_or_default())
                .into_owned();
        if let Some((_, word)) = WORDS.iter().find(|(text, _)| *text == name) {
            return Token::Word(*word);
        }
        if let Some(builtin) = Builtin::of(&name) {
            return Token::Builtin(builtin);
        }
        if self.peek(0) == Some(b'(') {
            Token::FunctionName(name)
        } else {
            Token::Name(name)
        }
    }

    fn number(&mut self) -> Result<Token, Error> {
        let rest = self.source.text.get(self.at..).unwrap_or_default();
        if let Some((number, used)) = hexadecimal(rest) {
            self.at += used;
            return Ok(Token::Number(number));
        }
        let (number, used) = crate::number::parse_prefix(rest);
        let literal = rest.get(..used).unwrap_or_default();
        // In program text, and only there, a leading 0 makes a number octal.
        let number = match literal.split_first() {
            Some((b'0', digits))
                if !digits.is_empty()
                    && digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) =>
            {
                digits
                    .iter()
                    .fold(0.0, |sum, digit| sum * 8.0 + f64::from(digit - b'0'))
            }
            _ => number,
        };
        self.at += used.max(1);
        Ok(Token::Number(number))
    }

    fn string(&mut self) -> Result<Token, Error> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.bump() {
                Some(b'"') => return Ok(Token::Text(text)),
                Some(b'\\') => {
                    if self.peek(0) == Some(b'\n') {
                        self.at += 1;
                        self.line += 1;
                        continue;
                    }
                    let rest = self.source.text.get(self.at..).unwrap_or_default();
                    self.at += unescape(rest, &mut text);
                }
                Some(b'\n') | None => return Err(self.error("unterminated string")),
                Some(byte) => text.push(byte),
            }
        }
    }

    /// Reads the rest of a regular expression; the newest token was its `/`, or `/=`
    /// with `begun` for what belongs to it.
    pub fn regex(&mut self, begun: &[u8]) -> Result<Vec<u8>, Error> {
        let mut text = begun.to_vec();
        let mut is_in_bracket = false;
        let mut bracket_begin = 0;
        loop {
            match self.bump() {
                Some(b'/') if !is_in_bracket => return Ok(text),
                Some(b'\\') => match self.bump() {
                    Some(b'/') => text.push(b'/'),
                    Some(b'\n') => self.line += 1,
                    Some(byte) => text.extend_from_slice(&[b'\\', byte]),
                    None => return Err(self.error("unterminated regexp")),
                },
                Some(b'\n') | None => {
                    return Err(self.error("unterminated regexp"));
                }
                Some(byte) => {
                    text.push(byte);
                    if is_in_bracket {
                        // `[]x]`, `[^]x]`: a bracket that comes first stands for itself; so do classes.
                        let inside = text.get(bracket_begin..text.len() - 1).unwrap_or_default();
                        let is_first = inside.is_empty() || inside == b"^";
                        let class =
                            inside
                                .iter()
                                .rposition(|byte| *byte == b'[')
                                .is_some_and(|open| {
                                    let class = inside.get(open + 1..).unwrap_or_default();
                                    class.len() >= 2
                                        && class.first() == class.last()
                                        && matches!(class.first(), Some(b':' | b'.' | b'='))
                                });
                        if byte == b']' && !is_first && !class {
                            is_in_bracket = false;
                        }
                    } else if byte == b'[' {
                        is_in_bracket = true;
                        bracket_begin = text.len();
                    }
                }
            }
        }
    }
}

/// Reads `0x1F` at the begin of a text.
pub fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let digits = text
        .strip_prefix(b"0x")
        .or_else(|| text.strip_prefix(b"0X"))?;
    let count = digits
        .iter()
        .take_while(|digit| digit.is_ascii_hexdigit())
        .count();
    if count == 0 {
        return None;
    }
    let number = digits.iter().take(count).fold(0.0, |sum, digit| {
        sum * 16.0 + f64::from((*digit as char).to_digit(16).unwrap_or(0))
    });
    Some((number, count + 2))
}

/// Replaces the escape that a text begins with, the backslash taken; returns how many bytes it had.
pub fn unescape(text: &[u8], into: &mut Vec<u8>) -> usize {
    let Some(byte) = text.first().copied() else {
        into.push(b'\\');
        return 0;
    };
    let plain = match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'\\' | b'"' | b'/' => byte,
        b'0'..=b'7' => {
            let digits = text
                .iter()
                .take(3)
                .take_while(|digit| (b'0'..=b'7').contains(*digit));
            let (value, count) = digits.fold((0_u32, 0), |(value, count), digit| {
                (value * 8 + u32::from(digit - b'0'), count + 1)
            });
            into.push(value as u8);
            return count;
        }
        b'x' if text.get(1).is_some_and(u8::is_ascii_hexdigit) => {
            let digits = text
                .iter()
                .skip(1)
                .take(2)
                .map_while(|digit| (*digit as char).to_digit(16));
            let (value, count) = digits.fold((0_u32, 1), |(value, count), digit| {
                (value * 16 + digit, count + 1)
            });
            into.push(value as u8);
            return count;
        }
        other => {
            // As gawk: `\q` is a plain `q`.
            into.push(other);
            return 1;
        }
    };
    into.push(plain);
    1
}
