//! The options of sort.

use std::env;
use std::io::Read;
use std::path::PathBuf;

use crate::quoting;
use crate::report::{self, complain, reason, usage};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "b/ignore-leading-blanks d/dictionary-order f/ignore-case g/general-numeric-sort \
    i/ignore-nonprinting M/month-sort h/human-numeric-sort n/numeric-sort R/random-sort random-source= r/reverse sort= \
    V/version-sort batch-size= c check=? C compress-program= debug files0-from= k/key= m/merge o/output= s/stable \
    S/buffer-size= t/field-separator= T/temporary-directory= parallel= u/unique z/zero-terminated y=?";

/// Lines that are sorted together, if nothing is said: a fraction of what an instance may have.
const MEMORY_BYTES: usize = 64 << 20;
/// Less would make too many parts, whatever is asked for.
const MEMORY_BYTES_MIN: usize = 4 << 20;

/// Whether to look only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    No,
    Loud,
    Quiet,
}

/// How a key is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bytes,
    Numeric,
    General,
    Human,
    Month,
    Version,
    Random,
}

/// The ordering options of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ordering {
    pub(crate) kind: Kind,
    pub(crate) is_reverse: bool,
    pub(crate) skips_start_blanks: bool,
    pub(crate) skips_end_blanks: bool,
    pub(crate) folds_case: bool,
    pub(crate) is_dictionary: bool,
    pub(crate) is_printable: bool,
}

impl Ordering {
    pub(crate) const DEFAULT: Ordering = Ordering {
        kind: Kind::Bytes,
        is_reverse: false,
        skips_start_blanks: false,
        skips_end_blanks: false,
        folds_case: false,
        is_dictionary: false,
        is_printable: false,
    };

    /// Takes an option by its letter; false if it is none.
    fn take(&mut self, letter: char, is_end: bool) -> bool {
        match letter {
            'b' if is_end => self.skips_end_blanks = true,
            'b' => self.skips_start_blanks = true,
            'd' => self.is_dictionary = true,
            'f' => self.folds_case = true,
            'g' => self.kind = Kind::General,
            'h' => self.kind = Kind::Human,
            'i' => self.is_printable = true,
            'M' => self.kind = Kind::Month,
            'n' => self.kind = Kind::Numeric,
            'R' => self.kind = Kind::Random,
            'r' => self.is_reverse = true,
            'V' => self.kind = Kind::Version,
            _ => return false,
        }
        true
    }
}

/// A part of the line: from a field's character to another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Counted from 0.
    pub(crate) start_field: usize,
    pub(crate) start_character: usize,
    /// The field of the end, counted from 0, and the number of its characters that belong (0: all). None: the line's end.
    pub(crate) end: Option<(usize, usize)>,
    pub(crate) ordering: Ordering,
}

/// What the command line says.
pub(crate) struct Settings {
    pub(crate) keys: Vec<Key>,
    pub(crate) global: Ordering,
    pub(crate) separator: Option<u8>,
    pub(crate) unique: bool,
    pub(crate) stable: bool,
    pub(crate) merges: bool,
    pub(crate) check: Check,
    pub(crate) output: Option<String>,
    pub(crate) end: u8,
    pub(crate) files: Vec<String>,
    pub(crate) temporary: PathBuf,
    pub(crate) memory_max: usize,
    /// Decides on the order of `-R`.
    pub(crate) seed: u64,
}

/// What reading the command line leads to.
pub(crate) enum Start {
    Run(Box<Settings>),
    Done(u8),
}

/// Reads the command line.
pub(crate) fn read(program: &str, arguments: &[String]) -> Start {
    match settings(program, arguments) {
        Ok(settings) => Start::Run(Box::new(settings)),
        Err(status) => Start::Done(status),
    }
}

