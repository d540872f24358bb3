//! The text being read: the script, and on top of it the text of aliases.
//!
//! Lines are counted in the script alone. A position can be returned to, because two constructs (`((` and
//! `${`) are only known when their end is seen.

use std::rc::Rc;

use bstr::BString;

/// A text, and where in it the reading is.
#[derive(Debug, Clone)]
struct Level {
    text: Rc<BString>,
    position: usize,
    /// The alias that was pushed on top of this level, not to be expanded again while its text is read.
    alias: BString,
    /// Whether that alias ended in a blank, so that the word behind it is looked up, too.
    expands_next: bool,
}

/// The text being read.
#[derive(Debug, Clone)]
pub(super) struct Input {
    text: Rc<BString>,
    position: usize,
    /// What lies below, the script first; empty unless an alias is being read.
    lower: Vec<Level>,
    /// The line at `mark` in the script.
    line: u32,
    mark: usize,
    /// Set when the text of an alias that ends in a blank has been left.
    pub(super) expands_next: bool,
    /// Whether the last newline is not in the script but was added to end its last line.
    pub(super) has_added_newline: bool,
}

impl Input {
    pub(super) fn new(text: BString, line: u32) -> Self {
        Self {
            text: Rc::new(text),
            position: 0,
            lower: Vec::new(),
            line,
            mark: 0,
            expands_next: false,
            has_added_newline: false,
        }
    }

