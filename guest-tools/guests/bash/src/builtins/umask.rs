//! `umask`: the permissions that new files do not get.

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};
use crate::sys;

/// `umask`
pub const UMASK: Builtin = Builtin {
    name: "umask",
    usage: "umask [-p] [-S] [mode]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "pS");
    let (mut is_reusable, mut is_symbolic) = (false, false);
    while let Some(flag) = flags.next(shell, &UMASK) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) if flag.letter == b'p' => is_reusable = true,
            Ok(_) => is_symbolic = true,
        }
    }
    match flags.rest().first() {
        None => print(shell, is_reusable, is_symbolic),
        Some(text) => match bash_text::mode::umask(text, shell.umask) {
            Ok(mask) => {
                shell.umask = mask;
                // A subshell of ours is no process: what it makes, the engine makes with its own mask.
                if !shell.is_subshell {
                    sys::set_umask(mask);
                }
                if is_symbolic {
                    print(shell, false, true);
                }
            }
            Err(error) => {
                shell.report_for(invocation.name(), error);
                return Ok(1);
            }
        },
    }
    Ok(0)
}

fn print(shell: &mut Shell, is_reusable: bool, is_symbolic: bool) {
    let mask = shell.umask;
    let mut line = String::new();
    if is_reusable {
        line.push_str(if is_symbolic { "umask -S " } else { "umask " });
    }
    if is_symbolic {
        line.push_str(&bash_text::mode::symbolic_umask(mask));
    } else {
        line.push_str(&format!("{mask:04o}"));
    }
    line.push('\n');
    shell.print(line.as_bytes());
}
