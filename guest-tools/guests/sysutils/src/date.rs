//! date: shows the time, or any time that a text or a file names.
//!
//! The clock of a hand is the host's: it cannot be set.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use gnu_options::named::{self, Item, Order};

use crate::quoting::curly;
use crate::report::{self, complain, reason, usage};
use crate::system::{self, Moment};
use crate::{clock, quoting};

const SPECIFICATION: &str = "d/date= debug f/file= I/iso-8601=? r/reference= R/rfc-email resolution rfc-3339= s/set= u/utc uct universal rfc-822 rfc-2822";

const HELP: &str = "Usage: date [OPTION]... [+FORMAT]
Display the time, or the time that -d, -f or -r names, in the given FORMAT.

  -d, --date=STRING         the time described by STRING, not 'now'
  -f, --file=DATEFILE       as --date, once for each line of DATEFILE
  -I[FMT], --iso-8601[=FMT] in ISO 8601 format: 'date' (the default), 'hours', 'minutes', 'seconds', 'ns'
  -r, --reference=FILE      the time FILE was last changed
  -R, --rfc-email           in the format of RFC 5322
      --rfc-3339=FMT        in the format of RFC 3339: 'date', 'seconds', 'ns'
  -u, --utc, --universal    in Coordinated Universal Time
";

/// What is asked for.
#[derive(Default)]
struct Wish {
    text: Option<String>,
    lines_of: Option<String>,
    reference: Option<String>,
    set: Option<String>,
    format: Option<String>,
    resolution: bool,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut wish = Wish::default();
    let mut operands = Vec::new();
    for item in items {
        let format = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option(name, value) => match wish.option(name, value) {
                Ok(format) => format,
                Err((option, value, valid)) => {
                    return invalid_argument(program, option, &value, valid);
                }
            },
        };
        if let Some(format) = format
            && wish.format.replace(format.to_owned()).is_some()
        {
            complain(program, "multiple output formats specified");
            return 1;
        }
    }
    match wish.check(&operands) {
        Ok(()) => wish.show(program),
        Err((message, true)) => usage(program, message, 1),
        Err((message, false)) => {
            complain(program, message);
            1
        }
    }
}

