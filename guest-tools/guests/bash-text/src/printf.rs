//! The `printf` builtin: a format read once, then written for its arguments.

mod argument;
mod format;
mod write;

use bstr::BString;

use format::Item;

/// What `%(format)T` asks of the shell.
pub trait Clock {
    /// Seconds since 1970 (argument -1 or none).
    fn now(&mut self) -> i64;
    /// When the shell started (argument -2).
    fn started(&mut self) -> i64;
    /// TZ.
    fn time_zone(&mut self) -> Option<BString>;
}

/// A format, read once.
#[derive(Debug, Clone)]
pub struct Format {
    items: Vec<Item>,
}

/// How a `printf` ended. The output written stays valid in every case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// 0, or 1 after a diagnostic.
    pub status: u8,
    /// Messages without the prefix `bash: printf: `: `abc: invalid number`.
    pub diagnostics: Vec<BString>,
    /// What `%n` stores: names and the bytes written so far.
    pub stores: Vec<(BString, i64)>,
}

impl Format {
    /// Reads a format. An error in it shows when that conversion is reached.
    pub fn parse(text: &[u8]) -> Self {
        Self {
            items: format::items(text),
        }
    }

    /// Writes the arguments, repeating the format while there are some.
    pub fn write(
        &self,
        arguments: &[&[u8]],
        clock: &mut dyn Clock,
        output: &mut Vec<u8>,
    ) -> Outcome {
        write::run(&self.items, arguments, clock, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Epoch;

    impl Clock for Epoch {
        fn now(&mut self) -> i64 {
            0
        }
        fn started(&mut self) -> i64 {
            60
        }
        fn time_zone(&mut self) -> Option<BString> {
            None
        }
    }

    #[test]
    fn formats() {
        for (format, arguments, expected, message) in [
            ("%s-%d\\n", &["a", "1", "b"][..], "a-1\nb-0\n", ""),
            (
                "%5.1f|%-5s|%05d",
                &["2.25", "ab", "-7"],
                "  2.2|ab   |-0007",
                "",
            ),
            (
                "%x %o %X %#x",
                &["255", "8", "255", "255"],
                "ff 10 FF 0xff",
                "",
            ),
            ("%d", &["abc"], "0", "abc: invalid number"),
            ("%d", &["12x"], "12", "12x: invalid number"),
            ("%d", &["'a"], "97", ""),
            ("%b|%q", &["a\\tb", "a b"], "a\tb|a\\ b", ""),
            ("%*d|%-*d|", &["4", "1", "4", "2"], "   1|2   |", ""),
            ("%(%F)T", &["-2"], "1970-01-01", ""),
            ("a%%b%c", &["xyz"], "a%bx", ""),
            ("x%y", &[], "x", "`y': invalid format character"),
            ("hi", &["unused"], "hi", ""),
            ("%b!", &["a\\cb"], "a", ""),
        ] {
            let arguments: Vec<&[u8]> = arguments
                .iter()
                .map(|argument| argument.as_bytes())
                .collect();
            let mut output = Vec::new();
            let outcome =
                Format::parse(format.as_bytes()).write(&arguments, &mut Epoch, &mut output);
            assert_eq!(BString::from(output), expected, "{format}");
            assert_eq!(
                bstr::join("", outcome.diagnostics),
                message.as_bytes(),
                "{format}"
            );
            assert_eq!(outcome.status == 0, message.is_empty());
        }
    }
}
