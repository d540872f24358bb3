//! `complete` and `compopt`: accepted so that start-up files work; nobody edits lines here, so nothing is kept.

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `complete`
pub const COMPLETE: Builtin = Builtin {
    name: "complete",
    usage: "complete [-abcdefgjksuv] [-pr] [-DEI] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]",
    class: Class::Regular,
    run: Run::Now(complete),
};

/// `compopt`
pub const COMPOPT: Builtin = Builtin {
    name: "compopt",
    usage: "compopt [-o|+o option] [-DEI] [name ...]",
    class: Class::Regular,
    run: Run::Now(compopt),
};

fn complete(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "abcdefgjksuvprDEIo:A:G:W:F:C:X:P:S:");
    let mut prints = false;
    while let Some(flag) = flags.next(shell, &COMPLETE) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => prints |= flag.letter == b'p',
        }
    }
    let mut status = 0;
    for name in flags.rest() {
        if prints {
            shell.report_for(
                invocation.name(),
                format_args!("{name}: no completion specification"),
            );
            status = 1;
        }
    }
    Ok(status)
}

fn compopt(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "+o:DEI");
    while let Some(flag) = flags.next(shell, &COMPOPT) {
        if let Err(status) = flag {
            return Ok(status);
        }
    }
    if flags.rest().is_empty() {
        shell.report_for(
            invocation.name(),
            "not currently executing completion function",
        );
    }
    for name in flags.rest() {
        shell.report_for(
            invocation.name(),
            format_args!("{name}: no completion specification"),
        );
    }
    Ok(1)
}
