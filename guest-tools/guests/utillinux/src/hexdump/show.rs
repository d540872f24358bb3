//! Blocks through formats.

use std::io::{self, Write};

use super::format::{Kind, Line, Part};
use super::input::{Blocks, Next};

/// Shows everything.
pub(super) fn all(lines: &[Line], source: &mut Blocks, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    loop {
        match source.next()? {
            Next::Repeats => text.extend_from_slice(b"*\n"),
            Next::Block { address, end } => {
                for line in lines {
                    block(line, source.bytes(), address, end, &mut text);
                }
            }
            Next::End(0) => return Ok(()),
            Next::End(end) => {
                // The last of several ends counts.
                let unit = lines
                    .iter()
                    .flat_map(|line| &line.units)
                    .rfind(|unit| unit.is_end);
                for part in unit.into_iter().flat_map(|unit| &unit.parts) {
                    text.extend_from_slice(&part.before);
                    if let Kind::Address(base) = part.kind {
                        place(part, base, end, &mut text);
                    }
                }
                return out.write_all(&text);
            }
        }
        out.write_all(&text)?;
        text.clear();
    }
}

fn block(line: &Line, bytes: &[u8], start: u64, end: Option<u64>, out: &mut Vec<u8>) {
    let mut at = 0;
    for unit in &line.units {
        if unit.is_end {
            break;
        }
        for repeat in 1..=unit.repeats {
            for part in &unit.parts {
                let address = start + at as u64;
                let text = match part.before.split_last() {
                    Some((_, rest)) if part.drops_blank && repeat == unit.repeats => rest,
                    _ => &part.before,
                };
                out.extend_from_slice(text);
                if part.kind == Kind::Text {
                    continue;
                }
                if end.is_some_and(|end| address >= end) {
                    part.shape.blank(out);
                } else {
                    let own = bytes.get(at..at + part.bytes).unwrap_or(&[]);
                    show(part, own, address, out);
                }
                at += part.bytes;
            }
        }
    }
}

fn place(part: &Part, base: u8, address: u64, out: &mut Vec<u8>) {
    let letter = match base {
        8 => b'o',
        10 => b'd',
        _ => b'x',
    };
    part.shape.integer(out, i128::from(address), letter);
}

fn show(part: &Part, bytes: &[u8], address: u64, out: &mut Vec<u8>) {
    let shape = &part.shape;
    let first = bytes.first().copied().unwrap_or(0);
    match part.kind {
        Kind::Text => {}
        Kind::Address(base) => place(part, base, address, out),
        Kind::Byte => shape.byte(out, first),
        Kind::Escaped => escaped(part, first, out),
        Kind::Printable => shape.byte(
            out,
            if (32..127).contains(&first) {
                first
            } else {
                b'.'
            },
        ),
        Kind::Named => match NAMES.get(usize::from(first)) {
            Some(name) => shape.text(out, name.as_bytes()),
            None if first == 127 => shape.text(out, b"del"),
            None if first < 127 => shape.byte(out, first),
            None => shape.text(out, format!("{first:02x}").as_bytes()),
        },
        Kind::Unsigned(letter) => shape.integer(out, i128::from(unsigned(bytes)), letter),
        Kind::Signed(letter) => {
            let bits = 64 - 8 * bytes.len().min(8);
            let number = unsigned(bytes)
                .checked_shl(u32::try_from(bits).unwrap_or(0))
                .unwrap_or(0)
                .cast_signed()
                >> bits.min(63);
            shape.integer(out, i128::from(number), letter);
        }
        Kind::Float(letter) => {
            let number = match bytes.len() {
                4 => f64::from(f32::from_bits(u32::try_from(unsigned(bytes)).unwrap_or(0))),
                _ => f64::from_bits(unsigned(bytes)),
            };
            shape.float(out, number, letter);
        }
        Kind::String => {
            let end = bytes
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(bytes.len());
            shape.text(out, bytes.get(..end).unwrap_or(bytes));
        }
    }
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn escaped(part: &Part, byte: u8, out: &mut Vec<u8>) {
    let text = match byte {
        0 => "\\0",
        7 => "\\a",
        8 => "\\b",
        12 => "\\f",
        b'\n' => "\\n",
        b'\r' => "\\r",
        b'\t' => "\\t",
        11 => "\\v",
        32..=126 => return part.shape.byte(out, byte),
        _ => return part.shape.text(out, format!("{byte:03o}").as_bytes()),
    };
    part.shape.text(out, text.as_bytes());
}

/// The control characters by number.
const NAMES: [&str; 32] = [
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "lf", "vt", "ff", "cr",
    "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc",
    "fs", "gs", "rs", "us",
];
