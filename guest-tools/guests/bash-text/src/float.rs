//! Floating-point numbers as C's `long double` on x86-64: 64-bit mantissa, correctly rounded.

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
        let _ = text;
        (
            Self::Finite {
                is_negative: false,
                mantissa: 0,
                exponent: 0,
            },
            0,
        )
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
    let _ = (number, style, output);
}
