//! `sub`, `gsub` and `gensub`.

use posix_regex::Regex;

use crate::Error;
use crate::text::character_length;
use crate::value::Value;

use super::Machine;

/// A piece of a replacement.
enum Piece {
    Plain(Vec<u8>),
    Group(usize),
}

/// Which matches are replaced.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    All,
    Number(usize),
}

impl Machine {
    /// `sub` and `gsub`: pattern, replacement and text lie on the stack. Keeps the new text and the count.
    pub(super) fn substitute(&mut self, is_global: bool) -> Result<(), Error> {
        let text = self.pop();
        let replacement = self.pop();
        let pattern = self.pop();
        let regex = self.regex_of(&pattern)?;
        let which = if is_global {
            Which::All
        } else {
            Which::Number(1)
        };
        let format = &self.settings.number_format;
        let replaced = text.with_bytes(format, |text| {
            // Most texts have no match: then nothing is prepared.
            let first = regex.find_at(text, 0)?;
            let pieces = replacement.with_bytes(format, pieces);
            Some(replace(&regex, text, &pieces, which, first))
        });
        match replaced {
            Some((text, count)) => {
                self.got_text = Value::text(&text);
                self.got_status = count as f64;
            }
            None => self.got_status = 0.0,
        }
        Ok(())
    }

    pub(super) fn gensub(&mut self, arguments: &[Value]) -> Result<Value, Error> {
        let [pattern, replacement, which, text] = arguments else {
            return Ok(Value::Empty);
        };
        let regex = self.regex_of(pattern)?;
        let format = &self.settings.number_format;
        let how = which.to_bytes(format);
        let which = if matches!(how.first(), Some(b'g' | b'G')) {
            Which::All
        } else {
            let number = which.number();
            if number < 1.0 {
                let shown = String::from_utf8_lossy(&how).into_owned();
                self.warn(&format!("gensub: third argument `{shown}' treated as 1"));
            }
            Which::Number(number.max(1.0) as usize)
        };
        let format = &self.settings.number_format;
        let replaced = text.with_bytes(format, |text| {
            let first = regex.find_at(text, 0)?;
            let pieces = replacement.with_bytes(format, group_pieces);
            Some(replace(&regex, text, &pieces, which, first).0)
        });
        Ok(match replaced {
            Some(text) => Value::text(&text),
            None => Value::text(&text.to_bytes(format)),
        })
    }
}

/// Replaces matches; returns the new text and how many were replaced.
fn replace(
    regex: &Regex,
    text: &[u8],
    pieces: &[Piece],
    which: Which,
    first: (usize, usize),
) -> (Vec<u8>, usize) {
    let needs_groups = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Group(number) if *number > 0));
    let mut into = Vec::with_capacity(text.len() + 32);
    let mut at = 0;
    let mut copied = 0;
    let mut seen = 0;
    let mut replaced = 0;
    let mut last_end = None;
    let mut next = Some(first);
    while let Some((begin, end)) = next {
        // An empty match directly behind a match is none.
        if begin == end && last_end == Some(begin) {
            if begin >= text.len() {
                break;
            }
            at = begin + character_length(text, begin);
            last_end = None;
            next = regex.find_at(text, at);
            continue;
        }
        seen += 1;
        if which == Which::All || which == Which::Number(seen) {
            into.extend_from_slice(text.get(copied..begin).unwrap_or_default());
            let groups = if needs_groups {
                regex.captures_at(text, at)
            } else {
                None
            };
            for piece in pieces {
                match piece {
                    Piece::Plain(bytes) => into.extend_from_slice(bytes),
                    Piece::Group(0) => {
                        into.extend_from_slice(text.get(begin..end).unwrap_or_default())
                    }
                    Piece::Group(number) => {
                        let group = groups
                            .as_ref()
                            .and_then(|groups| groups.get(*number))
                            .copied()
                            .flatten();
                        if let Some((begin, end)) = group {
                            into.extend_from_slice(text.get(begin..end).unwrap_or_default());
                        }
                    }
                }
            }
            copied = end;
            replaced += 1;
            if which != Which::All {
                break;
            }
        }
        last_end = Some(end);
        if begin == end {
            if end >= text.len() {
                break;
            }
            at = end + character_length(text, end);
            last_end = None;
        } else {
            at = end;
        }
        next = regex.find_at(text, at);
    }
    into.extend_from_slice(text.get(copied..).unwrap_or_default());
    (into, replaced)
}

/// Reads the replacement of `sub` and `gsub`: `&` is the match, `\&` itself, `\\&` a backslash and the match.
fn pieces(replacement: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut rest = replacement;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'&' => {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(0));
            }
            b'\\' if rest.first() == Some(&b'&') => {
                plain.push(b'&');
                rest = rest.get(1..).unwrap_or_default();
            }
            b'\\' if rest.starts_with(b"\\&") => {
                plain.push(b'\\');
                rest = rest.get(1..).unwrap_or_default();
            }
            b'\\' if rest.starts_with(b"\\\\&") => {
                plain.extend_from_slice(b"\\&");
                rest = rest.get(3..).unwrap_or_default();
            }
            byte => plain.push(*byte),
        }
    }
    pieces.push(Piece::Plain(plain));
    pieces
}

/// Reads the replacement of `gensub`: `\0` and `&` are the match, `\1` to `\9` groups.
fn group_pieces(replacement: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut rest = replacement;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, rest.split_first()) {
            (b'&', _) => {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(0));
            }
            (b'\\', Some((digit @ b'0'..=b'9', behind))) => {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(usize::from(digit - b'0')));
                rest = behind;
            }
            (b'\\', Some((escaped, behind))) => {
                if !matches!(escaped, b'&' | b'\\') {
                    plain.push(b'\\');
                }
                plain.push(*escaped);
                rest = behind;
            }
            _ => plain.push(*byte),
        }
    }
    pieces.push(Piece::Plain(plain));
    pieces
}
