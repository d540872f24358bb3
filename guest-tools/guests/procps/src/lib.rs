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

use streams::report;

type Run = fn(&str, &[String]) -> u8;

/// The commands by name, in order.
const COMMANDS: &[(&str, Run)] = &[
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
];

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// Runs the command that `arguments` begins with; `procps NAME ...` runs NAME.
pub fn run(arguments: &[String]) -> u8 {
    let Some((called, rest)) = arguments.split_first() else {
        eprintln!("procps: missing argument");
        return 1;
    };
    let name = called.rsplit('/').next().unwrap_or(called);
    if let Some(command) = find(name) {
        return command(name, rest);
    }
    if let Some((name, rest)) = rest.split_first()
        && let Some(command) = find(name)
    {
        return command(name, rest);
    }
    eprintln!("procps: unknown program '{name}'");
    1
}

fn find(name: &str) -> Option<Run> {
    let place = COMMANDS
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()?;
    COMMANDS.get(place).map(|(_, command)| *command)
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
