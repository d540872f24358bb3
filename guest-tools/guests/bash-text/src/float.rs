//! Floating-point numbers as C's `long double` on x86-64: 64-bit mantissa, correctly rounded.

mod big;
mod read;

use big::Big;

/// A number with a 64-bit mantissa, as `long double` holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extended {
    /// `mantissa * 2^exponent`.
    Finite {
        /// Whether the sign is minus.
        is_negative: bool,
        /// The integer mantissa, 0 for zero.
        mantissa: u64,
        /// The power of two.
        exponent: i32,
    },
    /// Infinity.
    Infinite {
        /// Whether the sign is minus.
        is_negative: bool,
    },
    /// Not a number.
    NotANumber {
        /// Whether the sign is minus.
        is_negative: bool,
    },
}

impl Extended {
    /// Reads a number as `strtold` does; returns it and how many bytes were read (0: none).
    pub fn parse(text: &[u8]) -> (Self, usize) {
        read::parse(text)
    }

    /// Returns the number as a whole one: the code of a character.
    pub fn from_integer(value: i64) -> Self {
        Self::Finite {
            is_negative: value < 0,
            mantissa: value.unsigned_abs(),
            exponent: 0,
        }
    }

    /// Returns whether the sign is minus.
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Finite { is_negative, .. }
            | Self::Infinite { is_negative }
            | Self::NotANumber { is_negative } => *is_negative,
        }
    }
}

/// How to write a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The conversion letter: `f F e E g G a A`.
    pub conversion: u8,
    /// Digits after the point (significant ones for `g`); `None` is C's default.
    pub precision: Option<usize>,
    /// `#`: always a point, and `g` keeps zeros.
    pub is_alternate: bool,
}

/// Writes the digits of a number without sign, width or flags: `inf`, `1.500000`, `0xc.8p+0`.
pub fn write(number: Extended, style: Style, output: &mut Vec<u8>) {
    let start = output.len();
    match number {
        Extended::Infinite { .. } => output.extend_from_slice(b"inf"),
        Extended::NotANumber { .. } => output.extend_from_slice(b"nan"),
        Extended::Finite {
            mantissa, exponent, ..
        } => match style.conversion.to_ascii_lowercase() {
            b'a' => hexadecimal(mantissa, exponent, style, output),
            b'e' => scientific(
                Decimal::new(mantissa, exponent),
                style.precision.unwrap_or(6),
                style.is_alternate,
                output,
            ),
            b'g' => general(Decimal::new(mantissa, exponent), style, output),
            _ => fixed(
                Decimal::new(mantissa, exponent),
                style.precision.unwrap_or(6),
                style.is_alternate,
                output,
            ),
        },
    }
    if style.conversion.is_ascii_uppercase() {
        output
            .get_mut(start..)
            .unwrap_or_default()
            .make_ascii_uppercase();
    }
}

/// The exact decimal value: `0.digits * 10^point`. The first digit is not 0; zero has none.
#[derive(Debug, Clone)]
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    fn new(mantissa: u64, exponent: i32) -> Self {
        let zeros = mantissa.trailing_zeros().min(63);
        let exponent = i64::from(exponent) + if mantissa == 0 { 0 } else { i64::from(zeros) };
        let mut value = Big::from(if mantissa == 0 { 0 } else { mantissa >> zeros });
        let size = usize::try_from(exponent.unsigned_abs()).unwrap_or_default();
        let mut fraction = 0;
        if exponent >= 0 {
            value.shift_left(size);
        } else {
            // A half is five tenths.
            value.multiply_power(5, size);
            fraction = i64::try_from(size).unwrap_or_default();
        }
        let digits = value.digits();
        let point = i64::try_from(digits.len()).unwrap_or_default() - fraction;
        Self {
            point: if digits.is_empty() { 1 } else { point },
            digits,
        }
    }

    /// Rounds to `count` digits from the first on (none or fewer: to nothing or one carried digit).
    fn round(&mut self, count: i64) {
        let Ok(length) = usize::try_from(count) else {
            self.digits.clear();
            return;
        };
        let Some(next) = self.digits.get(length).copied() else {
            return;
        };
        let is_tie = next == b'5'
            && self
                .digits
                .iter()
                .skip(length + 1)
                .all(|digit| *digit == b'0');
        let is_odd = length
            .checked_sub(1)
            .and_then(|last| self.digits.get(last))
            .is_some_and(|digit| digit % 2 == 1);
        let is_up = if is_tie { is_odd } else { next >= b'5' };
        self.digits.truncate(length);
        if !is_up {
            return;
        }
        for digit in self.digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.digits.insert(0, b'1');
        self.digits.truncate(length.max(1));
        self.point += 1;
    }

    fn digit(&self, at: i64) -> u8 {
        usize::try_from(at)
            .ok()
            .and_then(|at| self.digits.get(at))
            .copied()
            .unwrap_or(b'0')
    }
}

