//! `sed`, the stream editor, as GNU sed 4.9 has it.
//!
//! A script is parsed to a flat list of commands ([`script`]), which the machine runs on one line after the other.
//! What is in memory is a line, the hold space and buffers of fixed size.

mod edit;
mod escape;
mod input;
mod listing;
mod machine;
mod output;
mod parser;
mod replacement;
mod script;
mod settings;
mod substitute;
mod usage;

use settings::Asked;

/// Why sed ends before its input does: a message, and the exit status.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    status: u8,
}

impl Failure {
    /// A mistake in the command line or the script.
    fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 1,
        }
    }

    /// A file that cannot be read or written.
    fn trouble(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 4,
        }
    }

    fn writing(name: &str, error: &std::io::Error) -> Self {
        Self::trouble(format!(
            "couldn't write to {name}: {}",
            process::message(error)
        ))
    }
}

/// Runs the program by the name it was called by. Returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    let words = arguments.get(1..).unwrap_or_default();
    let result = settings::read(words).and_then(|asked| match asked {
        Asked::Help => {
            print!("{}", usage::HELP);
            Ok(0)
        }
        Asked::Version => {
            print!("{}", usage::VERSION);
            Ok(0)
        }
        Asked::Usage(message) => {
            if let Some(message) = message {
                eprintln!("sed: {message}");
            }
            eprint!("{}", usage::HELP);
            Ok(1)
        }
        Asked::Edit(settings) => machine::run(&settings),
    });
    result.unwrap_or_else(|failure| {
        eprintln!("sed: {}", failure.message);
        failure.status
    })
}
