//! JSON, and lines of JSON.

use super::answer::Answer;

const DEPTH_MAX: usize = 500;

/// Returns the answer if the text is an array or an object, or several in lines.
pub(super) fn look(bytes: &[u8]) -> Option<Answer> {
    let mut reader = Reader { rest: bytes };
    reader.skip_blanks();
    if !matches!(reader.rest.first(), Some(b'{' | b'[')) {
        return None;
    }
    reader.value(0)?;
    let mut lines = 1;
    loop {
        let before = reader.rest;
        reader.skip_blanks();
        if reader.rest.is_empty() {
            break;
        }
        // A next value has a line of its own.
        let blanks = before.get(..before.len() - reader.rest.len())?;
        if !blanks.contains(&b'\n') || !matches!(reader.rest.first(), Some(b'{' | b'[')) {
            return None;
        }
        reader.value(0)?;
        lines += 1;
    }
    let (text, mime) = if lines == 1 {
        ("JSON text data", "application/json")
    } else {
        ("New Line Delimited JSON text data", "application/x-ndjson")
    };
    Some(Answer::binary(text, mime))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn takes(&mut self, byte: u8) -> bool {
        match self.rest.strip_prefix(&[byte]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_blanks(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_blanks();
        match self.next()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            b'-' | b'0'..=b'9' => {
                while let [b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-', rest @ ..] = self.rest {
                    self.rest = rest;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(rest)?;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | 0 => {}
                    _ => return None,
                },
                _ => {}
            }
        }
    }

    /// A comma may stand before the end, as libmagic allows.
    fn array(&mut self, depth: usize) -> Option<()> {
        loop {
            self.skip_blanks();
            if self.takes(b']') {
                return Some(());
            }
            self.value(depth + 1)?;
            self.skip_blanks();
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        loop {
            self.skip_blanks();
            if self.takes(b'}') {
                return Some(());
            }
            if !self.takes(b'"') {
                return None;
            }
            self.string()?;
            self.skip_blanks();
            if !self.takes(b':') {
                return None;
            }
            self.value(depth + 1)?;
            self.skip_blanks();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }
}
