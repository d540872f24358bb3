//! The functions of the language: the numeric ones here, the others by topic beside.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Error;
use crate::builtin::Builtin;
use crate::value::Value;

use super::Machine;

/// The largest whole number that the bit functions take: what a double holds exactly.
const BITS_MAX: f64 = 9_007_199_254_740_992.0;

impl Machine {
    /// Calls a function of the language on the values on top of the stack.
    pub(super) fn call_builtin(&mut self, builtin: Builtin, count: usize) -> Result<(), Error> {
        // The most frequent ones take one value and give one.
        let from = self.stack.len().saturating_sub(count);
        let result = match builtin {
            Builtin::Sprintf => Value::text(&self.formatted(count)?),
            _ => {
                let mut arguments: smallvec::SmallVec<[Value; 4]> =
                    self.stack.drain(from..).collect();
                self.builtin(builtin, &mut arguments)?
            }
        };
        self.push(result);
        Ok(())
    }

    fn builtin(&mut self, builtin: Builtin, arguments: &mut [Value]) -> Result<Value, Error> {
        match (builtin, &mut *arguments) {
            (Builtin::Length, [Value::Array(array)]) => {
                Ok(Value::Number(array.borrow().len() as f64))
            }
            (Builtin::Length, [value]) => {
                let format = &self.settings.number_format;
                Ok(Value::Number(
                    value.with_bytes(format, crate::text::count_characters) as f64,
                ))
            }
            (Builtin::Isarray, [value]) => Ok(Value::truth(matches!(value, Value::Array(_)))),
            (Builtin::Typeof, [value, ..]) => Ok(Value::text(type_of(value).as_bytes())),
            (Builtin::Asort | Builtin::Asorti, arguments) => self.sort(builtin, arguments),
            (Builtin::Split | Builtin::Patsplit, arguments) => self.split(builtin, arguments),
            (Builtin::Match, arguments) => self.match_function(arguments),
            (Builtin::Gensub, arguments) => self.gensub(arguments),
            (Builtin::Index, [text, part]) => Ok(self.index(text, part)),
            (Builtin::Substr, [text, rest @ ..]) => Ok(self.substr(text, rest)),
            (Builtin::Tolower | Builtin::Toupper, [text]) => {
                let format = &self.settings.number_format;
                let upper = builtin == Builtin::Toupper;
                Ok(Value::text(&text.with_bytes(format, |text| {
                    crate::text::change_case(text, upper)
                })))
            }
            (Builtin::Close | Builtin::Fflush | Builtin::System, arguments) => {
                self.streams_function(builtin, arguments)
            }
            (Builtin::Strftime | Builtin::Mktime | Builtin::Systime, arguments) => {
                self.time_function(builtin, arguments)
            }
            (_, arguments) => self.numeric(builtin, arguments),
        }
    }

    fn numeric(&mut self, builtin: Builtin, arguments: &[Value]) -> Result<Value, Error> {
        let first = arguments.first().map_or(0.0, Value::number);
        let second = arguments.get(1).map_or(0.0, Value::number);
        Ok(Value::Number(match builtin {
            Builtin::Atan2 => first.atan2(second),
            Builtin::Cos => first.cos(),
            Builtin::Sin => first.sin(),
            Builtin::Exp => {
                let result = first.exp();
                if result.is_infinite() && first.is_finite() {
                    self.warn(&format!("exp: argument {} is out of range", shown(first)));
                }
                result
            }
            Builtin::Int => first.trunc(),
            Builtin::Log => {
                if first < 0.0 {
                    self.warn(&format!("log: received negative argument {}", shown(first)));
                    return Ok(Value::Number(f64::NAN.copysign(-1.0)));
                }
                first.ln()
            }
            Builtin::Sqrt => {
                if first < 0.0 {
                    self.warn(&format!(
                        "sqrt: called with negative argument {}",
                        shown(first)
                    ));
                    return Ok(Value::Number(f64::NAN.copysign(-1.0)));
                }
                first.sqrt()
            }
            Builtin::Rand => self.random.next(),
            Builtin::Srand => {
                let seed = match arguments.first() {
                    Some(value) => value.number(),
                    None => now().trunc(),
                };
                self.random.seed(seed)
            }
            Builtin::Mkbool => f64::from(u8::from(arguments.first().is_some_and(Value::is_true))),
            Builtin::Strtonum => {
                let Some(value) = arguments.first() else {
                    return Ok(Value::Number(0.0));
                };
                if let Some(bytes) = value.as_bytes() {
                    string_to_number(bytes)
                } else {
                    first
                }
            }
            _ => return self.bits(builtin, arguments),
        }))
    }

