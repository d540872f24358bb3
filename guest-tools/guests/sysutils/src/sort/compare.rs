//! Comparing lines by keys, and by their bytes at last.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::version_order;

use super::options::{self, Key, Kind, Settings};

/// The comparison that the settings ask for.
pub(crate) struct Comparison<'a> {
    settings: &'a Settings,
    keys: Vec<Key>,
    /// The whole line's bytes and nothing else.
    is_plain: bool,
    /// Whether lines with equal keys are compared by their bytes.
    has_last_resort: bool,
    /// The first key's order is that of its prefix, as far as that goes.
    has_prefix: bool,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        let mut keys = settings.keys.clone();
        let mut global = settings.global;
        global.is_reverse = false;
        let is_plain = keys.is_empty() && global == options::Ordering::DEFAULT;
        if keys.is_empty() && !is_plain {
            let mut ordering = settings.global;
            ordering.skips_end_blanks = ordering.skips_start_blanks;
            keys.push(Key {
                start_field: 0,
                start_character: 0,
                end: None,
                ordering,
            });
        }
        let first = keys.first().map(|key| key.ordering);
        let has_prefix = first.is_none_or(|first| {
            matches!(first.kind, Kind::Bytes | Kind::Numeric)
                && !first.folds_case
                && !first.is_dictionary
                && !first.is_printable
        });
        Comparison {
            settings,
            keys,
            is_plain,
            has_last_resort: !settings.stable && !settings.unique,
            has_prefix,
        }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    pub(crate) fn is_reverse(&self) -> bool {
        self.settings.global.is_reverse
    }

    /// Returns a number whose order is that of lines, unless it is the same.
    pub(crate) fn prefix(&self, line: &[u8]) -> u64 {
        if !self.has_prefix {
            return 0;
        }
        let Some(key) = self.keys.first() else {
            return leading(line);
        };
        let text = self.part(line, key);
        match key.ordering.kind {
            Kind::Numeric => Number::of(text).rank(),
            _ => leading(text),
        }
    }

    pub(crate) fn compare_with_prefix(
        &self,
        left_prefix: u64,
        left: &[u8],
        right_prefix: u64,
        right: &[u8],
    ) -> Ordering {
        match left_prefix.cmp(&right_prefix) {
            Ordering::Equal => self.compare(left, right),
            ordering if self.keys.first().is_some_and(|key| key.ordering.is_reverse) => {
                ordering.reverse()
            }
            ordering => ordering,
        }
    }

    /// Compares two lines.
    pub(crate) fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        for key in &self.keys {
            let ordering = self.by_key(self.part(left, key), self.part(right, key), &key.ordering);
            if ordering != Ordering::Equal {
                return if key.ordering.is_reverse {
                    ordering.reverse()
                } else {
                    ordering
                };
            }
        }
        if !self.keys.is_empty() && !self.has_last_resort {
            return Ordering::Equal;
        }
        let ordering = left.cmp(right);
        if self.is_reverse() {
            ordering.reverse()
        } else {
            ordering
        }
    }

    fn by_key(&self, left: &[u8], right: &[u8], how: &options::Ordering) -> Ordering {
        match how.kind {
            Kind::Numeric => Number::of(left).cmp(&Number::of(right)),
            Kind::Human => human_rank(left)
                .cmp(&human_rank(right))
                .then_with(|| Number::of(left).cmp(&Number::of(right))),
            Kind::General => general(left, right),
            Kind::Month => month(left).cmp(&month(right)),
            Kind::Version => version_order::compare(left, right),
            Kind::Random => self
                .scrambled(left)
                .cmp(&self.scrambled(right))
                .then_with(|| left.cmp(right)),
            Kind::Bytes if !(how.folds_case || how.is_dictionary || how.is_printable) => {
                left.cmp(right)
            }
            Kind::Bytes => translated(left, how).cmp(translated(right, how)),
        }
    }

    fn scrambled(&self, text: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.settings.seed.hash(&mut hasher);
        text.hash(&mut hasher);
        hasher.finish()
    }

    /// Returns the part of a line that a key means.
    fn part<'l>(&self, line: &'l [u8], key: &Key) -> &'l [u8] {
        let start = self.start(line, key);
        let end = match key.end {
            None => line.len(),
            Some((field, 0)) => self.field_end(line, field),
            Some((field, characters)) => {
                let mut at = self.field_start(line, field);
                if key.ordering.skips_end_blanks {
                    at += blanks(line.get(at..).unwrap_or(&[]));
                }
                (at + characters).min(line.len())
            }
        };
        line.get(start..end.max(start)).unwrap_or(&[])
    }

    fn start(&self, line: &[u8], key: &Key) -> usize {
        let mut at = self.field_start(line, key.start_field);
        if key.ordering.skips_start_blanks {
            at += blanks(line.get(at..).unwrap_or(&[]));
        }
        at.saturating_add(key.start_character).min(line.len())
    }

    fn field_start(&self, line: &[u8], field: usize) -> usize {
        let mut at = 0;
        for _ in 0..field {
            if at >= line.len() {
                break;
            }
            let rest = line.get(at..).unwrap_or(&[]);
            at += match self.settings.separator {
                Some(separator) => {
                    memchr::memchr(separator, rest).map_or(rest.len(), |place| place + 1)
                }
                None => blank_field(rest),
            };
        }
        at
    }

    fn field_end(&self, line: &[u8], field: usize) -> usize {
        let at = self.field_start(line, field);
        let rest = line.get(at..).unwrap_or(&[]);
        at + match self.settings.separator {
            Some(separator) => memchr::memchr(separator, rest).unwrap_or(rest.len()),
            None => blank_field(rest),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_blank(**byte)).count()
}

