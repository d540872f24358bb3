//! The floating conversions of C's printf (`%e %f %g %a`) without width, sign and padding.
//!
//! Digits are exact: std rounds the true decimal value, as glibc does. A sign is written only for negative
//! numbers; infinities and NaN are the caller's matter.

use std::io::Write;

/// Appends `%.{precision}f`. With `alternate` the point always stands.
pub fn append_fixed(into: &mut Vec<u8>, number: f64, precision: usize, alternate: bool) {
    // Writing to a Vec does not fail.
    let _ = write!(into, "{number:.precision$}");
    if alternate && precision == 0 {
        into.push(b'.');
    }
}

/// Appends `%.{precision}e`, or `E`.
pub fn append_scientific(
    into: &mut Vec<u8>,
    number: f64,
    precision: usize,
    alternate: bool,
    upper: bool,
) {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    into.extend_from_slice(mantissa.as_bytes());
    if alternate && precision == 0 {
        into.push(b'.');
    }
    append_exponent(into, exponent, upper);
}

fn append_exponent(into: &mut Vec<u8>, exponent: &str, upper: bool) {
    into.push(if upper { b'E' } else { b'e' });
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => (b'-', digits),
        None => (b'+', exponent),
    };
    into.push(sign);
    if digits.len() < 2 {
        into.push(b'0');
    }
    into.extend_from_slice(digits.as_bytes());
}

/// Appends `%.{precision}g`, or `G`: without trailing zeros unless `alternate`.
pub fn append_general(
    into: &mut Vec<u8>,
    number: f64,
    precision: usize,
    alternate: bool,
    upper: bool,
) {
    let significant = precision.max(1);
    let text = format!("{number:.*e}", significant - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i64 = exponent.parse().unwrap_or(0);
    if power < -4 || power >= significant as i64 {
        into.extend_from_slice(trimmed(mantissa, alternate).as_bytes());
        append_exponent(into, exponent, upper);
        return;
    }
    // The digits are already the right ones: only the point has to move.
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let mut fixed = String::with_capacity(digits.len() + 8);
    if power < 0 {
        fixed.push_str("0.");
        for _ in 1..power.unsigned_abs() {
            fixed.push('0');
        }
        fixed.push_str(&digits);
    } else {
        let (whole, fraction) = digits
            .split_at_checked(power as usize + 1)
            .unwrap_or((&digits, ""));
        fixed.push_str(whole);
        if !fraction.is_empty() || alternate {
            fixed.push('.');
            fixed.push_str(fraction);
        }
    }
    into.extend_from_slice(sign.as_bytes());
    into.extend_from_slice(trimmed(&fixed, alternate).as_bytes());
}

fn trimmed(text: &str, keep: bool) -> &str {
    if keep || !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.')
}

/// Appends `%a`: the shortest exact hexadecimal form, or one of `precision` digits.
pub fn append_hexadecimal(
    into: &mut Vec<u8>,
    number: f64,
    precision: Option<usize>,
    alternate: bool,
    upper: bool,
) {
    let bits = number.to_bits();
    let stored = ((bits >> 52) & 0x7ff) as i64;
    let mut fraction = bits & ((1 << 52) - 1);
    let mut lead: u64 = u64::from(stored != 0);
    let exponent = match (stored, fraction) {
        (0, 0) => 0,
        (0, _) => -1022,
        _ => stored - 1023,
    };
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        // Round half to even at the last digit that is kept.
        let dropped = 52 - 4 * precision as u32;
        let whole = (lead << 52) | fraction;
        let mut kept = whole >> dropped;
        let rest = whole & ((1 << dropped) - 1);
        let half = 1_u64 << (dropped - 1);
        if rest > half || (rest == half && kept & 1 == 1) {
            kept += 1;
        }
        let whole = kept << dropped;
        lead = whole >> 52;
        fraction = whole & ((1 << 52) - 1);
    }
    let digits = format!("{fraction:013x}");
    let digits = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(precision) => format!("{digits:0<precision$}")
            .chars()
            .take(precision)
            .collect(),
    };
    let point = if digits.is_empty() && !alternate {
        ""
    } else {
        "."
    };
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let text = format!("{sign}0x{lead:x}{point}{digits}p{exponent:+}");
    let text = if upper { text.to_uppercase() } else { text };
    into.extend_from_slice(text.as_bytes());
}
