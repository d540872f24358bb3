//! Addresses: `.`, `$`, numbers, marks, patterns, and what is added to them.

use super::{Outcome, Session};

/// The addresses before a command, and how many there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) count: usize,
}

fn invalid() -> String {
    "Invalid address".to_owned()
}

impl Session {
    /// Reads the addresses; `rest` is then at the command.
    pub(super) fn range(&mut self, rest: &mut &[u8]) -> Outcome<Range> {
        let current = self.buffer.current;
        let last = self.buffer.last();
        let mut range = Range {
            first: current,
            last: current,
            count: 0,
        };
        let mut pending = None;
        loop {
            skip_blanks(rest);
            let address = self.address(rest)?;
            skip_blanks(rest);
            let separator = match rest.first() {
                Some(sign @ (b',' | b';' | b'%')) if *sign != b'%' || address.is_none() => {
                    Some(*sign)
                }
                _ => None,
            };
            if let Some(address) = address.or(pending.take().filter(|_| separator.is_none())) {
                range.first = if range.count == 0 {
                    address
                } else {
                    range.last
                };
                range.last = address;
                range.count = (range.count + 1).min(2);
            }
            let Some(sign) = separator else {
                break;
            };
            *rest = rest.get(1..).unwrap_or(&[]);
            if range.count == 0 {
                range.first = if sign == b';' {
                    self.buffer.current
                } else {
                    1.min(last)
                };
                range.last = range.first;
                range.count = 1;
                pending = Some(last);
            } else {
                pending = Some(range.last);
            }
            if sign == b';' && range.count > 0 && pending != Some(last) {
                self.buffer.current = range.last;
            }
        }
        if range.count == 1 {
            range.first = range.last;
        }
        if range.first > range.last || range.last > last {
            return Err(invalid());
        }
        Ok(range)
    }

    /// Reads one address.
    pub(super) fn address(&mut self, rest: &mut &[u8]) -> Outcome<Option<usize>> {
        let last = self.buffer.last();
        let current = self.buffer.current;
        let mut place: Option<usize> = match rest.first() {
            Some(b'.') => {
                *rest = rest.get(1..).unwrap_or(&[]);
                Some(current)
            }
            Some(b'$') => {
                *rest = rest.get(1..).unwrap_or(&[]);
                Some(last)
            }
            Some(b'0'..=b'9') => Some(number(rest)),
            Some(b'\'') => {
                let mark = rest.get(1).copied().unwrap_or(0);
                *rest = rest.get(2..).unwrap_or(&[]);
                let id = self.buffer.marks.get(&mark).copied();
                Some(
                    id.and_then(|id| self.buffer.place_of(id))
                        .ok_or_else(invalid)?,
                )
            }
            Some(sign @ (b'/' | b'?')) => {
                let sign = *sign;
                *rest = rest.get(1..).unwrap_or(&[]);
                let pattern = until(rest, sign);
                Some(self.search(&pattern, sign == b'/')?)
            }
            _ => None,
        };
        loop {
            skip_blanks(rest);
            let is_plus = match rest.first() {
                Some(b'+') => true,
                Some(b'-' | b'^') => false,
                Some(b'0'..=b'9') if place.is_some() => {
                    let more = number(rest);
                    place = place.map(|place| place.saturating_add(more));
                    continue;
                }
                _ => break,
            };
            *rest = rest.get(1..).unwrap_or(&[]);
            let step = if rest.first().is_some_and(u8::is_ascii_digit) {
                number(rest)
            } else {
                1
            };
            let from = place.unwrap_or(current);
            place = Some(if is_plus {
                from.saturating_add(step)
            } else {
                from.checked_sub(step).ok_or_else(invalid)?
            });
        }
        if place.is_some_and(|place| place > last) {
            return Err(invalid());
        }
        Ok(place)
    }

    fn search(&mut self, pattern: &[u8], is_forward: bool) -> Outcome<usize> {
        let regex = self.compile(pattern, false)?;
        let last = self.buffer.last();
        let current = self.buffer.current;
        (1..=last)
            .map(|step| {
                if is_forward {
                    (current + step - 1) % last + 1
                } else {
                    (current + 2 * last - step - 1) % last + 1
                }
            })
            .find(|line| regex.is_match(self.buffer.text(*line)))
            .ok_or_else(|| "No match".to_owned())
    }
}

pub(super) fn skip_blanks(rest: &mut &[u8]) {
    while let [b' ' | b'\t', behind @ ..] = *rest {
        *rest = behind;
    }
}

pub(super) fn number(rest: &mut &[u8]) -> usize {
    let mut value = 0_usize;
    while let [digit @ b'0'..=b'9', behind @ ..] = *rest {
        value = value
            .saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'));
        *rest = behind;
    }
    value
}

/// Takes what stands before a delimiter, which may be quoted or in brackets.
pub(super) fn until(rest: &mut &[u8], delimiter: u8) -> Vec<u8> {
    let mut text = Vec::new();
    let mut is_in_brackets = false;
    while let [byte, behind @ ..] = *rest {
        *rest = behind;
        match *byte {
            b'\\' if !is_in_brackets => {
                let next = behind.first().copied();
                *rest = behind.get(1..).unwrap_or(&[]);
                match next {
                    Some(next) if next == delimiter => text.push(next),
                    Some(next) => text.extend([b'\\', next]),
                    None => text.push(b'\\'),
                }
            }
            found if found == delimiter && !is_in_brackets => break,
            other => {
                if other == b'[' {
                    is_in_brackets = true;
                } else if other == b']' && text.last() != Some(&b'[') {
                    is_in_brackets = false;
                }
                text.push(other);
            }
        }
    }
    text
}
