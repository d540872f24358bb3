//! strings: the printable texts in files, as binutils' finds them.

use std::io::{self, BufRead, BufWriter, Write};

use gnu_options::{Item, Takes};

use crate::{input, report};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "adfhHn:op:t:e:T:s:U:vVw0123456789",
    long: &[
        ("all", Takes::Nothing, 'a'),
        ("bytes", Takes::Argument, 'n'),
        ("data", Takes::Nothing, 'd'),
        ("encoding", Takes::Argument, 'e'),
        ("help", Takes::Nothing, 'h'),
        ("include-all-whitespace", Takes::Nothing, 'w'),
        ("output-separator", Takes::Argument, 's'),
        ("print-file-name", Takes::Nothing, 'f'),
        ("radix", Takes::Argument, 't'),
        ("target", Takes::Argument, 'T'),
        ("version", Takes::Nothing, 'V'),
    ],
};

struct Settings {
    least: usize,
    shows_name: bool,
    radix: Option<char>,
    /// Bytes of a character, and whether the high one comes first.
    width: usize,
    is_big: bool,
    takes_high: bool,
    takes_blanks: bool,
    separator: Option<String>,
}

impl Settings {
    fn is_graphic(&self, character: u32) -> bool {
        match character {
            9 | 32..=126 => true,
            10..=13 => self.takes_blanks,
            128..=255 => self.takes_high,
            _ => false,
        }
    }
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    let mut settings = Settings {
        least: 4,
        shows_name: false,
        radix: None,
        width: 1,
        is_big: false,
        takes_high: false,
        takes_blanks: false,
        separator: None,
    };
    let mut digits = String::new();
    let mut files = Vec::new();
    if let Some(error) = error {
        report::complain(program, error);
        return usage();
    }
    for item in items {
        let (letter, value) = match item {
            // A lone minus is an old way to say -a.
            Item::Operand(name) if name == "-" => continue,
            Item::Operand(name) => {
                files.push(name);
                continue;
            }
            Item::Option(letter, value, _) => (letter, value.unwrap_or_default()),
        };
        match letter {
            'f' => settings.shows_name = true,
            'h' | 'H' => return report::print(program, USAGE),
            'n' => digits = value,
            '0'..='9' => digits.push(letter),
            'o' => settings.radix = Some('o'),
            't' => match value.as_str() {
                "o" | "d" | "x" => settings.radix = value.chars().next(),
                _ => return usage(),
            },
            'e' => {
                let known = match value.as_str() {
                    "s" => (1, false, false),
                    "S" => (1, false, true),
                    "b" => (2, true, false),
                    "l" => (2, false, false),
                    "B" => (4, true, false),
                    "L" => (4, false, false),
                    _ => return usage(),
                };
                (settings.width, settings.is_big, settings.takes_high) = known;
            }
            's' => settings.separator = Some(value),
            'w' => settings.takes_blanks = true,
            'v' | 'V' => {
                return report::print(program, "GNU strings (Sinew, as GNU Binutils) 2.40\n");
            }
            // All of a file is always looked at.
            _ => {}
        }
    }
    if !digits.is_empty() {
        match digits.parse::<usize>() {
            Ok(least) if least > 0 => settings.least = least,
            Ok(_) => {
                report::complain(program, "invalid minimum string length 0");
                return 1;
            }
            Err(_) => {
                report::complain(program, format_args!("invalid integer argument {digits}"));
                return 1;
            }
        }
    }
    let is_filter = files.is_empty();
    if is_filter && arguments.iter().any(|word| word == "-") {
        return usage();
    }
    if is_filter {
        files.push("-".to_owned());
    }
    let mut status = 0;
    let mut out = BufWriter::with_capacity(input::CHUNK_BYTES, io::stdout().lock());
    for name in &files {
        let shown = if is_filter { "{standard input}" } else { name };
        let written = match open(name, is_filter) {
            Ok(mut source) => scan(&settings, shown, &mut *source, &mut out),
            Err(message) => {
                let _ = out.flush();
                report::complain(program, message);
                status = 1;
                continue;
            }
        };
        if let Err(error) = written {
            return report::finish(program, Err(error), 1);
        }
    }
    let written = out.flush();
    drop(out);
    report::finish(program, written, status)
}