/// Returns the length of a field with the blanks before it.
fn blank_field(text: &[u8]) -> usize {
    let before = blanks(text);
    before
        + text
            .iter()
            .skip(before)
            .take_while(|byte| !is_blank(**byte))
            .count()
}

/// Returns the first eight bytes as a number.
fn leading(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes
        .iter_mut()
        .zip(text)
        .for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(bytes)
}

/// Returns the bytes that count, in the case that counts.
fn translated<'t>(text: &'t [u8], how: &options::Ordering) -> impl Iterator<Item = u8> + 't {
    let how = *how;
    text.iter()
        .copied()
        .filter(move |byte| {
            let is_word = byte.is_ascii_alphanumeric() || is_blank(*byte);
            (!how.is_dictionary || is_word) && (!how.is_printable || (32..127).contains(byte))
        })
        .map(move |byte| {
            if how.folds_case {
                byte.to_ascii_uppercase()
            } else {
                byte
            }
        })
}

/// A decimal number as text, of any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number<'a> {
    is_negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Number<'a> {
    /// Reads the number that a text begins with; 0 if there is none.
    fn of(text: &'a [u8]) -> Self {
        let text = text.get(blanks(text)..).unwrap_or(&[]);
        let (is_negative, text) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, text),
        };
        let zeros = text.iter().take_while(|byte| **byte == b'0').count();
        let text = text.get(zeros..).unwrap_or(&[]);
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (whole, rest) = text.split_at_checked(digits(text)).unwrap_or((text, &[]));
        let fraction = match rest.split_first() {
            Some((b'.', fraction)) => fraction.get(..digits(fraction)).unwrap_or(&[]),
            _ => &[],
        };
        let kept = fraction
            .iter()
            .rposition(|byte| *byte != b'0')
            .map_or(0, |last| last + 1);
        let fraction = fraction.get(..kept).unwrap_or(&[]);
        let is_zero = whole.is_empty() && fraction.is_empty();
        Number {
            is_negative: is_negative && !is_zero,
            whole,
            fraction,
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || {
            let whole = self
                .whole
                .len()
                .cmp(&other.whole.len())
                .then_with(|| self.whole.cmp(other.whole));
            whole.then_with(|| self.fraction.cmp(other.fraction))
        };
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }

    /// Returns a number whose order is that of the values, unless it is the same.
    fn rank(&self) -> u64 {
        /// Up to here, whole numbers stand for themselves.
        const LIMIT: u64 = 1 << 62;
        let value = self.whole.iter().try_fold(0_u64, |value, digit| {
            value
                .checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))
                .filter(|value| *value < LIMIT)
        });
        let value = value.unwrap_or(LIMIT);
        if self.is_negative {
            LIMIT - value
        } else {
            LIMIT + value
        }
    }
}

/// Returns the place of the unit's letter, negative for negative numbers.
fn human_rank(text: &[u8]) -> i32 {
    let number = Number::of(text);
    if number.whole.is_empty() && number.fraction.is_empty() {
        return 0;
    }
    let text = text.get(blanks(text)..).unwrap_or(&[]);
    let digits = text
        .iter()
        .position(|byte| !(byte.is_ascii_digit() || matches!(byte, b'-' | b'.')));
    let letter = digits.and_then(|at| text.get(at)).copied().unwrap_or(0);
    let rank = match letter {
        b'k' | b'K' => 1,
        b'M' => 2,
        b'G' => 3,
        b'T' => 4,
        b'P' => 5,
        b'E' => 6,
        b'Z' => 7,
        b'Y' => 8,
        _ => 0,
    };
    if number.is_negative { -rank } else { rank }
}

/// Compares floating-point numbers: no number, then NaN, then the values.
fn general(left: &[u8], right: &[u8]) -> Ordering {
    let value = |text: &[u8]| {
        let text = text.get(blanks(text)..).unwrap_or(&[]);
        let text = String::from_utf8_lossy(text);
        let text = text.trim_start_matches('+');
        let mut ends: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .take(400)
            .collect();
        ends.reverse();
        ends.into_iter()
            .find_map(|end| text.get(..end)?.parse::<f64>().ok())
    };
    match (value(left), value(right)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(left), Some(right)) => match (left.is_nan(), right.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        },
    }
}

fn month(text: &[u8]) -> usize {
    const MONTHS: [&[u8]; 12] = [
        b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV",
        b"DEC",
    ];
    let text = text.get(blanks(text)..).unwrap_or(&[]);
    let name = text.get(..3).unwrap_or(&[]);
    MONTHS
        .iter()
        .position(|month| month.eq_ignore_ascii_case(name))
        .map_or(0, |place| place + 1)
}
