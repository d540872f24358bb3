//! Here-documents: their text follows the line that names them.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::BString;

use super::reader::{Parsed, PendingDocument, Reader};
use super::token::{Place, Token};
use super::unquoted::Stop;
use crate::Warning;
use crate::ast::{
    HereDocument, Redirection, RedirectionOperator, RedirectionTarget, Word, WordPart,
};
use crate::print::print_word;

impl Reader<'_> {
    /// Reads the redirection whose operator was looked at.
    pub(super) fn parse_redirection(&mut self, place: Place) -> Parsed<Redirection> {
        let lexed = self.take_token(place)?;
        self.is_reserved_acceptable = false;
        let Token::Redirection(descriptor, operator, strips_tabs) = lexed.token else {
            self.token = Some(lexed);
            return Err(self.unexpected(place));
        };
        self.skip_blanks();
        let is_word = match self.input.peek() {
            None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')') => false,
            Some(b'<' | b'>') => self.input.peek_at(1) == Some(b'('),
            _ => true,
        };
        if !is_word {
            return Err(self.unexpected(Place::Plain));
        }
        let extglob = self.options.extglob;
        let word = self.read_unquoted(Stop::Word { extglob })?;
        let target = if operator == RedirectionOperator::HereDocument {
            let end = delimiter_text(&word);
            let document = Rc::new(HereDocument {
                is_literal: word.has_quotes(),
                delimiter: word,
                strips_tabs,
                text: OnceCell::new(),
                word: OnceCell::new(),
            });
            self.pending.push(PendingDocument {
                document: Rc::clone(&document),
                end,
                line: lexed.line,
            });
            RedirectionTarget::HereDocument(document)
        } else {
            RedirectionTarget::Word(word)
        };
        Ok(Redirection {
            descriptor,
            operator,
            target,
            line: lexed.line,
        })
    }

    /// Reads the texts of the here-documents of the line that has just ended.
    pub(super) fn read_here_documents(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            self.read_here_document(&pending);
        }
    }

    fn read_here_document(&mut self, pending: &PendingDocument) {
        let document = &pending.document;
        let line = self.input.line();
        let mut text = BString::default();
        loop {
            let start = text.len();
            let before = self.input.clone();
            if !self.read_here_line(document, &mut text) {
                self.has_open_document = true;
                let last_line = self.input.line().saturating_sub(1);
                self.warn_of_end(pending, last_line);
                break;
            }
            let read = text.get(start..).unwrap_or_default();
            if read.strip_suffix(b"\n") == Some(&pending.end) {
                text.truncate(start);
                break;
            }
            let is_closed_behind = self.substitutions > 0
                && read
                    .strip_prefix(pending.end.as_slice())
                    .is_some_and(|rest| rest.starts_with(b")"));
            if is_closed_behind {
                text.truncate(start);
                self.input = before;
                while document.strips_tabs && self.input.accept(b'\t') {}
                self.input.skip(pending.end.len());
                let line = self.input.line();
                self.warn_of_end(pending, line);
                break;
            }
        }
        // The cell is empty: each document is pending once.
        let _ = document.text.set((text, line));
    }

    /// Reads a line with its newline; false at the end of the text.
    fn read_here_line(&mut self, document: &HereDocument, text: &mut BString) -> bool {
        if self.input.peek().is_none() {
            return false;
        }
        if document.strips_tabs {
            while self.input.accept(b'\t') {}
        }
        let start = text.len();
        loop {
            let rest = self.input.rest();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            text.extend_from_slice(rest.get(..length).unwrap_or_default());
            self.input.skip(length);
            if !text.ends_with(b"\n") {
                if self.input.peek().is_none() {
                    return true;
                }
                continue;
            }
            let line = text.get(start..text.len() - 1).unwrap_or_default();
            let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
            if document.is_literal || backslashes % 2 == 0 {
                return true;
            }
            let kept = text.len() - 2;
            text.truncate(kept);
            if self.input.peek().is_none() {
                return true;
            }
        }
    }

    fn warn_of_end(&mut self, pending: &PendingDocument, line: u32) {
        let mut message = BString::from(format!(
            "warning: here-document at line {} delimited by end-of-file (wanted `",
            pending.line
        ));
        message.extend_from_slice(&pending.end);
        message.extend_from_slice(b"')");
        self.warnings.push(Warning { line, message });
    }

    /// Warns of here-documents that are still to come at the end of a substitution.
    pub(super) fn warn_of_pending(&mut self) {
        let count = self.pending.len();
        if count > 0 {
            let line = self.input.line();
            let plural = if count == 1 { "" } else { "s" };
            let message = BString::from(format!(
                "warning: command substitution: {count} unterminated here-document{plural}"
            ));
            self.warnings.push(Warning { line, message });
        }
    }
}

/// Returns a delimiter without its quotes.
pub(super) fn delimiter_text(word: &Word) -> BString {
    let mut text = BString::default();
    for part in &word.parts {
        match part {
            WordPart::Literal(piece)
            | WordPart::Escaped(piece)
            | WordPart::SingleQuoted(piece)
            | WordPart::AnsiQuoted(piece) => text.extend_from_slice(piece),
            WordPart::DoubleQuoted(parts) | WordPart::LocaleQuoted(parts) => {
                text.extend_from_slice(&delimiter_text(&Word {
                    parts: parts.clone(),
                }));
            }
            other => text.extend_from_slice(&print_word(&Word {
                parts: vec![other.clone()],
            })),
        }
    }
    text
}