fn settings(program: &str, arguments: &[String]) -> Result<Settings, u8> {
    let items = named::parse(arguments, SPECIFICATION, Order::Any)
        .map_err(|message| usage(program, message, 2))?;
    let temporary = env::var_os("TMPDIR").filter(|folder| !folder.is_empty());
    let now = crate::clock::now();
    let mut settings = Settings {
        keys: Vec::new(),
        global: Ordering::DEFAULT,
        separator: None,
        unique: false,
        stable: false,
        merges: false,
        check: Check::No,
        output: None,
        end: b'\n',
        files: Vec::new(),
        temporary: temporary.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        memory_max: MEMORY_BYTES,
        seed: now.seconds.unsigned_abs() ^ (u64::from(now.nanoseconds) << 32),
    };
    let mut list = None;
    for item in items {
        let (name, value) = match item {
            Item::Operand(operand) => {
                settings.files.push(operand);
                continue;
            }
            Item::Option(name, value) => (name, value),
        };
        let text = value.as_deref().unwrap_or("");
        match name {
            "help" => return Err(report::help(HELP)),
            "version" => return Err(report::version(program)),
            "files0-from" => list = Some(text.to_owned()),
            "random-source" => settings.seed = seed_of(program, text)?,
            _ => option(&mut settings, name, value.as_deref(), text).map_err(|message| {
                complain(program, message);
                2
            })?,
        }
    }
    if let Some(list) = list {
        settings.files = listed(program, &list)?;
    } else if settings.files.is_empty() {
        settings.files.push("-".to_owned());
    }
    if let (Check::Loud | Check::Quiet, Some(extra)) = (settings.check, settings.files.get(1)) {
        complain(
            program,
            format_args!(
                "extra operand {} not allowed with -c",
                quoting::quoted(extra)
            ),
        );
        return Err(2);
    }
    let global = settings.global;
    for key in &mut settings.keys {
        // A key without options of its own takes the global ones.
        if key.ordering == Ordering::DEFAULT {
            key.ordering = global;
            key.ordering.skips_end_blanks = global.skips_start_blanks;
        }
    }
    Ok(settings)
}

fn option(
    settings: &mut Settings,
    name: &str,
    value: Option<&str>,
    text: &str,
) -> Result<(), String> {
    let letter = match name {
        "ignore-leading-blanks" => 'b',
        "dictionary-order" => 'd',
        "ignore-case" => 'f',
        "general-numeric-sort" => 'g',
        "ignore-nonprinting" => 'i',
        "month-sort" => 'M',
        "human-numeric-sort" => 'h',
        "numeric-sort" => 'n',
        "random-sort" => 'R',
        "reverse" => 'r',
        "version-sort" => 'V',
        "sort" => match text {
            "general-numeric" => 'g',
            "human-numeric" => 'h',
            "month" => 'M',
            "numeric" => 'n',
            "random" => 'R',
            "version" => 'V',
            _ => {
                return Err(format!(
                    "invalid argument {} for '--sort'",
                    quoting::curly(text)
                ));
            }
        },
        _ => '\0',
    };
    if settings.global.take(letter, false) {
        return Ok(());
    }
    match name {
        "c" => settings.check = Check::Loud,
        "C" => settings.check = Check::Quiet,
        "check" => {
            settings.check = match value {
                None | Some("diagnose-first") => Check::Loud,
                Some("quiet" | "silent") => Check::Quiet,
                Some(text) => {
                    return Err(format!(
                        "invalid argument {} for '--check'",
                        quoting::curly(text)
                    ));
                }
            }
        }
        "key" => settings.keys.push(key(text)?),
        "merge" => settings.merges = true,
        "output" => settings.output = Some(text.to_owned()),
        "stable" => settings.stable = true,
        "buffer-size" => {
            let bytes = memory(text).ok_or_else(|| {
                format!("invalid --buffer-size argument {}", quoting::curly(text))
            })?;
            settings.memory_max = bytes.clamp(MEMORY_BYTES_MIN, MEMORY_BYTES * 4);
        }
        "field-separator" => {
            settings.separator = Some(match text.as_bytes() {
                [byte] => *byte,
                b"\\0" => 0,
                [] => return Err("empty tab".to_owned()),
                _ => return Err(format!("multi-character tab {}", quoting::curly(text))),
            });
        }
        "temporary-directory" => settings.temporary = PathBuf::from(text),
        "unique" => settings.unique = true,
        "zero-terminated" => settings.end = 0,
        "parallel" if text.parse::<usize>().is_ok_and(|count| count > 0) => {}
        "parallel" => return Err("number in parallel must be nonzero".to_owned()),
        // How to sort, not what comes of it.
        _ => {}
    }
    Ok(())
}

