//! bc: a calculator of any precision, as GNU bc 1.07.
//!
//! A line runs when it is complete; an error ends what runs and the next line goes on.

mod math;
mod number;
mod run;
mod syntax;

use std::io::{self, BufRead};

use crate::{input, report};

use run::{Machine, Stop};
use syntax::{Parser, Token};

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    use gnu_options::Takes::Nothing;
    let options = gnu_options::Options {
        short: "lqswhiv",
        long: &[
            ("mathlib", Nothing, 'l'),
            ("quiet", Nothing, 'q'),
            ("standard", Nothing, 's'),
            ("warn", Nothing, 'w'),
            ("interactive", Nothing, 'i'),
            ("help", Nothing, 'h'),
            ("version", Nothing, 'v'),
        ],
    };
    let (items, error) = gnu_options::parse(&options, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut machine = Machine::default();
    let mut names = Vec::new();
    for item in items {
        match item {
            gnu_options::Item::Option('l', ..) => machine.use_library(),
            gnu_options::Item::Option('v', ..) => {
                return report::print(program, "bc (Sinew, as GNU bc) 1.07.1\n");
            }
            gnu_options::Item::Option('h', ..) => return report::print(program, USAGE),
            gnu_options::Item::Option(..) => {}
            gnu_options::Item::Operand(name) => names.push(name),
        }
    }
    names.push("-".to_owned());
    for name in &names {
        let source = match input::open(name) {
            Ok(source) => source,
            Err(error) => {
                report::complain(
                    "File",
                    format_args!("{name} is unavailable: {}", process::message(&error)),
                );
                return 1;
            }
        };
        let shown = if name == "-" { "(standard_in)" } else { name };
        match run_source(source, shown, &mut machine) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                report::complain(
                    "File",
                    format_args!("{name} is unavailable: {}", process::message(&error)),
                );
                return 1;
            }
        }
    }
    report::finish(program, Ok(()), 0)
}

/// Runs what a source says as soon as it has said a whole piece, for whoever talks with it; false after `quit` and
/// `halt`.
fn run_source(mut source: impl BufRead, name: &str, machine: &mut Machine) -> io::Result<bool> {
    let (mut piece, mut bytes) = (String::new(), Vec::new());
    let (mut line, mut piece_line) = (1, 1);
    loop {
        bytes.clear();
        let is_end = source.read_until(b'\n', &mut bytes)? == 0;
        piece.push_str(&String::from_utf8_lossy(&bytes));
        line += 1;
        if !is_end && !is_whole(&piece) {
            continue;
        }
        if !program_text(&piece, (name, piece_line), machine) {
            return Ok(false);
        }
        if is_end {
            return Ok(true);
        }
        let _ = io::Write::flush(&mut io::stdout());
        piece.clear();
        piece_line = line;
    }
}

/// Returns whether nothing is open at the end of a text: no brace, string or comment, and no line goes on.
fn is_whole(text: &str) -> bool {
    let mut depth = 0_i64;
    let mut rest = text;
    while let Some(place) = rest.find(['{', '}', '"', '/', '#']) {
        let after = rest.get(place + 1..).unwrap_or_default();
        rest = match rest.as_bytes().get(place) {
            Some(b'{') => {
                depth += 1;
                after
            }
            Some(b'}') => {
                depth -= 1;
                after
            }
            Some(b'"') => match after.split_once('"') {
                Some((_, after)) => after,
                None => return false,
            },
            Some(b'/') if after.starts_with('*') => match after.split_once("*/") {
                Some((_, after)) => after,
                None => return false,
            },
            Some(b'#') => after.split_once('\n').map_or("", |(_, after)| after),
            _ => after,
        };
    }
    depth <= 0 && !text.ends_with("\\\n")
}

/// Runs all lines of a text, the first of which has a number; false after `quit` and `halt`.
fn program_text(text: &str, (name, first_line): (&str, usize), machine: &mut Machine) -> bool {
    let tokens = match syntax::tokens(text) {
        Ok(tokens) => tokens,
        Err(line) => {
            eprintln!("{name} {}: syntax error", first_line + line - 1);
            return true;
        }
    };
    let mut parser = Parser { tokens, at: 0 };
    while *parser.peek() != Token::End {
        let mut statements = Vec::new();
        let mut quits = false;
        loop {
            if parser.takes("\n") || *parser.peek() == Token::End {
                break;
            }
            if parser.takes(";") {
                continue;
            }
            if *parser.peek() == Token::Name("quit".to_owned()) {
                quits = true;
                break;
            }
            let parsed = parser.statement();
            let ends = parser.is_apart();
            match parsed.filter(|_| ends) {
                Some(statement) => statements.push(statement),
                None => {
                    let line = parser
                        .tokens
                        .get(parser.at)
                        .or(parser.tokens.last())
                        .map_or(1, |(_, line)| *line);
                    let _ = io::Write::flush(&mut io::stdout());
                    eprintln!("{name} {}: syntax error", first_line + line - 1);
                    while !matches!(parser.next(), Token::Sign("\n") | Token::End) {}
                    statements.clear();
                    break;
                }
            }
        }
        match machine.block(&statements) {
            Err(Stop::Halt) => return false,
            Err(Stop::Error(message)) => {
                let _ = io::Write::flush(&mut io::stdout());
                eprintln!("Runtime error (func=(main), adr=0): {message}");
            }
            _ => {}
        }
        if quits {
            return false;
        }
    }
    true
}

const USAGE: &str = "usage: bc [-l] [-q] [file ...]\n  -l  use the math library: s c a l e\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_whole_when_nothing_is_open() {
        for text in [
            "1+1\n",
            "define f(x) {\nreturn (x)\n}\n",
            "\"a{\"\n",
            "/* { */ 1\n",
            "# {\n",
        ] {
            assert!(is_whole(text), "{text:?}");
        }
        for text in ["define f(x) {\n", "\"a\n", "/* a\n", "1 + \\\n"] {
            assert!(!is_whole(text), "{text:?}");
        }
    }
}
