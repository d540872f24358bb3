//! Messages on standard error, and whether there were any.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};

use crate::flags::Flags;

/// Says what goes wrong while files are searched.
#[derive(Debug)]
pub(crate) struct Errors {
    /// `--no-messages`: files that cannot be read are passed over in silence.
    are_silent: bool,
    /// `--no-ignore-messages`.
    are_ignore_silent: bool,
    have_come: Cell<bool>,
}

impl Errors {
    pub(crate) fn new(flags: &Flags) -> Self {
        Self {
            are_silent: flags.no_messages,
            are_ignore_silent: flags.no_ignore_messages,
            have_come: Cell::new(false),
        }
    }

    /// Says that something failed; the exit status will tell, too.
    pub(crate) fn report(&self, message: impl Display) {
        self.have_come.set(true);
        if !self.are_silent {
            say(message);
        }
    }

    /// Says what is wrong with a file of ignore rules, which is no failure.
    pub(crate) fn report_ignore(&self, message: impl Display) {
        if !self.are_silent && !self.are_ignore_silent {
            say(message);
        }
    }

    pub(crate) fn have_come(&self) -> bool {
        self.have_come.get()
    }
}

/// Prints a message.
pub(crate) fn say(message: impl Display) {
    let message = message.to_string();
    let message = if cfg!(target_family = "wasm") {
        as_on_linux(&message)
    } else {
        message
    };
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{message}");
}

/// WASI's numbers of errors and Linux's.
const NUMBERS: &[(u32, u32)] = &[
    (2, 13),
    (8, 9),
    (20, 17),
    (25, 84),
    (28, 22),
    (29, 5),
    (31, 21),
    (32, 40),
    (33, 24),
    (37, 36),
    (41, 23),
    (44, 2),
    (54, 20),
    (58, 95),
    (63, 1),
    (76, 13),
];

/// Returns a message with the numbers of errors that Linux has for them.
fn as_on_linux(message: &str) -> String {
    const START: &str = "(os error ";
    let (mut shown, mut rest) = (String::new(), message);
    while let Some((before, after)) = rest.split_once(START) {
        let (number, after) = after.split_once(')').unwrap_or((after, ""));
        let known = number.parse().ok().and_then(|number: u32| {
            let pair = NUMBERS.iter().find(|(wasi, _)| *wasi == number)?;
            Some(pair.1.to_string())
        });
        shown.push_str(&format!(
            "{before}{START}{})",
            known.as_deref().unwrap_or(number)
        ));
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_become_those_of_linux() {
        let message = "a: No such file or directory (os error 44)\nb (os error x)";
        let expected = "a: No such file or directory (os error 2)\nb (os error x)";
        assert_eq!(super::as_on_linux(message), expected);
    }
}
