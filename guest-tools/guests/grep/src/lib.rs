//! `grep`, `egrep`, `fgrep` and `rg`.
//!
//! GNU grep 3.8's command line, output and exit statuses on the crate `posix-regex`; ripgrep's on ripgrep's own
//! library crates. Files are read in pieces: what is in memory is one piece, the longest line and the context asked for.

mod binary;
mod colors;
mod exclusion;
mod gnu;
mod locale;
mod matcher;
mod printer;
mod search;
mod settings;
mod usage;

/// Runs the program by the name it was called by. Returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    let (name, words) = arguments
        .split_first()
        .map_or(("grep", [].as_slice()), |(name, words)| {
            (name.as_str(), words)
        });
    let name = name.rsplit('/').next().unwrap_or(name);
    gnu::run(name, words)
}
