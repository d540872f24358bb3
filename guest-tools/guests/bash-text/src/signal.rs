//! Signal names and numbers, those of Linux.

const NAMED: &[(u8, &str, &str)] = &[
    (0, "EXIT", ""),
    (1, "SIGHUP", "Hangup"),
    (2, "SIGINT", "Interrupt"),
    (3, "SIGQUIT", "Quit"),
    (4, "SIGILL", "Illegal instruction"),
    (5, "SIGTRAP", "Trace/breakpoint trap"),
    (6, "SIGABRT", "Aborted"),
    (7, "SIGBUS", "Bus error"),
    (8, "SIGFPE", "Floating point exception"),
    (9, "SIGKILL", "Killed"),
    (10, "SIGUSR1", "User defined signal 1"),
    (11, "SIGSEGV", "Segmentation fault"),
    (12, "SIGUSR2", "User defined signal 2"),
    (13, "SIGPIPE", "Broken pipe"),
    (14, "SIGALRM", "Alarm clock"),
    (15, "SIGTERM", "Terminated"),
    (16, "SIGSTKFLT", "Stack fault"),
    (17, "SIGCHLD", "Child exited"),
    (18, "SIGCONT", "Continued"),
    (19, "SIGSTOP", "Stopped (signal)"),
    (20, "SIGTSTP", "Stopped"),
    (21, "SIGTTIN", "Stopped (tty input)"),
    (22, "SIGTTOU", "Stopped (tty output)"),
    (23, "SIGURG", "Urgent I/O condition"),
    (24, "SIGXCPU", "CPU time limit exceeded"),
    (25, "SIGXFSZ", "File size limit exceeded"),
    (26, "SIGVTALRM", "Virtual timer expired"),
    (27, "SIGPROF", "Profiling timer expired"),
    (28, "SIGWINCH", "Window changed"),
    (29, "SIGIO", "I/O possible"),
    (30, "SIGPWR", "Power failure"),
    (31, "SIGSYS", "Bad system call"),
    (34, "SIGRTMIN", "Real-time signal 0"),
    (35, "SIGRTMIN+1", "Real-time signal 1"),
    (36, "SIGRTMIN+2", "Real-time signal 2"),
    (37, "SIGRTMIN+3", "Real-time signal 3"),
    (38, "SIGRTMIN+4", "Real-time signal 4"),
    (39, "SIGRTMIN+5", "Real-time signal 5"),
    (40, "SIGRTMIN+6", "Real-time signal 6"),
    (41, "SIGRTMIN+7", "Real-time signal 7"),
    (42, "SIGRTMIN+8", "Real-time signal 8"),
    (43, "SIGRTMIN+9", "Real-time signal 9"),
    (44, "SIGRTMIN+10", "Real-time signal 10"),
    (45, "SIGRTMIN+11", "Real-time signal 11"),
    (46, "SIGRTMIN+12", "Real-time signal 12"),
    (47, "SIGRTMIN+13", "Real-time signal 13"),
    (48, "SIGRTMIN+14", "Real-time signal 14"),
    (49, "SIGRTMIN+15", "Real-time signal 15"),
    (50, "SIGRTMAX-14", "Real-time signal 16"),
    (51, "SIGRTMAX-13", "Real-time signal 17"),
    (52, "SIGRTMAX-12", "Real-time signal 18"),
    (53, "SIGRTMAX-11", "Real-time signal 19"),
    (54, "SIGRTMAX-10", "Real-time signal 20"),
    (55, "SIGRTMAX-9", "Real-time signal 21"),
    (56, "SIGRTMAX-8", "Real-time signal 22"),
    (57, "SIGRTMAX-7", "Real-time signal 23"),
    (58, "SIGRTMAX-6", "Real-time signal 24"),
    (59, "SIGRTMAX-5", "Real-time signal 25"),
    (60, "SIGRTMAX-4", "Real-time signal 26"),
    (61, "SIGRTMAX-3", "Real-time signal 27"),
    (62, "SIGRTMAX-2", "Real-time signal 28"),
    (63, "SIGRTMAX-1", "Real-time signal 29"),
    (64, "SIGRTMAX", "Real-time signal 30"),
];

/// Returns the number of a signal given by name (`TERM`, `sigterm`) or number; 0 is `EXIT`.
///
/// `DEBUG`, `ERR` and `RETURN` are no signals: `trap` knows them by itself.
pub fn number(text: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(text).ok()?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| *number <= 64);
    }
    let is_same = |name: &str| {
        name.eq_ignore_ascii_case(text)
            || name
                .strip_prefix("SIG")
                .is_some_and(|short| short.eq_ignore_ascii_case(text))
    };
    NAMED
        .iter()
        .find(|(_, name, _)| is_same(name))
        .map(|(number, ..)| *number)
}

/// Returns the name with its prefix, as `trap -p` and `kill -l` print it: `SIGTERM`, `EXIT` for 0.
///
/// `kill -l NUMBER` leaves the prefix out and takes an exit status above 128 as well: the caller subtracts.
pub fn name(number: u8) -> Option<&'static str> {
    NAMED
        .iter()
        .find(|(known, ..)| *known == number)
        .map(|(_, name, _)| *name)
}

/// Returns what the shell says of a process that the signal ended: `Terminated`, `Killed`.
pub fn description(number: u8) -> Option<&'static str> {
    NAMED
        .iter()
        .find(|(known, ..)| *known == number && number > 0)
        .map(|(.., description)| *description)
}

/// Returns the text of `kill -l` without arguments.
pub fn list() -> String {
    let mut text = String::new();
    let real = NAMED.iter().filter(|(number, ..)| *number > 0);
    for (at, (number, name, _)) in real.enumerate() {
        text.push_str(&format!("{number:2}) {name}"));
        text.push(if at % 5 == 4 { '\n' } else { '\t' });
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(number(b"sigterm"), Some(15));
        assert_eq!(number(b"INT"), Some(2));
        assert_eq!(number(b"9"), Some(9));
        assert_eq!(number(b"FOO"), None);
        assert_eq!(name(0), Some("EXIT"));
        assert_eq!(description(15), Some("Terminated"));
        assert!(
            list().starts_with(" 1) SIGHUP\t 2) SIGINT\t 3) SIGQUIT\t 4) SIGILL\t 5) SIGTRAP\n")
        );
    }
}
