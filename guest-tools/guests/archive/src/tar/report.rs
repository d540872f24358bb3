//! Messages, and the exit status that they leave behind.

use std::cell::Cell;
use std::io;

/// The words for an archive that ends too early.
pub(crate) const UNEXPECTED_END: &str = "Unexpected EOF in archive";

/// Why tar ends at once. Its text is told already, or here.
#[derive(Debug)]
pub(crate) struct Fatal {
    pub(crate) text: String,
    kind: Ending,
}

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// `Error is not recoverable`.
    Unrecoverable,
    /// The command line is wrong: a hint follows.
    Usage,
    /// The command line is wrong, and all is said.
    Bare,
    /// As `Usage`, and the option parser found it.
    Parser,
}

impl Fatal {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: Ending::Unrecoverable,
        }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: Ending::Usage,
        }
    }

    pub(crate) fn bare(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: Ending::Bare,
        }
    }

    pub(crate) fn parser(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: Ending::Parser,
        }
    }

    pub(crate) fn open(path: &[u8], error: &io::Error) -> Self {
        Self::new(format!(
            "{}: Cannot open: {}",
            quoted(path),
            process::message(error)
        ))
    }

    /// Returns whether the archive ended too early.
    pub(crate) fn is_end(&self) -> bool {
        self.text == UNEXPECTED_END
    }

    /// Tells it and returns the exit status.
    pub(crate) fn tell(&self) -> u8 {
        const USAGE_OF_PARSER: u8 = 64;
        if !self.text.is_empty() {
            eprintln!("tar: {}", self.text);
        }
        match self.kind {
            Ending::Unrecoverable => {
                eprintln!("tar: Error is not recoverable: exiting now");
                2
            }
            Ending::Bare => 2,
            Ending::Usage | Ending::Parser => {
                eprintln!("Try 'tar --help' or 'tar --usage' for more information.");
                if self.kind == Ending::Parser {
                    USAGE_OF_PARSER
                } else {
                    2
                }
            }
        }
    }
}

impl From<io::Error> for Fatal {
    fn from(error: io::Error) -> Self {
        Self::new(process::message(&error))
    }
}

/// What went wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    status: Cell<u8>,
}

impl Report {
    /// An error that leaves status 2.
    pub(crate) fn error(&self, text: &str) {
        eprintln!("tar: {text}");
        self.status.set(2);
    }

    /// Something that is told but does not count.
    pub(crate) fn warning(&self, text: &str) {
        eprintln!("tar: {text}");
    }

    /// Files differ, or changed: status 1.
    pub(crate) fn differs(&self) {
        self.status.set(self.status.get().max(1));
    }

    /// An error with a file.
    pub(crate) fn file(&self, path: &[u8], what: &str, error: &io::Error) {
        self.error(&format!(
            "{}: {what}: {}",
            quoted(path),
            process::message(error)
        ));
    }

    /// Says that there were errors and returns the exit status.
    pub(crate) fn finish(&self) -> u8 {
        if self.status.get() == 2 {
            eprintln!("tar: Exiting with failure status due to previous errors");
        }
        self.status.get()
    }
}

/// Shows a name as C writes strings, without quotes: tar's `escape` style.
pub(crate) fn quoted(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                '\u{7}' => text.push_str("\\a"),
                '\u{8}' => text.push_str("\\b"),
                '\u{b}' => text.push_str("\\v"),
                '\u{c}' => text.push_str("\\f"),
                character if character.is_control() => {
                    let mut bytes = [0; 4];
                    for byte in character.encode_utf8(&mut bytes).bytes() {
                        text.push_str(&format!("\\{byte:03o}"));
                    }
                }
                character => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\{byte:03o}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_on_one_line() {
        assert_eq!(quoted("a b\\c\né\u{1}'".as_bytes()), "a b\\\\c\\né\\001'");
        assert_eq!(quoted(b"\xff"), "\\377");
    }
}
