//! Splitting a text into fields, as far as is asked for.
//!
//! Blanks are found eight bytes at a time: the default separator is what most programs use, and counting fields is
//! then about as fast as reading the text.

use posix_regex::Regex;

/// How fields are found.
#[derive(Clone)]
pub enum Splitter {
    /// Runs of blanks, tabs and newlines separate; those at the ends do not count.
    Blanks,
    /// One byte separates.
    Byte(u8),
    /// One of two bytes separates.
    Bytes(u8, u8),
    /// What matches separates.
    Regex(Regex),
    /// Each character is a field.
    Characters,
    /// Columns: how many characters to skip and how many to take; none: the rest.
    Widths(Vec<(usize, Option<usize>)>),
    /// What matches is a field.
    Content(Regex),
}

/// Where splitting stands. `bounds` holds begin and end of each field that was found.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    /// Begin and end of each field, one after the other.
    pub bounds: Vec<u32>,
    at: usize,
    is_in_field: bool,
    /// Whether the end of the text was reached.
    pub is_complete: bool,
}

impl Progress {
    /// Begins anew.
    pub fn restart(&mut self) {
        self.bounds.clear();
        self.at = 0;
        self.is_in_field = false;
        self.is_complete = false;
    }

    /// Finds fields until there are `count` or the text ends.
    pub fn advance(&mut self, splitter: &Splitter, text: &[u8], count: usize) {
        if self.is_complete {
            return;
        }
        if text.is_empty() {
            self.is_complete = true;
            return;
        }
        let bounds_needed = count.saturating_mul(2);
        match splitter {
            Splitter::Blanks => self.blanks(text, bounds_needed),
            Splitter::Byte(byte) => self.separated(text, bounds_needed, |text, at| {
                memchr::memchr(*byte, text.get(at..)?).map(|found| (at + found, at + found + 1))
            }),
            Splitter::Bytes(first, second) => self.separated(text, bounds_needed, |text, at| {
                memchr::memchr2(*first, *second, text.get(at..)?)
                    .map(|found| (at + found, at + found + 1))
            }),
            Splitter::Regex(regex) => {
                self.separated(text, bounds_needed, |text, at| next_match(regex, text, at))
            }
            Splitter::Characters => {
                let mut at = 0;
                while at < text.len() {
                    let end = at + crate::text::character_length(text, at);
                    self.bounds.extend([at as u32, end as u32]);
                    at = end;
                }
                self.is_complete = true;
            }
            Splitter::Widths(widths) => self.widths(text, widths),
            Splitter::Content(regex) => self.content(text, regex),
        }
    }

    fn separated(
        &mut self,
        text: &[u8],
        bounds_needed: usize,
        mut separator: impl FnMut(&[u8], usize) -> Option<(usize, usize)>,
    ) {
        while self.bounds.len() < bounds_needed {
            match separator(text, self.at) {
                Some((begin, end)) => {
                    self.bounds.extend([self.at as u32, begin as u32]);
                    self.at = end;
                }
                None => {
                    self.bounds.extend([self.at as u32, text.len() as u32]);
                    self.is_complete = true;
                    return;
                }
            }
        }
    }

    fn blanks(&mut self, text: &[u8], bounds_needed: usize) {
        let mut at = self.at;
        let mut carry = u64::from(self.is_in_field);
        let rest = text.get(at..).unwrap_or_default();
        let mut chunks = rest.chunks_exact(8);
        for chunk in chunks.by_ref() {
            let word = chunk
                .first_chunk::<8>()
                .map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let mut field = field_bits(word);
            // A bit where the state changes: begin and end of fields by turns.
            let before = (field << 8) | carry;
            carry = field >> 56;
            field ^= before;
            field &= 0x0101_0101_0101_0101;
            while field != 0 {
                self.bounds
                    .push((at + field.trailing_zeros() as usize / 8) as u32);
                field &= field - 1;
            }
            at += 8;
            if self.bounds.len() >= bounds_needed {
                self.at = at;
                self.is_in_field = carry != 0;
                return;
            }
        }
        let mut is_in_field = carry != 0;
        for byte in chunks.remainder() {
            let is_field = !matches!(byte, b' ' | b'\t' | b'\n');
            if is_field != is_in_field {
                self.bounds.push(at as u32);
                is_in_field = is_field;
            }
            at += 1;
        }
        if is_in_field {
            self.bounds.push(text.len() as u32);
        }
        self.is_complete = true;
    }