fn signed(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn fixed(mut value: Decimal, precision: usize, is_alternate: bool, output: &mut Vec<u8>) {
    value.round(value.point.saturating_add(signed(precision)));
    if value.digits.is_empty() {
        value.point = 0;
    }
    if value.point <= 0 {
        output.push(b'0');
    }
    output.extend((0..value.point).map(|at| value.digit(at)));
    if precision > 0 || is_alternate {
        output.push(b'.');
    }
    output.extend(
        (value.point..value.point.saturating_add(signed(precision))).map(|at| value.digit(at)),
    );
}

fn scientific(mut value: Decimal, precision: usize, is_alternate: bool, output: &mut Vec<u8>) {
    value.round(signed(precision).saturating_add(1));
    output.push(value.digit(0));
    if precision > 0 || is_alternate {
        output.push(b'.');
    }
    output.extend((1..=signed(precision)).map(|at| value.digit(at)));
    let exponent = value.point - 1;
    output.extend_from_slice(
        format!(
            "e{}{:02}",
            if exponent < 0 { '-' } else { '+' },
            exponent.abs()
        )
        .as_bytes(),
    );
}

fn general(value: Decimal, style: Style, output: &mut Vec<u8>) {
    let precision = style.precision.unwrap_or(6).max(1);
    let mut rounded = value.clone();
    rounded.round(signed(precision));
    let exponent = rounded.point - 1;
    let start = output.len();
    let is_fixed = exponent >= -4 && exponent < signed(precision);
    if is_fixed {
        let places = usize::try_from(signed(precision) - 1 - exponent).unwrap_or_default();
        fixed(value, places, style.is_alternate, output);
    } else {
        scientific(value, precision - 1, style.is_alternate, output);
    }
    if style.is_alternate {
        return;
    }
    let written = output.split_off(start);
    let end = written
        .iter()
        .position(|byte| *byte == b'e')
        .unwrap_or(written.len());
    let (body, tail) = written.split_at_checked(end).unwrap_or((&written, &[]));
    let mut body = body;
    if body.contains(&b'.') {
        while let Some(shorter) = body.strip_suffix(b"0") {
            body = shorter;
        }
        body = body.strip_suffix(b".").unwrap_or(body);
    }
    output.extend_from_slice(body);
    output.extend_from_slice(tail);
}

fn hexadecimal(mantissa: u64, exponent: i32, style: Style, output: &mut Vec<u8>) {
    let shift = if mantissa == 0 {
        0
    } else {
        mantissa.leading_zeros()
    };
    let mut bits = u128::from(mantissa << shift);
    let mut power = if mantissa == 0 {
        0
    } else {
        i64::from(exponent) - i64::from(shift) + 60
    };
    let mut places = 15;
    if let Some(precision) = style.precision.filter(|precision| *precision < 15) {
        let dropped = 4 * (15 - precision);
        let half = 1_u128 << (dropped - 1);
        let rest = bits & ((half << 1) - 1);
        bits >>= dropped;
        if rest > half || (rest == half && bits & 1 == 1) {
            bits += 1;
        }
        places = precision;
    }
    let mut lead = bits >> (4 * places);
    if lead > 15 {
        lead >>= 4;
        power += 4;
    }
    let mask = (1_u128 << (4 * places)) - 1;
    let mut digits = if places > 0 {
        format!("{:0places$x}", bits & mask)
    } else {
        String::new()
    };
    match style.precision {
        Some(precision) => {
            digits.extend(std::iter::repeat_n('0', precision.saturating_sub(places)))
        }
        None => digits.truncate(digits.trim_end_matches('0').len()),
    }
    let point = if digits.is_empty() && !style.is_alternate {
        ""
    } else {
        "."
    };
    let sign = if power < 0 { '-' } else { '+' };
    output.extend_from_slice(format!("0x{lead:x}{point}{digits}p{sign}{}", power.abs()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, conversion, precision, expected) in [
            ("0.1", b'f', Some(20), "0.10000000000000000000"),
            ("0.1", b'f', Some(25), "0.1000000000000000000013553"),
            ("2.5", b'f', Some(0), "2"),
            ("0.5", b'f', Some(0), "0"),
            ("1.5", b'f', Some(0), "2"),
            ("0", b'e', None, "0.000000e+00"),
            ("123456789", b'g', None, "1.23457e+08"),
            ("0.0001", b'g', None, "0.0001"),
            ("100000", b'g', None, "100000"),
            ("999999.5", b'g', None, "1e+06"),
            ("12.5", b'a', None, "0xc.8p+0"),
            ("1e-4940", b'e', Some(3), "1.000e-4940"),
            ("1e5000", b'F', None, "INF"),
            ("0x1.8p3", b'f', Some(1), "12.0"),
        ] {
            let mut output = Vec::new();
            write(
                Extended::parse(text.as_bytes()).0,
                Style {
                    conversion,
                    precision,
                    is_alternate: false,
                },
                &mut output,
            );
            assert_eq!(bstr::BString::from(output), expected, "{text}");
        }
    }
}
