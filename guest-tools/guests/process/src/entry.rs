//! The beginning and the end of a program.

use std::io::Write as _;

use crate::backend;

/// Runs a program: `run` gets the arguments, the name it was called by first, and returns the exit status.
///
/// Before, the working directory becomes `$PWD` where std does not know it; afterwards what `print!` holds back is
/// written. Arguments that are no UTF-8 (only native) get replacement characters.
pub fn main(run: fn(&[String]) -> u8) -> ! {
    backend::prepare();
    let arguments: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    exit(run(&arguments))
}

/// Writes out what `print!` holds back and ends the process.
///
/// std's own `exit` makes every status but 0 a 1 on Wasm, unless this crate is linked in: it takes its place there.
pub fn exit(status: u8) -> ! {
    // Whoever cares for a failed write flushes before and chooses the status accordingly.
    let _ = std::io::stdout().flush();
    backend::exit(status)
}

/// Returns the absolute path of the working directory.
pub fn current_directory() -> Vec<u8> {
    match std::env::current_dir() {
        Ok(path) => crate::name_bytes(path.as_os_str()).into_owned(),
        Err(_) => b"/".to_vec(),
    }
}

/// Returns `path` with the working directory before it if it is relative. Nothing is cleaned or followed.
pub fn absolute(path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") {
        return path.to_vec();
    }
    let mut whole = current_directory();
    if whole.last() != Some(&b'/') {
        whole.push(b'/');
    }
    whole.extend_from_slice(path);
    whole
}
