//! Reads paragraphs and writes them again.

use std::io::{self, Read, Write};

use super::Style;
use super::breaks::{Measure, Word, split_point};
use crate::input::{CHUNK_BYTES, Failure};

const TAB: usize = 8;
/// Words and bytes of a paragraph that are looked at together.
const WORDS_MAX: usize = 998;
const BYTES_MAX: usize = 5000;
/// Indentation of the second line of a tagged paragraph that has only one.
const TAGGED_INDENT: usize = 3;

/// One file on its way.
pub(super) struct Formatter<'a, W: Write> {
    style: &'a Style,
    input: &'a mut dyn Read,
    buffer: Vec<u8>,
    place: usize,
    out: &'a mut W,
    /// There were tabs, so there may be some again.
    has_tabs: bool,
    in_column: usize,
    out_column: usize,
    prefix_indent: usize,
    next_prefix_indent: usize,
    first_indent: usize,
    other_indent: usize,
    last_line: usize,
    next: Option<u8>,
    words: Vec<Word>,
    bytes: usize,
}

impl<'a, W: Write> Formatter<'a, W> {
    pub fn new(style: &'a Style, input: &'a mut dyn Read, out: &'a mut W) -> Self {
        Self {
            style,
            input,
            buffer: Vec::new(),
            place: 0,
            out,
            has_tabs: false,
            in_column: 0,
            out_column: 0,
            prefix_indent: 0,
            next_prefix_indent: 0,
            first_indent: 0,
            other_indent: 0,
            last_line: 0,
            next: None,
            words: Vec::new(),
            bytes: 0,
        }
    }

    /// Formats everything.
    pub fn run(&mut self) -> Result<(), Failure> {
        self.next = self.prefix()?;
        while self.paragraph()? {
            self.measure().break_lines(&mut self.words);
            let all = self.words.len();
            self.put_lines(all).map_err(Failure::Write)?;
        }
        Ok(())
    }

    fn measure(&self) -> Measure {
        Measure {
            width: self.style.width,
            goal: self.style.goal,
            first_indent: self.first_indent,
            other_indent: self.other_indent,
            last_line: self.last_line,
        }
    }

