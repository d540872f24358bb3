//! `exit`: ends the shell.

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell, Stop};

/// `exit`
pub const EXIT: Builtin = Builtin {
    name: "exit",
    usage: "exit [n]",
    class: Class::Special,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    match status_argument(shell, invocation) {
        Ok(status) => Err(Stop::Exit(status.unwrap_or(ended(shell)))),
        Err(Wrong::NotNumeric) => Err(Stop::Exit(2)),
        Err(Wrong::TooMany) => Err(too_many(shell, invocation)),
    }
}

/// Returns the status of a bare `exit`: in an EXIT trap, what `$?` was when the trap began.
fn ended(shell: &Shell) -> u8 {
    match shell.trap_status {
        Some(status) if shell.traps.is_running_exit() => status,
        _ => shell.status,
    }
}

/// Why the argument of `exit` or `return` is none.
pub(super) enum Wrong {
    /// It is no number: the command takes place with status 2.
    NotNumeric,
    /// There are several.
    TooMany,
}

/// Says that there are several arguments, which abandons the command; the text of `-c` ends.
pub(super) fn too_many(shell: &mut Shell, invocation: &Invocation) -> Stop {
    shell.report_for(invocation.name(), "too many arguments");
    shell.status = 1;
    if shell.is_command_string && !shell.is_session {
        return Stop::Exit(1);
    }
    Stop::Discard(1)
}

/// Reads the status that `exit` and `return` may be given.
pub(super) fn status_argument(
    shell: &mut Shell,
    invocation: &Invocation,
) -> Result<Option<u8>, Wrong> {
    let mut arguments = invocation.arguments();
    if let Some((first, rest)) = arguments.split_first()
        && first.as_slice() == b"--"
    {
        arguments = rest;
    }
    let Some((first, rest)) = arguments.split_first() else {
        return Ok(None);
    };
    let text = first.trim_ascii();
    let unsigned = text.strip_prefix(b"+").unwrap_or(text);
    let number = std::str::from_utf8(unsigned)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    let Some(number) = number else {
        let message = format!("{first}: numeric argument required");
        shell.report_for(invocation.name(), message);
        return Err(Wrong::NotNumeric);
    };
    if !rest.is_empty() {
        return Err(Wrong::TooMany);
    }
    Ok(Some(u8::try_from(number & 0xff).unwrap_or(0)))
}
