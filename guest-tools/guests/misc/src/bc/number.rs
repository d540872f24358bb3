//! Decimal numbers of any size: an integer and how many of its digits are behind the point.
//!
//! Every operation cuts off, none rounds, and its result has the scale that POSIX and GNU bc give it.

use num_bigint::{BigInt, Sign};

/// A number: `value / 10^scale`.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) value: BigInt,
    pub(super) scale: u32,
}

pub(super) fn ten_to(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self {
            value: value.into(),
            scale: 0,
        }
    }
}

impl Number {
    pub(super) fn is_zero(&self) -> bool {
        self.value.sign() == Sign::NoSign
    }

    /// Returns it with another scale; digits that no longer fit are cut off.
    pub(super) fn with_scale(&self, scale: u32) -> Self {
        let value = if scale >= self.scale {
            &self.value * ten_to(scale - self.scale)
        } else {
            &self.value / ten_to(self.scale - scale)
        };
        Self { value, scale }
    }

    pub(super) fn whole(&self) -> BigInt {
        self.with_scale(0).value
    }

    /// Returns it as a small number, if it is one.
    pub(super) fn small(&self) -> Option<u32> {
        u32::try_from(self.whole()).ok()
    }

    pub(super) fn negated(&self) -> Self {
        Self {
            value: -&self.value,
            scale: self.scale,
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let value = self.with_scale(scale).value + other.with_scale(scale).value;
        Self { value, scale }
    }

    pub(super) fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let scale = self.scale.max(other.scale);
        self.with_scale(scale)
            .value
            .cmp(&other.with_scale(scale).value)
    }

    pub(super) fn times(&self, other: &Self, scale: u32) -> Self {
        let full = self.scale.saturating_add(other.scale);
        let product = Self {
            value: &self.value * &other.value,
            scale: full,
        };
        product.with_scale(full.min(scale.max(self.scale).max(other.scale)))
    }

    /// None where the divisor is 0.
    pub(super) fn over(&self, other: &Self, scale: u32) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        // (a / 10^s) / (b / 10^t), cut off behind `scale` digits.
        let (mut above, mut below) = (self.value.clone(), other.value.clone());
        let up = i64::from(scale) + i64::from(other.scale) - i64::from(self.scale);
        let shift = ten_to(u32::try_from(up.unsigned_abs()).unwrap_or(u32::MAX));
        if up >= 0 {
            above *= shift;
        } else {
            below *= shift;
        }
        Some(Self {
            value: above / below,
            scale,
        })
    }

    pub(super) fn modulo(&self, other: &Self, scale: u32) -> Option<Self> {
        let quotient = self.over(other, scale)?;
        let kept = self.scale.max(other.scale.saturating_add(scale));
        let product = Self {
            value: &quotient.value * &other.value,
            scale: quotient.scale + other.scale,
        };
        Some(self.plus(&product.negated()).with_scale(kept))
    }

    /// None for a negative power of 0 and for a power that no memory could hold.
    pub(super) fn power(&self, exponent: &Self, scale: u32) -> Option<Self> {
        let exponent = exponent.whole();
        let count = u32::try_from(exponent.magnitude()).ok()?;
        // What is longer than this many bits is not computed in any time.
        if self.value.bits().saturating_mul(count.into()) > 1 << 32 {
            return None;
        }
        let full = Self {
            value: self.value.pow(count),
            scale: self.scale.checked_mul(count)?,
        };
        if exponent.sign() == Sign::Minus {
            return Self::from(1).over(&full, scale);
        }
        let kept = full.scale.min(scale.max(self.scale));
        Some(full.with_scale(kept))
    }

    /// None for a negative number.
    pub(super) fn root(&self, scale: u32) -> Option<Self> {
        if self.value.sign() == Sign::Minus {
            return None;
        }
        let scale = scale.max(self.scale);
        let value = self.with_scale(scale * 2).value.sqrt();
        Some(Self { value, scale })
    }

    /// Returns the number of its digits.
    pub(super) fn length(&self) -> u32 {
        let digits = self.value.magnitude().to_string().len();
        let digits = u32::try_from(digits).unwrap_or(u32::MAX);
        if self.is_zero() {
            self.scale.max(1)
        } else {
            digits.max(self.scale)
        }
    }

    /// Reads digits in a base; what is too big a digit counts as the biggest, but one alone as itself.
    pub(super) fn read(text: &str, base: u32) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_alone = whole.len() + fraction.len() == 1;
        let mut value = BigInt::from(0);
        let mut divisor = BigInt::from(1);
        if base == 10 && !text.contains(|one: char| one.is_ascii_uppercase()) {
            value = format!("0{whole}{fraction}").parse().unwrap_or_default();
            return Self {
                value,
                scale: u32::try_from(fraction.len()).unwrap_or(0),
            };
        }
        for (at, digit) in whole.chars().chain(fraction.chars()).enumerate() {
            let digit = digit.to_digit(36).unwrap_or(0);
            let digit = if is_alone { digit } else { digit.min(base - 1) };
            value = value * base + digit;
            if at >= whole.len() {
                divisor *= base;
            }
        }
        let number = Self { value, scale: 0 };
        let scale = u32::try_from(fraction.len()).unwrap_or(0);
        let below = Self {
            value: divisor,
            scale: 0,
        };
        number.over(&below, scale).unwrap_or(number)
    }

    /// Shows it in a base as bc prints it: without a zero before the point.
    pub(super) fn show(&self, base: u32) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let sign = if self.value.sign() == Sign::Minus {
            "-"
        } else {
            ""
        };
        let places = usize::try_from(self.scale).unwrap_or(0);
        let magnitude = Self {
            value: BigInt::from(self.value.magnitude().clone()),
            scale: self.scale,
        };
        if base == 10 {
            let digits = format!("{:0>places$}", magnitude.value.to_string());
            let (whole, fraction) = digits
                .split_at_checked(digits.len() - places)
                .unwrap_or((&digits, ""));
            let point = if places > 0 { "." } else { "" };
            return format!("{sign}{whole}{point}{fraction}");
        }
        let width = (base - 1).to_string().len();
        let digit = |out: &mut String, digit: u32, is_spaced: bool| {
            if base <= 16 {
                out.extend(char::from_digit(digit, 16).map(|digit| digit.to_ascii_uppercase()));
            } else {
                out.push_str(if is_spaced { " " } else { "" });
                out.push_str(&format!("{digit:0width$}"));
            }
        };
        let mut whole = magnitude.whole();
        let mut out = sign.to_owned();
        let mut digits = Vec::new();
        let mut left = whole.clone();
        while left.sign() != Sign::NoSign {
            digits.push(u32::try_from(&left % base).unwrap_or(0));
            left /= base;
        }
        for one in digits.into_iter().rev() {
            digit(&mut out, one, true);
        }
        if self.scale > 0 {
            out.push('.');
            let unit = ten_to(self.scale);
            let mut fraction = &magnitude.value - &whole * &unit;
            let mut reached = BigInt::from(1);
            let mut is_spaced = false;
            while reached < unit {
                fraction *= base;
                whole = &fraction / &unit;
                fraction -= &whole * &unit;
                digit(&mut out, u32::try_from(&whole).unwrap_or(0), is_spaced);
                is_spaced = true;
                reached *= base;
            }
        }
        out
    }
}
