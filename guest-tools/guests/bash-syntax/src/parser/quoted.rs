//! Text in which only `$`, backquotes and backslashes mean something: the inside of double quotes,
//! here-documents, arithmetic.

use bstr::BString;

use super::parts::Parts;
use super::reader::{Parsed, Reader};
use crate::ast::{Word, WordPart};

/// Where quoted text ends. The byte that ends it is not passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuotedStop {
    /// At `"`.
    Quote,
    /// At `}`; a `"` begins quotes within, and between `'` and `'` a `}` ends nothing.
    Brace,
    /// The replacement of `${x/pattern/replacement}`: as `Brace`, and single quotes quote.
    Replacement,
    /// At a `)` without a `(` in the text.
    Parenthesis,
    /// The same, or at a `;`.
    ParenthesisOrSemicolon,
    /// At a `]` without a `[` in the text.
    Bracket,
    /// At `}`, or at a `:` that belongs to no `?` and is in no parentheses.
    BraceOrColon,
    /// At the end of the text; `"` is an ordinary character.
    Everything,
    /// At the end of the text; `"` quotes.
    EverythingQuoting,
}

impl QuotedStop {
    /// Whether a `"` begins quotes.
    fn has_quotes(self) -> bool {
        !matches!(self, Self::Quote | Self::Everything)
    }

    fn is_brace(self) -> bool {
        matches!(self, Self::Brace | Self::Replacement)
    }

    fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Self::Parenthesis | Self::ParenthesisOrSemicolon | Self::Bracket | Self::BraceOrColon
        )
    }
}

impl Reader<'_> {
    /// Reads `"..."`, of which the first quote is next.
    pub(super) fn read_double_quotes(&mut self) -> Parsed<Vec<WordPart>> {
        let line = self.input.line();
        self.input.advance();
        self.enter()?;
        let mut parts = Parts::default();
        self.read_quoted_into(QuotedStop::Quote, &mut parts)?;
        self.leave();
        if !self.input.accept(b'"') {
            return Err(self.error_unclosed("\"", line));
        }
        Ok(parts.into_parts())
    }

    /// Reads quoted text.
    pub(super) fn read_quoted(&mut self, stop: QuotedStop) -> Parsed<Word> {
        let mut parts = Parts::default();
        self.read_quoted_into(stop, &mut parts)?;
        Ok(parts.into_word())
    }

    fn read_quoted_into(&mut self, stop: QuotedStop, parts: &mut Parts) -> Parsed<()> {
        // Parentheses or brackets in arithmetic, and `?` that wait for their `:`.
        let mut open = 0_u32;
        let mut questions = 0_u32;
        let mut single_quote_line = None;
        loop {
            let rest = self.input.rest();
            let run = rest
                .iter()
                .position(|byte| is_special(*byte, stop))
                .unwrap_or(rest.len());
            parts.push_text(rest.get(..run).unwrap_or_default());
            self.input.skip(run);
            let Some(byte) = self.input.peek() else {
                return match single_quote_line {
                    Some(line) => Err(self.error_unclosed("'", line)),
                    None => Ok(()),
                };
            };
            let is_in_single = single_quote_line.is_some();
            match byte {
                b'\\' => self.read_quoted_backslash(stop, parts),
                b'$' if stop.is_brace()
                    && !is_in_single
                    && self.input.peek_at(1) == Some(b'\'') =>
                {
                    self.input.advance();
                    let value = self.read_ansi_quotes()?;
                    parts.push_text(&value);
                }
                // In a here-document, double quotes within backquotes are not those around it.
                b'`' if stop == QuotedStop::Everything => {
                    let part = self.read_backquotes(false)?;
                    parts.push(part);
                }
                b'$' | b'`' => self.read_dollar_into(true, parts)?,
                b'"' if stop == QuotedStop::Quote => return Ok(()),
                b'"' if stop.has_quotes() && !is_in_single => {
                    let part = WordPart::DoubleQuoted(self.read_double_quotes()?);
                    parts.push(part);
                }
                b'\'' if stop == QuotedStop::Replacement => {
                    let part = self.read_quotes(b'\'')?;
                    parts.push(part);
                }
                b'\'' if stop == QuotedStop::Brace => {
                    single_quote_line = if is_in_single {
                        None
                    } else {
                        Some(self.input.line())
                    };
                    self.push_quoted(byte, parts);
                }
                b'}' if stop.is_brace() && !is_in_single => return Ok(()),
                b'}' if stop == QuotedStop::BraceOrColon => return Ok(()),
                b';' if stop == QuotedStop::ParenthesisOrSemicolon && open == 0 => return Ok(()),
                b'?' if stop == QuotedStop::BraceOrColon && open == 0 => {
                    questions += 1;
                    self.push_quoted(byte, parts);
                }
                b':' if stop == QuotedStop::BraceOrColon && open == 0 => {
                    if questions == 0 {
                        return Ok(());
                    }
                    questions -= 1;
                    self.push_quoted(byte, parts);
                }
                b'(' if stop.is_arithmetic() && stop != QuotedStop::Bracket => {
                    open += 1;
                    self.push_quoted(byte, parts);
                }
                b'[' if stop == QuotedStop::Bracket => {
                    open += 1;
                    self.push_quoted(byte, parts);
                }
                b')' if matches!(
                    stop,
                    QuotedStop::Parenthesis | QuotedStop::ParenthesisOrSemicolon
                ) && open == 0 =>
                {
                    return Ok(());
                }
                b']' if stop == QuotedStop::Bracket && open == 0 => return Ok(()),
                b')' if stop.is_arithmetic() && stop != QuotedStop::Bracket => {
                    open = open.saturating_sub(1);
                    self.push_quoted(byte, parts);
                }
                b']' if stop == QuotedStop::Bracket => {
                    open = open.saturating_sub(1);
                    self.push_quoted(byte, parts);
                }
                _ => self.push_quoted(byte, parts),
            }
        }
    }

    fn push_quoted(&mut self, byte: u8, parts: &mut Parts) {
        self.input.advance();
        parts.push_byte(byte);
    }

    fn read_quoted_backslash(&mut self, stop: QuotedStop, parts: &mut Parts) {
        self.input.advance();
        match self.input.peek() {
            Some(byte @ (b'$' | b'`' | b'\\')) => {
                self.input.advance();
                parts.push(WordPart::Escaped(BString::from(vec![byte])));
            }
            Some(b'"') if stop != QuotedStop::Everything => {
                self.input.advance();
                parts.push(WordPart::Escaped(BString::from("\"")));
            }
            Some(b'}') if stop.is_brace() => {
                self.input.advance();
                parts.push(WordPart::Escaped(BString::from("}")));
            }
            Some(b'\n') => self.input.advance(),
            Some(byte) if stop == QuotedStop::Replacement && byte.is_ascii() => {
                self.input.advance();
                parts.push(WordPart::Escaped(BString::from(vec![byte])));
            }
            Some(b'\'') if stop == QuotedStop::Brace => {
                self.input.advance();
                parts.push_text(b"\\'");
            }
            _ => parts.push_byte(b'\\'),
        }
    }
}

/// Whether text with this end must look at the byte.
fn is_special(byte: u8, stop: QuotedStop) -> bool {
    match byte {
        b'\\' | b'$' | b'`' | b'"' => true,
        b'\'' | b'}' => stop.is_brace() || stop == QuotedStop::BraceOrColon,
        b'(' | b')' | b'[' | b']' | b';' | b'?' | b':' => stop.is_arithmetic(),
        _ => false,
    }
}
