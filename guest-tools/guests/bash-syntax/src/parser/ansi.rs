//! The escapes of `$'...'`.

use bstr::BString;

/// Returns what the text between the quotes stands for. It ends at a NUL, as in bash.
pub(super) fn decode(raw: &[u8]) -> BString {
    let mut text = BString::default();
    let mut rest = raw.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let Some(escape) = rest.next() else {
            text.push(b'\\');
            break;
        };
        let plain = match escape {
            b'a' => 0x07,
            b'b' => 0x08,
            b'e' | b'E' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'\\' | b'\'' | b'"' | b'?' => escape,
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    match rest.next_if(|byte| matches!(byte, b'0'..=b'7')) {
                        Some(digit) => value = value * 8 + u32::from(digit - b'0'),
                        None => break,
                    }
                }
                (value & 0xff) as u8
            }
            b'x' => {
                let is_braced = rest.next_if_eq(&b'{').is_some();
                let limit = if is_braced { usize::MAX } else { 2 };
                let (value, count) = hexadecimal(&mut rest, limit);
                if is_braced {
                    rest.next_if_eq(&b'}');
                }
                // With a brace it is a NUL, which ends the text.
                if count == 0 && !is_braced {
                    text.extend_from_slice(b"\\x");
                    continue;
                }
                (value & 0xff) as u8
            }
            b'u' | b'U' => {
                let (value, count) = hexadecimal(&mut rest, if escape == b'u' { 4 } else { 8 });
                if count == 0 {
                    text.push(b'\\');
                    text.push(escape);
                    continue;
                }
                if value == 0 {
                    break;
                }
                push_code_point(value, &mut text);
                continue;
            }
            b'c' => match rest.next() {
                Some(b'\\') => {
                    rest.next_if_eq(&b'\\');
                    b'\\' & 0x1f
                }
                Some(b'?') => 0x7f,
                Some(letter) => letter.to_ascii_uppercase() & 0x1f,
                None => {
                    text.extend_from_slice(b"\\c");
                    break;
                }
            },
            other => {
                text.push(b'\\');
                other
            }
        };
        if plain == 0 {
            break;
        }
        text.push(plain);
    }
    text
}

/// Reads up to `limit` hexadecimal digits; returns their value and number.
fn hexadecimal(
    rest: &mut std::iter::Peekable<impl Iterator<Item = u8>>,
    limit: usize,
) -> (u32, usize) {
    let (mut value, mut count) = (0_u32, 0);
    while count < limit
        && let Some(digit) = rest.next_if(u8::is_ascii_hexdigit)
    {
        value = value
            .wrapping_mul(16)
            .wrapping_add(char::from(digit).to_digit(16).unwrap_or(0));
        count += 1;
    }
    (value, count)
}

/// Adds the UTF-8 form of a number, also of one that is no character.
fn push_code_point(value: u32, text: &mut BString) {
    if let Some(character) = char::from_u32(value) {
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    let low = |shift: u32| (0x80 | ((value >> shift) & 0x3f)) as u8;
    match value {
        0..0x1_0000 => text.extend_from_slice(&[0xe0 | (value >> 12) as u8, low(6), low(0)]),
        0x1_0000..0x20_0000 => {
            text.extend_from_slice(&[0xf0 | (value >> 18) as u8, low(12), low(6), low(0)])
        }
        0x20_0000..0x400_0000 => {
            text.extend_from_slice(&[0xf8 | (value >> 24) as u8, low(18), low(12), low(6), low(0)]);
        }
        0x400_0000..0x8000_0000 => {
            text.extend_from_slice(&[
                0xfc | (value >> 30) as u8,
                low(24),
                low(18),
                low(12),
                low(6),
                low(0),
            ]);
        }
        _ => {}
    }
}
