//! Signal names and numbers, those of Linux.

/// Returns the number of a signal given by name (`TERM`, `sigterm`) or number; 0 is `EXIT`.
///
/// `DEBUG`, `ERR` and `RETURN` are no signals: `trap` knows them by itself.
pub fn number(text: &[u8]) -> Option<u8> {
    let _ = text;
    None
}

/// Returns the name with its prefix, as `trap -p` and `kill -l` print it: `SIGTERM`, `EXIT` for 0.
pub fn name(number: u8) -> Option<&'static str> {
    let _ = number;
    None
}

/// Returns what the shell says of a process that the signal ended: `Terminated`, `Killed`.
pub fn description(number: u8) -> Option<&'static str> {
    let _ = number;
    None
}

/// Returns the text of `kill -l` without arguments.
pub fn list() -> String {
    String::new()
}
