//! `type`: what a name would run.

use std::rc::Rc;

use bash_syntax::is_reserved_word;
use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::function_text;
use crate::state::{Outcome, Shell, Shopt};

/// `type`
pub const TYPE: Builtin = Builtin {
    name: "type",
    usage: "type [-afptP] name [name ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

/// What a name stands for.
enum Meaning {
    Alias(BString),
    Keyword,
    Function,
    Builtin(bool),
    /// Where the program is.
    File(BString),
    /// Where the program was found before.
    Hashed(BString),
}

#[derive(Debug, Clone, Copy, Default)]
struct Wishes {
    is_all: bool,
    hides_functions: bool,
    /// `-p`: the path, if it is a program that would run.
    wants_path: bool,
    /// `-P`: the path, whatever would run.
    wants_program: bool,
    wants_kind: bool,
}

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "afptP");
    let mut wishes = Wishes::default();
    while let Some(flag) = flags.next(shell, &TYPE) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'a' => wishes.is_all = true,
                b'f' => wishes.hides_functions = true,
                b'p' => (wishes.wants_path, wishes.wants_kind) = (true, false),
                b'P' => (wishes.wants_program, wishes.wants_kind) = (true, false),
                _ => {
                    (wishes.wants_kind, wishes.wants_path, wishes.wants_program) =
                        (true, false, false)
                }
            },
        }
    }
    let mut status = 0;
    for name in flags.rest() {
        let meanings = meanings(shell, name, wishes);
        if meanings.is_empty() {
            if !wishes.wants_kind && !wishes.wants_path && !wishes.wants_program {
                shell.report_for(invocation.name(), format_args!("{name}: not found"));
            }
            status = 1;
        }
        for meaning in meanings {
            print(shell, name, &meaning, wishes);
        }
    }
    Ok(status)
}

/// Returns what a name stands for: the first meaning, or all of them.
fn meanings(shell: &Shell, name: &BString, wishes: Wishes) -> Vec<Meaning> {
    let mut all = Vec::new();
    if !wishes.wants_program {
        if shell.options.has_shopt(Shopt::ExpandAliases)
            && let Some(text) = shell.aliases.get(name)
        {
            all.push(Meaning::Alias(text.clone()));
        }
        if is_reserved_word(name) {
            all.push(Meaning::Keyword);
        }
        if !wishes.hides_functions && shell.function(name).is_some() {
            all.push(Meaning::Function);
        }
        if let Some(builtin) = shell.builtin(name) {
            all.push(Meaning::Builtin(
                shell.is_posix() && builtin.class.is_special(),
            ));
        }
    }
    if !wishes.is_all && !all.is_empty() {
        all.truncate(1);
        return all;
    }
    if !wishes.is_all
        && let Some(entry) = shell.hash.get(name)
    {
        return vec![Meaning::Hashed(entry.path.clone())];
    }
    if wishes.is_all {
        let programs = shell.programs_named(name, false);
        all.extend(programs.into_iter().map(Meaning::File));
    } else {
        all.extend(shell.program_named(name, false).map(Meaning::File));
    }
    all
}

fn print(shell: &mut Shell, name: &BString, meaning: &Meaning, wishes: Wishes) {
    let text = if wishes.wants_path || wishes.wants_program {
        match meaning {
            Meaning::File(path) | Meaning::Hashed(path) => format!("{path}\n"),
            _ => return,
        }
    } else if wishes.wants_kind {
        let kind = match meaning {
            Meaning::Alias(_) => "alias",
            Meaning::Keyword => "keyword",
            Meaning::Function => "function",
            Meaning::Builtin(_) => "builtin",
            Meaning::File(_) | Meaning::Hashed(_) => "file",
        };
        format!("{kind}\n")
    } else {
        match meaning {
            Meaning::Alias(text) => format!("{name} is aliased to `{text}'\n"),
            Meaning::Keyword => format!("{name} is a shell keyword\n"),
            Meaning::Builtin(true) => format!("{name} is a special shell builtin\n"),
            Meaning::Builtin(false) => format!("{name} is a shell builtin\n"),
            Meaning::File(path) => format!("{name} is {path}\n"),
            Meaning::Hashed(path) => format!("{name} is hashed ({path})\n"),
            Meaning::Function => {
                let mut text = format!("{name} is a function\n").into_bytes();
                if let Some(function) = shell.function(name).map(Rc::clone) {
                    text.extend_from_slice(&function_text(name, &function));
                    text.push(b'\n');
                }
                shell.print(&text);
                return;
            }
        }
    };
    shell.print(text.as_bytes());
}
