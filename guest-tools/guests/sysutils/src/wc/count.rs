//! The counting: one pass over the bytes, with no more work per byte than the wanted numbers need.

use std::io::{self, ErrorKind, Read};

use unicode_width::UnicodeWidthChar;

use crate::input::CHUNK_BYTES;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub lines: u64,
    pub words: u64,
    pub chars: u64,
    pub bytes: u64,
    /// Of the widest line.
    pub columns: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.chars += other.chars;
        self.bytes += other.bytes;
        self.columns = self.columns.max(other.columns);
    }

    /// Counts all of an input.
    pub(super) fn read(&mut self, wanted: Wanted, input: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut scan = Scan::default();
        loop {
            let read = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let chunk = buffer.get(..read).unwrap_or_default();
            self.bytes += chunk.len() as u64;
            if wanted.words || wanted.columns {
                scan.chunk(self, chunk);
                continue;
            }
            if wanted.lines {
                self.lines += memchr::memchr_iter(b'\n', chunk).count() as u64;
            }
            if wanted.chars {
                scan.chars(self, chunk);
            }
        }
        scan.end(self);
        Ok(())
    }
}

/// Which numbers are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    lines: bool,
    words: bool,
    chars: bool,
    bytes: bool,
    columns: bool,
}

impl Wanted {
    /// Takes the long name of an option.
    pub(super) fn add(&mut self, name: &str) {
        match name {
            "lines" => self.lines = true,
            "words" => self.words = true,
            "chars" => self.chars = true,
            "bytes" => self.bytes = true,
            _ => self.columns = true,
        }
    }

    /// Without any, it is lines, words and bytes.
    pub(super) fn complete(&mut self) {
        if self.count() == 0 {
            (self.lines, self.words, self.bytes) = (true, true, true);
        }
    }

    pub(super) fn is_single(self) -> bool {
        self.count() == 1
    }

    pub(super) fn is_bytes_only(self) -> bool {
        self.bytes && self.is_single()
    }

    /// Returns the wanted numbers in the order that they are shown.
    pub(super) fn of(self, counts: &Counts) -> impl Iterator<Item = u64> {
        [
            (self.lines, counts.lines),
            (self.words, counts.words),
            (self.chars, counts.chars),
            (self.bytes, counts.bytes),
            (self.columns, counts.columns),
        ]
        .into_iter()
        .filter(|(is_wanted, _)| *is_wanted)
        .map(|(_, number)| number)
    }

    fn count(self) -> usize {
        [self.lines, self.words, self.chars, self.bytes, self.columns]
            .into_iter()
            .filter(|wanted| *wanted)
            .count()
    }
}

/// What a byte is to a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a word.
    Visible,
    Space,
    Newline,
    /// Ends a line without being its end: carriage return, form feed.
    Return,
    Tab,
    /// Neither ends nor begins a word.
    Control,
    /// A part of a longer character.
    Wide,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Control; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "byte < 256")]
        {
            // A vertical tab is a space that takes no column.
            classes[byte] = match byte {
                0x0a => Class::Newline,
                0x0c | 0x0d => Class::Return,
                0x09 => Class::Tab,
                0x0b | 0x20 => Class::Space,
                0..0x20 | 0x7f => Class::Control,
                0x80.. => Class::Wide,
                _ => Class::Visible,
            };
        }
        byte += 1;
    }
    classes
};

/// Where a scan stands between two chunks.
#[derive(Default)]
struct Scan {
    in_word: bool,
    column: u64,
    /// The beginning of a character that the chunk before was cut in.
    held: Vec<u8>,
}

impl Scan {
    fn chunk(&mut self, counts: &mut Counts, chunk: &[u8]) {
        let mut rest = self.finish_held(counts, chunk);
        while let Some((byte, after)) = rest.split_first() {
            let class = CLASSES
                .get(usize::from(*byte))
                .copied()
                .unwrap_or(Class::Control);
            if class == Class::Wide {
                rest = self.wide(counts, rest);
                continue;
            }
            counts.chars += 1;
            match class {
                Class::Visible => {
                    self.column += 1;
                    self.in_word = true;
                }
                Class::Control | Class::Wide => {}
                Class::Space => {
                    // A vertical tab takes no column.
                    self.column += u64::from(*byte == b' ');
                    self.end_word(counts);
                }
                Class::Tab => {
                    self.column += 8 - self.column % 8;
                    self.end_word(counts);
                }
                Class::Newline => {
                    counts.lines += 1;
                    self.end_line(counts);
                }
                Class::Return => self.end_line(counts),
            }
            rest = after;
        }
    }

