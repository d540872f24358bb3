//! Programs that show and signal the processes of the hand.
//!
//! One program that is called by many names; each command is a file of its own.

/// Runs the command that `arguments` begins with; `procps NAME ...` runs NAME.
pub fn run(arguments: &[String]) -> u8 {
    eprintln!("procps: unknown program '{}'", arguments.join(" "));
    1
}