    /// Takes the input out of its owner, which gets it back when the reading ends.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(BString::default(), 1))
    }

    /// Makes the line at the position be this one.
    pub(super) fn set_line(&mut self, line: u32) {
        self.mark = self.position();
        self.line = line;
    }

    /// Returns how much of the script is read, without the newline that was added.
    pub(super) fn position_in_source(&self) -> usize {
        let length = self.script().len() - usize::from(self.has_added_newline);
        self.position().min(length)
    }

    /// Returns the next byte.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        match self.text.get(self.position) {
            Some(byte) => Some(*byte),
            None if self.lower.is_empty() => None,
            None => self.peek_lower(),
        }
    }

    fn peek_lower(&mut self) -> Option<u8> {
        while let Some(level) = self.lower.pop() {
            self.text = level.text;
            self.position = level.position;
            self.expands_next = level.expands_next;
            if let Some(byte) = self.text.get(self.position) {
                return Some(*byte);
            }
        }
        None
    }

    /// Returns the byte `ahead` bytes behind the next one.
    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        let rest = self.rest();
        let mut missing = match rest.get(ahead) {
            Some(byte) => return Some(*byte),
            None => ahead - rest.len(),
        };
        for level in self.lower.iter().rev() {
            let rest = level.text.get(level.position..).unwrap_or_default();
            match rest.get(missing) {
                Some(byte) => return Some(*byte),
                None => missing -= rest.len(),
            }
        }
        None
    }

    /// Passes the next byte.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.position += 1;
    }

    /// Passes `count` bytes of the present level.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) {
        self.position = (self.position + count).min(self.text.len());
    }

    /// Returns and passes the next byte.
    pub(super) fn bump(&mut self) -> Option<u8> {
        let byte = self.peek();
        if byte.is_some() {
            self.advance();
        }
        byte
    }

    /// Passes the next byte if it is this one.
    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.advance();
        }
        is_next
    }

    /// Passes line continuations.
    pub(super) fn skip_continuations(&mut self) {
        while self.peek() == Some(b'\\')
            && self.peek_at(1) == Some(b'\n')
            && !self.is_last_newline(1)
        {
            self.skip(1);
            self.peek();
            self.skip(1);
        }
    }

    /// Returns whether the byte `ahead` is the newline that was added to the script.
    pub(super) fn is_last_newline(&self, ahead: usize) -> bool {
        self.has_added_newline
            && self.lower.is_empty()
            && self.position + ahead + 1 == self.text.len()
    }

    /// Returns what is left of the present level.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Returns the text of the present level between `start` and the position.
    pub(super) fn since(&self, start: &Input) -> Option<&[u8]> {
        if Rc::ptr_eq(&self.text, &start.text) {
            self.text.get(start.position..self.position)
        } else {
            None
        }
    }

    /// Returns the position in the script.
    pub(super) fn position(&self) -> usize {
        self.lower
            .first()
            .map_or(self.position, |level| level.position)
    }

    /// Returns the position in the script, unless an alias is being read.
    pub(super) fn place(&self) -> Option<usize> {
        self.lower.is_empty().then_some(self.position)
    }

    fn script(&self) -> &Rc<BString> {
        self.lower.first().map_or(&self.text, |level| &level.text)
    }

    /// Returns the line of the script at the position.
    pub(super) fn line(&mut self) -> u32 {
        let position = self.position().min(self.script().len());
        let script = self.script();
        if let Some(passed) = script.get(self.mark..position) {
            self.line += count_newlines(passed);
        } else if let Some(back) = script.get(position..self.mark) {
            self.line -= count_newlines(back);
        }
        self.mark = position;
        self.line
    }

    /// Returns the line of the script that holds the byte before the position, without its newline.
    pub(super) fn line_text(&self) -> BString {
        let script = self.script();
        let end = self.position().saturating_sub(1);
        let before = script.get(..end).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let line = script.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', line).unwrap_or(line.len());
        BString::from(line.get(..length).unwrap_or_default())
    }

    /// Continues behind the end of the present line of the script.
    pub(super) fn skip_line(&mut self) {
        while let Some(level) = self.lower.pop() {
            self.text = level.text;
            self.position = level.position;
        }
        let is_at_start = self.position > 0 && self.text.get(self.position - 1) == Some(&b'\n');
        if !is_at_start {
            let rest = self.rest();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            self.skip(length);
        }
    }

    /// Returns whether nothing of the script is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Reads the text of an alias next.
    pub(super) fn push_alias(&mut self, name: &[u8], value: &[u8]) {
        let expands_next = matches!(value.last(), Some(b' ' | b'\t'));
        let mut text = BString::from(value);
        if !expands_next && ends_word(value) {
            text.push(b' ');
        }
        self.lower.push(Level {
            text: std::mem::replace(&mut self.text, Rc::new(text)),
            position: std::mem::replace(&mut self.position, 0),
            alias: BString::from(name),
            expands_next,
        });
    }

    /// Returns whether the text of this alias is being read.
    pub(super) fn is_in_alias(&self, name: &[u8]) -> bool {
        self.lower.iter().any(|level| level.alias == name)
    }

    /// Adds text to the end of the script.
    pub(super) fn append(&mut self, text: &[u8]) {
        if self.lower.is_empty() {
            Rc::make_mut(&mut self.text).extend_from_slice(text);
        }
    }

    /// Ends the last line of the script, which can then be read to its end.
    pub(super) fn close(&mut self) {
        if self.lower.is_empty()
            && !self.has_added_newline
            && self.text.last().is_some_and(|byte| *byte != b'\n')
        {
            self.append(b"\n");
            self.has_added_newline = true;
        }
    }
}

/// Whether the end of an alias ends a word: not behind a newline or an operator, where it makes no difference,
/// and not within quotes, which go on behind the alias.
fn ends_word(value: &[u8]) -> bool {
    let mut quote = None;
    let mut is_cut = false;
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => {
                is_cut = bytes.next().is_none();
            }
            (b'\'' | b'"', None) => quote = Some(*byte),
            (byte, Some(open)) if *byte == open => quote = None,
            _ => {}
        }
    }
    quote.is_none()
        && !is_cut
        && !matches!(
            value.last(),
            Some(b'\n' | b'(' | b')' | b'<' | b'>' | b';' | b'&' | b'|')
        )
}

fn count_newlines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}
