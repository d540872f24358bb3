//! Floating point numbers as text, digit for digit as SQLite 3.40 printed them.
//!
//! SQLite computed digits in the x87's extended precision, and the last of 20 digits shows its rounding: so that
//! arithmetic is done here, in integers. Only what printing needs is there: positive numbers, no denormals.

use std::cmp::Ordering;

/// A positive number: `mantissa * 2^exponent`, with the mantissa's highest bit set unless it is zero.
#[derive(Clone, Copy, Debug)]
struct Extended {
    mantissa: u64,
    exponent: i32,
}

impl Extended {
    fn new(value: f64) -> Self {
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default();
        let (mantissa, exponent) = if exponent == 0 {
            (fraction, -1074)
        } else {
            (fraction | (1 << 52), exponent - 1075)
        };
        Self::normal(u128::from(mantissa), exponent, false)
    }

    /// Rounds to 64 bits, to even in the middle; `rest` says that more was cut off already.
    fn normal(wide: u128, exponent: i32, rest: bool) -> Self {
        if wide == 0 {
            return Self {
                mantissa: 0,
                exponent: 0,
            };
        }
        let spare = i32::try_from(wide.leading_zeros()).unwrap_or_default() - 64;
        if spare >= 0 {
            return Self {
                mantissa: u64::try_from(wide << spare).unwrap_or(u64::MAX),
                exponent: exponent - spare,
            };
        }
        let cut = -spare;
        let (kept, lost) = (wide >> cut, wide & ((1 << cut) - 1));
        let half = 1_u128 << (cut - 1);
        let up = match lost.cmp(&half) {
            Ordering::Less => false,
            Ordering::Equal => rest || kept & 1 == 1,
            Ordering::Greater => true,
        };
        match u64::try_from(kept + u128::from(up)) {
            Ok(mantissa) => Self {
                mantissa,
                exponent: exponent + cut,
            },
            Err(_) => Self {
                mantissa: 1 << 63,
                exponent: exponent + cut + 1,
            },
        }
    }

    fn times(self, other: Self) -> Self {
        let wide = u128::from(self.mantissa) * u128::from(other.mantissa);
        Self::normal(wide, self.exponent + other.exponent, false)
    }

    fn over(self, other: Self) -> Self {
        if other.mantissa == 0 {
            return self;
        }
        let (wide, by) = (u128::from(self.mantissa) << 64, u128::from(other.mantissa));
        // One bit more, for the case that the quotient has just 64.
        let (quotient, rest) = (wide / by, wide % by);
        let twice = (quotient << 1) | u128::from(rest * 2 >= by);
        let lost = rest != 0 && rest * 2 != by;
        let twice = if lost { (twice << 1) | 1 } else { twice << 1 };
        Self::normal(twice, self.exponent - other.exponent - 66, lost)
    }

    fn plus(self, other: Self) -> Self {
        let (large, small) = if self.at_least(other) {
            (self, other)
        } else {
            (other, self)
        };
        let apart = large.exponent - small.exponent;
        if small.mantissa == 0 || apart > 126 {
            return large;
        }
        let (wide, shift) = (
            u128::from(large.mantissa) << 62,
            u32::try_from(apart).unwrap_or_default(),
        );
        let (added, lost) = if shift <= 62 {
            (u128::from(small.mantissa) << (62 - shift), false)
        } else {
            let down = shift - 62;
            let added = u128::from(small.mantissa) >> down;
            (added, added << down != u128::from(small.mantissa))
        };
        // What is lost must still decide the middle.
        let sum = wide + (added | u128::from(lost));
        Self::normal(sum, large.exponent - 62, lost)
    }

    /// Subtracts a small integer, which is not larger.
    fn less(self, digit: u8) -> Self {
        let place = u32::try_from(-self.exponent).unwrap_or(0);
        if place > 120 {
            return self;
        }
        let wide = u128::from(self.mantissa);
        let taken = u128::from(digit) << place;
        Self::normal(wide.saturating_sub(taken), self.exponent, false)
    }

    fn integer(self) -> u8 {
        let place = u32::try_from(-self.exponent).unwrap_or(0);
        u8::try_from(u128::from(self.mantissa) >> place.min(127)).unwrap_or(u8::MAX)
    }

