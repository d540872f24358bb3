//! What is said on standard error.

use std::io::Write;

use process::Errno;

/// The number of the one user that everything in a hand belongs to.
pub const USER: u32 = process::USER;
/// The number of its group.
pub const GROUP: u32 = process::GROUP;

/// Writes `program: message`.
pub fn report(program: &str, message: &str) {
    // Standard error is all there is to say it on.
    let _ = std::io::stderr()
        .lock()
        .write_all(format!("{program}: {message}\n").as_bytes());
}

/// Returns a name in the quotes of GNU's messages.
pub fn quoted(name: &str) -> String {
    format!("\u{2018}{name}\u{2019}")
}

/// Returns what the C library says of an error of std.
pub fn reason(error: &std::io::Error) -> String {
    words(Errno::from(error)).to_owned()
}

/// Returns what the C library says of an error.
pub fn words(errno: Errno) -> &'static str {
    errno.words()
}
