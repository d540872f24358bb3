//! `eval`: runs its arguments as commands.

use bstr::BString;

use super::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::{Origin, run_text};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Shell};

/// `eval`
pub const EVAL: Builtin = Builtin {
    name: "eval",
    usage: "eval [arg ...]",
    class: Class::Special,
    run: Run::Waiting(run),
};

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "");
        if let Some(Err(status)) = flags.next(shell, &EVAL) {
            return Ok(status);
        }
        let text = BString::from(bstr::join(" ", flags.rest()));
        run_text(shell, &text, Origin::Eval).await
    })
}
