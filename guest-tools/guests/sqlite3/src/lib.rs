//! `sqlite3`: SQLite, with the command line of its shell 3.40.
//!
//! SQLite itself is the C library, newer than 3.40; the shell around it is ours: its options, its commands that
//! begin with a point, its modes of output and its messages. Rows are written as they come but in the modes that
//! are tables. Deliberately absent: archives, sessions, `.recover`, `.expert`, extensions as libraries.

mod cell;
mod command_line;
mod complete;
mod dot;
mod execute;
mod functions;
mod input;
mod locks;
mod number;
mod output;
mod plan;
mod quote;
mod rows;
mod shell;
mod table;
mod usage;
mod view;

/// Runs the shell. Returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    command_line::run(arguments.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_of_programs_names_it() {
        assert_eq!(include_str!("../programs"), "sqlite3\n");
    }
}
