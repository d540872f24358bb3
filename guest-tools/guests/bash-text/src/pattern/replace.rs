//! `${x/pattern/text}`: replacing what a pattern matches.

use bstr::BString;

use super::{Group, Node, Pattern, Piece};
use crate::characters;

/// Which matches `${x/pattern/text}` replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// `/`: the leftmost longest.
    First,
    /// `//`: every one, left to right.
    All,
    /// `/#`: the longest at the start.
    Prefix,
    /// `/%`: the longest at the end.
    Suffix,
}

impl Pattern {
    /// Replaces matches in `text` as `${x/pattern/text}` does.
    ///
    /// `replacement` writes the text for one match, which it is given for `&` (patsub_replacement). An empty
    /// match inserts, and with `//` copies a character on; what bash leaves alone is left alone.
    pub fn replace(
        &self,
        text: &[u8],
        which: Replace,
        replacement: &mut dyn FnMut(&[u8], &mut Vec<u8>),
    ) -> BString {
        let slice = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let mut output = Vec::with_capacity(text.len());
        if self.is_inert(text, which) {
            return BString::from(text);
        }
        match which {
            Replace::Prefix => match self.longest_prefix(text) {
                Some(end) => {
                    replacement(slice(0, end), &mut output);
                    output.extend_from_slice(slice(end, text.len()));
                }
                None => output.extend_from_slice(text),
            },
            Replace::Suffix => match self.longest_suffix(text) {
                Some(start) => {
                    output.extend_from_slice(slice(0, start));
                    replacement(slice(start, text.len()), &mut output);
                }
                None => output.extend_from_slice(text),
            },
            Replace::First => match self.find(text, 0) {
                Some(found) => {
                    output.extend_from_slice(slice(0, found.start));
                    replacement(slice(found.start, found.end), &mut output);
                    output.extend_from_slice(slice(found.end, text.len()));
                }
                None => output.extend_from_slice(text),
            },
            Replace::All => {
                let mut at = 0;
                loop {
                    // At the end of the text an empty match counts only when there is no text at all.
                    if at >= text.len() && !text.is_empty() {
                        break;
                    }
                    let Some(found) = self.find(text, at) else {
                        break;
                    };
                    output.extend_from_slice(slice(at, found.start));
                    replacement(slice(found.start, found.end), &mut output);
                    at = found.end;
                    if found.is_empty() {
                        let length = text.get(at..).map_or(0, characters::length_of_first);
                        output.extend_from_slice(slice(at, at + length));
                        at += length;
                        if length == 0 {
                            break;
                        }
                    }
                }
                output.extend_from_slice(slice(at, text.len()));
            }
        }
        BString::from(output)
    }

    /// Returns whether bash does not even try: an empty pattern replaces at an end alone; empty text is
    /// replaced at its end, or by a pattern that starts with `*`.
    fn is_inert(&self, text: &[u8], which: Replace) -> bool {
        let is_star = matches!(
            self.nodes.first(),
            Some(Node::Star | Node::Group(Group::Repeated, _))
        );
        match which {
            Replace::Suffix => false,
            Replace::Prefix => text.is_empty() && !is_star && !self.nodes.is_empty(),
            Replace::First | Replace::All => self.nodes.is_empty() || (text.is_empty() && !is_star),
        }
    }
}

/// Writes `replacement` for `matched`: an unquoted `&` is the match, `\&` an ampersand, `\\` a backslash.
pub fn write_replacement(replacement: &[Piece<'_>], matched: &[u8], output: &mut Vec<u8>) {
    for piece in replacement {
        if piece.is_quoted {
            output.extend_from_slice(piece.text);
            continue;
        }
        let mut bytes = piece.text.iter();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.as_slice().first()) {
                (b'\\', Some(next @ (b'&' | b'\\'))) => {
                    output.push(*next);
                    bytes.next();
                }
                (b'&', _) => output.extend_from_slice(matched),
                _ => output.push(*byte),
            }
        }
    }
}
