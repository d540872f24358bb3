//! Format strings of hexdump: `"%07.7_ax " 8/2 "%04x " "\n"`.
//!
//! A string is a row of units; a unit takes some bytes at a time, some times over. All strings are applied to the
//! same block, whose length is that of the one that takes most.

use super::printf::{self, Shape};

/// All that one `-e` says.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) units: Vec<Unit>,
}

#[derive(Debug)]
pub(super) struct Unit {
    pub(super) repeats: usize,
    /// Whether the repeats were given, so that they are not filled up to the block.
    is_counted: bool,
    pub(super) bytes: usize,
    pub(super) parts: Vec<Part>,
    /// It ends the dump and has no place in the lines, and neither has what follows it.
    pub(super) is_end: bool,
}

/// A conversion with the text before it, or the text at the end of a unit.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) before: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    pub(super) bytes: usize,
    /// The last repeat leaves out the blank at the end of the text.
    pub(super) drops_blank: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// The place, in base 8, 10 or 16.
    Address(u8),
    /// A byte as it is.
    Byte,
    /// As in C, octal where that has no escape.
    Escaped,
    /// Printable or a full stop.
    Printable,
    /// Control characters by their names.
    Named,
    Signed(u8),
    Unsigned(u8),
    Float(u8),
    /// The bytes up to the first zero.
    String,
}

/// Reads a format string; the error is the message.
pub(super) fn read(text: &[u8]) -> Result<Line, String> {
    let bad = || format!("bad format {{{}}}", String::from_utf8_lossy(text));
    let mut line = Line::default();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let (repeats, behind) = printf::number(rest);
        let mut repeats = repeats;
        let mut is_counted = false;
        if repeats.is_some() {
            is_counted = true;
            if !behind
                .first()
                .is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'/')
            {
                return Err(bad());
            }
            rest = behind.trim_ascii_start();
        }
        let mut bytes = None;
        if let Some(behind) = rest.strip_prefix(b"/") {
            let behind = behind.trim_ascii_start();
            let (count, behind) = printf::number(behind);
            bytes = Some(count.ok_or_else(bad)?);
            if !behind.first().is_some_and(u8::is_ascii_whitespace) {
                return Err(bad());
            }
            rest = behind.trim_ascii_start();
        }
        let quoted = rest.strip_prefix(b"\"").ok_or_else(bad)?;
        let end = quoted
            .iter()
            .position(|byte| *byte == b'"')
            .ok_or_else(bad)?;
        let (format, behind) = quoted.split_at_checked(end).ok_or_else(bad)?;
        rest = behind.get(1..).unwrap_or(b"").trim_ascii_start();
        line.units.push(unit(
            &unescape(format),
            repeats.take().unwrap_or(1),
            is_counted,
            bytes.unwrap_or(0),
        )?);
    }
    Ok(line)
}

fn unescape(format: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(format.len());
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(other) => *other,
            None => b'\\',
        });
    }
    out
}

fn unit(format: &[u8], repeats: usize, is_counted: bool, given: usize) -> Result<Unit, String> {
    let mut unit = Unit {
        repeats,
        is_counted,
        bytes: given,
        parts: Vec::new(),
        is_end: false,
    };
    let mut rest = format;
    while !rest.is_empty() {
        let Some(percent) = rest.iter().position(|byte| *byte == b'%') else {
            unit.parts.push(Part::text(rest));
            break;
        };
        let (before, conversion) = rest.split_at_checked(percent).unwrap_or((rest, b""));
        let conversion = conversion.get(1..).unwrap_or(b"");
        let length = conversion
            .iter()
            .take_while(|byte| b".#-+ 0123456789".contains(byte))
            .count();
        let (shape, letters) = conversion
            .split_at_checked(length)
            .unwrap_or((conversion, b""));
        let has_precision = shape
            .split(|byte| *byte == b'.')
            .nth(1)
            .is_some_and(|digits| digits.first().is_some_and(u8::is_ascii_digit));
        let shape = Shape::read(shape);
        let (kind, bytes, length) = kind(letters, given, has_precision, &shape)?;
        rest = letters.get(length..).unwrap_or(b"");
        if letters.starts_with(b"_A") {
            unit.is_end = true;
        }
        let is_counting = !matches!(kind, Kind::Address(_));
        if is_counting && given > 0 && unit.parts.iter().any(|part| part.bytes > 0) {
            return Err("byte count with multiple conversion characters".to_owned());
        }
        unit.parts.push(Part {
            before: before.to_vec(),
            kind,
            shape,
            bytes,
            drops_blank: false,
        });
    }
    if unit.bytes == 0 {
        unit.bytes = unit.parts.iter().map(|part| part.bytes).sum();
    }
    Ok(unit)
}

