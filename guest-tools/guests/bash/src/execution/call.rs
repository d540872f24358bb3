//! Calling shell functions.
//!
//! A call opens a scope of variables, has positional parameters of its own and a place in FUNCNAME; all of it is
//! gone when the call ends, in whatever way.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::compound::execute_command;
use crate::runtime::LocalFuture;
use crate::state::{Call, CallKind, Function, Outcome, Positional, SetOption, Shell, Shopt, Stop};
use crate::traps::Condition;

/// Bounds the stack that nested calls may take, of the 16 MiB on Wasm and the 8 MiB of a native main thread: an
/// overflow would be a trap.
const STACK_BYTES_MAX: usize = if cfg!(target_family = "wasm") {
    10 << 20
} else {
    5 << 20
};

/// Calls `function` with `words`, of which the first is the name.
pub fn call<'a>(
    shell: &'a mut Shell,
    function: Rc<Function>,
    words: Vec<BString>,
) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        if let Some(limit) = exceeded(shell) {
            let name = words.first().cloned().unwrap_or_default();
            shell.report(format_args!(
                "{}: maximum function nesting level exceeded ({limit})",
                name.as_bstr()
            ));
            return Err(Stop::Discard(1));
        }
        shell.variables.push_scope();
        run(shell, &function, words).await
    })
}

/// As [`call`], in a scope that is open already and that the call closes: the command's own assignments.
pub fn call_prepared<'a>(
    shell: &'a mut Shell,
    function: Rc<Function>,
    words: Vec<BString>,
) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        if exceeded(shell).is_some() {
            shell.pop_temporary_scope();
            return call(shell, function, words).await;
        }
        shell.variables.make_function_scope();
        run(shell, &function, words).await
    })
}

fn exceeded(shell: &Shell) -> Option<u32> {
    if shell.runtime.stack_depth() > STACK_BYTES_MAX {
        return Some(shell.function_depth);
    }
    let limit = shell
        .get(b"FUNCNEST")
        .and_then(|text| bash_text::arithmetic::parse_integer(&text))
        .and_then(|limit| u32::try_from(limit).ok())
        .filter(|limit| *limit > 0)?;
    (shell.function_depth >= limit).then_some(limit)
}

/// Runs the body in a scope that is already open (the command's own assignments stand in it), and closes it.
async fn run(shell: &mut Shell, function: &Rc<Function>, words: Vec<BString>) -> Outcome {
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    let arguments: Vec<BString> = words.collect();
    let call = Call {
        kind: CallKind::Function,
        name,
        source: Rc::clone(&function.source),
        line: shell.line,
        saved_options: None,
        arguments: if shell.options.has_shopt(Shopt::ExtDebug) {
            arguments.clone()
        } else {
            Vec::new()
        },
    };
    shell.calls.push(Rc::new(call));
    let positional = std::mem::replace(&mut shell.positional, Positional::new(arguments));
    let loops = std::mem::take(&mut shell.loops);
    let is_traced = shell.options.has(SetOption::FuncTrace) || function.is_traced;
    let hidden = hide_traps(shell, is_traced);
    shell.function_depth += 1;
    let line = shell.line;

    let entered = if is_traced && shell.traps.is_set(Condition::Debug) {
        shell.run_trap(Condition::Debug).await
    } else {
        Ok(0)
    };
    let mut outcome = match entered {
        Ok(_) => execute_command(shell, &function.definition.body).await,
        Err(stop) => Err(stop),
    };
    if let Err(Stop::Return(status)) = outcome {
        outcome = Ok(status);
    }
    // A trap on RETURN sees the function still running, and `$?` from before a `return`.
    if outcome.is_ok()
        && shell.traps.is_set(Condition::Return)
        && let Err(stop) = shell.run_trap(Condition::Return).await
    {
        outcome = Err(stop);
    }

    shell.line = line;
    shell.function_depth -= 1;
    for (condition, text) in hidden {
        shell.traps.set(condition, Some(text));
    }
    shell.loops = loops;
    shell.positional = positional;
    if let Some(call) = shell.calls.pop()
        && let Some(options) = call.saved_options
    {
        shell.options = options;
    }
    shell.pop_scope();
    outcome
}

/// Takes away the traps that the function does not inherit and returns them.
fn hide_traps(shell: &mut Shell, is_traced: bool) -> Vec<(Condition, BString)> {
    let mut hidden = Vec::new();
    if shell.traps.is_empty() {
        return hidden;
    }
    let mut conditions = Vec::new();
    if !is_traced {
        conditions.extend([Condition::Debug, Condition::Return]);
    }
    if !shell.options.has(SetOption::ErrTrace) {
        conditions.push(Condition::Error);
    }
    for condition in conditions {
        if let Some(text) = shell.traps.get(condition).map(|text| (**text).clone()) {
            shell.traps.forget(condition);
            hidden.push((condition, text));
        }
    }
    hidden
}
