//! Conversions as the C library's printf writes them, as far as a dump needs them.

/// Flags, width and precision of a conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
}

/// Widths beyond this are cut: no dump has such columns, and memory is bounded.
const WIDTH_MAX: usize = 4096;

impl Shape {
    /// Reads what stands between `%` and the letter.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut shape = Self::default();
        let mut rest = text;
        while let Some((first, others)) = rest.split_first() {
            match first {
                b'-' => shape.left = true,
                b'+' => shape.plus = true,
                b' ' => shape.space = true,
                b'#' => shape.alternate = true,
                b'0' => shape.zero = true,
                _ => break,
            }
            rest = others;
        }
        let (width, rest) = number(rest);
        shape.width = width.unwrap_or(0).min(WIDTH_MAX);
        if let Some(rest) = rest.strip_prefix(b".") {
            shape.precision = Some(number(rest).0.unwrap_or(0).min(WIDTH_MAX));
        }
        shape
    }

    /// Writes text, which the precision cuts.
    pub(super) fn text(&self, out: &mut Vec<u8>, text: &[u8]) {
        let text = text
            .get(..self.precision.unwrap_or(usize::MAX).min(text.len()))
            .unwrap_or(text);
        self.pad(out, b"", text, false);
    }

    /// Writes nothing but the width, for bytes that are not there.
    pub(super) fn blank(&self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.width, b' ');
    }

    /// Writes a byte as it is.
    pub(super) fn byte(&self, out: &mut Vec<u8>, byte: u8) {
        self.pad(out, b"", &[byte], false);
    }

    /// Writes an integer; `letter` is one of `diouxX`.
    pub(super) fn integer(&self, out: &mut Vec<u8>, number: i128, letter: u8) {
        let magnitude = number.unsigned_abs();
        let mut digits = match letter {
            b'o' => format!("{magnitude:o}"),
            b'x' => format!("{magnitude:x}"),
            b'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        if let Some(precision) = self.precision {
            if precision == 0 && magnitude == 0 {
                digits.clear();
            }
            if digits.len() < precision {
                digits.insert_str(0, &"0".repeat(precision - digits.len()));
            }
        }
        let is_signed = matches!(letter, b'd' | b'i');
        let prefix: &[u8] = match letter {
            _ if number < 0 => b"-",
            _ if is_signed && self.plus => b"+",
            _ if is_signed && self.space => b" ",
            b'x' if self.alternate && magnitude != 0 => b"0x",
            b'X' if self.alternate && magnitude != 0 => b"0X",
            b'o' if self.alternate && !digits.starts_with('0') => b"0",
            _ => b"",
        };
        self.pad(out, prefix, digits.as_bytes(), self.precision.is_none());
    }

    /// Writes a floating point number; `letter` is one of `eEfgG`.
    pub(super) fn float(&self, out: &mut Vec<u8>, number: f64, letter: u8) {
        let magnitude = number.abs();
        let is_upper = letter.is_ascii_uppercase();
        let precision = self.precision.unwrap_or(6);
        let text = if number.is_nan() {
            "nan".to_owned()
        } else if number.is_infinite() {
            "inf".to_owned()
        } else {
            match letter.to_ascii_lowercase() {
                b'f' => format!("{magnitude:.precision$}"),
                b'e' => exponential(magnitude, precision),
                _ => general(magnitude, precision.max(1), self.alternate),
            }
        };
        let text = if is_upper {
            text.to_ascii_uppercase()
        } else {
            text
        };
        let prefix: &[u8] = match (number.is_sign_negative(), self.plus, self.space) {
            (true, ..) => b"-",
            (_, true, _) => b"+",
            (_, _, true) => b" ",
            _ => b"",
        };
        self.pad(out, prefix, text.as_bytes(), number.is_finite());
    }

    fn pad(&self, out: &mut Vec<u8>, prefix: &[u8], body: &[u8], may_be_zeros: bool) {
        let blanks = self.width.saturating_sub(prefix.len() + body.len());
        let is_zeros = self.zero && !self.left && may_be_zeros;
        if !self.left && !is_zeros {
            out.resize(out.len() + blanks, b' ');
        }
        out.extend_from_slice(prefix);
        if is_zeros {
            out.resize(out.len() + blanks, b'0');
        }
        out.extend_from_slice(body);
        if self.left {
            out.resize(out.len() + blanks, b' ');
        }
    }
}

/// Reads digits; returns their value and what is behind them.
pub(super) fn number(text: &[u8]) -> (Option<usize>, &[u8]) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length).unwrap_or((text, b""));
    let value = digits.iter().fold(0_usize, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'))
    });
    ((length > 0).then_some(value), rest)
}

fn exponential(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

fn general(magnitude: f64, precision: usize, keeps_zeros: bool) -> String {
    let scientific = exponential(magnitude, precision - 1);
    let exponent = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse::<i64>().ok())
        .unwrap_or(0);
    let digits = i64::try_from(precision).unwrap_or(i64::MAX);
    let text = if magnitude != 0.0 && (exponent < -4 || exponent >= digits) {
        scientific
    } else {
        let places = usize::try_from(digits - 1 - exponent).unwrap_or(0);
        format!("{magnitude:.places$}")
    };
    if keeps_zeros {
        return text;
    }
    let (number, exponent) = match text.find('e') {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    format!("{number}{exponent}")
}
