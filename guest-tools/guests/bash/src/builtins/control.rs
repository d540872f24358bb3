//! `break`, `continue` and `return`.

use super::builtin::{Builtin, Class, Invocation, Run};
use super::exit::{Wrong, status_argument, too_many};
use crate::state::{Outcome, Shell, Stop};

/// `break`
pub const BREAK: Builtin = Builtin {
    name: "break",
    usage: "break [n]",
    class: Class::Special,
    run: Run::Now(|shell, invocation| leave(shell, invocation, Stop::Break)),
};

/// `continue`
pub const CONTINUE: Builtin = Builtin {
    name: "continue",
    usage: "continue [n]",
    class: Class::Special,
    run: Run::Now(|shell, invocation| leave(shell, invocation, Stop::Continue)),
};

/// `return`
pub const RETURN: Builtin = Builtin {
    name: "return",
    usage: "return [n]",
    class: Class::Special,
    run: Run::Now(run_return),
};

fn leave(shell: &mut Shell, invocation: &Invocation, stop: fn(u32) -> Stop) -> Outcome {
    if shell.loops == 0 {
        let message = "only meaningful in a `for', `while', or `until' loop";
        shell.report_for(invocation.name(), message);
        return Ok(0);
    }
    shell.status = 0;
    let Some(argument) = invocation.arguments().first() else {
        return Err(stop(1));
    };
    let Some(levels) = bash_text::arithmetic::parse_integer(argument.trim_ascii()) else {
        shell.report_for(
            invocation.name(),
            format_args!("{argument}: numeric argument required"),
        );
        return Err(Stop::Exit(128));
    };
    match u32::try_from(levels) {
        Ok(levels) if levels > 0 => {
            if invocation.arguments().len() > 1 {
                return Err(too_many(shell, invocation));
            }
            Err(stop(levels.min(shell.loops)))
        }
        _ => {
            shell.report_for(
                invocation.name(),
                format_args!("{argument}: loop count out of range"),
            );
            shell.status = 1;
            Err(Stop::Break(shell.loops))
        }
    }
}

/// Returns the status of a bare `return`: in a trap's own text, what `$?` was when the trap began.
fn returned(shell: &Shell) -> u8 {
    match shell.trap_status {
        Some(status) if shell.function_depth == shell.trap_depth => status,
        _ => shell.status,
    }
}

fn run_return(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    if shell.function_depth == 0 && shell.source_depth == 0 {
        shell.report_for(
            invocation.name(),
            "can only `return' from a function or sourced script",
        );
        return Ok(2);
    }
    match status_argument(shell, invocation) {
        Ok(status) => Err(Stop::Return(status.unwrap_or_else(|| returned(shell)))),
        Err(Wrong::NotNumeric) => Err(Stop::Return(2)),
        Err(Wrong::TooMany) => Err(too_many(shell, invocation)),
    }
}