    /// Returns the next byte; none at the end.
    fn byte(&mut self) -> Result<Option<u8>, Failure> {
        if let Some(byte) = self.buffer.get(self.place) {
            self.place += 1;
            return Ok(Some(*byte));
        }
        self.buffer.resize(CHUNK_BYTES, 0);
        let length = loop {
            match self.input.read(&mut self.buffer) {
                Ok(length) => break length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::Read(error)),
            }
        };
        self.buffer.truncate(length);
        self.place = 1;
        Ok(self.buffer.first().copied())
    }

    /// Skips blanks from `byte` on and returns what follows them.
    fn space(&mut self, mut byte: Option<u8>) -> Result<Option<u8>, Failure> {
        loop {
            match byte {
                Some(b' ') => self.in_column += 1,
                Some(b'\t') => {
                    self.has_tabs = true;
                    self.in_column = (self.in_column / TAB + 1) * TAB;
                }
                other => return Ok(other),
            }
            byte = self.byte()?;
        }
    }

    /// Reads the beginning of a line, with the prefix, and returns what follows.
    fn prefix(&mut self) -> Result<Option<u8>, Failure> {
        self.in_column = 0;
        let first = self.byte()?;
        let mut byte = self.space(first)?;
        if self.style.prefix.is_empty() {
            self.next_prefix_indent = self.style.prefix_lead.min(self.in_column);
            return Ok(byte);
        }
        self.next_prefix_indent = self.in_column;
        for expected in &self.style.prefix {
            if byte != Some(*expected) {
                return Ok(byte);
            }
            self.in_column += 1;
            byte = self.byte()?;
        }
        self.space(byte)
    }

    /// Reads a paragraph; what comes before it is copied. Returns whether there was one.
    fn paragraph(&mut self) -> Result<bool, Failure> {
        self.last_line = 0;
        let mut byte = self.next;
        while matches!(byte, None | Some(b'\n'))
            || self.next_prefix_indent < self.style.prefix_lead
            || self.in_column < self.next_prefix_indent + self.style.prefix_length
        {
            byte = self.copy_rest(byte)?;
            if byte.is_none() {
                self.next = None;
                return Ok(false);
            }
            self.put(b"\n").map_err(Failure::Write)?;
            byte = self.prefix()?;
        }
        self.prefix_indent = self.next_prefix_indent;
        self.first_indent = self.in_column;
        self.words.clear();
        self.bytes = 0;
        byte = self.line(byte)?;
        let goes_on = self.is_same(byte);
        self.set_other_indent(goes_on);
        let may_go_on = if self.style.splits_only {
            false
        } else if self.style.is_crown {
            goes_on
        } else if self.style.is_tagged {
            goes_on && self.in_column != self.first_indent
        } else {
            goes_on && self.in_column == self.other_indent
        };
        if may_go_on {
            loop {
                byte = self.line(byte)?;
                if !self.is_same(byte) || self.in_column != self.other_indent {
                    break;
                }
            }
        }
        if let Some(last) = self.words.last_mut() {
            (last.has_period, last.is_final) = (true, true);
        }
        self.next = byte;
        Ok(true)
    }

    fn is_same(&self, byte: Option<u8>) -> bool {
        self.next_prefix_indent == self.prefix_indent
            && self.in_column >= self.next_prefix_indent + self.style.prefix_length
            && !matches!(byte, None | Some(b'\n'))
    }

    fn set_other_indent(&mut self, goes_on: bool) {
        self.other_indent = if self.style.splits_only {
            self.first_indent
        } else if self.style.is_crown {
            if goes_on {
                self.in_column
            } else {
                self.first_indent
            }
        } else if self.style.is_tagged {
            if goes_on && self.in_column != self.first_indent {
                self.in_column
            } else if self.other_indent == self.first_indent {
                if self.first_indent == 0 {
                    TAGGED_INDENT
                } else {
                    0
                }
            } else {
                self.other_indent
            }
        } else {
            self.first_indent
        };
    }

    /// Copies the rest of a line that belongs to no paragraph; returns what ended it.
    fn copy_rest(&mut self, mut byte: Option<u8>) -> Result<Option<u8>, Failure> {
        self.out_column = 0;
        let is_over = matches!(byte, None | Some(b'\n'));
        if self.in_column > self.next_prefix_indent || !is_over {
            self.put_space(self.next_prefix_indent)
                .map_err(Failure::Write)?;
            let style = self.style;
            for prefix in &style.prefix {
                if self.out_column == self.in_column {
                    break;
                }
                self.put(&[*prefix]).map_err(Failure::Write)?;
                self.out_column += 1;
            }
            if !is_over {
                self.put_space(self.in_column.saturating_sub(self.out_column))
                    .map_err(Failure::Write)?;
            }
            if byte.is_none() && self.in_column >= self.next_prefix_indent + self.style.prefix.len()
            {
                self.put(b"\n").map_err(Failure::Write)?;
            }
        }
        while let Some(other) = byte.filter(|byte| *byte != b'\n') {
            self.put(&[other]).map_err(Failure::Write)?;
            byte = self.byte()?;
        }
        Ok(byte)
    }

    /// Reads the words of a line from its first byte on; returns the first byte of the next line.
    fn line(&mut self, mut byte: Option<u8>) -> Result<Option<u8>, Failure> {
        loop {
            let mut word = Word::default();
            while let Some(other) = byte {
                if self.bytes == BYTES_MAX {
                    self.set_other_indent(true);
                    self.flush().map_err(Failure::Write)?;
                }
                word.text.push(other);
                self.bytes += 1;
                byte = self.byte()?;
                if byte.is_some_and(|byte| byte.is_ascii_whitespace() || byte == b'\x0b') {
                    break;
                }
            }
            self.in_column += word.text.len();
            word.classify();
            let start = self.in_column;
            byte = self.space(byte)?;
            word.space = self.in_column - start;
            let ends_line = matches!(byte, None | Some(b'\n'));
            word.is_final =
                byte.is_none() || (word.has_period && (byte == Some(b'\n') || word.space > 1));
            if ends_line || self.style.is_uniform {
                word.space = if word.is_final { 2 } else { 1 };
            }
            if self.words.len() == WORDS_MAX {
                self.set_other_indent(true);
                self.flush().map_err(Failure::Write)?;
            }
            self.words.push(word);
            if ends_line {
                break;
            }
        }
        self.prefix()
    }

    /// Writes the beginning of a paragraph that is too long to be held.
    fn flush(&mut self) -> io::Result<()> {
        if self.words.is_empty() {
            return Ok(());
        }
        self.measure().break_lines(&mut self.words);
        let point = split_point(&self.words);
        self.put_lines(point)?;
        self.words.drain(..point);
        self.bytes = self.words.iter().map(|word| word.text.len()).sum();
        self.first_indent = self.other_indent;
        Ok(())
    }

    fn put_lines(&mut self, end: usize) -> io::Result<()> {
        let words = std::mem::take(&mut self.words);
        let (mut start, mut indent) = (0, self.first_indent);
        while start < end
            && let Some(word) = words.get(start)
        {
            self.put_line(words.get(start..word.next).unwrap_or_default(), indent)?;
            start = word.next;
            indent = self.other_indent;
        }
        self.words = words;
        Ok(())
    }

    fn put_line(&mut self, words: &[Word], indent: usize) -> io::Result<()> {
        self.out_column = 0;
        self.put_space(self.prefix_indent)?;
        let style = self.style;
        self.put(&style.prefix)?;
        self.out_column += style.prefix.len();
        self.put_space(indent.saturating_sub(self.out_column))?;
        for (place, word) in words.iter().enumerate() {
            self.put(&word.text)?;
            self.out_column += word.text.len();
            if place + 1 < words.len() {
                self.put_space(word.space)?;
            }
        }
        self.last_line = self.out_column;
        self.put(b"\n")
    }

    fn put_space(&mut self, columns: usize) -> io::Result<()> {
        let target = self.out_column + columns;
        if self.has_tabs {
            let tab_target = target / TAB * TAB;
            if self.out_column + 1 < tab_target {
                while self.out_column < tab_target {
                    self.put(b"\t")?;
                    self.out_column = (self.out_column / TAB + 1) * TAB;
                }
            }
        }
        while self.out_column < target {
            self.put(b" ")?;
            self.out_column += 1;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }
}