impl Part {
    fn text(text: &[u8]) -> Self {
        Self {
            before: text.to_vec(),
            kind: Kind::Text,
            shape: Shape::default(),
            bytes: 0,
            drops_blank: false,
        }
    }
}

/// Returns what a conversion is, the bytes it takes and the length of its letters.
fn kind(
    letters: &[u8],
    given: usize,
    has_precision: bool,
    shape: &Shape,
) -> Result<(Kind, usize, usize), String> {
    let letter = letters.first().copied().unwrap_or(0);
    let second = letters.get(1).copied().unwrap_or(0);
    let shown = |length: usize| {
        String::from_utf8_lossy(letters.get(..length).unwrap_or(letters)).into_owned()
    };
    let count = |allowed: &[usize], default: usize, length: usize| {
        if given == 0 {
            return Ok(default);
        }
        if allowed.contains(&given) {
            return Ok(given);
        }
        Err(format!(
            "bad byte count for conversion character {}",
            shown(length)
        ))
    };
    Ok(match letter {
        b'c' => (Kind::Byte, count(&[1], 1, 1)?, 1),
        b'd' | b'i' => (Kind::Signed(letter), count(&[1, 2, 4, 8], 4, 1)?, 1),
        b'o' | b'u' | b'x' | b'X' => (Kind::Unsigned(letter), count(&[1, 2, 4, 8], 4, 1)?, 1),
        b'e' | b'E' | b'f' | b'g' | b'G' => (Kind::Float(letter), count(&[4, 8], 8, 1)?, 1),
        b's' if given > 0 => (Kind::String, given, 1),
        b's' if has_precision => (Kind::String, shape.precision.unwrap_or(0), 1),
        b's' => return Err("%s requires a precision or a byte count".to_owned()),
        b'_' => match second {
            b'A' | b'a' => {
                let base = match letters.get(2) {
                    Some(b'd') => 10,
                    Some(b'o') => 8,
                    Some(b'x') => 16,
                    _ => {
                        return Err(format!("bad conversion character %{}", shown(3)));
                    }
                };
                (Kind::Address(base), 0, 3)
            }
            b'c' => (Kind::Escaped, count(&[1], 1, 2)?, 2),
            b'p' => (Kind::Printable, count(&[1], 1, 2)?, 2),
            b'u' => (Kind::Named, count(&[1], 1, 2)?, 2),
            _ => return Err(format!("bad conversion character %{}", shown(2))),
        },
        _ => return Err(format!("bad conversion character %{}", shown(1))),
    })
}

/// Fills units up to the block and returns its length.
pub(super) fn fit(lines: &mut [Line]) -> usize {
    let length = |line: &Line| {
        line.units
            .iter()
            .map(|unit| unit.bytes.saturating_mul(unit.repeats))
            .fold(0_usize, usize::saturating_add)
    };
    let block = lines.iter().map(length).max().unwrap_or(0);
    for line in lines {
        let own = length(line);
        if let Some(last) = line.units.last_mut()
            && own < block
            && !last.is_counted
            && last.bytes > 0
        {
            last.repeats += (block - own) / last.bytes;
        }
        for unit in &mut line.units {
            if unit.repeats > 1
                && let Some(part) = unit.parts.last_mut()
                && part.kind == Kind::Text
            {
                part.drops_blank = part.before.last().is_some_and(u8::is_ascii_whitespace);
            }
        }
    }
    block
}
