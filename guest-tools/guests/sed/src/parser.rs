//! The parser of scripts.

mod arguments;
mod substitute;

use std::collections::HashMap;

use posix_regex::{Options, Regex, Syntax};

use crate::{
    Failure,
    escape::{self, Place},
    script::{Action, Address, Command, End, Pattern, Script},
    settings::{Piece, Settings},
};

/// Parses the script of a command line.
pub(crate) fn parse(settings: &Settings) -> Result<Script, Failure> {
    let mut text = Vec::new();
    let mut ends = Vec::new();
    for (number, piece) in settings.script.iter().enumerate() {
        if number > 0 {
            text.push(b'\n');
        }
        text.extend_from_slice(&piece.text);
        ends.push(text.len());
    }
    let quiet = text.starts_with(b"#n\n") || text == b"#n";
    let mut parser = Parser {
        text: &text,
        at: 0,
        ends,
        pieces: &settings.script,
        settings,
        commands: Vec::new(),
        blocks: Vec::new(),
        labels: HashMap::new(),
        jumps: Vec::new(),
        outputs: Vec::new(),
    };
    parser.commands()?;
    parser.resolve()?;
    Ok(Script {
        commands: parser.commands,
        outputs: parser.outputs,
        quiet,
    })
}

struct Parser<'a> {
    /// All pieces with line feeds between them.
    text: &'a [u8],
    at: usize,
    /// Where the pieces end in the text.
    ends: Vec<usize>,
    pieces: &'a [Piece],
    settings: &'a Settings,
    commands: Vec<Command>,
    /// The commands `{` that are open.
    blocks: Vec<usize>,
    labels: HashMap<Vec<u8>, usize>,
    /// Commands that go to labels.
    jumps: Vec<(usize, Vec<u8>)>,
    outputs: Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn skip_blanks(&mut self) {
        while self
            .peek()
            .is_some_and(|byte| byte != b'\n' && is_space(byte))
        {
            self.at += 1;
        }
    }

    /// Returns a failure at the place up to which the script was read.
    fn fail(&self, message: impl std::fmt::Display) -> Failure {
        let number = self.ends.iter().position(|end| self.at <= *end + 1);
        let number = number.unwrap_or_default();
        let start = match number.checked_sub(1).and_then(|last| self.ends.get(last)) {
            Some(end) => end + 1,
            None => 0,
        };
        match self
            .pieces
            .get(number)
            .and_then(|piece| piece.file.as_ref())
        {
            Some(file) => {
                let passed = self.text.get(start..self.at).unwrap_or_default();
                let lines = passed.iter().filter(|byte| **byte == b'\n').count();
                Failure::usage(format!("file {file} line {}: {message}", lines + 1))
            }
            None => {
                let expression = 1 + self
                    .pieces
                    .iter()
                    .take(number)
                    .filter(|piece| piece.file.is_none())
                    .count();
                let char = self.at.saturating_sub(start);
                Failure::usage(format!(
                    "-e expression #{expression}, char {char}: {message}"
                ))
            }
        }
    }

    fn commands(&mut self) -> Result<(), Failure> {
        loop {
            while self
                .peek()
                .is_some_and(|byte| byte == b';' || is_space(byte))
            {
                self.at += 1;
            }
            if self.peek().is_none() {
                break;
            }
            self.command()?;
        }
        match self.blocks.is_empty() {
            true => Ok(()),
            false => Err(Failure::usage("-e expression #1, char 0: unmatched `{'")),
        }
    }

    fn command(&mut self) -> Result<(), Failure> {
        let start = self.address()?;
        let mut end = None;
        let mut from_zero = false;
        if start.is_some() {
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
                self.skip_blanks();
                end = Some(self.range_end()?);
            }
        }
        if matches!(start, Some(Address::Line(0))) {
            match end {
                Some(End::Match(_)) if !self.settings.posix => from_zero = true,
                // `0r` puts a file before the first line.
                None if self.peek() == Some(b'r') => {}
                _ => {
                    self.at += usize::from(end.is_none());
                    return Err(self.fail("invalid usage of line address 0"));
                }
            }
        }
        self.skip_blanks();
        let mut negated = false;
        while self.peek() == Some(b'!') {
            self.at += 1;
            if negated {
                return Err(self.fail("multiple `!'s"));
            }
            negated = true;
            self.skip_blanks();
        }
        let Some(letter) = self.next() else {
            return Err(self.fail("missing command"));
        };
        let count = usize::from(start.is_some()) + usize::from(end.is_some());
        let action = self.action(letter, count, negated)?;
        self.commands.push(Command {
            start,
            end,
            from_zero,
            negated,
            action,
        });
        Ok(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number: Option<u64> = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            number = Some(
                number
                    .unwrap_or(0)
                    .saturating_mul(10)
                    .saturating_add(u64::from(digit - b'0')),
            );
        }
        number
    }

    fn address(&mut self) -> Result<Option<Address>, Failure> {
        Ok(Some(match self.peek() {
            Some(b'0'..=b'9') => {
                let first = self.number().unwrap_or_default();
                self.skip_blanks();
                if self.peek() != Some(b'~') {
                    return Ok(Some(Address::Line(first)));
                }
                self.at += 1;
                self.skip_blanks();
                match self.number().unwrap_or_default() {
                    0 => Address::Line(first),
                    step => Address::Step(first, step),
                }
            }
            Some(b'$') => {
                self.at += 1;
                Address::Last
            }
            Some(b'/' | b'\\') => Address::Match(self.address_pattern()?),
            Some(b'+' | b'~') => {
                self.at += 2;
                return Err(self.fail("invalid usage of +N or ~N as first address"));
            }
            _ => return Ok(None),
        }))
    }

    fn range_end(&mut self) -> Result<End, Failure> {
        Ok(match self.peek() {
            Some(sign @ (b'+' | b'~')) => {
                self.at += 1;
                let number = self.number().unwrap_or_default();
                match sign {
                    b'+' => End::After(number),
                    _ => End::Multiple(number),
                }
            }
            Some(b'0'..=b'9') => match self.address()? {
                Some(Address::Line(line)) => End::Line(line),
                Some(Address::Step(first, _)) => End::Line(first),
                _ => End::Last,
            },
            Some(b'$') => {
                self.at += 1;
                End::Last
            }
            Some(b'/' | b'\\') => End::Match(self.address_pattern()?),
            _ => {
                self.at += 1;
                return Err(self.fail("unexpected `,'"));
            }
        })
    }

    fn address_pattern(&mut self) -> Result<Pattern, Failure> {
        let mut delimiter = self.next();
        if delimiter == Some(b'\\') {
            delimiter = self.next();
        }
        let pattern = delimiter
            .and_then(|delimiter| self.delimited(delimiter, true))
            .ok_or_else(|| self.fail("unterminated address regex"))?;
        let (mut ignore_case, mut multi_line) = (false, false);
        loop {
            match self.peek() {
                Some(b'I') => ignore_case = true,
                Some(b'M') => multi_line = true,
                _ => break,
            }
            self.at += 1;
        }
        self.pattern(&pattern, ignore_case, multi_line)
    }

    /// Reads up to a delimiter, which is passed. `\` before the delimiter goes; in a regular expression `\n` is a
    /// line feed, and a delimiter in brackets ends nothing.
    fn delimited(&mut self, delimiter: u8, is_regex: bool) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let mut in_bracket = false;
        while let Some(byte) = self.next() {
            match byte {
                _ if byte == delimiter && !in_bracket => return Some(text),
                b'\n' if is_regex => {
                    self.at -= 1;
                    return None;
                }
                b'\n' if !text.ends_with(b"\\") => {
                    self.at -= 1;
                    return None;
                }
                b'\\' if in_bracket => {
                    text.push(byte);
                    if self.peek() == Some(b'n') {
                        text.pop();
                        text.push(b'\n');
                        self.at += 1;
                    }
                }
                b'\\' => {
                    let next = self.next()?;
                    match next {
                        _ if next == delimiter => {
                            // In a regular expression it means again what it means without being the delimiter.
                            if !is_regex && next == b'&' {
                                text.push(b'\\');
                            }
                            text.push(next);
                        }
                        b'n' if is_regex => text.push(b'\n'),
                        b'\n' if !is_regex => text.extend_from_slice(b"\\\n"),
                        _ => text.extend_from_slice(&[b'\\', next]),
                    }
                }
                b'[' if is_regex && !in_bracket && self.has_bracket_end(delimiter) => {
                    in_bracket = true;
                    text.push(byte);
                    if self.peek() == Some(b'^') {
                        text.extend(self.next());
                    }
                    if self.peek() == Some(b']') {
                        text.extend(self.next());
                    }
                }
                b'[' if in_bracket && matches!(self.peek(), Some(b':' | b'.' | b'=')) => {
                    text.push(byte);
                    let kind = self.next()?;
                    text.push(kind);
                    while let Some(inner) = self.next() {
                        text.push(inner);
                        if inner == kind && self.peek() == Some(b']') {
                            text.extend(self.next());
                            break;
                        }
                    }
                }
                b']' if in_bracket => {
                    in_bracket = false;
                    text.push(byte);
                }
                byte => text.push(byte),
            }
        }
        None
    }

    /// Returns whether the bracket expression that begins here ends in this line.
    fn has_bracket_end(&self, _delimiter: u8) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        line.iter().skip(1).any(|byte| *byte == b']')
    }

    fn pattern(
        &self,
        text: &[u8],
        ignore_case: bool,
        multi_line: bool,
    ) -> Result<Pattern, Failure> {
        if text.is_empty() {
            return match ignore_case || multi_line {
                true => Err(self.fail("cannot specify modifiers on empty regexp")),
                false => Ok(None),
            };
        }
        let text = escape::convert(text, Place::Regex);
        let options = Options {
            ignore_case,
            multi_line,
            dot_newline: !multi_line,
            utf8: self.settings.utf8,
            unmatched_close_fails: true,
            ..Options::default()
        };
        let syntax = match self.settings.extended {
            true => Syntax::Extended,
            false => Syntax::Basic,
        };
        match Regex::new(&text, syntax, &options) {
            Ok(regex) => Ok(Some(regex)),
            Err(error @ posix_regex::Error::ClassWithoutBrackets) => {
                Err(Failure::trouble(error.to_string()))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Puts the numbers of commands for the labels.
    fn resolve(&mut self) -> Result<(), Failure> {
        for (number, label) in std::mem::take(&mut self.jumps) {
            let target = match self.labels.get(&label) {
                Some(target) => *target,
                None if label.is_empty() => self.commands.len(),
                None => {
                    let label = String::from_utf8_lossy(&label);
                    return Err(Failure::trouble(format!(
                        "can't find label for jump to `{label}'"
                    )));
                }
            };
            if let Some(Command {
                action: Action::Branch(to) | Action::BranchIf(to) | Action::BranchUnless(to),
                ..
            }) = self.commands.get_mut(number)
            {
                *to = target;
            }
        }
        Ok(())
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0B
}