/// Reads `F[.C][OPTS][,F[.C][OPTS]]`.
fn key(text: &str) -> Result<Key, String> {
    let invalid = |what: &str, count: &str| {
        Err(format!(
            "{what}: invalid count at start of {}",
            quoting::curly(count)
        ))
    };
    let zero = |what: &str| {
        Err(format!(
            "{what}: invalid field specification {}",
            quoting::curly(text)
        ))
    };
    let mut ordering = Ordering::DEFAULT;
    let (start, end) = text
        .split_once(',')
        .map_or((text, None), |(start, end)| (start, Some(end)));
    let Some((field, character, letters)) = position(start) else {
        return invalid("invalid number at field start", start);
    };
    if field == 0 {
        return zero("field number is zero");
    }
    if character == Some(0) {
        return zero("character offset is zero");
    }
    for letter in letters.chars() {
        if !ordering.take(letter, false) {
            return zero("stray character in field spec");
        }
    }
    let mut end_position = None;
    if let Some(end) = end {
        let Some((field, character, letters)) = position(end) else {
            return invalid("invalid number after ','", end);
        };
        if field == 0 {
            return zero("field number is zero");
        }
        end_position = Some((field - 1, character.unwrap_or(0)));
        for letter in letters.chars() {
            if !ordering.take(letter, true) {
                return zero("stray character in field spec");
            }
        }
    }
    Ok(Key {
        start_field: field - 1,
        start_character: character.unwrap_or(1) - 1,
        end: end_position,
        ordering,
    })
}

fn position(text: &str) -> Option<(usize, Option<usize>, &str)> {
    let number = |text: &str| {
        let digits = text
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, rest) = text.split_at_checked(digits)?;
        // What is beyond all numbers is beyond all fields.
        (digits > 0).then(|| (number.parse().unwrap_or(usize::MAX), rest.len()))
    };
    let tail = |rest: usize| text.get(text.len() - rest..).unwrap_or("");
    let (field, rest) = number(text)?;
    match tail(rest).strip_prefix('.') {
        None => Some((field, None, tail(rest))),
        Some(after) => {
            let (character, rest) = number(after)?;
            Some((field, Some(character), tail(rest)))
        }
    }
}

fn memory(text: &str) -> Option<usize> {
    if let Some(percent) = text.strip_suffix('%') {
        return percent.parse::<usize>().ok().map(|_| MEMORY_BYTES);
    }
    let digits = text
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, letters) = text.split_at_checked(digits)?;
    let factor = match letters {
        "" => 1024,
        "b" => 1,
        letters => crate::size::factor(letters)?.0,
    };
    let bytes = number.parse::<u64>().ok()?.saturating_mul(factor);
    Some(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn seed_of(program: &str, name: &str) -> Result<u64, u8> {
    let mut bytes = [0; 8];
    let read = std::fs::File::open(name).and_then(|mut file| file.read(&mut bytes));
    match read {
        Ok(_) => Ok(u64::from_le_bytes(bytes)),
        Err(error) => {
            complain(
                program,
                format_args!("open failed: {}: {}", quoting::shell(name), reason(&error)),
            );
            Err(2)
        }
    }
}

fn listed(program: &str, list: &str) -> Result<Vec<String>, u8> {
    let mut text = Vec::new();
    let read = super::input::open(list).and_then(|mut source| source.read_to_end(&mut text));
    if let Err(error) = read {
        complain(
            program,
            format_args!("open failed: {}: {}", quoting::shell(list), reason(&error)),
        );
        return Err(2);
    }
    let names = text
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect())
}

const HELP: &str = "\
Usage: sort [OPTION]... [FILE]...
  or:  sort [OPTION]... --files0-from=F
Write sorted concatenation of all FILE(s) to standard output.

  -b, --ignore-leading-blanks  -d, --dictionary-order  -f, --ignore-case
  -g, --general-numeric-sort   -h, --human-numeric-sort  -i, --ignore-nonprinting
  -M, --month-sort  -n, --numeric-sort  -R, --random-sort  -V, --version-sort  -r, --reverse
  -c, -C, --check              check for sorted input; do not sort
  -k, --key=KEYDEF             sort via a key; KEYDEF is F[.C][OPTS][,F[.C][OPTS]]
  -m, --merge                  merge already sorted files; do not sort
  -o, --output=FILE            write result to FILE instead of standard output
  -s, --stable                 disable last-resort comparison
  -S, --buffer-size=SIZE       use SIZE for main memory buffer
  -t, --field-separator=SEP    use SEP instead of non-blank to blank transition
  -T, --temporary-directory=DIR
  -u, --unique                 output only the first of an equal run
  -z, --zero-terminated        line delimiter is NUL, not newline
";
