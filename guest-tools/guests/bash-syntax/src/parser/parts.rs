//! Collecting the parts of a word.

use bstr::BString;

use crate::ast::{Word, WordPart};

/// The parts so far, and literal text that may still grow.
#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Vec<WordPart>,
    literal: BString,
}

impl Parts {
    pub(super) fn push_byte(&mut self, byte: u8) {
        self.literal.push(byte);
    }

    pub(super) fn push_text(&mut self, text: &[u8]) {
        self.literal.extend_from_slice(text);
    }

    pub(super) fn push(&mut self, part: WordPart) {
        self.flush();
        self.parts.push(part);
    }

    /// Adds the parts of a word.
    pub(super) fn push_word(&mut self, word: Word) {
        for part in word.parts {
            match part {
                WordPart::Literal(text) => self.push_text(&text),
                part => self.push(part),
            }
        }
    }

    /// Returns whether the last byte is literal and begins an extended group before a parenthesis.
    pub(super) fn ends_in_group_operator(&self) -> bool {
        matches!(self.literal.last(), Some(b'?' | b'*' | b'+' | b'@' | b'!'))
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            let text = std::mem::take(&mut self.literal);
            self.parts.push(WordPart::Literal(text));
        }
    }

    pub(super) fn into_parts(mut self) -> Vec<WordPart> {
        self.flush();
        self.parts
    }

    pub(super) fn into_word(self) -> Word {
        Word {
            parts: self.into_parts(),
        }
    }
}
