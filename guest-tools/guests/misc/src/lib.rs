//! Small programs that agents use and coreutils lacks.
//!
//! One program that is called by many names; each command is a file of its own.

mod bc;
mod ed;
mod envsubst;
mod file;
mod iconv;
mod line_ends;
mod mktemp;
mod moreutils;
mod pager;
mod rev;
mod shasum;
mod strings;
mod sudo;
mod system;
mod terminal;
mod tree;
mod which;
mod xxd;

use process::Commands;
use streams::{input, report};

const COMMANDS: Commands = Commands {
    program: "misc",
    table: &[
        ("bc", bc::run),
        ("clear", terminal::clear),
        ("dos2unix", line_ends::run),
        ("ed", ed::run),
        ("envsubst", envsubst::run),
        ("file", file::run),
        ("getconf", system::getconf),
        ("iconv", iconv::run),
        ("less", pager::run),
        ("locale", system::locale),
        ("mac2unix", line_ends::run),
        ("mktemp", mktemp::run),
        ("more", pager::run),
        ("reset", terminal::clear),
        ("rev", rev::run),
        ("shasum", shasum::run),
        ("sponge", moreutils::sponge),
        ("strings", strings::run),
        ("stty", terminal::stty),
        ("sudo", sudo::run),
        ("tput", terminal::tput),
        ("tree", tree::run),
        ("ts", moreutils::ts),
        ("unix2dos", line_ends::run),
        ("unix2mac", line_ends::run),
        ("which", which::run),
        ("xxd", xxd::run),
    ],
};

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.names()
}

/// Runs the command that `arguments` begins with; `misc NAME ...` runs NAME.
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
