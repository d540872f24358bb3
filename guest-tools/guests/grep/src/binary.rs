//! What counts as text.

/// Returns whether a line, without its terminator, is text in the locale's encoding.
pub(crate) fn is_text(line: &[u8], utf8: bool) -> bool {
    !utf8 || std::str::from_utf8(line).is_ok()
}

/// Returns whether a piece of a file shows that the file is no text.
pub(crate) fn has_zero(piece: &[u8]) -> bool {
    memchr::memchr(0, piece).is_some()
}
