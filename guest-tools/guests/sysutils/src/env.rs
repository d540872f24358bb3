//! env: prints the environment, or runs a program in a changed one.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};

use crate::child::{self, Start};
use crate::quoting;
use crate::report::{self, complain, reason, usage};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "i/ignore-environment 0/null u/unset= C/chdir= S/split-string= v/debug block-signal=? \
    default-signal=? ignore-signal=? list-signal-handling";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let arguments = match expand(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            complain(program, message);
            return 125;
        }
    };
    let items = match named::parse(&arguments, SPECIFICATION, Order::First) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 125),
    };
    let (mut is_empty, mut ends_with_nul, mut directory) = (false, false, None);
    let mut unset = Vec::new();
    let mut words = Vec::new();
    for item in items {
        match item {
            Item::Operand(word) => words.push(word),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("ignore-environment", _) => is_empty = true,
            Item::Option("null", _) => ends_with_nul = true,
            Item::Option("unset", value) => unset.extend(value),
            Item::Option("chdir", value) => directory = value,
            Item::Option(..) => {}
        }
    }
    // A lone `-` stands for `-i`.
    if words.first().is_some_and(|word| word == "-") {
        is_empty = true;
        words.remove(0);
    }
    let mut environment: Vec<(OsString, OsString)> = if is_empty {
        Vec::new()
    } else {
        std::env::vars_os().collect()
    };
    for name in unset {
        if name.is_empty() || name.contains('=') {
            complain(
                program,
                format_args!("cannot unset {}: Invalid argument", quoting::curly(&name)),
            );
            return 125;
        }
        environment.retain(|(known, _)| *known != *name);
    }
    let assignments = words.iter().take_while(|word| word.contains('=')).count();
    for assignment in words.drain(..assignments) {
        if let Some((name, value)) = assignment.split_once('=') {
            match environment.iter_mut().find(|(known, _)| *known == *name) {
                Some((_, known)) => *known = value.into(),
                None => environment.push((name.into(), value.into())),
            }
        }
    }
    if words.is_empty() {
        if directory.is_some() {
            return usage(program, "must specify command with --chdir (-C)", 125);
        }
        return print(program, &environment, ends_with_nul);
    }
    if ends_with_nul {
        return usage(program, "cannot specify --null (-0) with command", 125);
    }
    let mut start = Start::new(&words);
    if let Some(directory) = directory {
        match std::fs::canonicalize(&directory) {
            Ok(path) if path.is_dir() => {
                start.directory = Some(path.as_os_str().as_encoded_bytes().to_vec())
            }
            outcome => {
                let why =
                    outcome.map_or_else(|error| reason(&error), |_| "Not a directory".to_owned());
                complain(
                    program,
                    format_args!(
                        "cannot change directory to {}: {why}",
                        quoting::quoted(&directory)
                    ),
                );
                return 125;
            }
        }
        // A program of the hand finds its directory there.
        if let (Some(path), false) = (&start.directory, is_empty)
            && let Some((_, value)) = environment.iter_mut().find(|(name, _)| name == "PWD")
        {
            *value = String::from_utf8_lossy(path).into_owned().into();
        }
    }
    start.environment = environment;
    child::run(program, &start)
}

fn print(program: &str, environment: &[(OsString, OsString)], ends_with_nul: bool) -> u8 {
    let mut out = BufWriter::new(io::stdout().lock());
    let end: &[u8] = if ends_with_nul { b"\0" } else { b"\n" };
    let written = environment.iter().try_for_each(|(name, value)| {
        out.write_all(name.as_encoded_bytes())?;
        out.write_all(b"=")?;
        out.write_all(value.as_encoded_bytes())?;
        out.write_all(end)
    });
    let written = written.and_then(|()| out.flush());
    report::finish(program, written)
}

/// Replaces the first `-S TEXT` by the words of the text, as `#!` lines need it.
fn expand(arguments: &[String]) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        let is_option = argument.starts_with('-') && argument.len() > 1;
        if !is_option || argument == "--" {
            out.push(argument.clone());
            break;
        }
        let long = argument.strip_prefix("--split-string=");
        let cluster = argument
            .strip_prefix('-')
            .filter(|rest| !rest.starts_with('-'));
        let short = cluster
            .and_then(|cluster| cluster.split_once('S'))
            .filter(|(before, _)| !before.contains(['u', 'C']));
        let (before, text) = match (long, short) {
            (Some(text), _) => ("", text.to_owned()),
            (None, Some((before, ""))) => (before, left.next().cloned().unwrap_or_default()),
            (None, Some((before, text))) => (before, text.to_owned()),
            (None, None) => {
                out.push(argument.clone());
                // The value of `-u NAME` and `-C DIR` is no option.
                if matches!(argument.as_str(), "-u" | "-C" | "--unset" | "--chdir") {
                    out.extend(left.next().cloned());
                }
                continue;
            }
        };
        if !before.is_empty() {
            out.push(format!("-{before}"));
        }
        out.extend(split(&text)?);
        break;
    }
    out.extend(left.cloned());
    Ok(out)
}

/// Splits a text into words: quotes, backslashes and `${NAME}` as `env -S` has them.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        match (quote, one) {
            (None, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}') => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (None, '\'' | '"') => {
                quote = Some(one);
                word.get_or_insert_default();
            }
            (Some(mark), _) if mark == one => quote = None,
            (Some('\''), '\\') => match rest.clone().next() {
                Some(next @ ('\\' | '\'')) => {
                    rest.next();
                    word.get_or_insert_default().push(next);
                }
                _ => word.get_or_insert_default().push('\\'),
            },
            (_, '\\') => match rest.next() {
                None => return Err("invalid backslash at end of string in -S".to_owned()),
                Some('c') if quote.is_none() => break,
                Some('_') if quote.is_none() => words.extend(word.take()),
                Some('_') => word.get_or_insert_default().push(' '),
                Some(letter) => {
                    let meant = match letter {
                        'f' => '\u{c}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'v' => '\u{b}',
                        '#' | '$' | '"' | '\'' | '\\' => letter,
                        other => return Err(format!("invalid sequence '\\{other}' in -S")),
                    };
                    word.get_or_insert_default().push(meant);
                }
            },
            (None | Some('"'), '$') => {
                let name = rest
                    .as_str()
                    .strip_prefix('{')
                    .and_then(|body| body.split_once('}'));
                let Some((name, after)) = name else {
                    return Err(format!(
                        "only ${{VARNAME}} expansion is supported, error at: ${}",
                        rest.as_str()
                    ));
                };
                word.get_or_insert_default()
                    .push_str(&std::env::var(name).unwrap_or_default());
                rest = after.chars();
            }
            _ => word.get_or_insert_default().push(one),
        }
    }
    if quote.is_some() {
        return Err("no terminating quote in -S string".to_owned());
    }
    words.extend(word);
    Ok(words)
}

const HELP: &str = "\
Usage: env [OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]
Set each NAME to VALUE in the environment and run COMMAND.

  -i, --ignore-environment  start with an empty environment
  -0, --null                end each output line with NUL, not newline
  -u, --unset=NAME          remove variable from the environment
  -C, --chdir=DIR           change working directory to DIR
  -S, --split-string=S      process and split S into separate arguments
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_env_does() {
        let words =
            |text: &str| split(text).map_or_else(|message| message, |words| words.join("|"));
        assert_eq!(words("a 'b c' \"d\\te\" f\\_g # x"), "a|b c|d\te|f|g");
        assert_eq!(words("'"), "no terminating quote in -S string");
    }
}
