//! xxd: dumps bytes in hexadecimal and other forms, and back.

use std::io::{self, BufRead, BufWriter, Read, Seek, SeekFrom, Write};

use crate::{input, report};

mod reverse;

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Hex,
    Little,
    Bits,
    Plain,
    Include,
}

/// What the options say.
struct Settings {
    form: Form,
    skips_zeros: bool,
    is_upper: bool,
    is_capital: bool,
    is_ebcdic: bool,
    is_decimal: bool,
    is_reverse: bool,
    columns: Option<usize>,
    group: Option<usize>,
    length: Option<u64>,
    name: Option<String>,
    shown_offset: i64,
    seek: i64,
    is_relative: bool,
}

/// More columns than this the original refuses too.
const COLUMNS_MAX: usize = 256;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (settings, operands) = match read(program, arguments) {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut operands = operands.into_iter();
    let source = operands.next().unwrap_or_else(|| "-".to_owned());
    let target = operands.next().filter(|name| name != "-");
    if operands.next().is_some() {
        return usage(1);
    }
    let opened = if source == "-" {
        Ok(None)
    } else {
        input::file(&source).map(Some)
    };
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => {
            let message = process::message(&error);
            report::complain(program, format_args!("{source}: {message}"));
            return 2;
        }
    };
    let mut skipped = 0;
    if !settings.is_reverse {
        match skip(&settings, &mut file) {
            Ok(bytes) => skipped = bytes,
            Err(_) => {
                report::complain(program, "Sorry, cannot seek.");
                return 4;
            }
        }
    }
    let mut reader: Box<dyn BufRead> = match file {
        Some(file) => Box::new(io::BufReader::with_capacity(input::CHUNK_BYTES, file)),
        None => Box::new(io::BufReader::with_capacity(
            input::CHUNK_BYTES,
            io::stdin(),
        )),
    };
    if settings.is_reverse {
        return reverse::run(program, &settings, &mut *reader, target.as_deref());
    }
    let mut out: Box<dyn Write> = match &target {
        None => Box::new(io::stdout().lock()),
        Some(name) => match std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(name)
        {
            Ok(file) => Box::new(file),
            Err(error) => {
                let message = process::message(&error);
                report::complain(program, format_args!("{name}: {message}"));
                return 3;
            }
        },
    };
    let mut limited = reader.take(settings.length.unwrap_or(u64::MAX));
    let mut buffered = BufWriter::with_capacity(input::CHUNK_BYTES, &mut out);
    let written = match settings.form {
        Form::Plain => plain(&settings, &mut limited, &mut buffered),
        Form::Include => include(&settings, &source, &mut limited, &mut buffered),
        _ => dump(&settings, skipped, &mut limited, &mut buffered),
    }
    .and_then(|()| buffered.flush());
    drop(buffered);
    drop(out);
    report::finish(program, written, 0)
}

fn usage(status: u8) -> u8 {
    let _ = io::stderr().write_all(USAGE.as_bytes());
    status
}

fn read(program: &str, arguments: &[String]) -> Result<(Settings, Vec<String>), u8> {
    let mut settings = Settings {
        form: Form::Hex,
        skips_zeros: false,
        is_upper: false,
        is_capital: false,
        is_ebcdic: false,
        is_decimal: false,
        is_reverse: false,
        columns: None,
        group: None,
        length: None,
        name: None,
        shown_offset: 0,
        seek: 0,
        is_relative: false,
    };
    let mut words = arguments.iter();
    let mut operands = Vec::new();
    while let Some(word) = words.next() {
        let option = word.strip_prefix('-').filter(|_| word.len() > 1);
        let Some(option) = option.filter(|_| operands.is_empty()) else {
            operands.push(word.clone());
            continue;
        };
        if option == "-" {
            operands.extend(words.by_ref().cloned());
            break;
        }
        let option = option.strip_prefix('-').unwrap_or(option);
        let mut letters = option.chars();
        let letter = letters.next().unwrap_or(' ');
        match letter {
            'a' => settings.skips_zeros ^= true,
            'b' => settings.form = Form::Bits,
            'e' => settings.form = Form::Little,
            'u' => settings.is_upper = true,
            'p' => settings.form = Form::Plain,
            'i' => settings.form = Form::Include,
            'C' => settings.is_capital = true,
            'd' => settings.is_decimal = true,
            'r' => settings.is_reverse = true,
            'E' => settings.is_ebcdic = true,
            'v' => {
                let _ = writeln!(io::stderr(), "xxd (Sinew, as of 2022-01-14)");
                return Err(0);
            }
            'c' if option.starts_with("capitalize") => settings.is_capital = true,
            'c' | 'g' | 'l' | 'n' | 'o' | 's' => {
                let known = ["cols", "group", "len", "name", "offset", "seek", "skip"];
                let attached = letters.as_str();
                let is_long = known
                    .iter()
                    .any(|long| option.len() > 1 && long.starts_with(option));
                let value = if attached.is_empty() || is_long {
                    words.next().cloned()
                } else {
                    Some(attached.to_owned())
                };
                let Some(value) = value else {
                    return Err(usage(1));
                };
                take(program, &mut settings, letter, &value)?;
            }
            _ => return Err(usage(1)),
        }
    }
    Ok((settings, operands))
}

