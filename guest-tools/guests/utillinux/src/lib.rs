//! Programs of util-linux and its neighbours: tables, dumps, calendars, and small ones for scripts.
//!
//! One program that is called by many names; each command is a file of its own.

mod calendar;
mod column;
mod getopt;
mod hexdump;
mod look;
mod random;
mod rename;
mod whereis;

use process::Commands;
use streams::{input, report};

const COMMANDS: Commands = Commands {
    program: "utillinux",
    table: &[
        ("cal", calendar::run),
        ("colrm", look::colrm),
        ("column", column::run),
        ("getopt", getopt::run),
        ("hd", hexdump::run),
        ("hexdump", hexdump::run),
        ("look", look::run),
        ("mcookie", random::mcookie),
        ("ncal", calendar::run),
        ("rename", rename::run),
        ("uuidgen", random::uuidgen),
        ("whereis", whereis::run),
    ],
};

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.names()
}

/// Runs the command that `arguments` begins with; `utillinux NAME ...` runs NAME.
pub fn run(arguments: &[String]) -> u8 {
    COMMANDS.run(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_programs_is_complete_and_in_order() {
        let listed: Vec<&str> = include_str!("../programs").lines().collect();
        assert!(names().eq(listed), "programs lists other names");
        assert!(
            names().is_sorted(),
            "a name that is out of order is never found"
        );
    }
}
