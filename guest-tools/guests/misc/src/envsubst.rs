//! envsubst: puts the values of environment variables in place of `$NAME` and `${NAME}`.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use crate::{input, report};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let options = gnu_options::Options {
        short: "vhV",
        long: &[
            ("help", gnu_options::Takes::Nothing, 'h'),
            ("variables", gnu_options::Takes::Nothing, 'v'),
            ("version", gnu_options::Takes::Nothing, 'V'),
        ],
    };
    let (items, error) = gnu_options::parse(&options, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut lists = false;
    let mut format = None;
    for item in items {
        match item {
            gnu_options::Item::Option('h', ..) => return report::print(program, USAGE),
            gnu_options::Item::Option('V', ..) => {
                return report::print(program, "envsubst (Sinew, as GNU gettext) 0.21\n");
            }
            gnu_options::Item::Option(..) => lists = true,
            gnu_options::Item::Operand(_) if format.is_some() => {
                report::complain(program, "too many arguments");
                return 1;
            }
            gnu_options::Item::Operand(text) => format = Some(text),
        }
    }
    if lists {
        let Some(format) = format else {
            report::complain(program, "missing arguments");
            return 1;
        };
        let mut text = String::new();
        each(format.as_bytes(), |part| {
            if let Part::Variable(name, _) = part {
                text.push_str(name);
                text.push('\n');
            }
        });
        return report::print(program, text);
    }
    let chosen = format.map(|format| {
        let mut names = BTreeSet::new();
        each(format.as_bytes(), |part| {
            if let Part::Variable(name, _) = part {
                names.insert(name.to_owned());
            }
        });
        names
    });
    let result = substitute(chosen.as_ref());
    report::finish(program, result, 0)
}

fn substitute(chosen: Option<&BTreeSet<String>>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(input::CHUNK_BYTES, io::stdout().lock());
    let mut source = input::open("-")?;
    let mut line = Vec::new();
    while let Some(is_complete) = input::line(&mut *source, &mut line)? {
        let mut done = Vec::with_capacity(line.len());
        each(&line, |part| match part {
            Part::Variable(name, _) if chosen.is_none_or(|chosen| chosen.contains(name)) => {
                let value = std::env::var_os(name).unwrap_or_default();
                done.extend_from_slice(value.as_encoded_bytes());
            }
            Part::Variable(_, text) | Part::Text(text) => done.extend_from_slice(text),
        });
        if is_complete {
            done.push(b'\n');
        }
        out.write_all(&done)?;
    }
    out.flush()
}

enum Part<'a> {
    Text(&'a [u8]),
    /// Its name, and what stands there.
    Variable(&'a str, &'a [u8]),
}

fn each<'a>(mut text: &'a [u8], mut action: impl FnMut(Part<'a>)) {
    while let Some(at) = text.iter().position(|byte| *byte == b'$') {
        let (before, rest) = text.split_at_checked(at).unwrap_or((text, &[]));
        action(Part::Text(before));
        let length = variable(rest);
        let (part, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, &[]));
        let inner = part.strip_prefix(b"$").unwrap_or(part);
        let inner = inner
            .strip_prefix(b"{")
            .and_then(|inner| inner.strip_suffix(b"}"))
            .unwrap_or(inner);
        match std::str::from_utf8(inner) {
            Ok(name) if length > 0 => action(Part::Variable(name, part)),
            _ => action(Part::Text(part)),
        }
        text = after;
    }
    action(Part::Text(text));
}

/// Returns the length of the variable that `text` begins with, 0 for none.
fn variable(text: &[u8]) -> usize {
    let rest = text.get(1..).unwrap_or(&[]);
    let is_braced = rest.first() == Some(&b'{');
    let name = rest.get(usize::from(is_braced)..).unwrap_or(&[]);
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    if !name.first().is_some_and(is_first) {
        return 0;
    }
    let length = name
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    match (is_braced, name.get(length)) {
        (true, Some(b'}')) => length + 3,
        (true, _) => 0,
        (false, _) => length + 1,
    }
}

const USAGE: &str = "\
Usage: envsubst [OPTION] [SHELL-FORMAT]
Substitutes the values of environment variables.
  -v, --variables   output the variables occurring in SHELL-FORMAT
Only the variables that SHELL-FORMAT names are substituted, if it is given.
";