    fn bits(&mut self, builtin: Builtin, arguments: &[Value]) -> Result<Value, Error> {
        let mut numbers = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.iter().enumerate() {
            let number = argument.number();
            if number < 0.0 || number.is_nan() {
                let what = match builtin {
                    Builtin::Compl => {
                        format!("compl({}): negative value is not allowed", shown(number))
                    }
                    Builtin::Lshift | Builtin::Rshift => {
                        let (left, right) = (arguments.first(), arguments.get(1));
                        let number =
                            |value: Option<&Value>| shown(value.map_or(0.0, Value::number));
                        format!(
                            "{}({}, {}): negative values are not allowed",
                            builtin.name(),
                            number(left),
                            number(right)
                        )
                    }
                    _ => format!(
                        "{}: argument {} negative value {} is not allowed",
                        builtin.name(),
                        place + 1,
                        shown(number)
                    ),
                };
                return Err(self.fatal(&what));
            }
            numbers.push(number.trunc().min(u64::MAX as f64) as u64);
        }
        let first = numbers.first().copied().unwrap_or(0);
        let shift = numbers
            .get(1)
            .copied()
            .and_then(|shift| u32::try_from(shift).ok())
            .unwrap_or(u32::MAX);
        let rest = numbers.iter().skip(1);
        let result = match builtin {
            Builtin::And => rest.fold(first, |sum, number| sum & number),
            Builtin::Or => rest.fold(first, |sum, number| sum | number),
            Builtin::Xor => rest.fold(first, |sum, number| sum ^ number),
            Builtin::Lshift => first.checked_shl(shift).unwrap_or(0),
            Builtin::Rshift => first.checked_shr(shift).unwrap_or(0),
            _ => !first & (BITS_MAX as u64 - 1),
        };
        // Of what a double cannot hold, the low bits count.
        let kept = if result as f64 > BITS_MAX {
            result & (BITS_MAX as u64 - 1)
        } else {
            result
        };
        Ok(Value::Number(kept as f64))
    }

    fn streams_function(&mut self, builtin: Builtin, arguments: &[Value]) -> Result<Value, Error> {
        let format = &self.settings.number_format;
        let name = arguments.first().map(|value| value.to_bytes(format));
        let result = match (builtin, name) {
            (Builtin::System, Some(command)) => self.streams.system(&command),
            (Builtin::Close, Some(name)) => {
                let end = arguments.get(1).map(|value| value.to_bytes(format));
                self.streams
                    .close(&name, end.as_deref())
                    .map(|status| status.unwrap_or(-1.0))
            }
            (_, Some(name)) if !name.is_empty() => self
                .streams
                .flush(&name)
                .map(|found| if found { 0.0 } else { -1.0 }),
            _ => self.streams.flush_all().map(|()| 0.0),
        };
        result
            .map(Value::Number)
            .map_err(|message| self.fatal(&message))
    }

    fn time_function(&mut self, builtin: Builtin, arguments: &[Value]) -> Result<Value, Error> {
        let format = &self.settings.number_format;
        match builtin {
            Builtin::Mktime => {
                let text = arguments
                    .first()
                    .map(|value| value.to_bytes(format))
                    .unwrap_or_default();
                let is_utc = arguments.get(1).is_some_and(Value::is_true);
                Ok(Value::Number(crate::time::seconds(
                    &String::from_utf8_lossy(&text),
                    is_utc,
                )))
            }
            Builtin::Strftime => {
                let pattern = match arguments.first() {
                    Some(pattern) => pattern.to_bytes(format),
                    None => b"%a %b %e %H:%M:%S %Z %Y".to_vec(),
                };
                let seconds = arguments.get(1).map_or_else(now, Value::number);
                let is_utc = arguments.get(2).is_some_and(Value::is_true);
                Ok(Value::text(&crate::time::format(
                    &pattern,
                    seconds.floor() as i64,
                    is_utc,
                )))
            }
            _ => Ok(Value::Number(now().trunc())),
        }
    }
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

fn shown(number: f64) -> String {
    let mut text = Vec::new();
    crate::number::append(&mut text, number, b"%.6g");
    String::from_utf8_lossy(&text).into_owned()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Empty => "untyped",
        Value::Number(_) => "number",
        Value::Text(_) => "string",
        Value::Input(_) | Value::Slice(..) => {
            if value.as_number().is_some() {
                "strnum"
            } else {
                "string"
            }
        }
        Value::Regex(_) => "regexp",
        Value::Array(_) => "array",
        Value::Keys(_) => "unassigned",
    }
}

/// Reads a number in C's notation: hexadecimal and octal too.
fn string_to_number(text: &[u8]) -> f64 {
    let trimmed = text.trim_ascii_start();
    let (is_negative, digits) = match trimmed.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, trimmed),
    };
    let magnitude = match crate::lexer::hexadecimal(digits) {
        Some((number, _)) => number,
        None if digits.first() == Some(&b'0')
            && digits
                .get(1)
                .is_some_and(|digit| (b'0'..=b'7').contains(digit))
            && !digits
                .iter()
                .take_while(|byte| !matches!(byte, b' ' | b'\n'))
                .any(|byte| matches!(byte, b'.' | b'e' | b'E' | b'8' | b'9')) =>
        {
            digits
                .iter()
                .take_while(|digit| (b'0'..=b'7').contains(*digit))
                .fold(0.0, |sum, digit| sum * 8.0 + f64::from(digit - b'0'))
        }
        None => return crate::number::parse_prefix(text).0,
    };
    if is_negative { -magnitude } else { magnitude }
}
