//! pidof: the numbers of the processes of a program, newest first.

use gnu_options::{Item, Takes};

use crate::{report, table};

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "chno:qsS:txV",
    long: &[
        ("check-root", Takes::Nothing, 'c'),
        ("help", Takes::Nothing, 'h'),
        ("omit-pid", Takes::Argument, 'o'),
        ("separator", Takes::Argument, 'S'),
        ("single-shot", Takes::Nothing, 's'),
        ("version", Takes::Nothing, 'V'),
        ("with-workers", Takes::Nothing, 'w'),
    ],
};

/// Runs the command: status 1 if there is none.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut names = Vec::new();
    let mut omitted = vec![process::pid()];
    let mut separator = " ".to_owned();
    let (mut is_single, mut is_quiet, mut takes_scripts) = (false, false, false);
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option('o', value, _) => {
                for word in value.unwrap_or_default().split([',', ' ']) {
                    match word {
                        "%PPID" => omitted.push(process::parent()),
                        _ => omitted.extend(word.parse::<u32>().ok()),
                    }
                }
            }
            Item::Option('S', value, _) => separator = value.unwrap_or_default(),
            Item::Option('s', ..) => is_single = true,
            Item::Option('q', ..) => is_quiet = true,
            Item::Option('x', ..) => takes_scripts = true,
            Item::Option('h', ..) => return report::print(program, USAGE),
            Item::Option('V', ..) => {
                return report::print(program, "pidof from procps-ng 4.0.2 (Sinew)\n");
            }
            Item::Option(..) => {}
        }
    }
    let mut found = Vec::new();
    for entry in table::list().iter().rev() {
        let first = entry.arguments.first().map_or("", String::as_str);
        let script = entry.arguments.get(1).map_or("", String::as_str);
        let fits = |name: &String| {
            let is_named = |word: &str| {
                word == name || !name.contains('/') && word.rsplit('/').next() == Some(name)
            };
            is_named(first.strip_prefix('-').unwrap_or(first)) || takes_scripts && is_named(script)
        };
        if !omitted.contains(&entry.pid) && names.iter().any(fits) {
            found.push(entry.pid.to_string());
            if is_single {
                break;
            }
        }
    }
    let status = u8::from(found.is_empty());
    if found.is_empty() || is_quiet {
        return status;
    }
    report::print(program, found.join(&separator) + "\n")
}

const USAGE: &str = "
Usage:
 pidof [options] [program [...]]

Options:
 -s, --single-shot         one number
 -o, --omit-pid <PID,...>  not these; %PPID is the parent
 -x                        shells that run scripts of the name too
 -q                        no output
 -S, --separator SEP       between the numbers
";
