//! `rg`: ripgrep's command line on ripgrep's own library crates.
//!
//! Files are searched one after the other, in the order of the walk, so that output comes in the same order each
//! time. Look-around and back-references (`-P`) run on the crate `posix-regex`. Deliberately absent: memory maps,
//! threads, log messages of `--debug`.

mod decompress;
mod errors;
mod flag_table;
mod flags;
mod look_around;
mod patterns;
mod printing;
mod search;
mod separators;
mod summary;
mod usage;
mod walk;

/// Runs the program. Returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    search::run(arguments.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_of_programs_names_it() {
        assert_eq!(include_str!("../programs"), "rg\n");
    }
}
