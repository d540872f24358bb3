//! `times`: the processor time of the shell and of its programs.

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};
use crate::sys;

/// `times`
pub const TIMES: Builtin = Builtin {
    name: "times",
    usage: "times",
    class: Class::Special,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "");
    if let Some(Err(status)) = flags.next(shell, &TIMES) {
        return Ok(status);
    }
    let (own, children) = sys::times();
    for time in [own, children] {
        // There is no kernel in whose name a program would run: all of it is the user's.
        let line = format!("{} {}\n", show(time), show(0));
        shell.print(line.as_bytes());
    }
    Ok(0)
}

fn show(nanoseconds: u64) -> String {
    let milliseconds = nanoseconds / 1_000_000;
    let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
    format!("{minutes}m{}.{:03}s", rest / 1000, rest % 1000)
}
