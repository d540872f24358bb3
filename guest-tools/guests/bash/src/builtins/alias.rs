//! `alias` and `unalias`: names that stand for text at the start of a command.

use std::rc::Rc;

use bash_text::quote;
use bstr::{BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `alias`
pub const ALIAS: Builtin = Builtin {
    name: "alias",
    usage: "alias [-p] [name[=value] ... ]",
    class: Class::Regular,
    run: Run::Now(alias),
};

/// `unalias`
pub const UNALIAS: Builtin = Builtin {
    name: "unalias",
    usage: "unalias [-a] name [name ...]",
    class: Class::Regular,
    run: Run::Now(unalias),
};

fn alias(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "p");
    let mut prints_all = false;
    while let Some(flag) = flags.next(shell, &ALIAS) {
        if let Err(status) = flag {
            return Ok(status);
        }
        prints_all = true;
    }
    if prints_all || flags.rest().is_empty() {
        let all = Rc::clone(&shell.aliases);
        for (name, value) in all.iter() {
            print(shell, name, value);
        }
    }
    let mut status = 0;
    for argument in flags.rest() {
        match argument.find_byte(b'=').filter(|place| *place > 0) {
            Some(place) => {
                let (name, value) = argument.split_at(place);
                if !is_alias_name(name) {
                    let message = format!("`{}': invalid alias name", name.as_bstr());
                    shell.report_for(invocation.name(), message);
                    status = 1;
                    continue;
                }
                let value = value.get(1..).unwrap_or_default();
                Rc::make_mut(&mut shell.aliases).insert(BString::from(name), BString::from(value));
            }
            None => match shell.aliases.get(argument).cloned() {
                Some(value) => print(shell, argument, &value),
                None => {
                    shell.report_for(invocation.name(), format_args!("{argument}: not found"));
                    status = 1;
                }
            },
        }
    }
    Ok(status)
}

fn print(shell: &mut Shell, name: &BString, value: &BString) {
    // A name that looks like an option needs the dashes to be read back.
    let mut line = b"alias ".to_vec();
    if name.starts_with(b"-") {
        line.extend_from_slice(b"-- ");
    }
    line.extend_from_slice(name);
    line.push(b'=');
    line.extend_from_slice(&quote::single(value));
    line.push(b'\n');
    shell.print(&line);
}

/// Everything may stand in an alias name that the shell reads as part of a plain word.
fn is_alias_name(name: &[u8]) -> bool {
    !name.iter().any(|byte| {
        matches!(
            byte,
            b' ' | b'\t'
                | b'\n'
                | b'\''
                | b'"'
                | b'\\'
                | b'$'
                | b'`'
                | b'/'
                | b';'
                | b'&'
                | b'|'
                | b'('
                | b')'
                | b'<'
                | b'>'
        )
    })
}

fn unalias(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "a");
    let mut is_all = false;
    while let Some(flag) = flags.next(shell, &UNALIAS) {
        if let Err(status) = flag {
            return Ok(status);
        }
        is_all = true;
    }
    if is_all {
        shell.aliases = Rc::default();
        return Ok(0);
    }
    if flags.rest().is_empty() {
        return Ok(shell.usage(&UNALIAS));
    }
    let mut status = 0;
    for name in flags.rest() {
        if Rc::make_mut(&mut shell.aliases).remove(name).is_none() {
            shell.report_for(invocation.name(), format_args!("{name}: not found"));
            status = 1;
        }
    }
    Ok(status)
}
