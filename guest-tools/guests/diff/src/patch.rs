//! patch, as GNU's 2.7 has it: finds patches in its input and applies them to files beneath the working directory.

mod apply;
mod attempt;
mod backup;
mod choose;
mod ed;
mod find;
mod git;
mod hunk;
mod lines;
mod locate;
mod names;
mod options;
mod put;
mod reject;
mod say;
mod session;

use std::io::Write as _;

use session::Session;

/// Why patch ends at once.
#[derive(Debug)]
enum Trouble {
    /// A message behind `patch: **** `.
    Fatal(String),
    /// A wrong command line.
    Usage(String),
}

impl Trouble {
    fn of(what: &str, path: &str, error: &std::io::Error) -> Self {
        Self::Fatal(format!("{what} {path} : {}", process::message(error)))
    }
}

/// Runs patch.
pub(crate) fn run(words: &[String]) -> u8 {
    let status = options::read(words).and_then(|request| match request {
        options::Asked::Text(text) => {
            print!("{text}");
            Ok(0)
        }
        options::Asked::Patch(request) => Session::open(*request)?.run(),
    });
    let flushed = std::io::stdout().flush();
    match (status, flushed) {
        (Ok(status), Ok(())) => status,
        (Ok(_), Err(error)) => {
            eprintln!("patch: **** write error : {}", process::message(&error));
            2
        }
        (Err(Trouble::Fatal(message)), _) => {
            eprintln!("patch: **** {message}");
            2
        }
        (Err(Trouble::Usage(message)), _) => {
            eprintln!("patch: {message}\npatch: Try 'patch --help' for more information.");
            2
        }
    }
}
