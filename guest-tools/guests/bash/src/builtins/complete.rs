//! `complete` and `compopt`: keep what completions commands have. Nobody edits lines here, but scripts ask for it.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use super::compgen::{Completion, OPTIONS, option};
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

/// The names under which the completions of -D, -E and -I are kept.
const SPECIAL: &[(u8, &[u8], &[u8])] = &[
    (b'D', b"_DefaultCmD_", b"-D"),
    (b'E', b"_EmptycmD_", b"-E"),
    (b'I', b"_InitialWorD_", b"-I"),
];

fn special(letter: u8) -> Option<BString> {
    let found = SPECIAL.iter().find(|(known, _, _)| *known == letter);
    found.map(|(_, name, _)| BString::from(*name))
}

/// Returns the commands that make all completions again.
pub fn commands(shell: &Shell) -> Vec<BString> {
    let names = shell.completions.iter();
    names.map(|(name, what)| command(name, what)).collect()
}

fn command(name: &BString, completion: &Completion) -> BString {
    let mut text = completion.command();
    text.push(b' ');
    text.extend_from_slice(&shown(name));
    text
}

/// Returns a name as it stands in a command.
fn shown(name: &BString) -> BString {
    let found = SPECIAL.iter().find(|(_, known, _)| name == known);
    match found {
        Some((_, _, option)) => BString::from(*option),
        None if name.is_empty() => BString::from("''"),
        None => name.clone(),
    }
}

fn complete(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "abcdefgjksuvprDEIo:A:G:W:F:C:X:P:S:");
    let (mut prints, mut removes) = (false, false);
    let mut completion = Completion::default();
    let mut names: Vec<BString> = Vec::new();
    while let Some(flag) = flags.next(shell, &COMPLETE) {
        let flag = match flag {
            Err(status) => return Ok(status),
            Ok(flag) => flag,
        };
        match flag.letter {
            b'p' => prints = true,
            b'r' => removes = true,
            letter => match special(letter) {
                Some(name) => names = vec![name],
                None => {
                    let argument = flag.argument.unwrap_or_default();
                    if let Err(message) = completion.add(letter, argument) {
                        shell.report_for(b"complete", message);
                        return Ok(2);
                    }
                }
            },
        }
    }
    if names.is_empty() {
        names = flags.rest().to_vec();
    }
    if removes {
        if names.is_empty() {
            shell.completions = Rc::default();
            return Ok(0);
        }
        let mut status = 0;
        for name in &names {
            if Rc::make_mut(&mut shell.completions).remove(name).is_none() {
                no_completion(shell, b"complete", name);
                status = 1;
            }
        }
        return Ok(status);
    }
    if prints || invocation.arguments().is_empty() {
        return Ok(print(shell, &names));
    }
    if names.is_empty() {
        return Ok(shell.usage(&COMPLETE));
    }
    for name in names {
        Rc::make_mut(&mut shell.completions).insert(name, completion.clone());
    }
    Ok(0)
}

fn no_completion(shell: &mut Shell, builtin: &[u8], name: &BString) {
    let name = shown(name);
    shell.report_for(builtin, format_args!("{name}: no completion specification"));
}

fn print(shell: &mut Shell, names: &[BString]) -> u8 {
    let mut status = 0;
    let mut lines = Vec::new();
    if names.is_empty() {
        lines = commands(shell);
    }
    for name in names {
        match shell.completions.get(name) {
            Some(completion) => lines.push(command(name, completion)),
            None => {
                no_completion(shell, b"complete", name);
                status = 1;
            }
        }
    }
    for mut line in lines {
        line.push(b'\n');
        shell.print(&line);
    }
    status
}

fn compopt(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "+o:DEI");
    let mut changes: Vec<(&'static str, bool)> = Vec::new();
    let mut names: Vec<BString> = Vec::new();
    while let Some(flag) = flags.next(shell, &COMPOPT) {
        let flag = match flag {
            Err(status) => return Ok(status),
            Ok(flag) => flag,
        };
        if let Some(name) = special(flag.letter) {
            names = vec![name];
            continue;
        }
        let argument = flag.argument.unwrap_or_default();
        match option(argument.as_bytes()) {
            Some(option) => changes.push((option, !flag.is_plus)),
            None => {
                shell.report_for(b"compopt", format_args!("{argument}: invalid option name"));
                return Ok(2);
            }
        }
    }
    if names.is_empty() {
        names = flags.rest().to_vec();
    }
    if names.is_empty() {
        shell.report_for(b"compopt", "not currently executing completion function");
        return Ok(1);
    }
    let mut status = 0;
    for name in &names {
        if !shell.completions.contains_key(name) {
            no_completion(shell, b"compopt", name);
            status = 1;
            continue;
        }
        let Some(completion) = Rc::make_mut(&mut shell.completions).get_mut(name) else {
            continue;
        };
        for (option, is_on) in &changes {
            completion.options.retain(|known| known != option);
            if *is_on {
                completion.options.push(option);
            }
        }
        if changes.is_empty() {
            let mut text = String::from("compopt");
            for option in OPTIONS {
                let sign = if completion.options.contains(option) {
                    '-'
                } else {
                    '+'
                };
                text.push_str(&format!(" {sign}o {option}"));
            }
            let name = shown(name);
            shell.print(format!("{text} {name}\n").as_bytes());
        }
    }
    Ok(status)
}
