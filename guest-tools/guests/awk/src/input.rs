//! Reading records from a file, a pipe or standard input.
//!
//! Reads are large and a record is handed out as soon as its separator is there. What is held is the record and
//! one read beyond it.

use std::io::{self, Read};

use posix_regex::Regex;

/// How much is read at once.
const READ_BYTES: usize = 128 * 1024;

/// What separates records.
#[derive(Clone)]
pub enum Separator {
    /// A newline.
    Newline,
    /// Another byte.
    Byte(u8),
    /// Empty lines; newlines at the begin are skipped.
    Paragraph,
    /// What matches.
    Regex(Regex),
    /// Nothing: all is one record.
    Never,
}

/// A source of records.
pub struct Reader {
    source: Box<dyn Read>,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    is_at_end: bool,
}

impl Reader {
    /// Reads from a source.
    pub fn new(source: Box<dyn Read>) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            begin: 0,
            end: 0,
            is_at_end: false,
        }
    }

    fn pending(&self) -> &[u8] {
        self.buffer.get(self.begin..self.end).unwrap_or_default()
    }

    /// Reads more behind what is pending; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            if self.begin > 0 {
                self.buffer.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            }
            if self.buffer.len() - self.end < READ_BYTES / 2 {
                let size = (self.buffer.len() * 2).max(READ_BYTES);
                self.buffer.resize(size, 0);
            }
        }
        loop {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.source.read(free) {
                Ok(0) => {
                    self.is_at_end = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the next record into `record` and what separated it into `terminator`; false at the end.
    pub fn record(
        &mut self,
        separator: &Separator,
        record: &mut Vec<u8>,
        terminator: &mut Vec<u8>,
    ) -> io::Result<bool> {
        match separator {
            Separator::Newline => self.until_byte(b'\n', record, terminator),
            Separator::Byte(byte) => self.until_byte(*byte, record, terminator),
            Separator::Paragraph => self.paragraph(record, terminator),
            Separator::Regex(regex) => self.until_match(regex, record, terminator),
            Separator::Never => {
                while self.fill()? {}
                self.rest(record, terminator)
            }
        }
    }

    fn take(
        &mut self,
        length: usize,
        separator: usize,
        record: &mut Vec<u8>,
        terminator: &mut Vec<u8>,
    ) {
        let pending = self.pending();
        record.extend_from_slice(pending.get(..length).unwrap_or_default());
        terminator.clear();
        terminator.extend_from_slice(pending.get(length..length + separator).unwrap_or_default());
        self.begin += length + separator;
    }

    fn rest(&mut self, record: &mut Vec<u8>, terminator: &mut Vec<u8>) -> io::Result<bool> {
        let length = self.end - self.begin;
        self.take(length, 0, record, terminator);
        Ok(length > 0)
    }

    fn until_byte(
        &mut self,
        byte: u8,
        record: &mut Vec<u8>,
        terminator: &mut Vec<u8>,
    ) -> io::Result<bool> {
        let mut searched = 0;
        loop {
            let unsearched = self.pending().get(searched..).unwrap_or_default();
            if let Some(found) = memchr::memchr(byte, unsearched) {
                self.take(searched + found, 1, record, terminator);
                return Ok(true);
            }
            searched = self.pending().len();
            if !self.fill()? {
                return self.rest(record, terminator);
            }
        }
    }

    fn paragraph(&mut self, record: &mut Vec<u8>, terminator: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let newlines = self
                .pending()
                .iter()
                .take_while(|byte| **byte == b'\n')
                .count();
            self.begin += newlines;
            if self.begin < self.end || !self.fill()? {
                break;
            }
        }
        let mut searched = 0;
        loop {
            let unsearched = self.pending().get(searched..).unwrap_or_default();
            if let Some(found) = memchr::memmem::find(unsearched, b"\n\n") {
                let length = searched + found;
                let mut newlines = 2;
                loop {
                    let behind = self.pending().get(length + newlines..).unwrap_or_default();
                    newlines += behind.iter().take_while(|byte| **byte == b'\n').count();
                    // The run may go on in what is not read yet.
                    if length + newlines < self.pending().len() || !self.fill()? {
                        break;
                    }
                }
                self.take(length, newlines, record, terminator);
                return Ok(true);
            }
            searched = self.pending().len().saturating_sub(1);
            if !self.fill()? {
                let pending = self.pending();
                let newlines = usize::from(pending.last() == Some(&b'\n'));
                let length = pending.len() - newlines;
                self.take(length, newlines, record, terminator);
                return Ok(length + newlines > 0);
            }
        }
    }

    fn until_match(
        &mut self,
        regex: &Regex,
        record: &mut Vec<u8>,
        terminator: &mut Vec<u8>,
    ) -> io::Result<bool> {
        loop {
            let found = crate::split::next_match(regex, self.pending(), 0);
            match found {
                // A match that reaches the end of what is read could be longer.
                Some((begin, end)) if end < self.pending().len() || self.is_at_end => {
                    self.take(begin, end - begin, record, terminator);
                    return Ok(true);
                }
                _ if !self.fill()? => {
                    if found.is_some() {
                        continue;
                    }
                    // A newline at the very end belongs to no record only if it is the separator.
                    return self.rest(record, terminator);
                }
                _ => {}
            }
        }
    }
}
