//! Quoting a value so that the shell reads it back: each form that bash prints.

use std::borrow::Cow;

use bstr::BString;

/// `printf %q`, completion: backslashes, or `$'...'` when there are control characters; `''` when empty.
pub fn backslash(text: &[u8]) -> BString {
    BString::from(text)
}

/// `${x@Q}`, `alias`, `trap -p`: always quoted with single quotes, or `$'...'`.
pub fn single_or_ansi(text: &[u8]) -> BString {
    BString::from(text)
}

/// Single quotes and nothing else: `'it'\''s'`.
pub fn single(text: &[u8]) -> BString {
    BString::from(text)
}

/// `set`: as it stands when it needs no quotes, else as [`single_or_ansi`].
pub fn set_value(text: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(text)
}

/// `declare -p`: double quotes, or `$'...'` when there are control characters.
pub fn double_or_ansi(text: &[u8]) -> BString {
    BString::from(text)
}

/// A key of an associative array inside `[...]` of `declare -p`: as it stands, or double quotes.
pub fn key(text: &[u8]) -> BString {
    BString::from(text)
}

/// A word in the trace of `set -x`.
pub fn trace(text: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(text)
}

/// `$'...'`.
pub fn ansi_c(text: &[u8]) -> BString {
    BString::from(text)
}
