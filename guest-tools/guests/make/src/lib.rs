//! make, as GNU's 4.3 has it: reads makefiles, finds what is out of date, and runs recipes with the shell.

mod builtin;
mod conditional;
mod database;
mod environment;
mod evaluate;
mod expand;
mod file;
mod functions;
mod glob;
mod implicit;
mod job;
mod lines;
mod maker;
mod options;
mod parse;
mod pattern;
mod place;
mod recipe;
mod rule;
mod rule_line;
mod search;
mod session;
mod shell;
mod update;
mod variable;
mod words;

/// The commands by name, in order.
const COMMANDS: &[&str] = &["make"];

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().copied()
}

/// Runs make and returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    session::run(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_programs_is_complete_and_in_order() {
        let listed: Vec<&str> = include_str!("../programs").lines().collect();
        assert!(names().eq(listed), "programs lists other names");
    }
}
