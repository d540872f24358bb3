//! Functions on text: `index`, `substr`, `match`, `split`, `patsplit`.

use crate::Error;
use crate::builtin::Builtin;
use crate::op::Special;
use crate::split::{Progress, Splitter};
use crate::text::{advance_characters, count_characters};
use crate::value::Value;

use super::Machine;

impl Machine {
    /// Returns the regular expression that a value stands for.
    pub(super) fn regex_of(&mut self, pattern: &Value) -> Result<posix_regex::Regex, Error> {
        if let Value::Regex(place) = pattern {
            let program = self.code();
            return self
                .regexes
                .constant(*place, &program.regexes)
                .map_err(|message| self.fatal(&message));
        }
        let format = std::mem::take(&mut self.settings.number_format);
        let regex = pattern.with_bytes(&format, |pattern| self.regexes.dynamic(pattern));
        self.settings.number_format = format;
        regex.map_err(|message| self.fatal(&message))
    }

    pub(super) fn dynamic_regex(&mut self, pattern: &[u8]) -> Result<posix_regex::Regex, Error> {
        self.regexes
            .dynamic(pattern)
            .map_err(|message| self.fatal(&message))
    }

    pub(super) fn index(&self, text: &Value, part: &Value) -> Value {
        let format = &self.settings.number_format;
        let ignore_case = self.regexes.ignores_case();
        let place = text.with_bytes(format, |text| {
            part.with_bytes(format, |part| {
                let found = if ignore_case {
                    memchr::memmem::find(&text.to_ascii_lowercase(), &part.to_ascii_lowercase())
                } else {
                    memchr::memmem::find(text, part)
                };
                found.map_or(0, |found| {
                    count_characters(text.get(..found).unwrap_or_default()) + 1
                })
            })
        });
        Value::Number(place as f64)
    }

    pub(super) fn substr(&self, text: &Value, rest: &[Value]) -> Value {
        let start = rest.first().map_or(1.0, Value::number);
        let length = rest.get(1).map_or(f64::INFINITY, Value::number);
        // As gawk: a start before the text is its begin, and the length counts from there.
        let start = if start >= 1.0 {
            start.trunc() - 1.0
        } else {
            0.0
        };
        if length < 1.0 || length.is_nan() {
            return Value::text(b"");
        }
        let (skip, take) = (start as usize, length as usize);
        text.with_bytes(&self.settings.number_format, |bytes| {
            let (begin, end) = if bytes.is_ascii() {
                let begin = skip.min(bytes.len());
                (begin, begin.saturating_add(take).min(bytes.len()))
            } else {
                let begin = advance_characters(bytes, 0, skip);
                (begin, advance_characters(bytes, begin, take))
            };
            Value::text(bytes.get(begin..end).unwrap_or_default())
        })
    }

    pub(super) fn match_function(&mut self, arguments: &[Value]) -> Result<Value, Error> {
        let [text, pattern, rest @ ..] = arguments else {
            return Ok(Value::Empty);
        };
        let regex = self.regex_of(pattern)?;
        let bytes = text.to_bytes(&self.settings.number_format);
        let place = |at: usize| count_characters(bytes.get(..at).unwrap_or_default()) as f64 + 1.0;
        let length = |begin: usize, end: usize| {
            count_characters(bytes.get(begin..end).unwrap_or_default()) as f64
        };
        let mut found = None;
        if let Some(Value::Array(array)) = rest.first() {
            let captures = regex.captures_at(&bytes, 0);
            let mut array = array.borrow_mut();
            array.clear();
            for (number, group) in captures.iter().flatten().enumerate() {
                let Some((begin, end)) = *group else { continue };
                if number == 0 {
                    found = Some((begin, end));
                }
                let name = number.to_string();
                let key = |what: &str| {
                    let mut key = name.clone().into_bytes();
                    key.extend_from_slice(&self.settings.key_separator);
                    key.extend_from_slice(what.as_bytes());
                    key
                };
                array.set(
                    name.as_bytes(),
                    Value::input(bytes.get(begin..end).unwrap_or_default()),
                );
                array.set(&key("start"), Value::Number(place(begin)));
                array.set(&key("length"), Value::Number(length(begin, end)));
            }
        } else {
            found = regex.find_at(&bytes, 0);
        }
        let (start, count) = found.map_or((0.0, -1.0), |(begin, end)| {
            (place(begin), length(begin, end))
        });
        self.set_slot(Special::Rstart, Value::Number(start));
        self.set_slot(Special::Rlength, Value::Number(count));
        Ok(Value::Number(start))
    }

    pub(super) fn split(&mut self, builtin: Builtin, arguments: &[Value]) -> Result<Value, Error> {
        let [text, Value::Array(array), rest @ ..] = arguments else {
            return Ok(Value::Empty);
        };
        let bytes = text.to_bytes(&self.settings.number_format);
        let splitter = match (builtin, rest.first()) {
            (Builtin::Patsplit, Some(pattern)) => Splitter::Content(self.regex_of(pattern)?),
            (Builtin::Patsplit, None) => {
                let pattern = self.global_bytes(Special::Fpat);
                Splitter::Content(self.dynamic_regex(&pattern)?)
            }
            (_, Some(pattern @ Value::Regex(place))) => {
                // `/ /` is a regular expression, not the default; `/,/` is the byte.
                let source = self
                    .program
                    .regexes
                    .get(*place as usize)
                    .cloned()
                    .unwrap_or_default();
                match source.as_slice() {
                    [byte] if byte.is_ascii_punctuation() && !b".[]()*+?{}|^$\\".contains(byte) => {
                        Splitter::Byte(*byte)
                    }
                    _ => Splitter::Regex(self.regex_of(pattern)?),
                }
            }
            (_, Some(separator)) => {
                let separator = separator.to_bytes(&self.settings.number_format);
                self.splitter_of(&separator, false)?
            }
            (_, None) => {
                let separator = self.global_bytes(Special::Fs);
                self.splitter_of(&separator, false)?
            }
        };
        let mut progress = Progress::default();
        progress.advance(&splitter, &bytes, usize::MAX);
        let (pairs, _) = progress.bounds.as_chunks::<2>();
        if let Some(Value::Array(separators)) = rest.get(1) {
            let mut separators = separators.borrow_mut();
            separators.clear();
            let mut from = 0;
            for (number, [begin, end]) in pairs.iter().enumerate() {
                let between = bytes
                    .get(from as usize..*begin as usize)
                    .unwrap_or_default();
                // What stands before the first field counts where it is no separator.
                if number > 0
                    || builtin == Builtin::Patsplit
                    || matches!(splitter, Splitter::Blanks) && !between.is_empty()
                {
                    separators.set(number.to_string().as_bytes(), Value::text(between));
                }
                from = *end;
            }
            let behind = bytes.get(from as usize..).unwrap_or_default();
            if builtin == Builtin::Patsplit
                || matches!(splitter, Splitter::Blanks) && !behind.is_empty()
            {
                separators.set(pairs.len().to_string().as_bytes(), Value::text(behind));
            }
        }
        let mut array = array.borrow_mut();
        array.clear();
        for (number, [begin, end]) in pairs.iter().enumerate() {
            let field = bytes
                .get(*begin as usize..*end as usize)
                .unwrap_or_default();
            array.set(
                itoa::Buffer::new().format(number + 1).as_bytes(),
                Value::input(field),
            );
        }
        Ok(Value::Number(pairs.len() as f64))
    }
}
