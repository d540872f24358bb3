//! getopt: reads the options of scripts, as util-linux's.

mod words;

use std::io::{self, Write};

use gnu_options::{Item, Takes};

use crate::report;

use words::{Choice, Order};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "+ao:l:n:qQs:TuhV",
    long: &[
        ("alternative", Takes::Nothing, 'a'),
        ("help", Takes::Nothing, 'h'),
        ("longoptions", Takes::Argument, 'l'),
        ("name", Takes::Argument, 'n'),
        ("options", Takes::Argument, 'o'),
        ("quiet", Takes::Nothing, 'q'),
        ("quiet-output", Takes::Nothing, 'Q'),
        ("shell", Takes::Argument, 's'),
        ("test", Takes::Nothing, 'T'),
        ("unquoted", Takes::Nothing, 'u'),
        ("version", Takes::Nothing, 'V'),
    ],
};

/// Runs the command: status 1 for wrong words, 2 for wrong use, 4 for `-T`.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let Some(first) = arguments.first() else {
        if std::env::var_os("GETOPT_COMPATIBLE").is_some() {
            return report::print(program, " --\n");
        }
        return report::usage(program, "missing optstring argument", 2);
    };
    let is_compatible = std::env::var_os("GETOPT_COMPATIBLE").is_some();
    if !first.starts_with('-') || is_compatible {
        let mut choice = Choice::new(first, program);
        choice.order = match first.chars().next() {
            Some('-') if !is_compatible => Order::InPlace,
            _ if first.starts_with('+') || is_compatible => Order::FirstOnly,
            _ => choice.order,
        };
        choice.is_unquoted = true;
        return write(program, &choice, arguments.get(1..).unwrap_or(&[]), true);
    }
    // Its own options end at the first word that is none.
    let mut own = Vec::new();
    let mut rest = arguments;
    while let Some((word, behind)) = rest.split_first() {
        if !word.starts_with('-') || word == "-" {
            break;
        }
        rest = behind;
        if word == "--" {
            break;
        }
        own.push(word.clone());
        if takes_next(word)
            && let Some((value, behind)) = rest.split_first()
        {
            own.push(value.clone());
            rest = behind;
        }
    }
    let (items, error) = gnu_options::parse(&OPTIONS, &own);
    if let Some(error) = error {
        return report::usage(program, error, 2);
    }
    let mut short = None;
    let mut long = Vec::new();
    let mut name = program.to_owned();
    let (mut is_quiet, mut writes, mut is_unquoted, mut is_alternative) =
        (false, true, false, false);
    let mut is_csh = false;
    for item in items {
        let Item::Option(letter, value, _) = item else {
            continue;
        };
        let value = value.unwrap_or_default();
        match letter {
            'a' => is_alternative = true,
            'o' => short = Some(value),
            'l' => match words::long_options(&value) {
                Ok(more) => long.extend(more),
                Err(message) => return report::usage(program, message, 2),
            },
            'n' => name = value,
            'q' => is_quiet = true,
            'Q' => writes = false,
            's' => match value.as_str() {
                "sh" | "bash" => is_csh = false,
                "csh" | "tcsh" => is_csh = true,
                _ => {
                    return report::usage(program, "unknown shell after -s or --shell argument", 2);
                }
            },
            'T' => return 4,
            'u' => is_unquoted = true,
            'h' => return report::print(program, USAGE),
            _ => {
                return report::print(program, "getopt (Sinew, as util-linux) 2.38.1\n");
            }
        }
    }
    let short = match short {
        Some(short) => short,
        None => match rest.split_first() {
            Some((short, behind)) => {
                rest = behind;
                short.clone()
            }
            None => return report::usage(program, "missing optstring argument", 2),
        },
    };
    let mut choice = Choice::new(&short, &name);
    choice.long = long;
    choice.is_quiet |= is_quiet;
    choice.is_alternative = is_alternative;
    choice.is_unquoted = is_unquoted;
    choice.is_csh = is_csh;
    write(program, &choice, rest, writes)
}

/// Returns whether the next word is the argument of this one.
fn takes_next(word: &str) -> bool {
    if let Some(long) = word.strip_prefix("--") {
        let takes = ["longoptions", "name", "options", "shell"];
        return !long.contains('=') && takes.iter().any(|name| name.starts_with(long));
    }
    let mut letters = word.get(1..).unwrap_or("").chars();
    while let Some(letter) = letters.next() {
        if "olns".contains(letter) {
            return letters.as_str().is_empty();
        }
    }
    false
}

fn write(program: &str, choice: &Choice, words: &[String], writes: bool) -> u8 {
    let outcome = words::read(choice, words);
    if !choice.is_quiet {
        for message in &outcome.errors {
            let _ = writeln!(io::stderr(), "{}: {message}", choice.name);
        }
    }
    let status = u8::from(!outcome.errors.is_empty());
    if !writes {
        return status;
    }
    report::print(program, outcome.text + "\n").max(status)
}

const USAGE: &str = "\
Usage: getopt optstring parameters
       getopt [options] [--] optstring parameters
       getopt [options] -o optstring [options] [--] parameters
  -a, --alternative           long options may begin with one -
  -l, --longoptions NAMES     the long options
  -n, --name NAME             the name in messages
  -o, --options OPTSTRING     the short options
  -q, --quiet                 no messages
  -Q, --quiet-output          no output
  -s, --shell SHELL           quote for SHELL
  -T, --test                  status 4
  -u, --unquoted              do not quote
";