fn take(program: &str, settings: &mut Settings, letter: char, value: &str) -> Result<(), u8> {
    if letter == 'n' {
        settings.name = Some(value.to_owned());
        return Ok(());
    }
    let digits = value.strip_prefix('+').filter(|_| letter == 's');
    settings.is_relative |= digits.is_some();
    let number = number(digits.unwrap_or(value));
    let size = usize::try_from(number).ok();
    match letter {
        'c' => settings.columns = size,
        'g' => settings.group = size,
        'l' => settings.length = u64::try_from(number).ok(),
        'o' => settings.shown_offset = number,
        _ => settings.seek = number,
    }
    if letter == 'c' && size.is_none() {
        report::complain(
            program,
            format_args!("invalid number of columns (max. {COLUMNS_MAX})."),
        );
        return Err(1);
    }
    Ok(())
}

/// Reads a number as strtol does with base 0; what is behind it does not count.
fn number(text: &str) -> i64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (base, digits) = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let end = digits
        .find(|digit: char| !digit.is_digit(base))
        .unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or("");
    sign * i64::from_str_radix(digits, base).unwrap_or(0)
}

/// Goes to where the dump begins; returns the place.
fn skip(settings: &Settings, file: &mut Option<std::fs::File>) -> io::Result<u64> {
    if settings.seek == 0 {
        return Ok(0);
    }
    if let Some(file) = file {
        let target = match u64::try_from(settings.seek) {
            Ok(bytes) => SeekFrom::Start(bytes),
            Err(_) => SeekFrom::End(settings.seek),
        };
        return file.seek(target);
    }
    let bytes = u64::try_from(settings.seek).map_err(|_| io::ErrorKind::Unsupported)?;
    // Unbuffered would be slow, and what is buffered here is not lost: std keeps one buffer for standard input.
    input::skip(&mut io::stdin().lock(), bytes)
}

fn dump(
    settings: &Settings,
    skipped: u64,
    source: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    let default = if settings.form == Form::Bits { 6 } else { 16 };
    let columns = settings
        .columns
        .filter(|columns| *columns > 0)
        .unwrap_or(default);
    if columns > COLUMNS_MAX {
        let message = format!("invalid number of columns (max. {COLUMNS_MAX}).");
        report::complain("xxd", message);
        process::exit(1);
    }
    let default = match settings.form {
        Form::Bits => 1,
        Form::Little => 4,
        _ => 2,
    };
    let group = settings.group.unwrap_or(default);
    let group = if group < 1 || group > columns {
        columns
    } else {
        group
    };
    let digits = if settings.form == Form::Bits { 8 } else { 2 };
    let width = group * digits + 1;
    let mut place = i128::from(skipped) + i128::from(settings.shown_offset);
    let mut buffer = vec![0; columns];
    let mut zeros = Zeros::default();
    loop {
        let count = input::fill(source, &mut buffer)?;
        let bytes = buffer.get(..count).unwrap_or(&[]);
        if bytes.is_empty() {
            if settings.skips_zeros {
                zeros.end(out)?;
            }
            return Ok(());
        }
        let mut line = if settings.is_decimal {
            format!("{place:08}: ")
        } else {
            format!("{place:08x}: ")
        }
        .into_bytes();
        let start = line.len();
        line.resize(start + (width * columns - 1) / group + 2, b' ');
        for (at, byte) in bytes.iter().enumerate() {
            let inner = if settings.form == Form::Little {
                group - 1 - at % group
            } else {
                at % group
            };
            let column = start + at / group * width + inner * digits;
            let text = match (settings.form, settings.is_upper) {
                (Form::Bits, _) => format!("{byte:08b}"),
                (_, true) => format!("{byte:02X}"),
                (_, false) => format!("{byte:02x}"),
            };
            // An incomplete last group of -e may reach beyond the columns.
            if line.len() < column + digits {
                line.resize(column + digits, b' ');
            }
            if let Some(cells) = line.get_mut(column..column + digits) {
                cells.copy_from_slice(text.as_bytes());
            }
        }
        line.extend(bytes.iter().map(|byte| {
            let byte = if settings.is_ebcdic {
                from_ebcdic(*byte)
            } else {
                *byte
            };
            if (32..127).contains(&byte) {
                byte
            } else {
                b'.'
            }
        }));
        line.push(b'\n');
        let is_zero =
            settings.skips_zeros && count == columns && bytes.iter().all(|byte| *byte == 0);
        zeros.line(out, line, is_zero)?;
        place += i128::try_from(count).unwrap_or(0);
    }
}

