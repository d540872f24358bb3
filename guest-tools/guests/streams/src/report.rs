//! Messages on standard error as the originals word them, and the end of standard output.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints `PROGRAM: message`.
pub fn complain(program: &str, message: impl Display) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{program}: {message}");
}

/// Prints a message and where to read more; returns `status`.
pub fn usage(program: &str, message: impl Display, status: u8) -> u8 {
    complain(program, message);
    let _ = writeln!(io::stderr(), "Try '{program} --help' for more information.");
    status
}

/// Prints text on standard output and returns the status that the outcome deserves.
pub fn print(program: &str, text: impl AsRef<[u8]>) -> u8 {
    finish(program, io::stdout().lock().write_all(text.as_ref()), 0)
}

/// Flushes standard output and returns `status`, or a failure if something could not be written.
pub fn finish(program: &str, written: io::Result<()>, status: u8) -> u8 {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => status,
        // The reader has gone; the host ends a program for that, natively it ends here.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => 141,
        Err(error) => {
            complain(
                program,
                format_args!("write error: {}", process::message(&error)),
            );
            1
        }
    }
}