fn usage() -> u8 {
    let _ = io::stderr().write_all(USAGE.as_bytes());
    1
}

fn open(name: &str, is_filter: bool) -> Result<Box<dyn BufRead>, String> {
    if is_filter {
        return input::open("-").map_err(|error| process::message(&error));
    }
    if let Ok(stat) = process::stat(name, true)
        && stat.kind == process::Kind::Directory
    {
        return Err(format!("Warning: '{name}' is a directory"));
    }
    input::file(name)
        .map(|file| {
            Box::new(io::BufReader::with_capacity(input::CHUNK_BYTES, file)) as Box<dyn BufRead>
        })
        .map_err(|error| match process::Errno::from(&error) {
            process::Errno::NoEntry => format!("'{name}': No such file"),
            _ => format!("{name}: {}", process::message(&error)),
        })
}

/// Characters of a file with the place where the next begins.
struct Characters<'a> {
    source: &'a mut dyn BufRead,
    width: usize,
    is_big: bool,
    place: u64,
    /// Bytes that were read and given back.
    returned: Vec<u8>,
    last: Vec<u8>,
}

impl Characters<'_> {
    fn next(&mut self) -> io::Result<Option<u32>> {
        let mut bytes = std::mem::take(&mut self.returned);
        while bytes.len() < self.width {
            let buffer = self.source.fill_buf()?;
            let Some(byte) = buffer.first().copied() else {
                return Ok(None);
            };
            self.source.consume(1);
            bytes.push(byte);
        }
        self.place += self.width as u64;
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        let character = if self.is_big {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        };
        self.last = bytes;
        Ok(Some(character))
    }

    /// Gives back all bytes of the last character but the first.
    fn give_back(&mut self) {
        if self.last.len() > 1 {
            self.returned = self.last.split_off(1);
            self.place -= self.returned.len() as u64;
        }
    }
}

fn scan(
    settings: &Settings,
    name: &str,
    source: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut characters = Characters {
        source,
        width: settings.width,
        is_big: settings.is_big,
        place: 0,
        returned: Vec::new(),
        last: Vec::new(),
    };
    let separator = settings.separator.as_deref().unwrap_or("\n");
    let mut run = Vec::new();
    let mut start = 0;
    loop {
        let character = characters.next()?;
        let graphic = character
            .filter(|character| settings.is_graphic(*character))
            .and_then(|character| u8::try_from(character).ok());
        let Some(byte) = graphic else {
            if run.len() > settings.least {
                out.write_all(separator.as_bytes())?;
            }
            if character.is_none() {
                return Ok(());
            }
            characters.give_back();
            run.clear();
            start = characters.place;
            continue;
        };
        // Long texts are written as they come: only their beginning is held.
        if run.len() > settings.least {
            out.write_all(&[byte])?;
            continue;
        }
        run.push(byte);
        if run.len() == settings.least {
            if settings.shows_name {
                write!(out, "{name}: ")?;
            }
            match settings.radix {
                Some('o') => write!(out, "{start:7o} ")?,
                Some('d') => write!(out, "{start:7} ")?,
                Some(_) => write!(out, "{start:7x} ")?,
                None => {}
            }
            out.write_all(&run)?;
            // One more says that it was written.
            run.push(0);
        }
    }
}

const USAGE: &str = "\
Usage: strings [option(s)] [file(s)]
 Display printable strings in [file(s)] (stdin by default)
  -a - --all                all of a file (always so)
  -f --print-file-name      the name before each string
  -n --bytes=<number>, -<number>   at least so many characters (4)
  -t --radix={o,d,x}        the place in base 8, 10 or 16
  -o                        the same as --radix=o
  -e --encoding={s,S,b,l,B,L}   7-bit, 8-bit, 16-bit (big, little), 32-bit (big, little)
  -w --include-all-whitespace   line ends too
  -s --output-separator=<string>
";
