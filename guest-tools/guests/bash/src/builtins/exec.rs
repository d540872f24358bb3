//! `exec`: becomes a program, or makes redirections permanent (which the engine does).

use super::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::Afterwards;
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Shell, Shopt, Stop};
use crate::variables::Attributes;

/// `exec`
pub const EXEC: Builtin = Builtin {
    name: "exec",
    usage: "exec [-cl] [-a name] [command [argument ...]] [redirection ...]",
    class: Class::Special,
    run: Run::Waiting(run),
};

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "cla:");
        let mut is_clean = false;
        let mut is_login = false;
        let mut called = None;
        while let Some(flag) = flags.next(shell, &EXEC) {
            match flag {
                Ok(flag) => match flag.letter {
                    b'c' => is_clean = true,
                    b'l' => is_login = true,
                    _ => called = flag.argument,
                },
                Err(status) => return Ok(status),
            }
        }
        let mut words = flags.rest().to_vec();
        let Some(name) = words.first().cloned() else {
            return Ok(0);
        };
        let Some(path) = shell.find_program(&name, false) else {
            shell.report_for(b"exec", format_args!("{name}: not found"));
            return failed(shell, 127);
        };
        if !shell.is_program(&path) {
            let is_there = crate::sys::stat(shell.absolute(&path), true).is_ok();
            let (words, status) = if is_there {
                ("Permission denied", 126)
            } else {
                ("No such file or directory", 127)
            };
            shell.report(format_args!("{path}: {words}"));
            return failed(shell, status);
        }
        if let Some(first) = words.first_mut() {
            if let Some(called) = called {
                *first = called.to_owned();
            }
            if is_login {
                first.insert(0, b'-');
            }
        }
        if is_clean {
            let names: Vec<_> = shell
                .variables
                .iter()
                .map(|(name, _)| name.clone())
                .collect();
            for name in names {
                if let Some(variable) = shell.variables.get_mut(&name) {
                    variable.attributes = variable.attributes.without(Attributes::EXPORT);
                }
            }
        }
        let afterwards = if shell.is_subshell {
            Afterwards::End
        } else {
            Afterwards::Continue
        };
        let status = shell.run_program(&path, &words, afterwards).await?;
        // The EXIT trap belongs to the shell that is replaced.
        shell.traps.forget(crate::traps::Condition::Exit);
        Err(Stop::Exit(status))
    })
}

fn failed(shell: &Shell, status: u8) -> Outcome {
    // A subshell ends in any case.
    if !shell.is_subshell && (shell.options.has_shopt(Shopt::ExecFail) || shell.is_interactive) {
        Ok(status)
    } else {
        Err(Stop::Exit(status))
    }
}
