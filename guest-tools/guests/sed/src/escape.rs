//! The escapes that sed adds to patterns, replacements and texts: `\t`, `\x41`, `\d065`, `\o101`, `\cA`.

/// Reads an escape whose letter is at the beginning of `text`. Returns the byte and how much of `text` it took.
pub fn byte(text: &[u8]) -> Option<(u8, usize)> {
    let (letter, rest) = text.split_first()?;
    let plain = |byte| Some((byte, 1));
    match letter {
        b'a' => plain(7),
        b'f' => plain(12),
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'v' => plain(11),
        b'c' => {
            let control = rest.first().filter(|byte| byte.is_ascii())?;
            // A backslash here is quoted by another one.
            let length = if rest.starts_with(b"\\\\") { 3 } else { 2 };
            Some((control.to_ascii_uppercase() ^ 0x40, length))
        }
        b'd' => number(rest, 10, 3),
        b'o' => number(rest, 8, 3),
        b'x' => number(rest, 16, 2),
        _ => None,
    }
}

fn number(text: &[u8], base: u32, digits_max: usize) -> Option<(u8, usize)> {
    let mut value = 0_u32;
    let mut length = 0;
    for byte in text.iter().take(digits_max) {
        let Some(digit) = char::from(*byte).to_digit(base) else {
            break;
        };
        value = value * base + digit;
        length += 1;
    }
    (length > 0).then(|| (value.to_le_bytes()[0], length + 1))
}

/// Replaces escapes in a pattern. What they give is a plain character, except for `^` at the beginning and the like.
pub fn in_pattern(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            result.push(*first);
            continue;
        }
        if let Some((byte, length)) = byte(behind) {
            if matches!(byte, b'\\' | b'[' | b']') && behind.first() != Some(&b'n') {
                result.push(b'\\');
            }
            result.push(byte);
            rest = behind.get(length..).unwrap_or_default();
        } else if let Some((quoted, further)) = behind.split_first() {
            if *quoted != b'\n' {
                result.push(b'\\');
            }
            result.push(*quoted);
            rest = further;
        } else {
            result.push(b'\\');
        }
    }
    result
}

/// Replaces escapes in a text of `a`, `i` or `c`, and removes other backslashes.
pub fn in_text(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            result.push(*first);
            continue;
        }
        // `\n` is no newline here.
        let escape = byte(behind).filter(|_| behind.first() != Some(&b'n'));
        if let Some((byte, length)) = escape {
            result.push(byte);
            rest = behind.get(length..).unwrap_or_default();
        } else if let Some((quoted, further)) = behind.split_first() {
            result.push(*quoted);
            rest = further;
        }
    }
    result
}
