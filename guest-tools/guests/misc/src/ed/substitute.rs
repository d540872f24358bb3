//! `s`: puts text in the place of what fits a pattern.

use posix_regex::Regex;

use super::address::{Range, number, until};
use super::{Outcome, Session};

#[derive(Clone)]
pub(super) struct Substitution {
    regex: Regex,
    text: Vec<u8>,
    is_global: bool,
    nth: usize,
}

impl Session {
    /// Does `s` with what stands behind the letter; returns the suffixes that print.
    pub(super) fn substitute(&mut self, range: Range, rest: &mut &[u8]) -> Outcome<Vec<u8>> {
        let mut prints = Vec::new();
        let substitution = match rest.first().copied() {
            None | Some(b'0'..=b'9' | b'g' | b'p' | b'r') => {
                let mut last = self
                    .substitution
                    .clone()
                    .ok_or_else(|| "No previous substitution".to_owned())?;
                flags(rest, &mut last, &mut prints)?;
                last
            }
            Some(b' ' | b'\n') => return Err("Invalid pattern delimiter".to_owned()),
            Some(delimiter) => {
                *rest = rest.get(1..).unwrap_or(&[]);
                let pattern = until(rest, delimiter);
                let mut text = self.replacement(rest, delimiter, &mut prints);
                if text == b"%"
                    && let Some(last) = &self.substitution
                {
                    text.clone_from(&last.text);
                }
                let mut new = Substitution {
                    regex: self.compile(&pattern, false)?,
                    text,
                    is_global: false,
                    nth: 1,
                };
                let behind = std::mem::take(&mut self.pending_suffix);
                let ignores_case = flags(&mut behind.as_slice(), &mut new, &mut prints)?;
                if ignores_case {
                    new.regex = self.compile(&pattern, true)?;
                }
                new
            }
        };
        self.substitution = Some(substitution.clone());
        let mut at = range.first;
        let mut last = range.last;
        let mut found = None;
        while at <= last {
            if let Some(text) = substitution.apply(self.buffer.text(at)) {
                let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
                // The first keeps the place and the marks of the line.
                let first = lines.next().unwrap_or_default();
                if let Some(line) = at
                    .checked_sub(1)
                    .and_then(|at| self.buffer.lines.get_mut(at))
                {
                    line.text = first;
                }
                self.buffer.is_changed = true;
                let others: Vec<Vec<u8>> = lines.collect();
                let more = others.len();
                self.buffer.insert(at, others);
                at += more;
                last += more;
                found = Some(at);
            }
            at += 1;
        }
        match found {
            Some(line) => self.buffer.current = line,
            None if self.is_global => {}
            None => return Err("No match".to_owned()),
        }
        Ok(prints)
    }

    /// Reads the replacement; a line that ends in a backslash goes on in the next.
    fn replacement(&mut self, rest: &mut &[u8], delimiter: u8, prints: &mut Vec<u8>) -> Vec<u8> {
        let mut text = Vec::new();
        let mut line: Vec<u8> = rest.to_vec();
        let mut is_closed = false;
        let mut at = 0;
        loop {
            match line.get(at).copied() {
                None => break,
                Some(b'\\') => match line.get(at + 1).copied() {
                    // The line end is part of the text.
                    None => {
                        text.push(b'\n');
                        match self.line() {
                            Some(next) => (line, at) = (next, 0),
                            None => break,
                        }
                        continue;
                    }
                    Some(b'\n') => {
                        text.push(b'\n');
                        at += 1;
                    }
                    Some(next) if next == delimiter && next != b'&' => {
                        text.push(next);
                        at += 1;
                    }
                    Some(next) => {
                        text.extend([b'\\', next]);
                        at += 1;
                    }
                },
                Some(byte) if byte == delimiter => {
                    is_closed = true;
                    at += 1;
                    break;
                }
                Some(byte) => text.push(byte),
            }
            at += 1;
        }
        // The suffixes stand in the last of its lines.
        let behind = line.get(at..).unwrap_or(&[]).to_vec();
        if !is_closed {
            prints.push(b'p');
        }
        self.pending_suffix = behind;
        *rest = &[];
        text
    }
}

fn flags(rest: &mut &[u8], substitution: &mut Substitution, prints: &mut Vec<u8>) -> Outcome<bool> {
    let mut ignores_case = false;
    while let Some(byte) = rest.first().copied() {
        match byte {
            b'0'..=b'9' => {
                substitution.nth = number(rest).max(1);
                continue;
            }
            b'g' => substitution.is_global = true,
            b'i' | b'I' => ignores_case = true,
            b'p' | b'l' | b'n' => prints.push(byte),
            b'r' => {}
            _ => return Err("Invalid command suffix".to_owned()),
        }
        *rest = rest.get(1..).unwrap_or(&[]);
    }
    Ok(ignores_case)
}

impl Substitution {
    /// Returns the line with its replacements, if there is one.
    fn apply(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let (mut at, mut copied, mut nth) = (0, 0, 0);
        let mut is_changed = false;
        while at <= text.len() {
            let Some(groups) = self.regex.captures_at(text, at) else {
                break;
            };
            let Some((start, end)) = groups.first().copied().flatten() else {
                break;
            };
            nth += 1;
            if nth == self.nth || self.is_global && nth > self.nth {
                out.extend_from_slice(text.get(copied..start).unwrap_or(&[]));
                self.expand(text, &groups, &mut out);
                copied = end;
                is_changed = true;
                if !self.is_global {
                    break;
                }
            }
            at = if end > start { end } else { end + 1 };
        }
        out.extend_from_slice(text.get(copied..).unwrap_or(&[]));
        is_changed.then_some(out)
    }

    fn expand(&self, text: &[u8], groups: &[Option<(usize, usize)>], out: &mut Vec<u8>) {
        let group = |nth: usize, out: &mut Vec<u8>| {
            if let Some((start, end)) = groups.get(nth).copied().flatten() {
                out.extend_from_slice(text.get(start..end).unwrap_or(&[]));
            }
        };
        let mut bytes = self.text.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'&' => group(0, out),
                b'\\' => match bytes.next() {
                    Some(digit @ b'1'..=b'9') => group(usize::from(digit - b'0'), out),
                    Some(other) => out.push(*other),
                    None => {}
                },
                _ => out.push(*byte),
            }
        }
    }
}
