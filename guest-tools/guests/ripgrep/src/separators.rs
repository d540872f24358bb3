//! Values of options: texts with escapes, sizes.

/// Returns a text with `\n`, `\r`, `\t`, `\\` and `\xHH` resolved; any other backslash stays.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let byte = match after {
            [b'n', ..] => Some((b'\n', 1)),
            [b'r', ..] => Some((b'\r', 1)),
            [b't', ..] => Some((b'\t', 1)),
            [b'0', ..] => Some((0, 1)),
            [b'\\', ..] => Some((b'\\', 1)),
            [b'x', high, low, ..] => digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| (high * 16 + low, 3)),
            _ => None,
        };
        match byte {
            Some((byte, length)) => {
                bytes.push(byte);
                rest = after.get(length..).unwrap_or_default();
            }
            None => bytes.push(b'\\'),
        }
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Returns a size like `10M` in bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.as_bytes().last() {
        Some(b'K') => (text.strip_suffix('K'), 1 << 10),
        Some(b'M') => (text.strip_suffix('M'), 1 << 20),
        Some(b'G') => (text.strip_suffix('G'), 1 << 30),
        _ => (Some(text), 1_u64),
    };
    let number = number.unwrap_or(text);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(format!(
            "invalid format for size '{text}', which should be a non-empty sequence of digits followed by an \
             optional 'K', 'M' or 'G' suffix"
        ));
    }
    let number: u64 = number
        .parse()
        .map_err(|error| format!("invalid integer found in size '{text}': {error}"))?;
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("size too big in '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_sizes() {
        assert_eq!(unescape(r"a\tb\x7Fc\q\\"), b"a\tb\x7fc\\q\\");
        assert_eq!(size("2K"), Ok(2048));
        assert!(size("2k").is_err(), "small letters are no suffixes");
        assert!(size("").is_err(), "no digits");
    }
}
