//! Names of files as text and as bytes.
//!
//! A name may be any bytes, but what goes between a hand and its host is text. There a byte that is no UTF-8 is one of
//! the characters U+10FF80 to U+10FFFF, which nobody may assign, and so are the bytes of those characters themselves.
//! Natively nothing is changed.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

/// The character of the byte 0; only those of 128 and above are used.
const BASE: u32 = 0x10_FF00;

/// Returns the bytes of a name that std gave.
pub fn name_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    if cfg!(target_family = "wasm") {
        to_bytes(name.as_encoded_bytes())
    } else {
        Cow::Borrowed(name.as_encoded_bytes())
    }
}

/// Returns the bytes of an argument, or of a variable, as it was given to this process.
pub fn argument_bytes(argument: &str) -> Cow<'_, [u8]> {
    if cfg!(target_family = "wasm") {
        to_bytes(argument.as_bytes())
    } else {
        Cow::Borrowed(argument.as_bytes())
    }
}

/// Returns the path that std takes for the bytes of one.
pub fn name_path(bytes: &[u8]) -> Cow<'_, Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Cow::Borrowed(Path::new(OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    match to_text(bytes) {
        Cow::Borrowed(text) => Cow::Borrowed(Path::new(text)),
        Cow::Owned(text) => Cow::Owned(text.into()),
    }
}

/// Returns the text that stands for bytes towards the host.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "for hands"))]
pub(crate) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes)
        && !text.contains(is_stand_in)
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
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
    Cow::Owned(text)
}

/// Returns the bytes that text from the host stands for.
pub(crate) fn to_bytes(text: &[u8]) -> Cow<'_, [u8]> {
    let Ok(checked) = str::from_utf8(text) else {
        return Cow::Borrowed(text);
    };
    if !checked.contains(is_stand_in) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in checked.chars() {
        match u8::try_from(u32::from(character).wrapping_sub(BASE)) {
            Ok(byte) if is_stand_in(character) => bytes.push(byte),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
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
    fn bytes_come_back() {
        for bytes in [
            b"plain/\xc3\xa4".as_slice(),
            b"\xff\xfe",
            b"half\xe2\x82",
            "\u{10FF80}".as_bytes(),
        ] {
            assert_eq!(*to_bytes(to_text(bytes).as_bytes()), *bytes);
        }
        assert_eq!(name_path(b"a/\xff").as_os_str().len(), 3);
    }
}
