//! rename: replaces a text in names of files, as util-linux's.

use std::io::{self, Write};

use gnu_options::{Item, Takes};

use crate::report;

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "+vsnoialhV",
    long: &[
        ("all", Takes::Nothing, 'a'),
        ("help", Takes::Nothing, 'h'),
        ("interactive", Takes::Nothing, 'i'),
        ("last", Takes::Nothing, 'l'),
        ("no-act", Takes::Nothing, 'n'),
        ("no-overwrite", Takes::Nothing, 'o'),
        ("symlink", Takes::Nothing, 's'),
        ("verbose", Takes::Nothing, 'v'),
        ("version", Takes::Nothing, 'V'),
    ],
};

#[derive(Default)]
struct Wish {
    all: bool,
    last: bool,
    is_dry: bool,
    keeps: bool,
    is_verbose: bool,
}

/// Runs the command: status 4 if nothing was renamed, 2 if only some were, 1 if all failed.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    // Its options end at the first word that is none.
    let own = arguments
        .iter()
        .take_while(|word| word.starts_with('-') && word.len() > 1)
        .count();
    let (before, words) = arguments.split_at_checked(own).unwrap_or((arguments, &[]));
    let (items, error) = gnu_options::parse(&OPTIONS, before);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut wish = Wish::default();
    for item in items {
        let Item::Option(letter, ..) = item else {
            continue;
        };
        match letter {
            'a' => wish.all = true,
            'l' => wish.last = true,
            'n' => wish.is_dry = true,
            'o' => wish.keeps = true,
            'v' => wish.is_verbose = true,
            'h' => return report::print(program, USAGE),
            'V' => {
                return report::print(program, "rename (Sinew, as util-linux) 2.38.1\n");
            }
            _ => {
                report::complain(
                    program,
                    format_args!("the option -{letter} is not supported"),
                );
                return 1;
            }
        }
    }
    let [from, to, names @ ..] = words else {
        return report::usage(program, "not enough arguments", 1);
    };
    if names.is_empty() {
        // Perl's rename has an expression in place of the first two words.
        return report::usage(program, "not enough arguments", 1);
    }
    let (mut done, mut failed) = (0, 0);
    let mut text = String::new();
    for name in names {
        if process::stat(name, false).is_err() {
            report::complain(
                program,
                format_args!("{name}: not accessible: No such file or directory"),
            );
            failed += 1;
            continue;
        }
        let new = replace(&wish, name, from, to);
        if new == *name || wish.keeps && process::stat(&new, false).is_ok() {
            if wish.is_verbose && wish.keeps && new != *name {
                text.push_str(&format!("Skipping existing file: `{new}'\n"));
            }
            continue;
        }
        if !wish.is_dry
            && let Err(error) = std::fs::rename(name, &new)
        {
            let message = process::message(&error);
            report::complain(
                program,
                format_args!("{name}: rename to {new} failed: {message}"),
            );
            failed += 1;
            continue;
        }
        if wish.is_verbose {
            text.push_str(&format!("`{name}' -> `{new}'\n"));
        }
        done += 1;
    }
    let _ = io::stdout().flush();
    let status = match (done, failed) {
        (0, 0) => 4,
        (_, 0) => 0,
        (0, _) => 1,
        _ => 2,
    };
    report::print(program, text).max(status)
}

/// Replaces in the last part of a path, or in all of it if `from` has a slash.
fn replace(wish: &Wish, path: &str, from: &str, to: &str) -> String {
    let start = if from.contains('/') || to.contains('/') {
        0
    } else {
        path.rfind('/').map_or(0, |at| at + 1)
    };
    let (folder, name) = path.split_at_checked(start).unwrap_or(("", path));
    let new = if from.is_empty() {
        if wish.last {
            format!("{name}{to}")
        } else {
            format!("{to}{name}")
        }
    } else if wish.all {
        name.replace(from, to)
    } else if wish.last {
        match name.rsplit_once(from) {
            Some((before, behind)) => format!("{before}{to}{behind}"),
            None => name.to_owned(),
        }
    } else {
        name.replacen(from, to, 1)
    };
    format!("{folder}{new}")
}

const USAGE: &str = "\
Usage: rename [options] expression replacement file...
  -a, --all            all occurrences
  -l, --last           the last one instead of the first
  -n, --no-act         rename nothing; with -v say what would be done
  -o, --no-overwrite   leave files that are there
  -v, --verbose        say what is done
";
