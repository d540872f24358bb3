//! Names of files as text, which WASI wants them to be, and as bytes, which the host has.
//!
//! A name on the host may be any bytes. What of it is no UTF-8 is shown to guests byte by byte as the characters
//! U+10FF80 to U+10FFFF, which nobody may assign, and is turned back on the way in: so every file can be listed, opened
//! and removed, and two names never look the same. The bytes of those characters themselves count as no UTF-8.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// The character of the byte 0; only those of 128 and above are used.
const BASE: u32 = 0x10_FF00;

/// Returns the text that stands for a name or path of the host.
pub(super) fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    push_text(bytes, &mut text);
    text
}

/// Appends the text that stands for a name or path of the host.
pub(super) fn push_text(bytes: &[u8], text: &mut String) {
    match str::from_utf8(bytes) {
        Ok(plain) if !has_stand_in(plain) => text.push_str(plain),
        _ => {
            for chunk in bytes.utf8_chunks() {
                for character in chunk.valid().chars() {
                    if is_stand_in(character) {
                        let mut bytes = [0; 4];
                        text.extend(character.encode_utf8(&mut bytes).bytes().map(stand_in));
                    } else {
                        text.push(character);
                    }
                }
                text.extend(chunk.invalid().iter().copied().map(stand_in));
            }
        }
    }
}

/// Returns the name or path of the host that a text stands for.
pub(super) fn to_host(text: &str) -> Cow<'_, OsStr> {
    if !has_stand_in(text) {
        return Cow::Borrowed(OsStr::new(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(u32::from(character).wrapping_sub(BASE)) {
            Ok(byte) if is_stand_in(character) => bytes.push(byte),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(OsStr::from_bytes(&bytes).to_owned())
}

/// Looks only closer at text that has the first byte of a character that high, which few names have.
fn has_stand_in(text: &str) -> bool {
    text.as_bytes().contains(&0xF4) && text.contains(is_stand_in)
}

fn is_stand_in(character: char) -> bool {
    u32::from(character) >= BASE + 0x80
}

fn stand_in(byte: u8) -> char {
    char::from_u32(BASE + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_text_and_comes_back() {
        let names: [&[u8]; 6] = [
            b"plain/\xc3\xa4",
            b"\xff\xfe",
            b"a\x80b",
            b"half\xe2\x82",
            "\u{10FF80}".as_bytes(),
            "\u{10FFFF}x".as_bytes(),
        ];
        let texts: Vec<String> = names.iter().map(|name| to_text(name)).collect();
        for (name, text) in names.iter().zip(&texts) {
            assert_eq!(to_host(text).as_bytes(), *name, "{text:?}");
            assert_eq!(texts.iter().filter(|other| *other == text).count(), 1);
        }
        assert_eq!(texts.first().map(String::as_str), Some("plain/\u{e4}"));
    }
}
