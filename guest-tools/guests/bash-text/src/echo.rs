//! Backslash escapes: `echo -e`, `printf %b`, `$'...'` and `${x@E}`.

use bstr::BString;

/// Whether output goes on after a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Go on.
    Continue,
    /// `\c` was seen: write nothing more.
    Stop,
}

/// Which rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    Echo,
    PercentB,
    AnsiC,
}

/// Writes `text` with the escapes of `echo -e` decoded (`\0nnn` octal).
pub fn write_echo(text: &[u8], output: &mut Vec<u8>) -> After {
    decode(text, Rules::Echo, output)
}

/// Writes `text` with the escapes of `printf %b` decoded (`\nnn` and `\0nnn` octal).
pub fn write_percent_b(text: &[u8], output: &mut Vec<u8>) -> After {
    decode(text, Rules::PercentB, output)
}

/// Decodes the inside of `$'...'`; as in bash the text ends at a NUL that an escape makes.
pub fn ansi_c(text: &[u8]) -> BString {
    let mut output = Vec::with_capacity(text.len());
    decode(text, Rules::AnsiC, &mut output);
    if let Some(end) = memchr::memchr(0, &output) {
        output.truncate(end);
    }
    BString::from(output)
}

fn decode(text: &[u8], rules: Rules, output: &mut Vec<u8>) -> After {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        output.extend_from_slice(before);
        let body = escape.get(1..).unwrap_or_default();
        let Some((letter, after)) = body.split_first() else {
            output.push(b'\\');
            return After::Continue;
        };
        rest = after;
        match (letter, rules) {
            (b'a', _) => output.push(7),
            (b'b', _) => output.push(8),
            (b'e' | b'E', _) => output.push(27),
            (b'f', _) => output.push(12),
            (b'n', _) => output.push(b'\n'),
            (b'r', _) => output.push(b'\r'),
            (b't', _) => output.push(b'\t'),
            (b'v', _) => output.push(11),
            (b'\\', _) => output.push(b'\\'),
            (b'c', Rules::AnsiC) => rest = control(rest, output),
            (b'c', _) => return After::Stop,
            (b'\'' | b'"' | b'?', Rules::AnsiC) => output.push(*letter),
            (b'0', Rules::Echo | Rules::PercentB) => rest = octal(rest, 3, output),
            (b'0'..=b'7', Rules::PercentB | Rules::AnsiC) => rest = octal(body, 3, output),
            (b'x', Rules::AnsiC) if rest.first() == Some(&b'{') => rest = braced(rest, output),
            (b'x', _) => rest = hexadecimal(rest, output),
            (b'u', _) => rest = unicode(b'u', rest, 4, output),
            (b'U', _) => rest = unicode(b'U', rest, 8, output),
            (letter, _) => output.extend_from_slice(&[b'\\', *letter]),
        }
    }
    output.extend_from_slice(rest);
    After::Continue
}

/// `\cx`: a control character; `\c\\` counts the doubled backslash as one.
fn control<'a>(rest: &'a [u8], output: &mut Vec<u8>) -> &'a [u8] {
    match rest {
        [] => {
            output.extend_from_slice(b"\\c");
            rest
        }
        [b'\\', b'\\', after @ ..] => {
            output.push(b'\\' & 0x1f);
            after
        }
        [b'?', after @ ..] => {
            output.push(0x7f);
            after
        }
        [byte, after @ ..] => {
            output.push(byte.to_ascii_uppercase() & 0x1f);
            after
        }
    }
}

/// Reads up to `digits` digits; `None` for the value when there is none.
fn digits(text: &[u8], base: u32, digits: usize) -> (Option<u32>, &[u8]) {
    let length = text
        .iter()
        .take(digits)
        .take_while(|byte| char::from(**byte).is_digit(base))
        .count();
    let (taken, after) = text.split_at_checked(length).unwrap_or((text, &[]));
    let value = taken.iter().fold(0_u32, |value, byte| {
        value
            .wrapping_mul(base)
            .wrapping_add(char::from(*byte).to_digit(base).unwrap_or_default())
    });
    ((length > 0).then_some(value), after)
}

fn byte(value: u32) -> u8 {
    u8::try_from(value & 0xff).unwrap_or_default()
}

pub(crate) fn octal<'a>(text: &'a [u8], length: usize, output: &mut Vec<u8>) -> &'a [u8] {
    let (value, after) = digits(text, 8, length);
    output.push(byte(value.unwrap_or_default()));
    after
}

pub(crate) fn hexadecimal<'a>(text: &'a [u8], output: &mut Vec<u8>) -> &'a [u8] {
    let (value, after) = digits(text, 16, 2);
    match value {
        Some(value) => output.push(byte(value)),
        None => output.extend_from_slice(b"\\x"),
    }
    after
}

/// `\x{...}`: any number of digits, of which the low byte counts.
fn braced<'a>(text: &'a [u8], output: &mut Vec<u8>) -> &'a [u8] {
    let (value, after) = digits(text.get(1..).unwrap_or_default(), 16, usize::MAX);
    match value {
        Some(value) => output.push(byte(value)),
        None => output.extend_from_slice(b"\\x{"),
    }
    after.strip_prefix(b"}").unwrap_or(after)
}

pub(crate) fn unicode<'a>(
    letter: u8,
    text: &'a [u8],
    length: usize,
    output: &mut Vec<u8>,
) -> &'a [u8] {
    let (value, after) = digits(text, 16, length);
    match value {
        None => output.extend_from_slice(&[b'\\', letter]),
        Some(value) => encode(value, output),
    }
    after
}

/// Encodes a code point as UTF-8 without asking whether it is one, up to 31 bits, as bash does.
fn encode(value: u32, output: &mut Vec<u8>) {
    if let Some(character) = char::from_u32(value) {
        output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    let (lead, length) = match value {
        0..0x1_0000 => (0xe0, 3),
        0x1_0000..0x20_0000 => (0xf0, 4),
        0x20_0000..0x400_0000 => (0xf8, 5),
        0x400_0000..0x8000_0000 => (0xfc, 6),
        _ => return,
    };
    output.push(byte(lead | value >> (6 * (length - 1))));
    for at in (0..length - 1).rev() {
        output.push(byte(0x80 | (value >> (6 * at)) & 0x3f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        for (text, echo, ansi) in [
            ("a\\tb", "a\tb", "a\tb"),
            ("\\0101\\101", "A\\101", "\u{8}1A"),
            ("\\x41\\u00e9", "Aé", "Aé"),
            ("\\q\\'", "\\q\\'", "\\q'"),
            ("a\\cb", "a", "a\u{2}"),
            ("a\\", "a\\", "a\\"),
        ] {
            let mut output = Vec::new();
            write_echo(text.as_bytes(), &mut output);
            assert_eq!(BString::from(output), echo, "{text}");
            assert_eq!(ansi_c(text.as_bytes()), ansi, "{text}");
        }
    }
}
