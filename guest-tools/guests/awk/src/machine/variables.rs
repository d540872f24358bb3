//! Special variables: their values at the start and what an assignment to one changes.

use std::rc::Rc;

use crate::Error;
use crate::input::Separator;
use crate::lexer::unescape;
use crate::op::{SPECIALS, Special};
use crate::split::Splitter;
use crate::value::Value;

use super::Machine;

impl Machine {
    /// Gives all special variables their first values.
    pub(crate) fn set_up(
        &mut self,
        arguments: &[String],
        environment: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) {
        for (special, text) in [
            (Special::Fs, " "),
            (Special::Rs, "\n"),
            (Special::Ofs, " "),
            (Special::Ors, "\n"),
            (Special::Subsep, "\x1c"),
            (Special::Convfmt, "%.6g"),
            (Special::Ofmt, "%.6g"),
            (Special::Fpat, "[^[:space:]]+"),
        ] {
            self.set_slot(special, Value::text(text.as_bytes()));
        }
        for (special, number) in [
            (Special::Ignorecase, 0.0),
            (Special::Rstart, 0.0),
            (Special::Rlength, -1.0),
            (Special::Argind, 0.0),
        ] {
            self.set_slot(special, Value::Number(number));
        }
        for special in [Special::Fieldwidths, Special::Rt, Special::Errno] {
            self.set_slot(special, Value::text(b""));
        }
        self.set_slot(Special::Argc, Value::Number(arguments.len() as f64));
        let mut argv = crate::array::Array::default();
        for (place, argument) in arguments.iter().enumerate() {
            argv.set(
                place.to_string().as_bytes(),
                Value::input(argument.as_bytes()),
            );
        }
        self.set_slot(Special::Argv, Value::Array(Rc::new(argv.into())));
        let mut environ = crate::array::Array::default();
        for (name, value) in environment {
            environ.set(&name, Value::input(&value));
        }
        self.set_slot(Special::Environ, Value::Array(Rc::new(environ.into())));
        let mut procinfo = crate::array::Array::default();
        procinfo.set(b"version", Value::text(b"5.2.1"));
        procinfo.set(b"FS", Value::text(b"FS"));
        procinfo.set(b"platform", Value::text(b"posix"));
        procinfo.set(b"strftime", Value::text(b"%a %b %e %H:%M:%S %Z %Y"));
        self.set_slot(Special::Procinfo, Value::Array(Rc::new(procinfo.into())));
    }

