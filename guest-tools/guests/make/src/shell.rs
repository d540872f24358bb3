//! Commands: run by the shell, or without one where that makes no difference.

use std::io::Write as _;

use process::{Errno, Program, Status, Stdio};

use crate::maker::Maker;
use crate::place::{Outcome, shown};
use crate::words::words;

/// What only the shell understands.
const SPECIAL: &[u8] = b"#;\"*?[]&|<>(){}$`^~!";
/// Commands that are the shell's own.
const OWN: &[&str] = &[
    ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "eval", "exec", "exit",
    "export", "fc", "fg", "for", "getopts", "hash", "if", "jobs", "login", "logout", "read",
    "readonly", "return", "set", "shift", "test", "times", "trap", "type", "ulimit", "umask",
    "unalias", "unset", "until", "wait", "while",
];

/// Returns the words of a command that needs no shell.
pub(crate) fn simple(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\'' => {
                let text = word.get_or_insert_default();
                loop {
                    match bytes.next() {
                        Some(b'\'') => break,
                        Some(byte) => text.push(byte),
                        None => return None,
                    }
                }
            }
            b'\\' => match bytes.next() {
                Some(b'\n') => {
                    while bytes.next_if(|byte| matches!(byte, b' ' | b'\t')).is_some() {}
                }
                Some(byte) => word.get_or_insert_default().push(byte),
                None => return None,
            },
            b'\n' => return None,
            b'=' if all.is_empty() => return None,
            byte if SPECIAL.contains(&byte) => return None,
            b' ' | b'\t' => all.extend(word.take()),
            byte => word.get_or_insert_default().push(byte),
        }
    }
    all.extend(word);
    let is_own = all
        .first()
        .is_some_and(|first| OWN.iter().any(|own| own.as_bytes() == first.as_slice()));
    (!is_own).then_some(all)
}

impl Maker {
    /// Returns the program and the arguments that run a command; none for a command of nothing.
    pub(crate) fn command(&mut self, line: &[u8]) -> Outcome<Option<Vec<Vec<u8>>>> {
        let shell = self.value_of(b"SHELL")?.unwrap_or_default();
        let flags = self.value_of(b".SHELLFLAGS")?.unwrap_or_default();
        let is_default = shell == b"/bin/sh" && matches!(flags.as_slice(), b"-c" | b"-ec");
        if is_default && let Some(words) = simple(line) {
            return Ok((!words.is_empty()).then_some(words));
        }
        let mut command: Vec<Vec<u8>> = words(&shell).map(<[u8]>::to_vec).collect();
        if command.is_empty() {
            command.push(b"/bin/sh".to_vec());
        }
        command.extend(words(&flags).map(<[u8]>::to_vec));
        command.push(line.to_vec());
        Ok(Some(command))
    }

    /// Returns what a command writes, its line ends as blanks.
    pub(crate) fn shell_output(&mut self, line: &[u8]) -> Outcome<Vec<u8>> {
        let line = crate::words::trim_start(line);
        let Some(command) = self.command(line)? else {
            return Ok(Vec::new());
        };
        let Some((name, arguments)) = command.split_first() else {
            return Ok(Vec::new());
        };
        // What the command prints must not come before what make said.
        let _ = std::io::stdout().flush();
        let mut program = Program::new(name);
        program.args(arguments).stdout(Stdio::Piped);
        let outcome = program.spawn().and_then(|running| running.communicate(b""));
        let (status, mut text) = match outcome {
            Ok(output) => (output.status.code(), output.stdout),
            Err(error) => {
                self.complain(None, &format!("{}: {}", shown(name), error_words(error)));
                (127, Vec::new())
            }
        };
        self.shell_status = Some(status);
        self.set(
            ".SHELLSTATUS",
            status.to_string(),
            crate::variable::Origin::Override,
        );
        while text.last() == Some(&b'\n') {
            text.pop();
        }
        for byte in &mut text {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
        Ok(text)
    }
}

/// Returns what is said of a command that cannot be run.
pub(crate) fn error_words(error: Errno) -> &'static str {
    error.words()
}

/// Returns how a command ended, for a message: nothing if well.
pub(crate) fn failure(status: Status) -> Option<String> {
    match status {
        Status::Exited(0) => None,
        Status::Exited(code) => Some(format!("Error {code}")),
        Status::Signaled(signal) | Status::Stopped(signal) => Some(
            match signal {
                process::signal::HUP => "Hangup",
                process::signal::INT => "Interrupt",
                process::signal::QUIT => "Quit",
                process::signal::ABRT => "Aborted",
                process::signal::KILL => "Killed",
                process::signal::SEGV => "Segmentation fault",
                process::signal::PIPE => "Broken pipe",
                process::signal::ALRM => "Alarm clock",
                process::signal::TERM => "Terminated",
                other => return Some(format!("Signal {other}")),
            }
            .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_need_no_shell() {
        for (line, expected) in [
            ("cp a b", Some("cp|a|b")),
            ("echo 'a  b' c\\ d", Some("echo|a  b|c d")),
            ("echo \"a\"", None),
            ("a=b c", None),
            ("c a=b", Some("c|a=b")),
            ("cd x", None),
            ("a && b", None),
            ("", Some("")),
        ] {
            let found = simple(line.as_bytes()).map(|words| words.join(&b'|'));
            assert_eq!(
                found,
                expected.map(|text| text.as_bytes().to_vec()),
                "{line}"
            );
        }
    }
}
