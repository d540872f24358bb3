//! Numbers as AWK reads and writes them: decimal text to double and back.
//!
//! Reading is exact: a short mantissa and a small power of ten give the nearest double by one operation, all else
//! goes through std. Hexadecimal text is not a number; infinities and NaN only with a sign, as in gawk.

/// Powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The largest mantissa that a double holds exactly.
const MANTISSA_MAX: u64 = 1 << 53;

/// Returns whether AWK takes the byte for a blank in front of or behind a number.
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Returns the number that a text begins with, 0 if with none, and how many bytes it took.
pub fn parse_prefix(text: &[u8]) -> (f64, usize) {
    let mut at = 0;
    while text.get(at).copied().is_some_and(is_blank) {
        at += 1;
    }
    let begin = at;
    let negative = match text.get(at) {
        Some(b'-') => {
            at += 1;
            true
        }
        Some(b'+') => {
            at += 1;
            false
        }
        _ => false,
    };
    let mut mantissa: u64 = 0;
    let mut digits = 0_u32;
    let mut is_exact = true;
    let mut exponent: i32 = 0;
    let digits_begin = at;
    while let Some(digit) = digit_at(text, at) {
        if digits < 18 {
            mantissa = mantissa * 10 + u64::from(digit);
            if mantissa > 0 {
                digits += 1;
            }
        } else {
            is_exact = false;
        }
        at += 1;
    }
    let mut seen = at > digits_begin;
    if text.get(at) == Some(&b'.') {
        let fraction_begin = at + 1;
        let mut behind = fraction_begin;
        while let Some(digit) = digit_at(text, behind) {
            if digits < 18 {
                mantissa = mantissa * 10 + u64::from(digit);
                exponent -= 1;
                if mantissa > 0 {
                    digits += 1;
                }
            } else {
                is_exact = false;
            }
            behind += 1;
        }
        if seen || behind > fraction_begin {
            seen = true;
            at = behind;
        }
    }
    if !seen {
        return if at == begin {
            (0.0, 0)
        } else {
            magic(text, begin, at, negative)
        };
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let mut behind = at + 1;
        let exponent_negative = match text.get(behind) {
            Some(b'-') => {
                behind += 1;
                true
            }
            Some(b'+') => {
                behind += 1;
                false
            }
            _ => false,
        };
        let exponent_begin = behind;
        let mut written: i32 = 0;
        while let Some(digit) = digit_at(text, behind) {
            written = written.saturating_mul(10).saturating_add(i32::from(digit));
            behind += 1;
        }
        if behind > exponent_begin {
            at = behind;
            exponent = exponent.saturating_add(if exponent_negative { -written } else { written });
        }
    }
    let magnitude = if is_exact && mantissa <= MANTISSA_MAX && exponent.unsigned_abs() <= 22 {
        let power = POWERS_OF_TEN
            .get(exponent.unsigned_abs() as usize)
            .copied()
            .unwrap_or(1.0);
        let whole = mantissa as f64;
        if exponent < 0 {
            whole / power
        } else {
            whole * power
        }
    } else {
        let written = text.get(digits_begin..at).unwrap_or_default();
        std::str::from_utf8(written)
            .ok()
            .and_then(|written| written.parse().ok())
            .unwrap_or(0.0)
    };
    (if negative { -magnitude } else { magnitude }, at)
}

fn digit_at(text: &[u8], at: usize) -> Option<u8> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(digit)
}

/// Reads `+inf`, `-inf`, `+nan`, `-nan`: only with a sign and with nothing but blanks behind.
fn magic(text: &[u8], begin: usize, at: usize, negative: bool) -> (f64, usize) {
    let word = text.get(at..at + 3).unwrap_or_default();
    let rest = text.get(at + 3..).unwrap_or_default();
    if matches!(text.get(begin), Some(b'+' | b'-')) && rest.iter().all(|byte| is_blank(*byte)) {
        if word.eq_ignore_ascii_case(b"inf") {
            return (
                if negative {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                },
                at + 3,
            );
        }
        if word.eq_ignore_ascii_case(b"nan") {
            return (f64::NAN.copysign(if negative { -1.0 } else { 1.0 }), at + 3);
        }
    }
    (0.0, 0)
}

/// Returns the number a text is, if the whole text is one, blanks around it aside.
pub fn parse_whole(text: &[u8]) -> Option<f64> {
    // Most fields are words: one look at the first byte settles them.
    match text.iter().find(|byte| !is_blank(**byte)) {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {}
        _ => return None,
    }
    let (number, used) = parse_prefix(text);
    let rest = text.get(used..).unwrap_or_default();
    (used > 0 && rest.iter().all(|byte| is_blank(*byte))).then_some(number)
}

/// Appends a number as `print` and concatenation write it: a whole one in full, any other in `format`
/// (OFMT or CONVFMT).
pub fn append(into: &mut Vec<u8>, number: f64, format: &[u8]) {
    if number.fract() == 0.0 {
        append_whole(into, number);
    } else if number.is_finite() && format == b"%.6g" {
        crate::float::append_general(into, number, 6, false, false);
    } else if number.is_finite() {
        into.extend_from_slice(&crate::format::one_number(format, number));
    } else {
        append_special(into, number);
    }
}

/// Appends an infinity or a NaN, always with its sign.
pub fn append_special(into: &mut Vec<u8>, number: f64) {
    into.push(if number.is_sign_negative() {
        b'-'
    } else {
        b'+'
    });
    into.extend_from_slice(if number.is_nan() { b"nan" } else { b"inf" });
}

/// Appends a whole number with all its digits.
pub fn append_whole(into: &mut Vec<u8>, number: f64) {
    if number.abs() < 1e18 {
        into.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
    } else {
        into.extend_from_slice(format!("{number:.0}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers() {
        let cases: &[(&str, f64, usize)] = &[
            ("12", 12.0, 2),
            (" -3.5e2x", -350.0, 7),
            (".5.", 0.5, 2),
            ("5.", 5.0, 2),
            (".", 0.0, 0),
            ("-", 0.0, 0),
            ("0x1A", 0.0, 1),
            ("1e", 1.0, 1),
            ("1e+", 1.0, 1),
            ("inf", 0.0, 0),
            ("+inf", f64::INFINITY, 4),
            ("-infx", 0.0, 0),
            (
                "123456789012345678901234567890",
                123456789012345678901234567890.0,
                30,
            ),
            ("0.1", 0.1, 3),
            ("1e400", f64::INFINITY, 5),
            ("000000000000000000000000012", 12.0, 27),
        ];
        for (text, number, used) in cases {
            assert_eq!(parse_prefix(text.as_bytes()), (*number, *used), "{text}");
        }
        assert_eq!(parse_whole(b" 10 "), Some(10.0));
        assert_eq!(parse_whole(b"10x"), None);
        assert_eq!(parse_whole(b" "), None);
    }

    #[test]
    fn numbers_become_text() {
        let cases: &[(f64, &str)] = &[
            (1e6, "1000000"),
            (0.1, "0.1"),
            (1e-5, "1e-05"),
            (2.7012345, "2.70123"),
            (-0.0, "0"),
            (1180591620717411303424.0, "1180591620717411303424"),
            (f64::INFINITY, "+inf"),
            (123456.789, "123457"),
            (1234567.8, "1.23457e+06"),
        ];
        for (number, text) in cases {
            let mut into = Vec::new();
            append(&mut into, *number, b"%.6g");
            assert_eq!(String::from_utf8(into).unwrap(), *text);
        }
    }
}