    /// Assigns a variable by its name, as `-v` and arguments do: escapes are replaced, and it is input.
    pub(crate) fn assign_by_name(&mut self, name: &str, text: &[u8]) -> Result<(), Error> {
        let mut value = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            if *byte == b'\\' {
                let used = unescape(rest, &mut value);
                rest = rest.get(used..).unwrap_or_default();
            } else {
                value.push(*byte);
            }
        }
        let value = Value::input(&value);
        if self.function_of(name).is_some() {
            return Err(Error::fatal(format!(
                "fatal: cannot use function name `{name}' as variable name"
            )));
        }
        if let Some((_, special)) = SPECIALS.iter().find(|special| special.0 == name) {
            if special.has_effect() {
                return self.set_special(*special, value);
            }
            self.set_slot(*special, value);
            return Ok(());
        }
        // A name that the program does not use cannot be seen.
        if let Some(slot) = self.program.globals.get(name)
            && let Some(place) = self.globals.get_mut(*slot as usize)
        {
            if let Value::Array(_) = place {
                return Err(self.array_as_scalar(name));
            }
            *place = value;
        }
        Ok(())
    }

    /// Sets a special variable and carries out what follows from it.
    pub(super) fn set_special(&mut self, special: Special, value: Value) -> Result<(), Error> {
        let bytes = value.to_bytes(&self.settings.number_format);
        let number = value.number();
        let is_true = value.is_true();
        match special {
            Special::Nf => {
                if number < 0.0 {
                    return Err(self.fatal("NF set to negative value"));
                }
                let count = self.field_number(number)?;
                self.record.set_count(count);
                return Ok(());
            }
            Special::Nr => {
                self.record_number = number.trunc();
                return Ok(());
            }
            Special::Fnr => {
                self.file_record_number = number.trunc();
                return Ok(());
            }
            _ => self.set_slot(special, value),
        }
        match special {
            Special::Ofs => {
                // The record shows the separator that held when its field was assigned.
                self.refresh_record();
                self.settings.output_separator = bytes;
            }
            Special::Ors => self.settings.record_end = bytes,
            Special::Subsep => self.settings.key_separator = bytes,
            Special::Convfmt => self.settings.number_format = bytes,
            Special::Ofmt => self.settings.print_format = bytes,
            Special::Fs | Special::Fpat | Special::Fieldwidths => {
                self.settings.split_by = special;
                self.renew_splitter()?;
            }
            Special::Rs => {
                self.renew_separator()?;
                self.renew_splitter()?;
            }
            Special::Ignorecase => {
                self.regexes.set_ignore_case(is_true);
                self.renew_separator()?;
                self.renew_splitter()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn renew_separator(&mut self) -> Result<(), Error> {
        let text = self.global_bytes(Special::Rs);
        self.settings.separator = match text.as_slice() {
            b"\n" => Separator::Newline,
            [] => Separator::Paragraph,
            [byte] if !(self.regexes.ignores_case() && byte.is_ascii_alphabetic()) => {
                Separator::Byte(*byte)
            }
            b"^$" => Separator::Never,
            pattern => Separator::Regex(self.dynamic_regex(pattern)?),
        };
        Ok(())
    }

    /// The current record keeps its way of splitting; the next one has the new one.
    fn renew_splitter(&mut self) -> Result<(), Error> {
        let is_paragraph = matches!(self.settings.separator, Separator::Paragraph);
        let splitter = match self.settings.split_by {
            Special::Fpat => {
                let pattern = self.global_bytes(Special::Fpat);
                Splitter::Content(self.dynamic_regex(&pattern)?)
            }
            Special::Fieldwidths => Splitter::Widths(self.widths()?),
            _ => {
                let text = self.global_bytes(Special::Fs);
                self.splitter_of(&text, is_paragraph)?
            }
        };
        self.settings.splitter = Rc::new(splitter);
        Ok(())
    }

    fn widths(&self) -> Result<Vec<(usize, Option<usize>)>, Error> {
        let text = self.global_bytes(Special::Fieldwidths);
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut widths = Vec::new();
        for part in text.split_whitespace() {
            let (skip, take) = part.split_once(':').unwrap_or(("0", part));
            let take = if take == "*" {
                Ok(None)
            } else {
                take.parse().map(Some)
            };
            match (skip.parse(), take) {
                (Ok(skip), Ok(take)) => widths.push((skip, take)),
                _ => {
                    let what = format!(
                        "invalid FIELDWIDTHS value, for field {}, near `{part}'",
                        widths.len() + 1
                    );
                    return Err(self.fatal(&what));
                }
            }
        }
        Ok(widths)
    }

    /// Returns how a separator, FS or that of `split`, splits.
    pub(super) fn splitter_of(
        &mut self,
        text: &[u8],
        is_paragraph: bool,
    ) -> Result<Splitter, Error> {
        Ok(match text {
            b" " => Splitter::Blanks,
            [] => Splitter::Characters,
            [byte] if !(self.regexes.ignores_case() && byte.is_ascii_alphabetic()) => {
                if is_paragraph {
                    Splitter::Bytes(*byte, b'\n')
                } else {
                    Splitter::Byte(*byte)
                }
            }
            pattern if is_paragraph => {
                let mut both = vec![b'('];
                both.extend_from_slice(pattern);
                both.extend_from_slice(b")|\n");
                Splitter::Regex(self.dynamic_regex(&both)?)
            }
            pattern => Splitter::Regex(self.dynamic_regex(pattern)?),
        })
    }
}
