//! Messages on standard error, in the words of the GNU tools: `PROGRAM: subject: reason`.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints `PROGRAM: message`.
pub(crate) fn complain(program: &str, message: impl Display) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{program}: {message}");
}

/// Prints a message about the command line and where to read more; returns `status`.
pub(crate) fn usage(program: &str, message: impl Display, status: u8) -> u8 {
    complain(program, message);
    let _ = writeln!(io::stderr(), "Try '{program} --help' for more information.");
    status
}

/// Prints a usage text, as `--help` asks for it.
pub(crate) fn help(text: &str) -> u8 {
    finish("", io::stdout().write_all(text.as_bytes()))
}

/// Prints what `--version` asks for: the release of GNU coreutils whose behaviour this is.
pub(crate) fn version(program: &str) -> u8 {
    let text = format!("{program} (Sinew, as GNU coreutils) 9.1\n");
    finish(program, io::stdout().write_all(text.as_bytes()))
}

/// Returns the status that the end of the output deserves, and tells what went wrong.
pub(crate) fn finish(program: &str, written: io::Result<()>) -> u8 {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => 0,
        // The reader has gone; the host ends a program for that, natively it ends here.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => 141,
        Err(error) => {
            complain(program, format_args!("write error: {}", reason(&error)));
            1
        }
    }
}

/// Returns why an operation failed, in glibc's words: each C library has its own for some.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = match error.kind() {
        ErrorKind::NotFound => "No such file or directory",
        ErrorKind::CrossesDevices => "Invalid cross-device link",
        ErrorKind::DirectoryNotEmpty => "Directory not empty",
        ErrorKind::InvalidFilename => "File name too long",
        ErrorKind::NotADirectory => "Not a directory",
        ErrorKind::IsADirectory => "Is a directory",
        ErrorKind::AlreadyExists => "File exists",
        ErrorKind::StorageFull => "No space left on device",
        ErrorKind::ReadOnlyFilesystem => "Read-only file system",
        ErrorKind::Unsupported => "Operation not supported",
        _ => {
            let text = error.to_string();
            let text = text
                .split_once(" (os error")
                .map_or(text.as_str(), |(text, _)| text);
            return match text {
                "Symbolic link loop" => "Too many levels of symbolic links",
                text => text,
            }
            .to_owned();
        }
    };
    text.to_owned()
}