    fn end_word(&mut self, counts: &mut Counts) {
        counts.words += u64::from(self.in_word);
        self.in_word = false;
    }

    fn end_line(&mut self, counts: &mut Counts) {
        counts.columns = counts.columns.max(self.column);
        self.column = 0;
        self.end_word(counts);
    }

    /// Takes the character that `bytes` begin with, or holds it if it is cut; bytes that are none count for nothing.
    fn wide<'b>(&mut self, counts: &mut Counts, bytes: &'b [u8]) -> &'b [u8] {
        let head = bytes.get(..bytes.len().min(4)).unwrap_or(bytes);
        let Some(chunk) = head.utf8_chunks().next() else {
            return &[];
        };
        if let Some(character) = chunk.valid().chars().next() {
            self.character(counts, character);
            return bytes.get(character.len_utf8()..).unwrap_or_default();
        }
        if chunk.invalid().len() == bytes.len() && is_cut(bytes) {
            self.held = bytes.to_vec();
            return &[];
        }
        bytes.get(1..).unwrap_or_default()
    }

    fn character(&mut self, counts: &mut Counts, character: char) {
        counts.chars += 1;
        let is_space = character.is_whitespace() || character == '\u{2060}';
        let Some(width) = character.width().filter(|_| !character.is_control()) else {
            return;
        };
        self.column += width as u64;
        if is_space {
            self.end_word(counts);
        } else {
            self.in_word = true;
        }
    }

    /// Completes a held character with what comes now and returns what is left of it.
    fn finish_held<'b>(&mut self, counts: &mut Counts, chunk: &'b [u8]) -> &'b [u8] {
        let mut rest = chunk;
        while !self.held.is_empty() {
            let Some((byte, after)) = rest.split_first() else {
                return rest;
            };
            let mut held = std::mem::take(&mut self.held);
            held.push(*byte);
            match std::str::from_utf8(&held) {
                Ok(text) => {
                    for character in text.chars() {
                        self.character(counts, character);
                    }
                    rest = after;
                }
                Err(error) if error.error_len().is_none() => {
                    self.held = held;
                    rest = after;
                }
                // What was held is no character; this byte may begin one.
                Err(_) => {}
            }
        }
        rest
    }

    /// Counts characters alone.
    fn chars(&mut self, counts: &mut Counts, chunk: &[u8]) {
        let rest = self.finish_held(counts, chunk);
        for part in rest.utf8_chunks() {
            // All but the bytes that go on with a character.
            let begun = part.valid().bytes().filter(|byte| byte & 0xc0 != 0x80);
            counts.chars += begun.count() as u64;
            let invalid = part.invalid();
            let is_last =
                rest.ends_with(invalid) && rest.as_ptr_range().end == invalid.as_ptr_range().end;
            if is_last && is_cut(invalid) {
                self.held = invalid.to_vec();
            }
        }
    }

    fn end(&mut self, counts: &mut Counts) {
        self.end_line(counts);
    }
}

/// Returns whether more bytes could make a character of these.
fn is_cut(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_cut_between_chunks() {
        let text = "né \u{2003}日本\u{a0}語\tx\nab\x01 \x02\n".as_bytes();
        let mut whole = Counts::default();
        Scan::default().chunk(&mut whole, text);
        assert_eq!((whole.lines, whole.words), (2, 5));
        let (mut pieces, mut scan) = (Counts::default(), Scan::default());
        let (mut chars, mut only) = (Counts::default(), Scan::default());
        for byte in text {
            scan.chunk(&mut pieces, &[*byte]);
            only.chars(&mut chars, &[*byte]);
        }
        assert_eq!(pieces, whole);
        assert_eq!(chars.chars, whole.chars);
    }
}
