//! The command line of `xargs`.

use crate::messages::report;

/// The most bytes of one command, names and zeros counted, as GNU's xargs chooses it.
const BYTES_DEFAULT: usize = 128 * 1024;
/// The most that `-s` may ask for: what Linux passes on.
const BYTES_MAX: usize = 2_097_152 - 4096;

/// What xargs is to do.
pub struct Options {
    /// The command and its first arguments.
    pub command: Vec<String>,
    /// What ends an item; none: blanks and quotes.
    pub delimiter: Option<u8>,
    /// `-E`
    pub end_marker: Option<String>,
    /// `-I`
    pub replace: Option<String>,
    /// `-n`
    pub arguments_max: Option<usize>,
    /// `-L`
    pub lines_max: Option<usize>,
    /// `-s`
    pub bytes_max: usize,
    /// `-P`; 0: as many as possible.
    pub parallel: usize,
    /// `-r`
    pub needs_input: bool,
    /// `-t`
    pub is_shown: bool,
    /// `-p`
    pub is_asking: bool,
    /// `-x`
    pub exits_if_too_long: bool,
    /// `-a`
    pub file: Option<String>,
    /// `--process-slot-var`
    pub slot_variable: Option<String>,
    /// `-o`
    pub keeps_input: bool,
}

/// What the command line asks for.
pub enum Parsed {
    /// A run.
    Run(Box<Options>),
    /// A text on standard output.
    Show(String),
    /// It was wrong, and that was said.
    Wrong,
}

/// Long names, their letters, and whether they take an argument (`o`: only behind `=`).
const LONG: &[(&str, char, char)] = &[
    ("null", '0', 'n'),
    ("arg-file", 'a', 'y'),
    ("delimiter", 'd', 'y'),
    ("eof", 'e', 'o'),
    ("replace", 'i', 'o'),
    ("max-lines", 'l', 'o'),
    ("max-args", 'n', 'y'),
    ("open-tty", 'o', 'n'),
    ("max-procs", 'P', 'y'),
    ("interactive", 'p', 'n'),
    ("process-slot-var", 'S', 'y'),
    ("no-run-if-empty", 'r', 'n'),
    ("max-chars", 's', 'y'),
    ("show-limits", 'X', 'n'),
    ("verbose", 't', 'n'),
    ("exit", 'x', 'n'),
    ("help", 'h', 'n'),
    ("version", 'V', 'n'),
];

fn wrong(message: &str) -> Parsed {
    report("xargs", message);
    use std::io::Write;
    let _ = std::io::stderr()
        .lock()
        .write_all(b"Try 'xargs --help' for more information.\n");
    Parsed::Wrong
}

/// Parses the arguments behind the name.
pub fn parse(arguments: &[String]) -> Parsed {
    let mut options = Options {
        command: Vec::new(),
        delimiter: None,
        end_marker: None,
        replace: None,
        arguments_max: None,
        lines_max: None,
        bytes_max: BYTES_DEFAULT,
        parallel: 1,
        needs_input: false,
        is_shown: false,
        is_asking: false,
        exits_if_too_long: false,
        file: None,
        slot_variable: None,
        keeps_input: false,
    };
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            options.command.extend(rest.by_ref().cloned());
            break;
        }
        if !word.starts_with('-') || word == "-" {
            options.command.push(word.clone());
            options.command.extend(rest.by_ref().cloned());
            break;
        }
        let outcome = match word.strip_prefix("--") {
            Some(long) => long_option(long, &mut rest, &mut options),
            None => short_options(word, &mut rest, &mut options),
        };
        if let Some(parsed) = outcome {
            return parsed;
        }
    }
    if options.command.is_empty() {
        options.command.push("echo".to_owned());
    }
    if options.replace.is_some() {
        options.exits_if_too_long = true;
    }
    Parsed::Run(Box::new(options))
}

fn long_option<'a>(
    word: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    options: &mut Options,
) -> Option<Parsed> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let exact = LONG.iter().find(|known| known.0 == name);
    let mut similar = LONG.iter().filter(|known| known.0.starts_with(name));
    let found = match (exact, similar.next(), similar.next()) {
        (Some(found), ..) | (None, Some(found), None) => found,
        (None, None, _) => return Some(wrong(&format!("unrecognized option '--{word}'"))),
        (None, Some(_), Some(_)) => return Some(wrong(&format!("option '--{word}' is ambiguous"))),
    };
    let value = match (found.2, value) {
        ('n', Some(_)) => {
            return Some(wrong(&format!(
                "option '--{}' doesn't allow an argument",
                found.0
            )));
        }
        ('y', None) => match rest.next() {
            Some(value) => Some(value.clone()),
            None => {
                return Some(wrong(&format!(
                    "option '--{}' requires an argument",
                    found.0
                )));
            }
        },
        (_, value) => value,
    };
    take(found.1, value, options)
}

fn short_options<'a>(
    word: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    options: &mut Options,
) -> Option<Parsed> {
    let mut letters = word.chars();
    letters.next();
    while let Some(letter) = letters.next() {
        let attached = letters.as_str();
        let value = match letter {
            '0' | 'o' | 'p' | 'r' | 't' | 'x' => None,
            // An optional argument, directly behind it.
            'e' | 'i' | 'l' => {
                let value = (!attached.is_empty()).then(|| attached.to_owned());
                return take(letter, value, options);
            }
            'a' | 'd' | 'E' | 'I' | 'L' | 'n' | 'P' | 's' => {
                let value = if attached.is_empty() {
                    rest.next().cloned()
                } else {
                    Some(attached.to_owned())
                };
                return match value {
                    Some(value) => take(letter, Some(value), options),
                    None => Some(wrong(&format!("option requires an argument -- '{letter}'"))),
                };
            }
            letter => return Some(wrong(&format!("invalid option -- '{letter}'"))),
        };
        if let Some(parsed) = take(letter, value, options) {
            return Some(parsed);
        }
    }
    None
}

