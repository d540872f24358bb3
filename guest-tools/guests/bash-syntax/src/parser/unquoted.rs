//! Words outside double quotes.

use bstr::BString;

use super::parts::Parts;
use super::reader::{Parsed, Reader};
use crate::ast::{Word, WordPart};

/// Where an unquoted word ends. The byte that ends it is not passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// At a blank, a newline or an operator.
    Word { extglob: bool },
    /// The same, but parentheses and `|` belong to the word.
    Regex,
    /// At `}`.
    Brace,
    /// At `}` or `/`.
    BraceOrSlash,
    /// At the `]` that belongs to a `[` already passed.
    Bracket,
    /// The same, or at a blank, a newline or an operator.
    BracketOrBlank,
    /// At the end of the text.
    Everything,
}

impl Stop {
    fn is_word(self) -> bool {
        matches!(self, Self::Word { .. } | Self::Regex | Self::BracketOrBlank)
    }
}

impl Reader<'_> {
    /// Reads an unquoted word; empty when the next byte ends it.
    pub(super) fn read_unquoted(&mut self, stop: Stop) -> Parsed<Word> {
        let mut parts = Parts::default();
        self.read_unquoted_into(stop, &mut parts)?;
        Ok(parts.into_word())
    }

    /// Reads an unquoted word behind what `parts` holds.
    pub(super) fn read_unquoted_into(&mut self, stop: Stop, parts: &mut Parts) -> Parsed<()> {
        // Parentheses of extended groups or of a regular expression, or brackets of a subscript.
        let mut open = 0_u32;
        let mut open_line = 0;
        loop {
            let rest = self.input.rest();
            let run = rest
                .iter()
                .position(|byte| is_special(*byte))
                .unwrap_or(rest.len());
            parts.push_text(rest.get(..run).unwrap_or_default());
            self.input.skip(run);
            let Some(byte) = self.input.peek() else {
                if open > 0 && stop.is_word() {
                    return Err(self.error_unclosed(")", open_line));
                }
                return Ok(());
            };
            match byte {
                b'\\' => self.read_backslash(parts),
                b'\'' | b'"' => {
                    let part = self.read_quotes(byte)?;
                    parts.push(part);
                }
                b'$' | b'`' => self.read_dollar_into(false, parts)?,
                b'<' | b'>'
                    if open == 0
                        && stop != Stop::Bracket
                        && self.input.peek_at(1) == Some(b'(') =>
                {
                    let part = self.read_process()?;
                    parts.push(part);
                }
                b'(' if stop == Stop::Regex || is_group(stop, open, parts) => {
                    if open == 0 {
                        open_line = self.input.line();
                    }
                    open += 1;
                    self.push_next(byte, parts);
                }
                b')' if open > 0 && stop.is_word() && stop != Stop::BracketOrBlank => {
                    open -= 1;
                    self.push_next(byte, parts);
                }
                b'|' if stop == Stop::Regex => self.push_next(byte, parts),
                b' ' | b'\t' | b'\n' | b'(' | b')' | b'<' | b'>' | b'&' | b'|' | b';'
                    if stop.is_word() && (open == 0 || stop == Stop::BracketOrBlank) =>
                {
                    return Ok(());
                }
                b'}' if matches!(stop, Stop::Brace | Stop::BraceOrSlash) => return Ok(()),
                b'/' if stop == Stop::BraceOrSlash => return Ok(()),
                b'[' if matches!(stop, Stop::Bracket | Stop::BracketOrBlank) => {
                    open += 1;
                    self.push_next(byte, parts);
                }
                b']' if matches!(stop, Stop::Bracket | Stop::BracketOrBlank) => {
                    if open == 0 {
                        return Ok(());
                    }
                    open -= 1;
                    self.push_next(byte, parts);
                }
                _ => self.push_next(byte, parts),
            }
        }
    }

    fn push_next(&mut self, byte: u8, parts: &mut Parts) {
        self.input.advance();
        parts.push_byte(byte);
    }

    /// Reads a backslash outside quotes and what it quotes.
    fn read_backslash(&mut self, parts: &mut Parts) {
        if self.input.is_last_newline(1) {
            self.push_next(b'\\', parts);
            return;
        }
        self.input.advance();
        match self.input.peek() {
            None => parts.push_byte(b'\\'),
            Some(b'\n') => self.input.advance(),
            Some(_) => {
                let character = self.bump_character();
                parts.push(WordPart::Escaped(character));
            }
        }
    }

    /// Passes a whole UTF-8 character, or a byte that begins none.
    pub(super) fn bump_character(&mut self) -> BString {
        let (_, size) = bstr::decode_utf8(self.input.rest());
        let size = size.max(1);
        let character = BString::from(self.input.rest().get(..size).unwrap_or_default());
        self.input.skip(size);
        character
    }

    /// Reads `'...'` or `"..."`.
    pub(super) fn read_quotes(&mut self, quote: u8) -> Parsed<WordPart> {
        if quote == b'\'' {
            return Ok(WordPart::SingleQuoted(self.read_single_quotes()?));
        }
        Ok(WordPart::DoubleQuoted(self.read_double_quotes()?))
    }

    fn read_single_quotes(&mut self) -> Parsed<BString> {
        let line = self.input.line();
        self.input.advance();
        let mut text = BString::default();
        loop {
            let rest = self.input.rest();
            if let Some(at) = memchr::memchr(b'\'', rest) {
                text.extend_from_slice(rest.get(..at).unwrap_or_default());
                self.input.skip(at + 1);
                return Ok(text);
            }
            text.extend_from_slice(rest);
            let length = rest.len();
            self.input.skip(length);
            if self.input.peek().is_none() {
                return Err(self.error_unclosed("'", line));
            }
        }
    }
}

/// Whether a parenthesis here belongs to an extended group.
fn is_group(stop: Stop, open: u32, parts: &Parts) -> bool {
    match stop {
        Stop::Word { extglob } => open > 0 || (extglob && parts.ends_in_group_operator()),
        _ => false,
    }
}

/// Whether any kind of unquoted word must look at the byte.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b'('
            | b')'
            | b'<'
            | b'>'
            | b'&'
            | b'|'
            | b';'
            | b'\\'
            | b'\''
            | b'"'
            | b'$'
            | b'`'
            | b'}'
            | b'/'
            | b'['
            | b']'
    )
}
