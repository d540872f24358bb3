//! curl and wget over the HTTP that the host lets through.
//!
//! Both speak as the originals do: options, messages, exit statuses, what follows a redirect and what must not. The
//! requests themselves are the host's: it decides what may leave, secures connections and frames messages. So there
//! are no proxies, no client certificates and no way to skip the check of a server's certificate.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

mod cookies;
mod curl;
mod wget;

use process::Commands;

const COMMANDS: Commands = Commands {
    program: "curl",
    table: &[("curl", curl::run), ("wget", wget::run)],
};

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.names()
}

/// Runs the command that `arguments` begins with.
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
    }
}
