//! Numbers in JSON: which notations a number may come in, and how one is printed back.
//!
//! Integers come exact or not at all. Beyond 2^53 - 1 they go out as decimal strings, since many JSON
//! readers hold numbers as 64-bit floats and would round them.

use serde_json::{Number, Value};

/// The largest integer that every JSON reader holds exactly.
const EXACT_MAX: u64 = (1 << 53) - 1;
/// The longest number written as a string, in bytes; every 64-bit one is shorter.
const DIGITS_BYTES_MAX: usize = 64;

/// Reads an integer: a JSON integer, one written with a fraction of zero, or a decimal string.
pub(super) fn integer<T: TryFrom<i128>>(json: &Value) -> Option<T> {
    let wide = match json {
        Value::Number(number) => exact(number)?,
        Value::String(digits) if digits.len() <= DIGITS_BYTES_MAX => digits.trim().parse().ok()?,
        _ => return None,
    };
    T::try_from(wide).ok()
}

fn exact(number: &Number) -> Option<i128> {
    if let Some(integer) = number.as_i128() {
        return Some(integer);
    }
    let float = number.as_f64()?;
    // Past 2^64 nothing fits any type, and below it the cast is exact for a fraction of zero.
    let is_whole = float.fract() == 0.0 && float.abs() <= 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and in range"
    )]
    is_whole.then_some(float as i128)
}

/// Reads a float: a JSON number, a decimal string, or the name of a value that JSON has no number for.
pub(super) fn float(json: &Value) -> Option<f64> {
    match json {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.trim() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            // Rust also reads words such as "inf" and "nan"; a number has digits.
            digits
                if digits.len() <= DIGITS_BYTES_MAX
                    && digits.contains(|c: char| c.is_ascii_digit()) =>
            {
                digits.parse().ok().filter(|float: &f64| float.is_finite())
            }
            _ => None,
        },
        _ => None,
    }
}

/// Prints an unsigned integer.
pub(super) fn from_unsigned(value: u64) -> Value {
    if value > EXACT_MAX {
        value.to_string().into()
    } else {
        value.into()
    }
}

/// Prints a signed integer.
pub(super) fn from_signed(value: i64) -> Value {
    if value.unsigned_abs() > EXACT_MAX {
        value.to_string().into()
    } else {
        value.into()
    }
}

/// Prints a 64-bit float.
pub(super) fn from_f64(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// Prints a 32-bit float with the digits of a 32-bit float: 0.1, not 0.10000000149011612.
pub(super) fn from_f32(value: f32) -> Value {
    // The shortest digits nearly always read back as the same number by way of 64 bits; where rounding
    // twice would move it, the long form is right.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding back is the point"
    )]
    let short = value
        .to_string()
        .parse::<f64>()
        .ok()
        .filter(|wide| (*wide as f32).to_bits() == value.to_bits());
    from_f64(short.unwrap_or_else(|| f64::from(value)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn reads_integers_exactly() {
        let cases = [
            (json!(0), Some(0_i128)),
            (json!(-1), Some(-1)),
            (json!(1.0), Some(1)),
            (json!(-0.0), Some(0)),
            (json!(1.5), None),
            (json!(1e300), None),
            (json!(u64::MAX), Some(i128::from(u64::MAX))),
            (json!(i64::MIN), Some(i128::from(i64::MIN))),
            (json!(" 18446744073709551615 "), Some(i128::from(u64::MAX))),
            (json!("+7"), Some(7)),
            (json!("1.0"), None),
            (json!(""), None),
            (json!("1".repeat(65)), None),
            (json!(true), None),
            (json!(null), None),
        ];
        for (json, expected) in cases {
            assert_eq!(integer::<i128>(&json), expected, "{json}");
        }
        assert_eq!(integer::<u8>(&json!(255)), Some(255));
        assert_eq!(integer::<u8>(&json!(256)), None);
        assert_eq!(integer::<u64>(&json!(-1)), None);
        assert_eq!(integer::<u64>(&json!(1.8446744073709552e19)), None);
        assert_eq!(integer::<s8>(&json!(-128)), Some(-128));
    }

    #[expect(non_camel_case_types, reason = "WIT's name for it")]
    type s8 = i8;

    #[test]
    fn reads_floats() {
        for (json, expected) in [
            (json!(1), Some(1.0)),
            (json!("1.5"), Some(1.5)),
            (json!("-2e3"), Some(-2000.0)),
            (json!("Infinity"), Some(f64::INFINITY)),
            (json!("-Infinity"), Some(f64::NEG_INFINITY)),
            (json!("inf"), None),
            (json!("1e999"), None),
            (json!("x"), None),
            (json!([1]), None),
        ] {
            assert_eq!(float(&json), expected, "{json}");
        }
        assert!(float(&json!("NaN")).unwrap().is_nan());
    }

    #[test]
    fn prints_what_reads_back() {
        assert_eq!(from_unsigned(EXACT_MAX), json!(9_007_199_254_740_991_u64));
        assert_eq!(from_unsigned(EXACT_MAX + 1), json!("9007199254740992"));
        assert_eq!(from_signed(i64::MIN), json!("-9223372036854775808"));
        assert_eq!(from_f32(0.1).to_string(), "0.1");
        assert_eq!(from_f32(-0.0).to_string(), "-0.0");
        assert_eq!(from_f32(f32::NAN), json!("NaN"));
        assert_eq!(from_f64(f64::NEG_INFINITY), json!("-Infinity"));
        for value in [
            f32::MAX,
            f32::MIN_POSITIVE,
            1e-45,
            16_777_216.0,
            7.038_531e-26,
        ] {
            let Value::Number(number) = from_f32(value) else {
                unreachable!()
            };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounding back is the point"
            )]
            let back = number.as_f64().unwrap() as f32;
            assert_eq!(back.to_bits(), value.to_bits());
        }
    }
}
