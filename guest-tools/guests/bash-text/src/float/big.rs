//! Natural numbers of any size: just what exact conversion needs.

use std::cmp::Ordering;

/// A natural number, in limbs of 32 bits, the least first; no zero limb at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Big(Vec<u32>);

fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or_default()
}

impl Big {
    pub(super) fn from(value: u64) -> Self {
        let mut big = Self(vec![low(value), low(value >> 32)]);
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |top| {
            self.0.len() * 32 - usize::try_from(top.leading_zeros()).unwrap_or_default()
        })
    }

    pub(super) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let value = u64::from(*limb) * u64::from(factor) + carry;
            *limb = low(value);
            carry = value >> 32;
        }
        self.0.push(low(carry));
        self.trim();
    }

    /// Multiplies by `base` to the power of `exponent`; `base` is at most 10.
    pub(super) fn multiply_power(&mut self, base: u32, exponent: usize) {
        for _ in 0..exponent / 9 {
            self.multiply_add(base.pow(9), 0);
        }
        for _ in 0..exponent % 9 {
            self.multiply_add(base, 0);
        }
    }

    pub(super) fn shift_left(&mut self, count: usize) {
        if self.is_zero() {
            return;
        }
        self.multiply_add(1 << (count % 32), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, count / 32));
    }

    /// Subtracts a number that is not larger.
    pub(super) fn subtract(&mut self, other: &Self) {
        let mut is_borrowed = false;
        for (limb, taken) in self
            .0
            .iter_mut()
            .zip(other.0.iter().chain(std::iter::repeat(&0)))
        {
            let (value, one) = limb.overflowing_sub(*taken);
            let (value, two) = value.overflowing_sub(u32::from(is_borrowed));
            *limb = value;
            is_borrowed = one || two;
        }
        self.trim();
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Returns the decimal digits, none for zero.
    pub(super) fn digits(mut self) -> Vec<u8> {
        let mut digits = Vec::new();
        while !self.is_zero() {
            let mut remainder = 0_u64;
            for limb in self.0.iter_mut().rev() {
                let value = remainder << 32 | u64::from(*limb);
                *limb = low(value / 1_000_000_000);
                remainder = value % 1_000_000_000;
            }
            self.trim();
            for _ in 0..9 {
                digits.push(u8::try_from(remainder % 10).unwrap_or_default() + b'0');
                remainder /= 10;
            }
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        digits.reverse();
        digits
    }
}
