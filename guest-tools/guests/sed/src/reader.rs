//! The text of a script, byte by byte, with its place for messages.

/// Where a piece of a script comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The expression with this number.
    Expression(usize),
    File(String),
}

/// A piece of a script.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    source: Source,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a [u8], source: Source) -> Self {
        Self {
            text,
            at: 0,
            source,
        }
    }

    pub fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Gives back what `next` returned.
    pub fn back(&mut self, byte: Option<u8>) {
        if byte.is_some() {
            self.at = self.at.saturating_sub(1);
        }
    }

    /// Returns the next byte that is no space or tab.
    pub fn next_nonblank(&mut self) -> Option<u8> {
        loop {
            match self.next() {
                Some(b' ' | b'\t') => {}
                other => return other,
            }
        }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn position(&self) -> usize {
        self.at
    }

    /// Returns the number whose first digit was read already.
    pub fn number(&mut self, first: u8) -> u64 {
        let mut value = u64::from(first.wrapping_sub(b'0'));
        loop {
            match self.next() {
                Some(digit @ b'0'..=b'9') => {
                    value = value
                        .saturating_mul(10)
                        .saturating_add(u64::from(digit - b'0'));
                }
                other => {
                    self.back(other);
                    return value;
                }
            }
        }
    }

    /// Reads to the end of the line.
    pub fn line(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += (length + 1).min(rest.len());
        rest.get(..length).unwrap_or_default()
    }

    /// Reads to an unquoted delimiter and removes the backslashes of quoted ones. None if there is none.
    pub fn delimited(&mut self, delimiter: u8, is_pattern: bool) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            match self.next()? {
                byte if byte == delimiter => return Some(text),
                b'\n' if is_pattern => return None,
                b'\\' => match self.next()? {
                    byte if byte == delimiter => {
                        if delimiter == b'&' && !is_pattern {
                            text.push(b'\\');
                        }
                        text.push(byte);
                    }
                    b'\n' if is_pattern => text.push(b'\n'),
                    byte => text.extend_from_slice(&[b'\\', byte]),
                },
                byte => text.push(byte),
            }
        }
    }

    /// Returns where the reader stands and what is wrong there.
    pub fn error(&self, what: &str) -> String {
        match &self.source {
            Source::Expression(number) => {
                format!("-e expression #{number}, char {}: {what}", self.at)
            }
            Source::File(name) => {
                let read = self.text.get(..self.at).unwrap_or_default();
                let line = 1 + memchr::memchr_iter(b'\n', read).count();
                format!("file {name} line {line}: {what}")
            }
        }
    }

    /// Says that something is missing at the end of the script.
    pub fn error_at_end(&self, what: &str) -> String {
        match &self.source {
            Source::Expression(number) => format!("-e expression #{number}, char 0: {what}"),
            Source::File(_) => self.error(what),
        }
    }
}
