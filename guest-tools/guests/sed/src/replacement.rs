//! The right side of `s`: texts, groups and changes of case.

use crate::escape;

/// A piece of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Vec<u8>),
    /// A group; 0 is the whole match.
    Group(usize),
    Case(Case),
}

/// A change of case for what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `\U`
    Upper,
    /// `\L`
    Lower,
    /// `\u`: one character.
    UpperOne,
    /// `\l`
    LowerOne,
    /// `\E`
    End,
}

/// Reads a replacement in which quoted delimiters are plain already.
pub fn parse(text: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let part = match first {
            b'&' => Part::Group(0),
            b'\\' => {
                let Some((letter, further)) = behind.split_first() else {
                    plain.push(b'\\');
                    break;
                };
                rest = further;
                match letter {
                    b'0'..=b'9' => Part::Group(usize::from(letter - b'0')),
                    b'U' => Part::Case(Case::Upper),
                    b'L' => Part::Case(Case::Lower),
                    b'u' => Part::Case(Case::UpperOne),
                    b'l' => Part::Case(Case::LowerOne),
                    b'E' => Part::Case(Case::End),
                    _ => {
                        if let Some((byte, length)) = escape::byte(behind) {
                            plain.push(byte);
                            rest = behind.get(length..).unwrap_or_default();
                        } else {
                            plain.push(*letter);
                        }
                        continue;
                    }
                }
            }
            _ => {
                plain.push(*first);
                continue;
            }
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(part);
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}
