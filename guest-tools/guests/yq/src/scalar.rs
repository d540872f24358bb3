//! What a plain scalar is: the tags that its text alone gives it, and numbers.

/// Returns the tag of a text without quotes.
pub fn tag_of(text: &str) -> &'static str {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => "!!null",
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => "!!bool",
        "<<" => "!!merge",
        ".nan" | ".NaN" | ".NAN" => "!!float",
        _ => {
            let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
            if matches!(rest, ".inf" | ".Inf" | ".INF") {
                return "!!float";
            }
            match rest.bytes().next() {
                Some(b'0'..=b'9') => {
                    if integer(text).is_some() || is_long_integer(rest) {
                        "!!int"
                    } else if float(text).is_some() {
                        "!!float"
                    } else if is_timestamp(text) {
                        "!!timestamp"
                    } else {
                        "!!str"
                    }
                }
                Some(b'.') if float(text).is_some() => "!!float",
                _ => "!!str",
            }
        }
    }
}

fn is_long_integer(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns a whole number, in any of the bases that YAML knows.
pub fn integer(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (base, digits) = if let Some(digits) = digits.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = digits.strip_prefix("0o") {
        (8, digits)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        (2, digits)
    } else if digits.len() > 1 && digits.starts_with('0') {
        let is_octal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        (if is_octal { 8 } else { 10 }, digits)
    } else {
        (10, digits)
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

/// Returns a number.
pub fn float(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    let rest = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    match rest {
        ".inf" | ".Inf" | ".INF" => {
            return Some(if plain.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            });
        }
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let is_plain = rest
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'));
    if !is_plain
        || !rest.starts_with(|character: char| character.is_ascii_digit() || character == '.')
    {
        return None;
    }
    plain.parse().ok()
}

/// Returns the number of either kind.
pub fn number(text: &str) -> Option<f64> {
    integer(text)
        .map(|number| number as f64)
        .or_else(|| float(text))
}

/// Returns a number as text, without an exponent where it is short enough.
pub fn show(number: f64) -> String {
    if number.is_nan() {
        ".nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else if number != 0.0 && !(1e-4..1e21).contains(&number.abs()) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((mantissa, exponent)) => {
                let (sign, digits) = match exponent.strip_prefix('-') {
                    Some(digits) => ('-', digits),
                    None => ('+', exponent),
                };
                format!("{mantissa}e{sign}{digits:0>2}")
            }
            None => text,
        }
    } else {
        format!("{number}")
    }
}

/// A date of at least year, month and day, perhaps with a time.
fn is_timestamp(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else {
        return is_date(text);
    };
    if !is_date(date) {
        return is_date(text);
    }
    if rest.is_empty() {
        return true;
    }
    let Some(time) = rest.strip_prefix(['T', 't', ' ']) else {
        return false;
    };
    let time = time.trim_start();
    let mut parts = time.splitn(3, ':');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number(parts.next())
        && is_number(parts.next())
        && parts.next().is_some_and(|rest| {
            rest.starts_with(|character: char| character.is_ascii_digit())
                && rest
                    .chars()
                    .all(|character| character.is_ascii_digit() || "zZ.:+- ".contains(character))
        })
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [year, month, day] => {
            year.len() == 4
                && matches!(month.len(), 1 | 2)
                && matches!(day.len(), 1 | 2)
                && [year, month, day].iter().all(|part| is_number(part))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{integer, show, tag_of};

    #[test]
    fn texts_have_tags() {
        for (text, tag) in [
            ("", "!!null"),
            ("~", "!!null"),
            ("True", "!!bool"),
            ("yes", "!!str"),
            ("12", "!!int"),
            ("-0x1F", "!!int"),
            ("1_000", "!!int"),
            ("123456789012345678901234567890", "!!int"),
            ("1.10", "!!float"),
            ("1e3", "!!float"),
            (".5", "!!float"),
            ("-.inf", "!!float"),
            ("1.2.3", "!!str"),
            ("12abc", "!!str"),
            ("2024-01-31", "!!timestamp"),
            ("2024-01-31T10:00:00Z", "!!timestamp"),
            ("10:30", "!!str"),
            ("-", "!!str"),
            (".", "!!str"),
            ("<<", "!!merge"),
        ] {
            assert_eq!(tag_of(text), tag, "{text}");
        }
        assert_eq!(integer("0x10"), Some(16));
        assert_eq!(show(2.5e30), "2.5e+30");
        assert_eq!(show(3.0), "3");
    }
}
