//! printf's formats.

use crate::float;
use crate::number;
use crate::text;
use crate::value::Value;

/// The widest field and the longest fraction. More is a slip of the program that takes all memory.
const WIDTH_MAX: usize = 100_000_000;

#[derive(Default, Clone)]
struct Specification {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats one number with OFMT or CONVFMT.
pub fn one_number(format_text: &[u8], number: f64) -> Vec<u8> {
    format(format_text, &[Value::Number(number)], b"%.6g").unwrap_or_else(|_| format_text.to_vec())
}

struct Arguments<'a> {
    values: &'a [Value],
    next: usize,
}

impl<'a> Arguments<'a> {
    /// Returns the argument of a place from 1 on, or the next one.
    fn take(&mut self, place: Option<usize>) -> Option<&'a Value> {
        match place {
            Some(place) => self.values.get(place.checked_sub(1)?),
            None => {
                self.next += 1;
                self.values.get(self.next - 1)
            }
        }
    }
}

/// Formats values.
pub fn format(format: &[u8], values: &[Value], number_format: &[u8]) -> Result<Vec<u8>, String> {
    let mut into = Vec::with_capacity(format.len() + 16);
    let mut arguments = Arguments { values, next: 0 };
    let mut rest = format;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        let (plain, behind) = rest.split_at_checked(percent).unwrap_or((rest, &[]));
        into.extend_from_slice(plain);
        let used = conversion(behind, &mut into, &mut arguments, number_format).map_err(|()| {
            // gawk shows the format and points at the conversion.
            let begin = String::from_utf8_lossy(format);
            let place = format.len() - behind.len() + 1;
            format!(
                "not enough arguments to satisfy format string\n\t`{begin}'\n\t{}^ ran out for this one",
                " ".repeat(place)
            )
        })?;
        rest = behind.get(used..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
    Ok(into)
}

/// Formats one conversion, at whose `%` the text begins; returns how long it is. `Err` if arguments run out.
fn conversion(
    text: &[u8],
    into: &mut Vec<u8>,
    arguments: &mut Arguments<'_>,
    number_format: &[u8],
) -> Result<usize, ()> {
    let mut specification = Specification::default();
    let mut at = 1;
    if text.get(1) == Some(&b'%') {
        into.push(b'%');
        return Ok(2);
    }
    // `%2$s`: a place, unless the digits are a width.
    let place = placed(text, &mut at);
    while let Some(flag) = text.get(at) {
        match flag {
            b'-' => specification.left = true,
            b'+' => specification.plus = true,
            b' ' => specification.space = true,
            b'#' => specification.alternate = true,
            b'0' => specification.zero = true,
            b'\'' => {}
            _ => break,
        }
        at += 1;
    }
    if text.get(at) == Some(&b'*') {
        at += 1;
        let place = placed(text, &mut at);
        let width = arguments.take(place).ok_or(())?.number();
        specification.left |= width < 0.0;
        specification.width = (width.abs() as usize).min(WIDTH_MAX);
    } else {
        specification.width = digits(text, &mut at);
    }
    if text.get(at) == Some(&b'.') {
        at += 1;
        if text.get(at) == Some(&b'*') {
            at += 1;
            let place = placed(text, &mut at);
            let precision = arguments.take(place).ok_or(())?.number();
            specification.precision =
                (precision >= 0.0).then_some((precision as usize).min(WIDTH_MAX));
        } else {
            specification.precision = Some(digits(text, &mut at));
        }
    }
    while matches!(text.get(at), Some(b'h' | b'l' | b'L' | b'q' | b'j' | b't')) {
        at += 1;
    }
    let Some(letter) = text.get(at).copied() else {
        into.extend_from_slice(text);
        return Ok(text.len());
    };
    at += 1;
    match letter {
        b'%' => into.push(b'%'),
        b'c' => character(arguments.take(place).ok_or(())?, &specification, into),
        b's' => arguments
            .take(place)
            .ok_or(())?
            .with_bytes(number_format, |bytes| {
                string(bytes, &specification, into);
            }),
        b'd' | b'i' | b'o' | b'u' | b'x' | b'X' => {
            integer(
                arguments.take(place).ok_or(())?.number(),
                letter,
                &specification,
                into,
            );
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
            floating(
                arguments.take(place).ok_or(())?.number(),
                letter,
                &specification,
                into,
            );
        }
        _ => into.extend_from_slice(text.get(..at).unwrap_or_default()),
    }
    Ok(at)
}

fn digits(text: &[u8], at: &mut usize) -> usize {
    let mut number = 0_usize;
    while let Some(digit) = text.get(*at).filter(|byte| byte.is_ascii_digit()) {
        number = (number * 10 + usize::from(digit - b'0')).min(WIDTH_MAX);
        *at += 1;
    }
    number
}

fn placed(text: &[u8], at: &mut usize) -> Option<usize> {
    let mut behind = *at;
    let place = digits(text, &mut behind);
    if place > 0 && text.get(behind) == Some(&b'$') {
        *at = behind + 1;
        return Some(place);
    }
    None
}

/// Appends a text padded to the width; `length` in characters.
fn pad(bytes: &[u8], length: usize, specification: &Specification, into: &mut Vec<u8>) {
    let padding = specification.width.saturating_sub(length);
    if !specification.left {
        into.resize(into.len() + padding, b' ');
    }
    into.extend_from_slice(bytes);
    if specification.left {
        into.resize(into.len() + padding, b' ');
    }
}

fn string(bytes: &[u8], specification: &Specification, into: &mut Vec<u8>) {
    let bytes = match specification.precision {
        Some(precision) => {
            let end = text::advance_characters(bytes, 0, precision);
            bytes.get(..end).unwrap_or(bytes)
        }
        None => bytes,
    };
    let length = if specification.width > 0 {
        text::count_characters(bytes)
    } else {
        0
    };
    pad(bytes, length, specification, into);
}

fn character(value: &Value, specification: &Specification, into: &mut Vec<u8>) {
    let mut bytes = Vec::with_capacity(4);
    match value
        .as_bytes()
        .filter(|_| !matches!(value, Value::Empty) && value.as_number().is_none())
    {
        Some(text) => {
            let end = text::advance_characters(text, 0, 1);
            bytes.extend_from_slice(text.get(..end).unwrap_or_default());
            // Of an empty text, as in C, the byte that ends it.
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        None => {
            let code = value.number();
            match char::from_u32(code as u32).filter(|_| (0.0..1_114_112.0).contains(&code)) {
                Some(character) => {
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes())
                }
                None => bytes.push((code as i64 & 0xff) as u8),
            }
        }
    }
    pad(&bytes, 1, specification, into);
}

fn integer(number: f64, letter: u8, specification: &Specification, into: &mut Vec<u8>) {
    if !number.is_finite() {
        return special(number, specification, into);
    }
    let whole = number.trunc();
    let is_signed = matches!(letter, b'd' | b'i');
    let digits =
        if is_signed || letter == b'u' && (0.0..18_446_744_073_709_551_616.0).contains(&whole) {
            let mut digits = Vec::new();
            number::append_whole(&mut digits, whole.abs());
            digits
        } else if (-9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0).contains(&whole) {
            let bits = if whole < 0.0 {
                whole as i64 as u64
            } else {
                whole as u64
            };
            match letter {
                b'o' => format!("{bits:o}"),
                b'x' => format!("{bits:x}"),
                b'X' => format!("{bits:X}"),
                _ => format!("{bits}"),
            }
            .into_bytes()
        } else {
            // Out of the range of integers: as `%g`, as gawk does.
            return floating(number, b'g', specification, into);
        };
    let mut text = Vec::new();
    let digits: &[u8] = if specification.precision == Some(0) && whole == 0.0 {
        b""
    } else {
        &digits
    };
    let zeros = specification
        .precision
        .map_or(0, |precision| precision.saturating_sub(digits.len()));
    let mut prefix: Vec<u8> = Vec::new();
    if is_signed && whole < 0.0 {
        prefix.push(b'-');
    } else if is_signed && specification.plus {
        prefix.push(b'+');
    } else if is_signed && specification.space {
        prefix.push(b' ');
    }
    if specification.alternate && whole != 0.0 {
        match letter {
            b'x' => prefix.extend_from_slice(b"0x"),
            b'X' => prefix.extend_from_slice(b"0X"),
            b'o' if zeros == 0 => prefix.push(b'0'),
            _ => {}
        }
    }
    text.resize(zeros, b'0');
    text.extend_from_slice(digits);
    numeric(
        &prefix,
        &text,
        specification,
        specification.precision.is_none(),
        into,
    );
}

/// Appends sign and digits padded to the width, with zeros between them if the `0` flag counts.
fn numeric(
    prefix: &[u8],
    digits: &[u8],
    specification: &Specification,
    may_zero: bool,
    into: &mut Vec<u8>,
) {
    let length = prefix.len() + digits.len();
    let padding = specification.width.saturating_sub(length);
    let zero = specification.zero && !specification.left && may_zero;
    if !zero && !specification.left {
        into.resize(into.len() + padding, b' ');
    }
    into.extend_from_slice(prefix);
    if zero {
        into.resize(into.len() + padding, b'0');
    }
    into.extend_from_slice(digits);
    if specification.left {
        into.resize(into.len() + padding, b' ');
    }
}

fn special(number: f64, specification: &Specification, into: &mut Vec<u8>) {
    let mut text = Vec::new();
    number::append_special(&mut text, number);
    pad(&text, text.len(), specification, into);
}

fn floating(number: f64, letter: u8, specification: &Specification, into: &mut Vec<u8>) {
    if !number.is_finite() {
        return special(number, specification, into);
    }
    let mut digits = Vec::with_capacity(32);
    let magnitude = number.abs();
    let precision = specification.precision.unwrap_or(6);
    let upper = letter.is_ascii_uppercase();
    match letter.to_ascii_lowercase() {
        b'f' => float::append_fixed(&mut digits, magnitude, precision, specification.alternate),
        b'e' => float::append_scientific(
            &mut digits,
            magnitude,
            precision,
            specification.alternate,
            upper,
        ),
        b'a' => float::append_hexadecimal(
            &mut digits,
            magnitude,
            specification.precision,
            specification.alternate,
            upper,
        ),
        _ => float::append_general(
            &mut digits,
            magnitude,
            precision,
            specification.alternate,
            upper,
        ),
    }
    let sign: &[u8] = if number.is_sign_negative() {
        b"-"
    } else if specification.plus {
        b"+"
    } else if specification.space {
        b" "
    } else {
        b""
    };
    if letter.eq_ignore_ascii_case(&b'a') {
        // Zeros go behind `0x`.
        let (mark, rest) = digits.split_at_checked(2).unwrap_or((&digits, &[]));
        let prefix = [sign, mark].concat();
        return numeric(&prefix, rest, specification, true, into);
    }
    numeric(sign, &digits, specification, true, into);
}
