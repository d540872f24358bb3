//! Writing a format for its arguments.

use bstr::BString;

use super::argument::{self, Complaint, Read};
use super::format::{Amount, Conversion, Flags, Item};
use super::{Clock, Outcome};
use crate::echo::{self, After};
use crate::float::{self, Style};
use crate::{quote, time};

/// Bounds a width, which would otherwise take all memory with one argument.
const WIDTH_MAX: i64 = 1 << 28;

pub(super) fn run(
    items: &[Item],
    arguments: &[&[u8]],
    clock: &mut dyn Clock,
    output: &mut Vec<u8>,
) -> Outcome {
    let start = output.len();
    let mut writer = Writer {
        arguments,
        clock,
        output,
        start,
        outcome: Outcome::default(),
    };
    loop {
        let before = writer.arguments.len();
        for item in items {
            match item {
                Item::Text(text) => writer.output.extend_from_slice(text),
                Item::Wrong(message) => {
                    writer.complain(message.clone());
                    return writer.outcome;
                }
                Item::Conversion(conversion) => {
                    if writer.conversion(conversion) == After::Stop {
                        return writer.outcome;
                    }
                }
            }
        }
        // A format that takes no argument is written once.
        if writer.arguments.is_empty() || writer.arguments.len() == before {
            return writer.outcome;
        }
    }
}

/// The size of the buffer that bash gives a time, its terminator included.
const TIME_BYTES_MAX: usize = 128;

struct Writer<'a> {
    arguments: &'a [&'a [u8]],
    clock: &'a mut dyn Clock,
    output: &'a mut Vec<u8>,
    start: usize,
    outcome: Outcome,
}

/// Width and precision, their arguments read.
#[derive(Clone, Copy)]
struct Shape {
    flags: Flags,
    width: usize,
    precision: Option<usize>,
}

impl<'a> Writer<'a> {
    fn complain(&mut self, message: BString) {
        self.outcome.status = 1;
        self.outcome.diagnostics.push(message);
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let (first, rest) = self.arguments.split_first()?;
        self.arguments = rest;
        Some(first)
    }

    fn take<T>(&mut self, read: Read<T>) -> T {
        match &read.complaint {
            None => {}
            Some(complaint @ Complaint::Invalid(_)) => self.complain(complaint.message()),
            // A warning leaves the status alone.
            Some(complaint @ Complaint::Range(_)) => {
                self.outcome.diagnostics.push(complaint.message())
            }
        }
        read.value
    }

    fn integer(&mut self, is_unsigned: bool) -> i64 {
        match self.next() {
            None => 0,
            Some(text) => self.take(argument::integer(text, is_unsigned)),
        }
    }

    fn amount(&mut self, amount: Amount) -> Option<i64> {
        match amount {
            Amount::None => None,
            Amount::Fixed(value) => Some(value),
            Amount::Argument => Some(self.integer(false)),
        }
    }

    fn shape(&mut self, conversion: &Conversion) -> Shape {
        let mut flags = conversion.flags;
        let width = self.amount(conversion.width).unwrap_or_default();
        flags.is_left |= width < 0;
        let width = usize::try_from(width.saturating_abs().min(WIDTH_MAX)).unwrap_or_default();
        let precision = self
            .amount(conversion.precision)
            .and_then(|value| usize::try_from(value.min(WIDTH_MAX)).ok());
        Shape {
            flags,
            width,
            precision,
        }
    }

    fn conversion(&mut self, conversion: &Conversion) -> After {
        let shape = self.shape(conversion);
        match conversion.letter {
            b'd' | b'i' => {
                let value = self.integer(false);
                self.number(
                    &value.unsigned_abs().to_string(),
                    sign(value < 0, shape.flags),
                    shape,
                );
            }
            letter @ (b'u' | b'o' | b'x' | b'X') => {
                let value = self.integer(true).cast_unsigned();
                self.unsigned(letter, value, shape);
            }
            letter @ (b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A') => {
                self.float(letter, shape)
            }
            b'c' => {
                let text = self.next().unwrap_or_default();
                let text = text.get(..1).unwrap_or(b"\0");
                self.padded(text, shape);
            }
            b'b' => {
                let mut text = Vec::new();
                let after = echo::write_percent_b(self.next().unwrap_or_default(), &mut text);
                self.text(&text, shape);
                return after;
            }
            b'q' => {
                let text = quote::backslash(self.next().unwrap_or_default());
                self.text(&text, shape);
            }
            b'Q' => {
                let text = self.next().unwrap_or_default();
                let quoted = quote::backslash(cut(text, shape.precision));
                self.padded(&quoted, shape);
            }
            b'n' => {
                let written =
                    i64::try_from(self.output.len().saturating_sub(self.start)).unwrap_or(i64::MAX);
                if let Some(name) = self.next() {
                    self.outcome.stores.push((BString::from(name), written));
                }
            }
            b'T' => self.time(conversion, shape),
            _ => {
                let text = self.next().unwrap_or_default();
                self.text(text, shape);
            }
        }
        After::Continue
    }

