//! `trap`: what runs at signals, at the end, and around commands.

use bash_text::quote;
use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};
use crate::traps::Condition;

/// `trap`
pub const TRAP: Builtin = Builtin {
    name: "trap",
    usage: "trap [-lp] [[arg] signal_spec ...]",
    class: Class::Special,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "lp");
    let (mut lists, mut prints) = (false, false);
    while let Some(flag) = flags.next(shell, &TRAP) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) if flag.letter == b'l' => lists = true,
            Ok(_) => prints = true,
        }
    }
    let words = flags.rest();
    if lists {
        shell.print(bash_text::signal::list().as_bytes());
        return Ok(0);
    }
    if prints || words.is_empty() {
        return Ok(print(shell, invocation, words));
    }
    let (text, conditions) = match words {
        // A number alone, or before conditions, resets them all; so does a single condition.
        [first, ..]
            if first.iter().all(u8::is_ascii_digit) && Condition::parse(first).is_some() =>
        {
            (None, words)
        }
        [only] if Condition::parse(only).is_some() => (None, words),
        [_] => return Ok(shell.usage(&TRAP)),
        [dash, rest @ ..] if dash.as_slice() == b"-" => (None, rest),
        [text, rest @ ..] => (Some(text.clone()), rest),
        [] => return Ok(0),
    };
    let mut status = 0;
    for word in conditions {
        match Condition::parse(word) {
            Some(condition) => shell.traps.set(condition, text.clone()),
            None => {
                shell.report_for(
                    invocation.name(),
                    format_args!("{word}: invalid signal specification"),
                );
                status = 1;
            }
        }
    }
    shell.publish_dispositions();
    shell.must_look = true;
    Ok(status)
}

fn print(shell: &mut Shell, invocation: &Invocation, words: &[BString]) -> u8 {
    let mut status = 0;
    let mut wanted = Vec::new();
    for word in words {
        match Condition::parse(word) {
            Some(condition) => wanted.push(condition),
            None => {
                shell.report_for(
                    invocation.name(),
                    format_args!("{word}: invalid signal specification"),
                );
                status = 1;
            }
        }
    }
    let all = shell.traps.list();
    let shown: Vec<_> = if words.is_empty() {
        all
    } else {
        wanted
            .iter()
            .filter_map(|condition| all.iter().find(|(other, _)| other == condition).cloned())
            .collect()
    };
    for (condition, text) in shown {
        let mut line = b"trap -- ".to_vec();
        line.extend_from_slice(&quote::single(&text));
        line.extend_from_slice(format!(" {}\n", condition.name()).as_bytes());
        shell.print(&line);
    }
    status
}
