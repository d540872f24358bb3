//! Programs that show and signal the processes of the hand.
//!
//! One program that is called by many names; each command is a file of its own. What a hand does not know of its
//! processes (terminals, priorities, shared memory) is shown as Linux shows it where there is none.

mod clock;
mod free;
mod killall;
mod pgrep;
mod pidof;
mod ps;
mod table;
mod time;
mod top;
mod w;
mod watch;

use process::Commands;
use streams::report;

const COMMANDS: Commands = Commands {
    program: "procps",
    table: &[
        ("free", free::run),
        ("killall", killall::run),
        ("pgrep", pgrep::run),
        ("pidof", pidof::run),
        ("pkill", pgrep::run),
        ("ps", ps::run),
        ("time", time::run),
        ("top", top::run),
        ("w", w::run),
        ("watch", watch::run),
    ],
};

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.names()
}

/// Runs the command that `arguments` begins with; `procps NAME ...` runs NAME.
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
