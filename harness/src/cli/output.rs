//! Writing to standard output. Whoever reads it may stop at any time, as `head` does: then the command ends, quietly.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Writes a line to standard output; as `println!`, but for a reader that is gone.
macro_rules! say {
    () => { $crate::cli::output::write(format_args!("\n")) };
    ($($arguments:tt)*) => {
        $crate::cli::output::write(format_args!("{}\n", format_args!($($arguments)*)))
    };
}

/// Writes to standard output; as `print!`, but for a reader that is gone.
macro_rules! say_part {
    ($($arguments:tt)*) => { $crate::cli::output::write(format_args!($($arguments)*)) };
}

/// Writes a line to standard output, and goes on if there is no reader: for what serves others.
macro_rules! announce {
    ($($arguments:tt)*) => {
        $crate::cli::output::announce(format_args!("{}\n", format_args!($($arguments)*)))
    };
}

/// Status of a command whose output has no reader any more: what it did until then was right.
const NO_READER: i32 = 0;
/// Status of a command whose output cannot be written for another reason.
const NOT_WRITTEN: i32 = 1;

pub(super) fn write(text: Arguments<'_>) {
    if let Err(error) = io::stdout().lock().write_fmt(text) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(NO_READER);
        }
        // Without standard error there is nobody to tell.
        let _ = writeln!(io::stderr(), "sinew: the output cannot be written: {error}");
        std::process::exit(NOT_WRITTEN);
    }
}

pub(super) fn announce(text: Arguments<'_>) {
    let _ = io::stdout().lock().write_fmt(text);
}
