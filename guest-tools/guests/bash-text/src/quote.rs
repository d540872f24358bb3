//! Quoting a value so that the shell reads it back: each form that bash prints.

use std::borrow::Cow;

use bstr::{BString, ByteSlice};

use crate::characters;

/// `printf %q`, completion: backslashes, or `$'...'` when there are control characters; `''` when empty.
pub fn backslash(text: &[u8]) -> BString {
    if text.is_empty() {
        return BString::from("''");
    }
    if needs_ansi_c(text) {
        return ansi_c(text);
    }
    let mut quoted = Vec::with_capacity(text.len() + 8);
    for (at, byte) in text.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let is_special = match byte {
            b'#' => at == 0,
            b'~' => matches!(before, None | Some(b':' | b'=')),
            byte => b" \t\n!\"$&'()*,;<>?[\\]^`{|}".contains(byte),
        };
        if is_special {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    BString::from(quoted)
}

/// `${x@Q}`, `alias`, `trap -p`: always quoted with single quotes, or `$'...'`.
pub fn single_or_ansi(text: &[u8]) -> BString {
    if needs_ansi_c(text) {
        ansi_c(text)
    } else {
        single(text)
    }
}

/// Single quotes and nothing else: `'it'\''s'`; a lone single quote is `\'`.
pub fn single(text: &[u8]) -> BString {
    if text == b"'" {
        return BString::from("\\'");
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'\'');
    for byte in text {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    BString::from(quoted)
}

/// `set`: as it stands when it needs no quotes, else as [`single_or_ansi`].
pub fn set_value(text: &[u8]) -> Cow<'_, [u8]> {
    if needs_ansi_c(text) {
        Cow::Owned(Vec::from(ansi_c(text)))
    } else if has_special(text) {
        Cow::Owned(Vec::from(single(text)))
    } else {
        Cow::Borrowed(text)
    }
}

/// `declare -p`: double quotes, or `$'...'` when there are control characters.
pub fn double_or_ansi(text: &[u8]) -> BString {
    if needs_ansi_c(text) {
        ansi_c(text)
    } else {
        double(text)
    }
}

fn double(text: &[u8]) -> BString {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    for byte in text {
        if b"$`\"\\".contains(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    BString::from(quoted)
}

/// A key of an associative array inside `[...]` of `declare -p`: as it stands, or quoted.
pub fn key(text: &[u8]) -> BString {
    if needs_ansi_c(text) {
        ansi_c(text)
    } else if has_special(text) || text == b"@" {
        double(text)
    } else {
        BString::from(text)
    }
}

/// A word in the trace of `set -x`.
pub fn trace(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_empty() || has_special(text) {
        Cow::Owned(Vec::from(single(text)))
    } else {
        set_value(text)
    }
}

/// `$'...'`.
pub fn ansi_c(text: &[u8]) -> BString {
    let mut quoted = Vec::with_capacity(text.len() + 8);
    quoted.extend_from_slice(b"$'");
    for slice in characters::iterate(text) {
        match slice {
            b"\x1b" => quoted.extend_from_slice(b"\\E"),
            b"\x07" => quoted.extend_from_slice(b"\\a"),
            b"\x08" => quoted.extend_from_slice(b"\\b"),
            b"\x0b" => quoted.extend_from_slice(b"\\v"),
            b"\x0c" => quoted.extend_from_slice(b"\\f"),
            b"\t" => quoted.extend_from_slice(b"\\t"),
            b"\n" => quoted.extend_from_slice(b"\\n"),
            b"\r" => quoted.extend_from_slice(b"\\r"),
            b"\\" => quoted.extend_from_slice(b"\\\\"),
            b"'" => quoted.extend_from_slice(b"\\'"),
            slice if is_printable(slice) => quoted.extend_from_slice(slice),
            slice => {
                for byte in slice {
                    quoted.extend_from_slice(format!("\\{byte:03o}").as_bytes());
                }
            }
        }
    }
    quoted.push(b'\'');
    BString::from(quoted)
}

/// Returns whether `text` holds something that does not print.
fn needs_ansi_c(text: &[u8]) -> bool {
    if text.is_ascii() {
        return text.iter().any(u8::is_ascii_control);
    }
    !characters::iterate(text).all(is_printable)
}

fn is_printable(character: &[u8]) -> bool {
    match characters::first(character).0 {
        None => false,
        Some(character) if character.is_ascii() => !character.is_ascii_control(),
        Some(character) => is_wide_printable(character),
    }
}

/// The C library prints format characters, spaces and private ones, which Rust's debug form escapes; what
/// both refuse are controls and code points that are not assigned.
fn is_wide_printable(character: char) -> bool {
    if matches!(character, '\u{2028}' | '\u{2029}') {
        return false;
    }
    let is_format = matches!(u32::from(character),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890 | 0x891 | 0x8e2 | 0x180e | 0x200b..=0x200f
        | 0x202a..=0x202e | 0x2060..=0x2064 | 0x2066..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff9..=0xfffb
        | 0xe0020..=0xe007f | 0xe0001 | 0xf_0000..=0xf_fffd | 0x10_0000..=0x10_fffd);
    if is_format || (character.is_whitespace() && !character.is_control()) {
        return true;
    }
    // Behind another character a combining one is not escaped for its own sake.
    let mut buffer = *b"a\0\0\0\0";
    let length = match buffer.get_mut(1..) {
        Some(room) => character.encode_utf8(room).len() + 1,
        None => return false,
    };
    let text = buffer
        .get(..length)
        .and_then(|text| text.to_str().ok())
        .unwrap_or_default();
    !text.escape_debug().any(|character| character == '\\')
}

/// Returns whether the shell would not read `text` back as one plain word.
fn has_special(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        match byte {
            b'~' => matches!(before, None | Some(b':' | b'=')),
            b'#' => matches!(before, None | Some(b' ' | b'\t' | b'\n')),
            byte => b" \t\n'\"\\|&;()<>!{}*[?]^$`".contains(byte),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form() {
        for (text, forms) in [
            ("", ["''", "''", "\"\"", ""]),
            ("a b", ["a\\ b", "'a b'", "\"a b\"", "'a b'"]),
            ("it's", ["it\\'s", "'it'\\''s'", "\"it's\"", "'it'\\''s'"]),
            ("'", ["\\'", "\\'", "\"'\"", "\\'"]),
            ("a\tb", ["$'a\\tb'", "$'a\\tb'", "$'a\\tb'", "$'a\\tb'"]),
            ("$x\\", ["\\$x\\\\", "'$x\\'", "\"\\$x\\\\\"", "'$x\\'"]),
            ("~#a,é", ["\\~#a\\,é", "'~#a,é'", "\"~#a,é\"", "'~#a,é'"]),
            (
                "\u{1b}\u{1}",
                ["$'\\E\\001'", "$'\\E\\001'", "$'\\E\\001'", "$'\\E\\001'"],
            ),
        ] {
            let text = text.as_bytes();
            let found = [
                backslash(text),
                single_or_ansi(text),
                double_or_ansi(text),
                BString::from(set_value(text).into_owned()),
            ];
            assert_eq!(found.map(|form| form.to_string()), forms.map(str::to_owned));
        }
    }
}
