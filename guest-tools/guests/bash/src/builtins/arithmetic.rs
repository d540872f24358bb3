//! `let`: arithmetic whose value is the status.

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Refusal, Shell};

/// `let`
pub const LET: Builtin = Builtin {
    name: "let",
    usage: "let arg [arg ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut arguments = invocation.arguments();
    if let Some((first, rest)) = arguments.split_first()
        && first.as_slice() == b"--"
    {
        arguments = rest;
    }
    if arguments.is_empty() {
        shell.report_for(invocation.name(), "expression expected");
        return Ok(1);
    }
    let mut value = 0;
    for argument in arguments {
        match shell.evaluate(argument) {
            Ok(result) => value = result,
            Err(Refusal::Said) => return Ok(1),
            Err(refusal) => {
                shell.report_for(invocation.name(), refusal);
                return Ok(1);
            }
        }
    }
    Ok(u8::from(value == 0))
}
