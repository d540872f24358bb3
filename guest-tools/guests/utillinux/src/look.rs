//! look and colrm: lines that begin with a text, and lines without some columns.

use std::io::{self, BufWriter, Write};

use gnu_options::{Item, Takes};

use crate::{input, report};

/// Runs look. A hand has no word list, so a file has to be named.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let options = gnu_options::Options {
        short: "abdft:h",
        long: &[
            ("alphanum", Takes::Nothing, 'd'),
            ("ignore-case", Takes::Nothing, 'f'),
            ("terminate", Takes::Argument, 't'),
        ],
    };
    let (items, error) = gnu_options::parse(&options, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let (mut ignores_case, mut only_letters, mut end) = (false, false, None);
    let mut words = Vec::new();
    for item in items {
        match item {
            Item::Operand(word) => words.push(word),
            Item::Option('f', ..) => ignores_case = true,
            Item::Option('d', ..) => only_letters = true,
            Item::Option('t', value, _) => end = value.and_then(|value| value.chars().next()),
            Item::Option(..) => {}
        }
    }
    let (wanted, name) = match words.as_slice() {
        [wanted] => {
            // The word list is looked at without regard to case and signs.
            (ignores_case, only_letters) = (true, true);
            (wanted.clone(), "/usr/share/dict/words".to_owned())
        }
        [wanted, name] => (wanted.clone(), name.clone()),
        _ => return report::usage(program, "bad usage", 1),
    };
    let wanted = match end.and_then(|end| wanted.find(end).map(|at| at + end.len_utf8())) {
        Some(length) => wanted.get(..length).unwrap_or(&wanted).to_owned(),
        None => wanted,
    };
    let key = |line: &[u8]| -> Vec<u8> {
        line.iter()
            .filter(|byte| !only_letters || byte.is_ascii_alphanumeric())
            .map(|byte| {
                if ignores_case {
                    byte.to_ascii_lowercase()
                } else {
                    *byte
                }
            })
            .collect()
    };
    let wanted = key(wanted.as_bytes());
    let mut found = false;
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = (|| {
        let mut source = input::open(&name)?;
        let mut line = Vec::new();
        while input::line(&mut *source, &mut line)?.is_some() {
            if key(&line).starts_with(&wanted) {
                found = true;
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()
    })();
    drop(out);
    match outcome {
        Ok(()) => report::finish(program, Ok(()), u8::from(!found)),
        Err(error) => {
            report::complain(
                program,
                format_args!("{name}: {}", process::message(&error)),
            );
            1
        }
    }
}

/// Runs colrm: leaves out the columns from one to another, counted from 1.
pub(crate) fn colrm(program: &str, arguments: &[String]) -> u8 {
    let mut bounds = [None, None];
    for (place, word) in bounds.iter_mut().zip(arguments) {
        match word.parse::<usize>() {
            Ok(number) if number > 0 => *place = Some(number),
            _ => {
                report::complain(
                    program,
                    format_args!("first argument: '{word}': Invalid argument"),
                );
                return 1;
            }
        }
    }
    let [first, last] = bounds;
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = (|| {
        let mut source = input::open("-")?;
        let mut line = Vec::new();
        while let Some(is_complete) = input::line(&mut *source, &mut line)? {
            let mut text = String::new();
            let mut column = 0_usize;
            for letter in String::from_utf8_lossy(&line).chars() {
                column = match letter {
                    '\t' => (column + 8) & !7,
                    '\u{8}' => column.saturating_sub(1),
                    _ => column + 1,
                };
                let is_removed = first.is_some_and(|first| column >= first)
                    && last.is_none_or(|last| column <= last);
                if !is_removed {
                    text.push(letter);
                }
            }
            if is_complete {
                text.push('\n');
            }
            out.write_all(text.as_bytes())?;
        }
        out.flush()
    })();
    drop(out);
    report::finish(program, outcome, 0)
}
