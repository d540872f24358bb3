//! bc: a calculator of any precision, as GNU bc 1.07.
//!
//! A line runs when it is complete; an error ends what runs and the next line goes on.

mod math;
mod number;
mod run;
mod syntax;

use std::io::{self, Read};

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
        let mut bytes = Vec::new();
        if let Err(error) = input::open(name).and_then(|mut source| source.read_to_end(&mut bytes))
        {
            report::complain(
                "File",
                format_args!("{name} is unavailable: {}", process::message(&error)),
            );
            return 1;
        }
        let shown = if name == "-" { "(standard_in)" } else { name };
        if !program_text(&String::from_utf8_lossy(&bytes), shown, &mut machine) {
            break;
        }
    }
    report::finish(program, Ok(()), 0)
}

/// Runs all lines of a text; false after `quit` and `halt`.
fn program_text(text: &str, name: &str, machine: &mut Machine) -> bool {
    let tokens = match syntax::tokens(text) {
        Ok(tokens) => tokens,
        Err(line) => {
            eprintln!("{name} {line}: syntax error");
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
                    eprintln!("{name} {line}: syntax error");
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
