//! `shift`: drops positional parameters.

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell, Shopt};

/// `shift`
pub const SHIFT: Builtin = Builtin {
    name: "shift",
    usage: "shift [n]",
    class: Class::Special,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut arguments = invocation.arguments();
    if let Some((first, rest)) = arguments.split_first()
        && first.as_slice() == b"--"
    {
        arguments = rest;
    }
    let count = match arguments {
        [] => 1,
        [text] => match bash_text::arithmetic::parse_integer(text) {
            Some(count) => count,
            None => {
                shell.report_for(
                    invocation.name(),
                    format_args!("{text}: numeric argument required"),
                );
                return Ok(1);
            }
        },
        _ => {
            return Err(super::exit::too_many(shell, invocation));
        }
    };
    let Ok(count) = usize::try_from(count) else {
        shell.report_for(
            invocation.name(),
            format_args!("{count}: shift count out of range"),
        );
        return Ok(1);
    };
    if shell.positional.shift(count) {
        return Ok(0);
    }
    if shell.options.has_shopt(Shopt::ShiftVerbose) {
        shell.report_for(
            invocation.name(),
            format_args!("{count}: shift count out of range"),
        );
    }
    Ok(1)
}