    fn unsigned(&mut self, letter: u8, value: u64, shape: Shape) {
        let (mut digits, prefix) = match letter {
            b'o' => (format!("{value:o}"), ""),
            b'x' => (format!("{value:x}"), "0x"),
            b'X' => (format!("{value:X}"), "0X"),
            _ => (value.to_string(), ""),
        };
        let is_prefixed = shape.flags.is_alternate && value != 0;
        if is_prefixed
            && letter == b'o'
            && shape
                .precision
                .is_none_or(|precision| precision <= digits.len())
        {
            digits.insert(0, '0');
        }
        if letter == b'o' && shape.flags.is_alternate && value == 0 && shape.precision == Some(0) {
            self.padded(b"0", shape);
            return;
        }
        self.number(&digits, if is_prefixed { prefix } else { "" }, shape);
    }

    /// Writes an integer: the precision is the least number of digits, and switches the flag `0` off.
    fn number(&mut self, digits: &str, prefix: &str, shape: Shape) {
        let digits = if shape.precision == Some(0) && digits == "0" {
            ""
        } else {
            digits
        };
        let least = shape.precision.unwrap_or_default();
        let zeros = least.saturating_sub(digits.len());
        let has_zero = shape.flags.has_zero && shape.precision.is_none();
        let text = format!("{}{digits}", "0".repeat(zeros));
        self.signed(text.as_bytes(), prefix, has_zero, shape);
    }

    /// Writes a prefix and digits, filled up with zeros between them or blanks around them.
    fn signed(&mut self, digits: &[u8], prefix: &str, has_zero: bool, shape: Shape) {
        let missing = shape.width.saturating_sub(digits.len() + prefix.len());
        let is_zero = has_zero && !shape.flags.is_left;
        let fill =
            |byte: u8, wanted: bool| std::iter::repeat_n(byte, if wanted { missing } else { 0 });
        self.output
            .extend(fill(b' ', !is_zero && !shape.flags.is_left));
        self.output.extend_from_slice(prefix.as_bytes());
        self.output.extend(fill(b'0', is_zero));
        self.output.extend_from_slice(digits);
        self.output.extend(fill(b' ', shape.flags.is_left));
    }

    fn float(&mut self, letter: u8, shape: Shape) {
        let value = match self.next() {
            None => float::Extended::from_integer(0),
            Some(text) => self.take(argument::float(text)),
        };
        let style = Style {
            conversion: letter,
            precision: shape.precision,
            is_alternate: shape.flags.is_alternate,
        };
        let mut digits = Vec::new();
        float::write(value, style, &mut digits);
        let is_finite = matches!(value, float::Extended::Finite { .. });
        let mut prefix = sign(value.is_negative(), shape.flags).to_owned();
        if matches!(letter, b'a' | b'A') && is_finite {
            // Zeros go between `0x` and the digits.
            prefix.push_str(if letter == b'a' { "0x" } else { "0X" });
            digits.drain(..2.min(digits.len()));
        }
        self.signed(&digits, &prefix, shape.flags.has_zero && is_finite, shape);
    }

    fn time(&mut self, conversion: &Conversion, shape: Shape) {
        let seconds = match self.next() {
            None => -1,
            Some(text) => self.take(argument::integer(text, false)),
        };
        let seconds = match seconds {
            -1 => self.clock.now(),
            -2 => self.clock.started(),
            seconds => seconds,
        };
        let format = conversion
            .time
            .as_ref()
            .map_or(&b""[..], |format| format.as_slice());
        let format = if format.is_empty() { b"%X" } else { format };
        let zone = self.clock.time_zone();
        let mut text = Vec::new();
        time::write(
            format,
            seconds,
            zone.as_ref().map(|zone| zone.as_slice()),
            &mut text,
        );
        // What does not fit bash's buffer is nothing.
        if text.len() >= TIME_BYTES_MAX {
            text.clear();
        }
        self.text(&text, shape);
    }

    /// Writes text cut to the precision and filled up to the width, both in bytes.
    fn text(&mut self, text: &[u8], shape: Shape) {
        self.padded(cut(text, shape.precision), shape);
    }

    fn padded(&mut self, text: &[u8], shape: Shape) {
        let missing = shape.width.saturating_sub(text.len());
        let fill = |wanted: bool| std::iter::repeat_n(b' ', if wanted { missing } else { 0 });
        self.output.extend(fill(!shape.flags.is_left));
        self.output.extend_from_slice(text);
        self.output.extend(fill(shape.flags.is_left));
    }
}

fn sign(is_negative: bool, flags: Flags) -> &'static str {
    match (is_negative, flags.has_plus, flags.has_space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn cut(text: &[u8], precision: Option<usize>) -> &[u8] {
    precision
        .and_then(|precision| text.get(..precision))
        .unwrap_or(text)
}
