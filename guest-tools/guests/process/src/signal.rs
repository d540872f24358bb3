//! The numbers of the signals, those of Linux.

macro_rules! signals {
    ($($name:ident = $number:literal, $words:literal;)*) => {
        $(#[doc = $words] pub const $name: u8 = $number;)*

        /// Names without `SIG` and numbers, in order of the numbers.
        pub const ALL: &[(&str, u8)] = &[$((stringify!($name), $number),)*];
    };
}

signals! {
    HUP = 1, "Hangup";
    INT = 2, "Interrupt";
    QUIT = 3, "Quit";
    ILL = 4, "Illegal instruction";
    TRAP = 5, "Trace/breakpoint trap";
    ABRT = 6, "Aborted";
    BUS = 7, "Bus error";
    FPE = 8, "Floating point exception";
    KILL = 9, "Killed";
    USR1 = 10, "User defined signal 1";
    SEGV = 11, "Segmentation fault";
    USR2 = 12, "User defined signal 2";
    PIPE = 13, "Broken pipe";
    ALRM = 14, "Alarm clock";
    TERM = 15, "Terminated";
    STKFLT = 16, "Stack fault";
    CHLD = 17, "Child exited";
    CONT = 18, "Continued";
    STOP = 19, "Stopped (signal)";
    TSTP = 20, "Stopped";
    TTIN = 21, "Stopped (tty input)";
    TTOU = 22, "Stopped (tty output)";
    URG = 23, "Urgent I/O condition";
    XCPU = 24, "CPU time limit exceeded";
    XFSZ = 25, "File size limit exceeded";
    VTALRM = 26, "Virtual timer expired";
    PROF = 27, "Profiling timer expired";
    WINCH = 28, "Window changed";
    POLL = 29, "I/O possible";
    PWR = 30, "Power failure";
    SYS = 31, "Bad system call";
}

/// Returns the number of a signal given by name (`TERM`, `SIGTERM`, in any case) or number.
pub fn number(text: &str) -> Option<u8> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| *number <= 64);
    }
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let short = match short {
        "IO" => "POLL",
        "CLD" => "CHLD",
        "IOT" => "ABRT",
        other => other,
    };
    ALL.iter()
        .find(|(name, _)| *name == short)
        .map(|(_, number)| *number)
}

/// Returns the name of a signal without `SIG`.
pub fn name(number: u8) -> Option<&'static str> {
    ALL.iter()
        .find(|(_, known)| *known == number)
        .map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(number("sigterm"), Some(TERM));
        assert_eq!(number("IO"), Some(POLL));
        assert_eq!(number("9"), Some(KILL));
        assert_eq!(number("65"), None);
        assert_eq!(number(""), None);
        assert_eq!(name(2), Some("INT"));
    }
}
