//! Shell patterns as fnmatch(3) has them, for `ls --hide`, `ls -I` and `du --exclude`.

/// Returns whether a name matches a pattern as a whole. `period`: a leading dot is matched only by a dot.
pub(crate) fn matches(pattern: &[u8], name: &[u8], period: bool) -> bool {
    if period && name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    step(pattern, name)
}

fn step(mut pattern: &[u8], mut name: &[u8]) -> bool {
    // Where to go on after a mismatch: the last star takes one byte more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let matched = match pattern.split_first() {
            None if name.is_empty() => return true,
            None => None,
            Some((b'*', rest)) => {
                retry = Some((rest, name));
                pattern = rest;
                continue;
            }
            Some((first, rest)) => name
                .split_first()
                .and_then(|(byte, name)| Some((one(*first, rest, *byte, name)?, ()))),
        };
        match (matched, retry) {
            (Some(((next_pattern, next_name), ())), _) => {
                pattern = next_pattern;
                name = next_name;
            }
            (None, Some((after, from))) => {
                let Some((_, shorter)) = from.split_first() else {
                    return false;
                };
                retry = Some((after, shorter));
                pattern = after;
                name = shorter;
            }
            (None, None) => return false,
        }
    }
}

/// Matches one character and returns what is left of both.
fn one<'p, 'n>(
    first: u8,
    rest: &'p [u8],
    byte: u8,
    name: &'n [u8],
) -> Option<(&'p [u8], &'n [u8])> {
    match first {
        b'?' => {
            // A whole character of UTF-8.
            let tail = name.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
            Some((rest, if byte < 0x80 { name } else { name.get(tail..)? }))
        }
        b'[' => match set(rest, byte) {
            Some((true, rest)) => Some((rest, name)),
            Some((false, _)) => None,
            None => (byte == b'[').then_some((rest, name)),
        },
        b'\\' => {
            let (literal, rest) = rest.split_first()?;
            (*literal == byte).then_some((rest, name))
        }
        _ => (first == byte).then_some((rest, name)),
    }
}

/// Reads a bracket expression after its `[`; none if it has no end.
fn set(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match pattern.split_first() {
        Some((b'!' | b'^', rest)) => (true, rest),
        _ => (false, pattern),
    };
    let mut found = false;
    let mut is_first = true;
    loop {
        let (low, after) = rest.split_first()?;
        match (*low, after) {
            (b']', _) if !is_first => return Some((found != negated, after)),
            (b'[', [b':', class @ ..]) => {
                let end = class.windows(2).position(|pair| pair == b":]")?;
                found |= is_in_class(class.get(..end)?, byte);
                rest = class.get(end + 2..)?;
            }
            (low, [b'-', high, after @ ..]) if *high != b']' => {
                found |= (low..=*high).contains(&byte);
                rest = after;
            }
            (low, after) => {
                found |= low == byte;
                rest = after;
            }
        }
        is_first = false;
    }
}

fn is_in_class(class: &[u8], byte: u8) -> bool {
    match class {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 11,
        b"punct" => byte.is_ascii_punctuation(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_fnmatch() {
        let cases = [
            ("*.rs", "a.rs", true),
            ("*.rs", "a.rst", false),
            ("a*b*c", "axxbyybzc", true),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[[:digit:]]*", "9z", true),
            ("\\*", "*", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("[", "[", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes(), true),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