    fn at_least(self, other: Self) -> bool {
        if self.mantissa == 0 || other.mantissa == 0 {
            return other.mantissa == 0;
        }
        (self.exponent, self.mantissa) >= (other.exponent, other.mantissa)
    }
}

/// Returns a number as `printf("%!.Ng")` of SQLite has it, with `digits` for N.
pub(crate) fn general(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    if value.is_infinite() {
        return format!("{sign}Inf");
    }
    let precision = digits.saturating_sub(1);
    let ten = Extended::new(10.0);
    let mut number = Extended::new(value);
    let mut exponent = 0_i32;
    if value > 0.0 {
        let mut scale = Extended::new(1.0);
        for (step, by) in [(1e100, 100), (1e10, 10), (10.0, 1)] {
            let step = Extended::new(step);
            while exponent <= 350 && number.at_least(step.times(scale)) {
                scale = scale.times(step);
                exponent += by;
            }
        }
        number = number.over(scale);
        while !number.at_least(Extended::new(1e-8)) {
            number = number.times(Extended::new(1e8));
            exponent -= 8;
        }
        while !number.at_least(Extended::new(1.0)) {
            number = number.times(ten);
            exponent -= 1;
        }
    }
    number = number.plus(Extended::new(rounder(precision)));
    if number.at_least(ten) {
        number = number.times(Extended::new(0.1));
        exponent += 1;
    }
    let last = i32::try_from(precision).unwrap_or(i32::MAX);
    let mut places = Digits { number, left: 26 };
    if exponent < -4 || exponent > last {
        let text = fraction(&mut places, 0, precision);
        let sign_of = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{text}e{sign_of}{:02}", exponent.abs());
    }
    let after = usize::try_from(last - exponent).unwrap_or_default();
    format!("{sign}{}", fraction(&mut places, exponent, after))
}

/// Half of the last digit that is printed, computed as SQLite does.
fn rounder(precision: usize) -> f64 {
    const HALVES: [f64; 10] = [
        5.0e-01, 5.0e-02, 5.0e-03, 5.0e-04, 5.0e-05, 5.0e-06, 5.0e-07, 5.0e-08, 5.0e-09, 5.0e-10,
    ];
    let mut half = HALVES.get(precision % 10).copied().unwrap_or_default();
    for _ in 0..precision / 10 {
        half *= 1.0e-10;
    }
    half
}

/// Prints the digits before the point, `after` digits behind it, and takes zeros at the end away but for one.
fn fraction(digits: &mut Digits, exponent: i32, after: usize) -> String {
    let mut text = String::new();
    if exponent < 0 {
        text.push('0');
    } else {
        text.extend((0..=exponent).map(|_| digits.next()));
    }
    text.push('.');
    let zeros = usize::try_from(-1 - exponent)
        .unwrap_or_default()
        .min(after);
    text.extend(std::iter::repeat_n('0', zeros));
    text.extend((zeros..after).map(|_| digits.next()));
    let kept = text.trim_end_matches('0').len();
    text.truncate(kept);
    if text.ends_with('.') {
        text.push('0');
    }
    text
}

struct Digits {
    number: Extended,
    /// How many are still computed; all others are zeros.
    left: usize,
}

impl Digits {
    fn next(&mut self) -> char {
        if self.left == 0 {
            return '0';
        }
        self.left -= 1;
        let digit = self.number.integer().min(9);
        self.number = self.number.less(digit).times(Extended::new(10.0));
        char::from(b'0' + digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_extended_precision() {
        let cases = [
            (0.1, 20, "0.10000000000000000555"),
            (1e300, 20, "1.0000000000000000047e+300"),
            (123_456_789.123, 20, "123456789.12299999594"),
            (0.1 + 0.2, 20, "0.3000000000000000444"),
            (1.0 / 3.0, 20, "0.33333333333333331482"),
            (2e-7, 20, "1.9999999999999999094e-07"),
            (123_456.789, 20, "123456.7890000000043"),
            (-0.5, 20, "-0.5"),
            (0.1 + 0.2, 15, "0.3"),
            (1e15, 15, "1.0e+15"),
            (1e14, 15, "100000000000000.0"),
            (0.0, 15, "0.0"),
            (-2.25e-9, 15, "-2.25e-09"),
            (f64::INFINITY, 15, "Inf"),
        ];
        for (value, digits, expected) in cases {
            assert_eq!(general(value, digits), expected, "{value} with {digits}");
        }
    }
}
