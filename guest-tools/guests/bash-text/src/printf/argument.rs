//! Arguments as numbers, with what bash says of those that are none.

use bstr::BString;

use crate::characters;
use crate::float::Extended;

/// A number, and what is to be said of the argument.
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) complaint: Option<Complaint>,
}

/// What is wrong with an argument.
pub(super) enum Complaint {
    /// Not a number, or not all of it: status 1.
    Invalid(BString),
    /// Out of range; the nearest number was taken.
    Range(BString),
}

/// Reads an integer as `strtoimax` with base 0 does; unsigned ones may use all 64 bits.
pub(super) fn integer(text: &[u8], is_unsigned: bool) -> Read<i64> {
    if let Some(code) = character_code(text) {
        return Read {
            value: code,
            complaint: None,
        };
    }
    let blanks = text
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b)
        .count();
    let trimmed = text.get(blanks..).unwrap_or_default();
    let (is_negative, unsigned) = match trimmed {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, trimmed),
    };
    let (base, digits) = match unsigned {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => {
            (16, unsigned.get(2..).unwrap_or_default())
        }
        [b'0', ..] => (8, unsigned),
        _ => (10, unsigned),
    };
    let length = digits
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(base))
        .count();
    let mut value = Some(0_u64);
    for digit in digits
        .iter()
        .take(length)
        .filter_map(|byte| char::from(*byte).to_digit(base))
    {
        value = value.and_then(|value| {
            value
                .checked_mul(u64::from(base))?
                .checked_add(u64::from(digit))
        });
    }
    let (number, is_out) = match (value, is_unsigned, is_negative) {
        (None, true, _) => (-1, true),
        (Some(value), true, false) => (value.cast_signed(), false),
        (Some(value), true, true) => (value.cast_signed().wrapping_neg(), false),
        (value, false, negative) => {
            let value = value.map_or(i128::MAX, i128::from);
            let value = if negative { -value } else { value };
            let clamped = value.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            (i64::try_from(clamped).unwrap_or_default(), clamped != value)
        }
    };
    let is_whole = digits.len() == length && (length > 0 || text.is_empty());
    let complaint = if !is_whole {
        Some(Complaint::Invalid(BString::from(text)))
    } else {
        is_out.then(|| Complaint::Range(BString::from(text)))
    };
    Read {
        value: number,
        complaint,
    }
}

/// Reads a floating-point number.
pub(super) fn float(text: &[u8]) -> Read<Extended> {
    if let Some(code) = character_code(text) {
        return Read {
            value: Extended::from_integer(code),
            complaint: None,
        };
    }
    let (value, length) = Extended::parse(text);
    let is_whole = length == text.len() && (length > 0 || text.is_empty());
    // The library reports what is too large, and what is too small to keep all its bits.
    let is_out = match value {
        Extended::Infinite { .. } => text.iter().any(u8::is_ascii_digit),
        Extended::Finite { mantissa, .. } => mantissa != 0 && mantissa.leading_zeros() > 0,
        Extended::NotANumber { .. } => false,
    };
    let complaint = if !is_whole {
        Some(Complaint::Invalid(BString::from(text)))
    } else {
        is_out.then(|| Complaint::Range(BString::from(text)))
    };
    Read { value, complaint }
}

/// `'x` and `"x`: the code of the character; 0 when there is none.
fn character_code(text: &[u8]) -> Option<i64> {
    let (b'\'' | b'"', rest) = text.split_first()? else {
        return None;
    };
    let (character, _) = characters::first(rest);
    let byte = rest.first().copied().unwrap_or_default();
    Some(character.map_or(i64::from(byte), |character| i64::from(u32::from(character))))
}

impl Complaint {
    /// Returns the message.
    pub(super) fn message(&self) -> BString {
        match self {
            Self::Range(text) => {
                BString::from(format!("warning: {text}: Numerical result out of range"))
            }
            Self::Invalid(text) => {
                let kind = match text.as_slice() {
                    [b'0', b'x' | b'X', ..] => "invalid hex number",
                    [b'0', digit, ..] if digit.is_ascii_digit() => "invalid octal number",
                    _ => "invalid number",
                };
                BString::from(format!("{text}: {kind}"))
            }
        }
    }
}
