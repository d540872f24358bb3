//! rev: reverses the characters of each line.

use std::io::{self, BufRead, BufWriter, Write};

use crate::{input, report};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let options = gnu_options::Options {
        short: "0",
        long: &[("zero", gnu_options::Takes::Nothing, '0')],
    };
    let (items, error) = gnu_options::parse(&options, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut end = b'\n';
    let mut names = Vec::new();
    for item in items {
        match item {
            gnu_options::Item::Option(..) => end = 0,
            gnu_options::Item::Operand(name) => names.push(name),
        }
    }
    if names.is_empty() {
        names.push("-".to_owned());
    }
    let mut out = BufWriter::with_capacity(input::CHUNK_BYTES, io::stdout().lock());
    let mut status = 0;
    for name in &names {
        let outcome = match input::open(name) {
            Ok(mut source) => reverse(&mut *source, &mut out, end),
            Err(error) => {
                let message = process::message(&error);
                report::complain(program, format_args!("cannot open {name}: {message}"));
                status = 1;
                continue;
            }
        };
        if let Err(error) = outcome {
            return report::finish(program, Err(error), 1);
        }
    }
    let written = out.flush();
    drop(out);
    report::finish(program, written, status)
}

fn reverse(source: &mut dyn BufRead, out: &mut dyn Write, end: u8) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if source.read_until(end, &mut line)? == 0 {
            return Ok(());
        }
        let is_complete = line.last() == Some(&end);
        if is_complete {
            line.pop();
        }
        match std::str::from_utf8(&line) {
            Ok(text) => out.write_all(text.chars().rev().collect::<String>().as_bytes())?,
            Err(_) => {
                line.reverse();
                out.write_all(&line)?;
            }
        }
        if is_complete {
            out.write_all(&[end])?;
        }
    }
}
