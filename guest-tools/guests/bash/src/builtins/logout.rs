//! `logout`: ends a login shell, and only that.

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell, Shopt, Stop};

/// `logout`
pub const LOGOUT: Builtin = Builtin {
    name: "logout",
    usage: "logout [n]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    if !shell.options.has_shopt(Shopt::LoginShell) {
        shell.report_for(invocation.name(), "not login shell: use `exit'");
        return Ok(1);
    }
    let status = invocation
        .arguments()
        .first()
        .and_then(|text| bash_text::arithmetic::parse_integer(text));
    let status = status.and_then(|status| u8::try_from(status & 0xff).ok());
    Err(Stop::Exit(status.unwrap_or(shell.status)))
}
