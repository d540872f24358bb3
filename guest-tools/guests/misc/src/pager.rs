//! less and more: without a terminal they are cat. Options and commands (`+G`) are for terminals and ignored.

use std::io::{self, BufRead, Write};

use crate::{input, report};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let is_less = program == "less";
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" => {
                names.extend(words.by_ref());
                break;
            }
            "--version" | "-V" => {
                return report::print(program, format!("{program} 590 (Sinew)\n"));
            }
            "--help" | "-?" => {
                return report::print(program, format!("Usage: {program} [options] [file...]\n"));
            }
            "-" => names.push(word),
            _ if word.starts_with('+') => {}
            // These have a value of their own, in the next word if it does not follow at once.
            "-b" | "-h" | "-j" | "-k" | "-o" | "-O" | "-p" | "-P" | "-t" | "-T" | "-x" | "-y"
            | "-z" | "-D" | "-n"
                if is_less && word != "-n" =>
            {
                words.next();
            }
            "-n" | "--lines" if !is_less => {
                words.next();
            }
            _ if word.starts_with('-') => {}
            _ => names.push(word),
        }
    }
    let standard = "-".to_owned();
    if names.is_empty() {
        names.push(&standard);
    }
    let mut status = 0;
    let is_one = names.len() == 1;
    let mut out = io::stdout().lock();
    for name in names {
        let written = match input::open(name) {
            Ok(mut source) => {
                if !is_less && !is_one {
                    let _ = write!(out, "::::::::::::::\n{name}\n::::::::::::::\n");
                }
                copy(&mut *source, &mut out)
            }
            Err(error) => {
                let message = process::message(&error);
                if !is_less {
                    report::complain(program, format_args!("cannot open {name}: {message}"));
                } else if process::Errno::from(&error) == process::Errno::IsDirectory {
                    let _ = writeln!(io::stderr(), "{name} is a directory");
                    status = 1;
                } else {
                    // No failure, as long as there is no terminal.
                    let _ = writeln!(io::stderr(), "{name}: {message}");
                }
                continue;
            }
        };
        if written.is_err() {
            drop(out);
            return report::finish(program, written, 1);
        }
    }
    drop(out);
    report::finish(program, Ok(()), status)
}

fn copy(source: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<()> {
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        out.write_all(bytes)?;
        let count = bytes.len();
        source.consume(count);
    }
}
