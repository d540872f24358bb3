//! Reading numbers as `strtold` does.

use std::cmp::Ordering;

use super::Extended;
use super::big::Big;

/// Digits beyond these only say that there is something more.
const DIGITS_MAX: usize = 6000;

/// Bounds exponents while they are read; all beyond are infinite or zero.
const EXPONENT_MAX: i64 = 1_000_000;

/// The power of two of the last bit of the smallest and the largest numbers.
const LOWEST: i64 = -16_445;
const HIGHEST: i64 = 16_320;

pub(super) fn parse(text: &[u8]) -> (Extended, usize) {
    let none = (
        Extended::Finite {
            is_negative: false,
            mantissa: 0,
            exponent: 0,
        },
        0,
    );
    let blanks = text
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b)
        .count();
    let mut rest = text.get(blanks..).unwrap_or_default();
    let is_negative = rest.first() == Some(&b'-');
    if let Some((b'+' | b'-', after)) = rest.split_first() {
        rest = after;
    }
    let start = text.len() - rest.len();
    for (word, value) in [
        (&b"infinity"[..], Extended::Infinite { is_negative }),
        (b"inf", Extended::Infinite { is_negative }),
        (b"nan", Extended::NotANumber { is_negative }),
    ] {
        if rest
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
        {
            return (value, start + word.len());
        }
    }
    if let [b'0', b'x' | b'X', after @ ..] = rest
        && let Some((value, length)) = number(after, 16, is_negative)
    {
        return (value, start + 2 + length);
    }
    match number(rest, 10, is_negative) {
        Some((value, length)) => (value, start + length),
        None => none,
    }
}

/// Reads digits, point and exponent; `None` when there is no digit.
fn number(text: &[u8], base: u32, is_negative: bool) -> Option<(Extended, usize)> {
    let mut value = Big::from(0);
    let (mut count, mut kept, mut scale) = (0_usize, 0_usize, 0_i64);
    let mut has_point = false;
    let mut is_inexact = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte == b'.' && !has_point {
            has_point = true;
        } else if let Some(digit) = char::from(*byte).to_digit(base) {
            count += 1;
            if kept < DIGITS_MAX {
                value.multiply_add(base, digit);
                kept += usize::from(!value.is_zero());
                scale -= i64::from(has_point);
            } else {
                is_inexact |= digit != 0;
                scale += i64::from(!has_point);
            }
        } else {
            break;
        }
        at += 1;
    }
    if count == 0 {
        return None;
    }
    let marks: &[u8] = if base == 16 { b"pP" } else { b"eE" };
    let mut exponent = 0;
    if text.get(at).is_some_and(|byte| marks.contains(byte))
        && let Some((read, length)) = signed(text.get(at + 1..).unwrap_or_default())
    {
        exponent = read;
        at += 1 + length;
    }
    if is_inexact {
        value.multiply_add(base, 1);
        scale -= 1;
    }
    let number = match base {
        16 => round(value, Big::from(1), exponent + 4 * scale, is_negative),
        _ => decimal(value, exponent + scale, is_negative),
    };
    Some((number, at))
}

fn signed(text: &[u8]) -> Option<(i64, usize)> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let length = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let value = digits.iter().take(length).fold(0_i64, |value, byte| {
        (value * 10 + i64::from(byte - b'0')).min(EXPONENT_MAX)
    });
    (length > 0).then_some((sign * value, text.len() - digits.len() + length))
}

fn decimal(value: Big, power: i64, is_negative: bool) -> Extended {
    let mut value = value;
    if power > 5000 && !value.is_zero() {
        return Extended::Infinite { is_negative };
    }
    if power < -12_000 {
        return Extended::Finite {
            is_negative,
            mantissa: 0,
            exponent: 0,
        };
    }
    let size = usize::try_from(power.unsigned_abs()).unwrap_or_default();
    let mut divisor = Big::from(1);
    if power >= 0 {
        value.multiply_power(10, size);
    } else {
        divisor.multiply_power(10, size);
    }
    round(value, divisor, 0, is_negative)
}

/// Rounds `value / divisor * 2^power` to 64 bits, or fewer for the smallest numbers; ties go to even.
fn round(value: Big, divisor: Big, power: i64, is_negative: bool) -> Extended {
    let (mut value, mut divisor) = (value, divisor);
    if value.is_zero() {
        return Extended::Finite {
            is_negative,
            mantissa: 0,
            exponent: 0,
        };
    }
    // Shifts both so that the quotient is at least 1 and below 2.
    let size = |big: &Big| i64::try_from(big.bits()).unwrap_or(i64::MAX);
    let mut shift = size(&value) - size(&divisor);
    let distance = usize::try_from(shift.unsigned_abs()).unwrap_or_default();
    if shift >= 0 {
        divisor.shift_left(distance)
    } else {
        value.shift_left(distance)
    }
    if value.compare(&divisor) == Ordering::Less {
        value.shift_left(1);
        shift -= 1;
    }
    let mut exponent = power + shift - 63;
    let bits = if exponent < LOWEST {
        64 - (LOWEST - exponent)
    } else {
        64
    };
    exponent = exponent.max(LOWEST);
    let mut mantissa = 0_u64;
    for _ in 0..bits.max(0) {
        mantissa <<= 1;
        if value.compare(&divisor) != Ordering::Less {
            value.subtract(&divisor);
            mantissa |= 1;
        }
        value.shift_left(1);
    }
    // What is left, doubled, against the divisor: above, at or below one half.
    let is_up = bits >= 0
        && match value.compare(&divisor) {
            Ordering::Greater => true,
            Ordering::Equal => mantissa & 1 == 1,
            Ordering::Less => false,
        };
    if is_up {
        match mantissa.checked_add(1) {
            Some(next) => mantissa = next,
            None => (mantissa, exponent) = (1 << 63, exponent + 1),
        }
    }
    if exponent > HIGHEST {
        return Extended::Infinite { is_negative };
    }
    Extended::Finite {
        is_negative,
        mantissa,
        exponent: i32::try_from(exponent).unwrap_or_default(),
    }
}
