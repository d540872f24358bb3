//! Names and numbers of signals, as Linux has them.

const NAMES: &[&str] = &[
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS",
];

/// Returns the number of a signal by number or name, with or without `SIG`.
pub(crate) fn number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (number < 65).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let name = match name {
        "IOT" => "ABRT",
        "CLD" => "CHLD",
        "IO" => "POLL",
        name => name,
    };
    NAMES
        .iter()
        .position(|known| *known == name)
        .and_then(|place| u8::try_from(place).ok())
}

/// Returns the name of a signal.
pub(crate) fn name(number: u8) -> Option<&'static str> {
    NAMES.get(usize::from(number)).copied()
}

/// Returns all names, in order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().skip(1).copied()
}
