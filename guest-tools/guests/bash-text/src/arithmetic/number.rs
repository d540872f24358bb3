//! Integer constants: decimal, octal, hexadecimal, and `base#digits`.

/// Returns the number when `text` is a plain decimal one (optional minus, no leading zero, up to 18 digits).
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match text.split_first() {
        Some((b'-', rest)) => (rest, true),
        _ => (text, false),
    };
    match digits.split_first() {
        None => return None,
        Some((b'0', rest)) if !rest.is_empty() => return None,
        Some(_) if digits.len() > 18 => return None,
        Some(_) => {}
    }
    let mut value = 0_i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(if is_negative { -value } else { value })
}

/// Reads a constant, all of `text`; it wraps on overflow as in bash.
pub(super) fn constant(text: &[u8]) -> Result<i64, &'static str> {
    let (mut base, mut digits, mut has_base) = match text {
        [b'0'] => return Ok(0),
        [b'0', b'x' | b'X', digits @ ..] => (16, digits, true),
        [b'0', digits @ ..] => (8, digits, true),
        _ => (10, text, false),
    };
    let mut value = 0_i64;
    while let Some((byte, rest)) = digits.split_first() {
        digits = rest;
        if *byte == b'#' {
            if has_base {
                return Err("invalid number");
            }
            if !(2..=64).contains(&value) {
                return Err("invalid arithmetic base");
            }
            if rest.first().is_none_or(|next| *next == b'#') {
                return Err("invalid integer constant");
            }
            (base, value, has_base) = (value, 0, true);
            continue;
        }
        let digit = i64::from(match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            b'@' => 62,
            _ => 63,
        });
        if digit >= base {
            return Err("value too great for base");
        }
        value = value.wrapping_mul(base).wrapping_add(digit);
    }
    Ok(value)
}