fn number(letter: char, value: &str, least: usize) -> Result<usize, Parsed> {
    match value.parse::<i64>() {
        Ok(number) => match usize::try_from(number) {
            Ok(number) if number >= least => Ok(number),
            _ => Err(wrong(&format!(
                "value {value} for -{letter} option should be >= {least}"
            ))),
        },
        Err(_) => Err(wrong(&format!(
            "invalid number \"{value}\" for -{letter} option"
        ))),
    }
}

fn exclusive(first: &str, second: &str, dropped: &str) {
    report(
        "xargs",
        &format!(
            "warning: options {first} and {second} are mutually exclusive, ignoring previous {dropped} value"
        ),
    );
}

/// Carries out an option; an answer only if parsing ends here.
fn take(letter: char, value: Option<String>, options: &mut Options) -> Option<Parsed> {
    let text = value.clone().unwrap_or_default();
    match letter {
        '0' => options.delimiter = Some(0),
        'a' => options.file = value,
        'd' => match delimiter(&text) {
            Some(delimiter) => options.delimiter = Some(delimiter),
            None => {
                report(
                    "xargs",
                    &format!(
                        "Invalid input delimiter specification {text}: the delimiter must be either a single character or an escape sequence starting with \\."
                    ),
                );
                return Some(Parsed::Wrong);
            }
        },
        'E' | 'e' => options.end_marker = value.filter(|marker| !marker.is_empty()),
        'I' | 'i' => {
            if options.arguments_max.take().is_some() {
                exclusive("--max-args", "--replace/-I/-i", "--max-args");
            }
            if options.lines_max.take().is_some() {
                exclusive("--max-lines", "--replace/-I/-i", "--max-lines");
            }
            options.replace = Some(value.unwrap_or_else(|| "{}".to_owned()));
        }
        'L' | 'l' => {
            let lines = match number(letter, value.as_deref().unwrap_or("1"), 1) {
                Ok(lines) => lines,
                Err(parsed) => return Some(parsed),
            };
            if options.arguments_max.take().is_some() {
                exclusive("--max-args", "--max-lines", "--max-args");
            }
            if options.replace.take().is_some() {
                exclusive("--replace", "-L", "--replace");
            }
            options.lines_max = Some(lines);
        }
        'n' => match number('n', &text, 1) {
            Ok(most) => {
                if options.lines_max.take().is_some() {
                    exclusive("--max-lines", "--max-args/-n", "--max-lines");
                }
                // `-n 1` goes together with `-I`: each command has one item anyway.
                if options.replace.is_some() && most == 1 {
                    return None;
                }
                if options.replace.take().is_some() {
                    exclusive("--replace", "--max-args/-n", "--replace");
                }
                options.arguments_max = Some(most);
            }
            Err(parsed) => return Some(parsed),
        },
        'P' => match number('P', &text, 0) {
            Ok(parallel) => options.parallel = parallel,
            Err(parsed) => return Some(parsed),
        },
        's' => match number('s', &text, 1) {
            Ok(bytes) if bytes > BYTES_MAX => {
                report(
                    "xargs",
                    &format!("value {bytes} for -s option should be <= {BYTES_MAX}"),
                );
                options.bytes_max = BYTES_MAX;
            }
            Ok(bytes) => options.bytes_max = bytes,
            Err(parsed) => return Some(parsed),
        },
        'S' => options.slot_variable = value,
        'o' => options.keeps_input = true,
        'p' => {
            options.is_asking = true;
            options.is_shown = true;
        }
        'r' => options.needs_input = true,
        't' => options.is_shown = true,
        'x' => options.exits_if_too_long = true,
        'X' => {
            use std::io::Write;
            let text = format!(
                "POSIX upper limit on argument length (this system): {BYTES_MAX}\n\
                 POSIX smallest allowable upper limit on argument length (all systems): 4096\n\
                 Size of command buffer we are actually using: {}\n",
                options.bytes_max
            );
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
        'V' => {
            return Some(Parsed::Show(
                "xargs (GNU findutils) 4.9.0 (compatible; Sinew)\n".to_owned(),
            ));
        }
        _ => {
            return Some(Parsed::Show(
                "Usage: xargs [OPTION]... COMMAND [INITIAL-ARGS]...\nRun COMMAND with arguments INITIAL-ARGS and more arguments read from input.\n".to_owned(),
            ));
        }
    }
    None
}

/// Reads the argument of `-d`.
fn delimiter(text: &str) -> Option<u8> {
    let bytes = text.as_bytes();
    match bytes {
        [] => Some(0),
        [byte] => Some(*byte),
        [b'\\', rest @ ..] => match rest {
            [b'a'] => Some(7),
            [b'b'] => Some(8),
            [b'f'] => Some(12),
            [b'n'] => Some(b'\n'),
            [b'r'] => Some(b'\r'),
            [b't'] => Some(b'\t'),
            [b'v'] => Some(11),
            [b'\\'] => Some(b'\\'),
            [b'x', digits @ ..] => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok(),
            digits => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok(),
        },
        _ => None,
    }
}