/// Lines of zeros of which only the first is shown; the last lines of a dump are always shown.
#[derive(Default)]
struct Zeros {
    seen: u64,
    second: Vec<u8>,
    last: Vec<u8>,
}

impl Zeros {
    fn line(&mut self, out: &mut dyn Write, line: Vec<u8>, is_zero: bool) -> io::Result<()> {
        if is_zero {
            self.seen += 1;
            match self.seen {
                1 => out.write_all(&line)?,
                2 => self.second.clone_from(&line),
                _ => {}
            }
            self.last = line;
            return Ok(());
        }
        match self.seen {
            0 | 1 => {}
            2 => out.write_all(&self.second)?,
            _ => out.write_all(b"*\n")?,
        }
        self.seen = 0;
        out.write_all(&line)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.seen {
            0 | 1 => return Ok(()),
            2 => {}
            3 => out.write_all(&self.second)?,
            _ => out.write_all(b"*\n")?,
        }
        out.write_all(&self.last)
    }
}

fn plain(settings: &Settings, source: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<()> {
    let columns = settings.columns.unwrap_or(30);
    let mut buffer = vec![
        0;
        if columns == 0 {
            input::CHUNK_BYTES
        } else {
            columns
        }
    ];
    let mut is_open = false;
    loop {
        let count = input::fill(source, &mut buffer)?;
        let bytes = buffer.get(..count).unwrap_or(&[]);
        if bytes.is_empty() {
            return if is_open {
                out.write_all(b"\n")
            } else {
                Ok(())
            };
        }
        let mut line = Vec::with_capacity(count * 2 + 1);
        for byte in bytes {
            line.extend([byte >> 4, byte & 15].map(|digit| match digit {
                0..=9 => b'0' + digit,
                _ if settings.is_upper => b'A' + digit - 10,
                _ => b'a' + digit - 10,
            }));
        }
        is_open = columns == 0;
        if !is_open {
            line.push(b'\n');
        }
        out.write_all(&line)?;
    }
}

fn include(
    settings: &Settings,
    source_name: &str,
    source: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = settings
        .columns
        .filter(|columns| *columns > 0)
        .unwrap_or(12);
    let name = settings
        .name
        .as_deref()
        .or(Some(source_name).filter(|name| *name != "-"));
    let name = name.map(|name| {
        let prefix = if name.starts_with(|first: char| first.is_ascii_digit()) {
            "__"
        } else {
            ""
        };
        let name = name.bytes().map(|byte| match byte {
            _ if !byte.is_ascii_alphanumeric() => '_',
            _ if settings.is_capital => char::from(byte.to_ascii_uppercase()),
            _ => char::from(byte),
        });
        prefix.chars().chain(name).collect::<String>()
    });
    if let Some(name) = &name {
        writeln!(out, "unsigned char {name}[] = {{")?;
    }
    let mut count = 0_usize;
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let read = bytes.len();
        for byte in bytes {
            let before = match count % columns {
                0 if count == 0 => "  ",
                0 => ",\n  ",
                _ => ", ",
            };
            if settings.is_upper {
                write!(out, "{before}0X{byte:02X}")?;
            } else {
                write!(out, "{before}0x{byte:02x}")?;
            }
            count += 1;
        }
        source.consume(read);
    }
    if count > 0 {
        writeln!(out)?;
    }
    if let Some(name) = name {
        let length = if settings.is_capital { "LEN" } else { "len" };
        writeln!(out, "}};\nunsigned int {name}_{length} = {count};")?;
    }
    Ok(())
}

fn from_ebcdic(byte: u8) -> u8 {
    let place = usize::from(byte);
    let row = EBCDIC.get(place / 64).map_or("", |row| row);
    row.as_bytes().get(place % 64).copied().unwrap_or(b'.')
}

/// The printable characters of EBCDIC by number; `.` for all others.
const EBCDIC: &[&str] = &[
    "................................................................",
    " ...........<(+|&.........!$*);~-/.........,%_>?.........`:#@'=\"",
    ".abcdefghi.......jklmnopqr^.......stuvwxyz...[...............]..",
    "{ABCDEFGHI......}JKLMNOPQR......\\.STUVWXYZ......0123456789......",
];

const USAGE: &str = "\
Usage: xxd [options] [infile [outfile]]
   or: xxd -r [-s [-]offset] [-c cols] [-ps] [infile [outfile]]
  -a          show a single '*' for lines of zeros
  -b          binary digits      -e  little-endian groups      -E  characters in EBCDIC
  -c cols     bytes a line (16; -i: 12, -ps: 30, -b: 6)
  -g bytes    bytes a group (2; -e: 4, -b: 1)
  -i          a C array          -C  its name in capitals      -n name  its name
  -l len      stop after len bytes
  -o off      add off to the places shown      -d  show them in decimal
  -ps         plain hexadecimal
  -r          back from a dump to bytes
  -s [+][-]n  begin at byte n (-: from the end)
  -u          upper case
";