/// An option, a value that it does not take, and those that it takes.
type Invalid = (&'static str, String, &'static [&'static str]);

impl Wish {
    /// Takes an option; returns the format that it asks for.
    fn option(
        &mut self,
        name: &str,
        value: Option<String>,
    ) -> Result<Option<&'static str>, Invalid> {
        const PRECISIONS: &[&str] = &["hours", "minutes", "date", "seconds", "ns"];
        match name {
            "date" => self.text = value,
            "file" => self.lines_of = value,
            "reference" => self.reference = value,
            "set" => self.set = value,
            "resolution" => self.resolution = true,
            "utc" | "universal" | "uct" => clock::use_utc(),
            "rfc-email" | "rfc-822" | "rfc-2822" => {
                return Ok(Some("%a, %d %b %Y %H:%M:%S %z"));
            }
            "iso-8601" => {
                let value = value.unwrap_or_else(|| "date".to_owned());
                return match chosen(&value, PRECISIONS) {
                    Some("hours") => Ok(Some("%Y-%m-%dT%H%:z")),
                    Some("minutes") => Ok(Some("%Y-%m-%dT%H:%M%:z")),
                    Some("date") => Ok(Some("%Y-%m-%d")),
                    Some("seconds") => Ok(Some("%Y-%m-%dT%H:%M:%S%:z")),
                    Some(_) => Ok(Some("%Y-%m-%dT%H:%M:%S,%N%:z")),
                    None => Err(("--iso-8601", value, PRECISIONS)),
                };
            }
            "rfc-3339" => {
                const PRECISIONS: &[&str] = &["date", "seconds", "ns"];
                let value = value.unwrap_or_default();
                return match chosen(&value, PRECISIONS) {
                    Some("date") => Ok(Some("%Y-%m-%d")),
                    Some("seconds") => Ok(Some("%Y-%m-%d %H:%M:%S%:z")),
                    Some(_) => Ok(Some("%Y-%m-%d %H:%M:%S.%N%:z")),
                    None => Err(("--rfc-3339", value, PRECISIONS)),
                };
            }
            _ => {}
        }
        Ok(None)
    }

    /// Checks what stands together. The flag of an error says whether the usage is the matter.
    fn check(&mut self, operands: &[String]) -> Result<(), (String, bool)> {
        let sources = [
            self.text.is_some(),
            self.lines_of.is_some(),
            self.reference.is_some(),
            self.resolution,
        ];
        if sources.iter().filter(|given| **given).count() > 1 {
            let text = "the options to specify dates for printing are mutually exclusive";
            return Err((text.to_owned(), true));
        }
        if self.set.is_some() && sources.contains(&true) {
            let text = "the options to print and set the time may not be used together";
            return Err((text.to_owned(), true));
        }
        let Some(first) = operands.first() else {
            return Ok(());
        };
        if let Some(second) = operands.get(1) {
            return Err((format!("extra operand {}", curly(second)), true));
        }
        if let Some(format) = first.strip_prefix('+') {
            if self.format.replace(format.to_owned()).is_some() {
                return Err(("multiple output formats specified".to_owned(), false));
            }
            return Ok(());
        }
        if self.set.is_some() || sources.contains(&true) {
            let text = format!(
                "the argument {} lacks a leading '+';\nwhen using an option to specify date(s), any non-option\nargument must be a format string beginning with '+'",
                curly(first)
            );
            return Err((text, true));
        }
        let is_time =
            matches!(first.len(), 8 | 10 | 12) && first.bytes().all(|byte| byte.is_ascii_digit());
        if is_time {
            self.set = Some(String::new());
            return Ok(());
        }
        Err((format!("invalid date {}", curly(first)), false))
    }

    fn format(&self) -> &str {
        match &self.format {
            Some(format) => format,
            None if self.resolution => "%s.%N",
            None => "%a %b %e %H:%M:%S %Z %Y",
        }
    }

    fn show(&self, program: &str) -> u8 {
        let now = clock::now();
        if let Some(name) = &self.lines_of {
            return self.show_lines(program, name, now);
        }
        let moment = if let Some(name) = &self.reference {
            match system::stat(Path::new(name), true) {
                Ok(stat) => stat.modified,
                Err(error) => {
                    let name = quoting::shell(name);
                    complain(program, format_args!("{name}: {}", reason(&error)));
                    return 1;
                }
            }
        } else if self.resolution {
            Moment {
                seconds: 0,
                nanoseconds: 1,
            }
        } else {
            let text = self.text.as_ref().or(self.set.as_ref());
            match text {
                None => now,
                Some(text) => match clock::parse(text, now) {
                    Some(moment) => moment,
                    None => {
                        complain(program, format_args!("invalid date {}", curly(text)));
                        return 1;
                    }
                },
            }
        };
        let mut status = 0;
        if self.set.is_some() {
            complain(program, "cannot set date: Operation not permitted");
            status = 1;
        }
        let written = writeln!(io::stdout(), "{}", clock::show(moment, self.format()));
        report::finish(program, written).max(status)
    }

    fn show_lines(&self, program: &str, name: &str, now: Moment) -> u8 {
        let input: Box<dyn BufRead> = if name == "-" {
            Box::new(io::stdin().lock())
        } else {
            match File::open(name) {
                Ok(file) => Box::new(BufReader::new(file)),
                Err(error) => {
                    let name = quoting::shell(name);
                    complain(program, format_args!("{name}: {}", reason(&error)));
                    return 1;
                }
            }
        };
        let mut status = 0;
        let mut out = io::stdout().lock();
        for line in input.split(b'\n') {
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    complain(program, format_args!("read error: {}", reason(&error)));
                    return 1;
                }
            };
            let line = String::from_utf8_lossy(&line);
            match clock::parse(&line, now) {
                Some(moment) => {
                    if let Err(error) = writeln!(out, "{}", clock::show(moment, self.format())) {
                        return report::finish(program, Err(error));
                    }
                }
                None => {
                    complain(program, format_args!("invalid date {}", curly(&line)));
                    status = 1;
                }
            }
        }
        drop(out);
        report::finish(program, Ok(())).max(status)
    }
}

/// Returns the one word that `text` is or begins.
fn chosen(text: &str, words: &[&'static str]) -> Option<&'static str> {
    let mut possible = words.iter().filter(|word| word.starts_with(text));
    let exact = words.iter().find(|word| **word == text);
    let first = possible.next()?;
    match (exact, possible.next()) {
        (Some(exact), _) => Some(exact),
        (None, None) => Some(first),
        (None, Some(_)) => None,
    }
}

fn invalid_argument(program: &str, option: &str, value: &str, valid: &[&str]) -> u8 {
    let is_ambiguous = valid.iter().filter(|word| word.starts_with(value)).count() > 1;
    let mut message = format!(
        "{} argument {} for {}\nValid arguments are:",
        if is_ambiguous { "ambiguous" } else { "invalid" },
        curly(value),
        curly(option)
    );
    for word in valid {
        message.push_str(&format!("\n  - {}", curly(word)));
    }
    usage(program, message, 1)
}
