//! nohup, nice, setsid and stdbuf: run a program in changed circumstances.
//!
//! A hand has no terminal to hang up, no priorities, and streams that nobody buffers across a pipe by lines, so these
//! check their options and run the program.

use std::fs::OpenOptions;
use std::io::IsTerminal;

use crate::child::{self, Start};
use crate::quoting;
use crate::report::{self, usage};
use gnu_options::named::{self, Item, Order};

/// Bit of the signal HUP.
const HANG_UP: u64 = 1 << 1;

/// Runs nohup.
pub(crate) fn nohup(program: &str, arguments: &[String]) -> u8 {
    let words = match words(program, arguments, "", 125) {
        Ok((_, words)) => words,
        Err(status) => return status,
    };
    if words.is_empty() {
        return usage(program, "missing operand", 125);
    }
    if std::io::stdout().is_terminal() {
        // Never in a hand; natively this is a tool for trying things out.
        let _ = OpenOptions::new()
            .append(true)
            .create(true)
            .open("nohup.out");
    }
    let mut start = Start::new(&words);
    start.ignored |= HANG_UP;
    child::run(program, &start)
}

/// Runs nice.
pub(crate) fn nice(program: &str, arguments: &[String]) -> u8 {
    // `-5` and `--5` are old spellings of `-n 5` and `-n -5`.
    let arguments: Vec<String> = arguments
        .iter()
        .enumerate()
        .map(|(place, one)| match one.strip_prefix('-') {
            Some(number) if place == 0 && number.trim_start_matches('-').parse::<u32>().is_ok() => {
                format!("-n{number}")
            }
            _ => one.clone(),
        })
        .collect();
    let (items, words) = match words(program, &arguments, "n/adjustment=", 125) {
        Ok(read) => read,
        Err(status) => return status,
    };
    for (_, value) in &items {
        let text = value.as_deref().unwrap_or("");
        if text.parse::<i64>().is_err() {
            return usage(
                program,
                format_args!("invalid adjustment {}", quoting::curly(text)),
                125,
            );
        }
    }
    if words.is_empty() {
        if !items.is_empty() {
            return usage(program, "a command must be given with an adjustment", 125);
        }
        println!("0");
        return report::finish(program, Ok(()));
    }
    child::run(program, &Start::new(&words))
}

/// Runs setsid.
pub(crate) fn setsid(program: &str, arguments: &[String]) -> u8 {
    let (items, words) = match words(program, arguments, "c/ctty f/fork w/wait", 1) {
        Ok(read) => read,
        Err(status) => return status,
    };
    if words.is_empty() {
        return usage(program, "no command specified", 1);
    }
    let mut start = Start::new(&words);
    start.leads_group = true;
    start.ignored |= HANG_UP;
    if items.iter().any(|(name, _)| *name == "fork")
        && !items.iter().any(|(name, _)| *name == "wait")
    {
        return match child::spawn(program, &start) {
            Ok(_) => 0,
            Err(status) => status,
        };
    }
    child::run(program, &start)
}

/// Runs stdbuf.
pub(crate) fn stdbuf(program: &str, arguments: &[String]) -> u8 {
    let (items, words) = match words(program, arguments, "i/input= o/output= e/error=", 125) {
        Ok(read) => read,
        Err(status) => return status,
    };
    if words.is_empty() {
        return usage(program, "missing operand", 125);
    }
    if items.is_empty() {
        return usage(program, "you must specify a buffering mode option", 125);
    }
    for (_, value) in &items {
        let text = value.as_deref().unwrap_or("");
        if text != "L" && !text.starts_with(|one: char| one.is_ascii_digit()) {
            return usage(
                program,
                format_args!("invalid mode {}", quoting::curly(text)),
                125,
            );
        }
    }
    child::run(program, &Start::new(&words))
}

type Read = (Vec<(&'static str, Option<String>)>, Vec<String>);

fn words(
    program: &str,
    arguments: &[String],
    specification: &'static str,
    failure: u8,
) -> Result<Read, u8> {
    let items = named::parse(arguments, specification, Order::First)
        .map_err(|message| usage(program, message, failure))?;
    let (mut found, mut words) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Operand(word) => words.push(word),
            Item::Option("help", _) => {
                return Err(report::help(&format!(
                    "Usage: {program} [OPTION]... COMMAND [ARG]...\n"
                )));
            }
            Item::Option("version", _) => return Err(report::version(program)),
            Item::Option(name, value) => found.push((name, value)),
        }
    }
    Ok((found, words))
}
