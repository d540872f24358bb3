//! Base64.

use crate::mistake::{Mistake, Outcome};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns bytes as letters.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let value = group
            .iter()
            .enumerate()
            .fold(0_u32, |value, (place, byte)| {
                value | u32::from(*byte) << (16 - 8 * place)
            });
        for place in 0..4 {
            let letter = LETTERS.get((value >> (18 - 6 * place) & 63) as usize);
            out.push(if place <= group.len() {
                char::from(*letter.unwrap_or(&b'='))
            } else {
                '='
            });
        }
    }
    out
}

/// Returns letters as bytes; the `=` at the end may be missing.
pub fn decode(text: &str) -> Outcome<Vec<u8>> {
    let mut out = Vec::new();
    let (mut value, mut bits) = (0_u32, 0);
    for (place, byte) in text.bytes().enumerate() {
        if matches!(byte, b'=' | b'\n' | b'\r') {
            continue;
        }
        let Some(digit) = LETTERS.iter().position(|letter| *letter == byte) else {
            return Err(Mistake::new(format!(
                "illegal base64 data at input byte {place}"
            )));
        };
        value = value << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((value >> bits & 0xff) as u8);
        }
    }
    Ok(out)
}