    fn widths(&mut self, text: &[u8], widths: &[(usize, Option<usize>)]) {
        let mut at = 0;
        for (skip, take) in widths {
            at = crate::text::advance_characters(text, at, *skip);
            if at >= text.len() {
                break;
            }
            let end = take.map_or(text.len(), |take| {
                crate::text::advance_characters(text, at, take)
            });
            self.bounds.extend([at as u32, end as u32]);
            at = end;
        }
        self.is_complete = true;
    }

    fn content(&mut self, text: &[u8], regex: &Regex) {
        let mut at = 0;
        let mut last_end = None;
        while at <= text.len() {
            let Some((begin, end)) = regex.find_at(text, at) else {
                break;
            };
            // An empty match directly behind a field is no field.
            if begin == end && last_end == Some(begin) {
                if begin >= text.len() {
                    break;
                }
                // The next character is a separator; look behind it.
                at = begin + crate::text::character_length(text, begin);
                last_end = None;
                continue;
            }
            self.bounds.extend([begin as u32, end as u32]);
            last_end = Some(end);
            if begin == end {
                if end >= text.len() {
                    break;
                }
                at = end + crate::text::character_length(text, end);
                last_end = None;
            } else {
                at = end;
            }
        }
        self.is_complete = true;
    }
}

/// Returns a word with 1 in each byte that is no blank, tab or newline, and 0 in the others.
fn field_bits(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The high bit of each byte that is not zero; exact, since nothing carries over.
    let is_other = |byte: u64| {
        let differing = word ^ (ONES * byte);
        ((differing & LOW) + LOW) | differing
    };
    ((is_other(b' '.into()) & is_other(b'\t'.into()) & is_other(b'\n'.into())) >> 7) & ONES
}

/// Returns the next match that is not empty.
pub fn next_match(regex: &Regex, text: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while at <= text.len() {
        let (begin, end) = regex.find_at(text, at)?;
        if begin < end {
            return Some((begin, end));
        }
        if begin >= text.len() {
            return None;
        }
        at = begin + crate::text::character_length(text, begin);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(splitter: &Splitter, text: &str) -> Vec<String> {
        let mut progress = Progress::default();
        progress.advance(splitter, text.as_bytes(), usize::MAX);
        let (pairs, _) = progress.bounds.as_chunks::<2>();
        pairs
            .iter()
            .map(|[begin, end]| text.get(*begin as usize..*end as usize).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn texts_are_split() {
        let cases: &[(Splitter, &str, &[&str])] = &[
            (
                Splitter::Blanks,
                "  a bc\tdefghijklmnop  \n q ",
                &["a", "bc", "defghijklmnop", "q"],
            ),
            (Splitter::Blanks, "12345678 9", &["12345678", "9"]),
            (Splitter::Blanks, "        ", &[]),
            (Splitter::Byte(b':'), ":a::b:", &["", "a", "", "b", ""]),
            (Splitter::Bytes(b':', b'\n'), "a:b\nc", &["a", "b", "c"]),
            (Splitter::Characters, "aéb", &["a", "é", "b"]),
            (
                Splitter::Widths(vec![(0, Some(2)), (1, Some(3)), (0, None)]),
                "abcdefgh",
                &["ab", "def", "gh"],
            ),
        ];
        for (splitter, text, expected) in cases {
            assert_eq!(fields(splitter, text), *expected, "{text:?}");
        }
    }

    #[test]
    fn splitting_stops_and_goes_on() {
        let text = b"one two three four five six seven";
        let mut progress = Progress::default();
        progress.advance(&Splitter::Blanks, text, 1);
        assert!(!progress.is_complete && progress.bounds.len() < 10);
        progress.advance(&Splitter::Blanks, text, usize::MAX);
        assert_eq!(progress.bounds.len(), 14);
    }
}
