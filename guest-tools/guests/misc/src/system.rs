//! locale and getconf: what programs ask of the system they run on.

use std::io::{self, Write};

use crate::report;

const CATEGORIES: [&str; 12] = [
    "LC_CTYPE",
    "LC_NUMERIC",
    "LC_TIME",
    "LC_COLLATE",
    "LC_MONETARY",
    "LC_MESSAGES",
    "LC_PAPER",
    "LC_NAME",
    "LC_ADDRESS",
    "LC_TELEPHONE",
    "LC_MEASUREMENT",
    "LC_IDENTIFICATION",
];

/// Runs locale.
pub(crate) fn locale(program: &str, arguments: &[String]) -> u8 {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        None => {
            let (all, lang) = (value("LC_ALL"), value("LANG"));
            let mut text = format!("LANG={lang}\nLANGUAGE={}\n", value("LANGUAGE"));
            for name in CATEGORIES {
                let own = value(name);
                text.push_str(&if all.is_empty() && !own.is_empty() {
                    format!("{name}={own}\n")
                } else {
                    let implied = [all.as_str(), lang.as_str(), "POSIX"];
                    let implied = implied.iter().find(|name| !name.is_empty());
                    format!("{name}=\"{}\"\n", implied.copied().unwrap_or("POSIX"))
                });
            }
            text.push_str(&format!("LC_ALL={all}\n"));
            report::print(program, text)
        }
        Some("-a" | "--all-locales") => report::print(program, "C\nC.utf8\nPOSIX\n"),
        Some("-m" | "--charmaps") => report::print(program, "ANSI_X3.4-1968\nISO-8859-1\nUTF-8\n"),
        Some(_) => {
            let mut status = 0;
            let mut text = String::new();
            let shows_names = arguments
                .iter()
                .any(|word| word == "-k" || word == "--keyword-name");
            for word in arguments.iter().filter(|word| !word.starts_with('-')) {
                let answer = match word.as_str() {
                    "charmap" | "LC_CTYPE" => charmap(),
                    "decimal_point" => ".",
                    "thousands_sep" | "grouping" => "",
                    "day" => "Sunday;Monday;Tuesday;Wednesday;Thursday;Friday;Saturday",
                    "abday" => "Sun;Mon;Tue;Wed;Thu;Fri;Sat",
                    "mon" => {
                        "January;February;March;April;May;June;July;August;September;October;November;December"
                    }
                    "abmon" => "Jan;Feb;Mar;Apr;May;Jun;Jul;Aug;Sep;Oct;Nov;Dec",
                    "d_fmt" => "%m/%d/%y",
                    "t_fmt" => "%H:%M:%S",
                    "d_t_fmt" => "%a %b %e %H:%M:%S %Y",
                    "yesexpr" => "^[yY]",
                    "noexpr" => "^[nN]",
                    _ => {
                        report::complain(program, format_args!("unknown name \"{word}\""));
                        status = 1;
                        continue;
                    }
                };
                text.push_str(&if shows_names {
                    format!("{word}=\"{answer}\"\n")
                } else {
                    format!("{answer}\n")
                });
            }
            report::print(program, text).max(status)
        }
    }
}

fn charmap() -> &'static str {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    match named.as_deref() {
        None | Some("C" | "POSIX") => "ANSI_X3.4-1968",
        Some(_) => "UTF-8",
    }
}

/// Limits that hold in a hand.
const VARIABLES: &[(&str, &str)] = &[
    ("ARG_MAX", "2097152"),
    ("CHAR_BIT", "8"),
    ("CHAR_MAX", "127"),
    ("CHAR_MIN", "-128"),
    ("GNU_LIBC_VERSION", "glibc 2.36"),
    ("HOST_NAME_MAX", "64"),
    ("INT_MAX", "2147483647"),
    ("INT_MIN", "-2147483648"),
    ("LINE_MAX", "2048"),
    ("LOGIN_NAME_MAX", "256"),
    ("LONG_BIT", "64"),
    ("LONG_MAX", "9223372036854775807"),
    ("NAME_MAX", "255"),
    ("OPEN_MAX", "1024"),
    ("PAGESIZE", "4096"),
    ("PAGE_SIZE", "4096"),
    ("PATH", "/bin:/usr/bin"),
    ("PATH_MAX", "4096"),
    ("PIPE_BUF", "4096"),
    ("POSIX_VERSION", "200809"),
    ("SSIZE_MAX", "32767"),
    ("SYMLOOP_MAX", ""),
    ("UCHAR_MAX", "255"),
    ("UINT_MAX", "4294967295"),
    ("ULONG_MAX", "18446744073709551615"),
    ("WORD_BIT", "32"),
    ("_NPROCESSORS_CONF", ""),
    ("_NPROCESSORS_ONLN", ""),
    ("_POSIX_VERSION", "200809"),
];

/// Runs getconf: status 2 for what is not known.
pub(crate) fn getconf(program: &str, arguments: &[String]) -> u8 {
    let mut words = arguments.iter();
    let mut first = words.next();
    if first.is_some_and(|word| word == "-v") {
        words.next();
        first = words.next();
    }
    match first.map(String::as_str) {
        None => {
            let _ = io::stderr().write_all(
                b"Usage: getconf [-v specification] variable_name [pathname]\n       getconf -a [pathname]\n",
            );
            2
        }
        Some("-a") => {
            let lines: Vec<String> = VARIABLES
                .iter()
                .map(|(name, value)| format!("{name:<34} {}\n", known(name, value)))
                .collect();
            report::print(program, lines.concat())
        }
        Some(name) => match VARIABLES.iter().find(|(known, _)| *known == name) {
            Some((name, value)) => report::print(program, known(name, value) + "\n"),
            None => {
                report::complain(program, format_args!("Unrecognized variable `{name}'"));
                2
            }
        },
    }
}

fn known(name: &str, value: &str) -> String {
    match name {
        // A process of a hand runs on one processor at a time.
        "_NPROCESSORS_CONF" | "_NPROCESSORS_ONLN" => std::thread::available_parallelism()
            .map_or(1, usize::from)
            .to_string(),
        _ if value.is_empty() => "undefined".to_owned(),
        _ => value.to_owned(),
    }
}
