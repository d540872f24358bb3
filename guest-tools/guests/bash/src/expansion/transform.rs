//! What the operators of `${...}` make of a value: pure work on texts.

use bash_text::case::{Change, Reach, change};
use bash_text::pattern::{Pattern, Piece, Replace, write_replacement};
use bash_text::{echo, quote};
use bstr::BString;

/// Which end of the value loses a match, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// `#`
    ShortestPrefix,
    /// `##`
    LongestPrefix,
    /// `%`
    ShortestSuffix,
    /// `%%`
    LongestSuffix,
}

/// Removes what matches.
pub fn remove<'a>(text: &'a [u8], pattern: &Pattern, removal: Removal) -> &'a [u8] {
    let rest = match removal {
        Removal::ShortestPrefix => pattern
            .shortest_prefix(text)
            .and_then(|end| text.get(end..)),
        Removal::LongestPrefix => pattern.longest_prefix(text).and_then(|end| text.get(end..)),
        Removal::ShortestSuffix => pattern
            .shortest_suffix(text)
            .and_then(|start| text.get(..start)),
        Removal::LongestSuffix => pattern
            .longest_suffix(text)
            .and_then(|start| text.get(..start)),
    };
    rest.unwrap_or(text)
}

/// The text that stands in for a match.
pub struct Replacement<'a> {
    /// Its pieces.
    pub pieces: Vec<Piece<'a>>,
    /// Whether an unquoted `&` is the match (`patsub_replacement`).
    pub has_ampersand: bool,
}

/// Replaces what matches.
pub fn replace(
    text: &[u8],
    pattern: &Pattern,
    which: Replace,
    replacement: &Replacement<'_>,
) -> BString {
    pattern.replace(text, which, &mut |matched, output| {
        if replacement.has_ampersand {
            write_replacement(&replacement.pieces, matched, output);
        } else {
            for piece in &replacement.pieces {
                output.extend_from_slice(piece.text);
            }
        }
    })
}

/// Applies the transformations `@U @u @L @Q @E`, which need nothing but the value. `None` for any other.
pub fn transform(text: &[u8], operator: u8) -> Option<BString> {
    Some(match operator {
        b'U' => change(text, Change::Upper, Reach::All, None),
        b'u' => change(text, Change::Upper, Reach::First, None),
        b'L' => change(text, Change::Lower, Reach::All, None),
        b'Q' => quote::single_or_ansi(text),
        b'E' => echo::ansi_c(text),
        _ => return None,
    })
}
