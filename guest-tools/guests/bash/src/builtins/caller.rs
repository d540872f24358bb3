//! `caller`: where the running function was called.

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `caller`
pub const CALLER: Builtin = Builtin {
    name: "caller",
    usage: "caller [expr]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "");
    if let Some(Err(status)) = flags.next(shell, &CALLER) {
        return Ok(status);
    }
    // A script has a place at the bottom of the stack, commands from elsewhere have none.
    if shell.calls.is_empty() && shell.script.is_none() {
        return Ok(1);
    }
    let Some(argument) = flags.rest().first() else {
        let line = shell.calls.last().map_or(0, |call| call.line);
        let source = source(shell, 1);
        shell.print(format!("{line} {source}\n").as_bytes());
        return Ok(0);
    };
    let Some(depth) = bash_text::arithmetic::parse_integer(argument) else {
        shell.report_for(
            invocation.name(),
            format_args!("{argument}: invalid number"),
        );
        return Ok(shell.usage(&CALLER));
    };
    let Some(depth) = usize::try_from(depth)
        .ok()
        .filter(|depth| *depth < shell.calls.len())
    else {
        return Ok(1);
    };
    let line = shell
        .calls
        .iter()
        .rev()
        .nth(depth)
        .map_or(0, |call| call.line);
    let name = match shell.calls.iter().rev().nth(depth + 1) {
        Some(call) => call.name.clone(),
        None if shell.script.is_some() => "main".into(),
        None => return Ok(1),
    };
    let source = source(shell, depth + 1);
    shell.print(format!("{line} {name} {source}\n").as_bytes());
    Ok(0)
}

/// Returns the file of the call that stands `depth` calls further out, as BASH_SOURCE has it.
fn source(shell: &Shell, depth: usize) -> String {
    if let Some(call) = shell.calls.iter().rev().nth(depth) {
        return call.source.to_string();
    }
    match &shell.script {
        Some(script) if depth == shell.calls.len() => script.to_string(),
        _ => "NULL".to_owned(),
    }
}
