//! Writing values: jq's layout, colours and numbers.

use std::fmt::Write as _;

use crate::value::Val;

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Spaces of one step of indentation; none: everything on one line.
    pub indent: Option<Indent>,
    /// Escape what is not ASCII.
    pub is_ascii: bool,
    /// Write the keys of objects in order.
    pub is_sorted: bool,
    /// Colours of a terminal.
    pub is_colored: bool,
}

/// One step of indentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indent {
    /// A tabulator.
    Tab,
    /// So many spaces.
    Spaces(usize),
}

impl Style {
    /// Everything on one line.
    pub const COMPACT: Self = Self {
        indent: None,
        is_ascii: false,
        is_sorted: false,
        is_colored: false,
    };
}

const RESET: &str = "\u{1b}[0m";
const KEY: &str = "\u{1b}[34;1m";

/// Returns a value on one line.
pub fn compact(value: &Val) -> String {
    let mut text = String::new();
    write(&mut text, value, &Style::COMPACT, 0);
    text
}

/// Appends a value.
pub fn write(out: &mut String, value: &Val, style: &Style, depth: usize) {
    let color = if style.is_colored {
        color_of(value)
    } else {
        ""
    };
    out.push_str(color);
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(number) => write_number(out, *number),
        Val::Str(text) => write_string(out, text, style.is_ascii),
        Val::Arr(items) if items.is_empty() => out.push_str("[]"),
        Val::Obj(members) if members.is_empty() => out.push_str("{}"),
        Val::Arr(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push_str(color);
                    out.push(',');
                }
                new_line(out, style, depth + 1);
                write(out, item, style, depth + 1);
            }
            out.push_str(color);
            new_line(out, style, depth);
            out.push_str(color);
            out.push(']');
        }
        Val::Obj(members) => {
            out.push('{');
            let mut is_first = true;
            let mut member = |key: &str, value: &Val| {
                if !is_first {
                    out.push_str(color);
                    out.push(',');
                }
                is_first = false;
                new_line(out, style, depth + 1);
                if style.is_colored {
                    out.push_str(RESET);
                    out.push_str(KEY);
                }
                write_string(out, key, style.is_ascii);
                if style.is_colored {
                    out.push_str(RESET);
                }
                out.push_str(color);
                out.push(':');
                if style.indent.is_some() {
                    out.push(' ');
                }
                if style.is_colored {
                    out.push_str(RESET);
                }
                write(out, value, style, depth + 1);
            };
            if style.is_sorted {
                Val::sorted(members)
                    .iter()
                    .for_each(|(key, value)| member(key, value));
            } else {
                members.iter().for_each(|(key, value)| member(key, value));
            }
            out.push_str(color);
            new_line(out, style, depth);
            out.push_str(color);
            out.push('}');
        }
    }
    if style.is_colored {
        out.push_str(RESET);
    }
}

fn color_of(value: &Val) -> &'static str {
    match value {
        Val::Null => "\u{1b}[1;30m",
        Val::Bool(_) | Val::Num(_) => "\u{1b}[0;39m",
        Val::Str(_) => "\u{1b}[0;32m",
        Val::Arr(_) | Val::Obj(_) => "\u{1b}[1;39m",
    }
}

fn new_line(out: &mut String, style: &Style, depth: usize) {
    match style.indent {
        None => {}
        Some(Indent::Tab) => {
            out.push('\n');
            out.extend(std::iter::repeat_n('\t', depth));
        }
        Some(Indent::Spaces(width)) => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', depth * width));
        }
    }
}

/// Appends a string with its quotes.
pub fn write_string(out: &mut String, text: &str, is_ascii: bool) {
    out.push('"');
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| {
        byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f || (is_ascii && byte >= 0x80)
    }) {
        let (plain, special) = rest.split_at(place);
        out.push_str(plain);
        let mut characters = special.chars();
        if let Some(character) = characters.next() {
            write_character(out, character);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_character(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        other => {
            for unit in other.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// Appends a number: the shortest digits that give it back, at most 17.
pub fn write_number(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("null");
        return;
    }
    let number = number.clamp(-f64::MAX, f64::MAX);
    if number.fract() == 0.0 && number.abs() < 1e15 && (number != 0.0 || number.is_sign_positive())
    {
        let _ = write!(out, "{}", number as i64);
        return;
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The decimal point stands behind so many digits.
    let point = exponent + 1;
    out.push_str(sign);
    if point <= -4 || point > count + 15 {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", exponent.abs());
    } else if point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(&digits);
    } else if point >= count {
        out.push_str(&digits);
        out.extend(std::iter::repeat_n('0', (point - count) as usize));
    } else {
        let (whole, rest) = digits.split_at(point as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::write_number;

    #[test]
    fn numbers() {
        let check = |number: f64, expected: &str| {
            let mut text = String::new();
            write_number(&mut text, number);
            assert_eq!(text, expected);
        };
        check(1.0, "1");
        check(-0.0, "-0");
        check(1.10, "1.1");
        check(1e-5, "1e-05");
        check(0.0001, "0.0001");
        check(1e-7, "1e-07");
        check(f64::INFINITY, "1.7976931348623157e+308");
        check(1e15, "1000000000000000");
        check(1e20, "1e+20");
        check(12345678901234567890.0, "12345678901234567000");
        check(0.1 + 0.2, "0.30000000000000004");
    }
}
