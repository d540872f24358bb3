//! `command` and `builtin`: run a command without looking at functions.

use bstr::BString;

use super::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::{Lookup, function_text, run_invocation};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, Shell, Shopt};

/// `command`
pub const COMMAND: Builtin = Builtin {
    name: "command",
    usage: "command [-pVv] command [arg ...]",
    class: Class::Regular,
    run: Run::Waiting(run_command),
};

/// `builtin`
pub const BUILTIN: Builtin = Builtin {
    name: "builtin",
    usage: "builtin [shell-builtin [arg ...]]",
    class: Class::Regular,
    run: Run::Waiting(run_only_builtin),
};

fn run_command<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "pVv");
        let mut is_standard_path = false;
        let mut tells = None;
        while let Some(flag) = flags.next(shell, &COMMAND) {
            match flag {
                Ok(flag) if flag.letter == b'p' => is_standard_path = true,
                Ok(flag) => tells = Some(flag.letter),
                Err(status) => return Ok(status),
            }
        }
        if flags.rest().is_empty() {
            return Ok(0);
        }
        if let Some(letter) = tells {
            let is_verbose = letter == b'V';
            let mut status = 1;
            for name in flags.rest() {
                if describe(shell, name, is_verbose, is_standard_path) {
                    status = 0;
                } else if is_verbose {
                    shell.report_for(b"command", format_args!("{name}: not found"));
                }
            }
            return Ok(status);
        }
        let lookup = Lookup {
            functions: false,
            is_standard_path,
            ..Lookup::ALL
        };
        run_invocation(shell, shifted(invocation, flags.place()), lookup).await
    })
}

fn run_only_builtin<'a>(
    shell: &'a mut Shell,
    invocation: &'a Invocation,
) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "");
        if let Some(Err(status)) = flags.next(shell, &BUILTIN) {
            return Ok(status);
        }
        let Some(name) = flags.rest().first() else {
            return Ok(0);
        };
        if shell.builtin(name).is_none() {
            shell.report_for(b"builtin", format_args!("{name}: not a shell builtin"));
            return Ok(1);
        }
        let lookup = Lookup {
            functions: false,
            programs: false,
            ..Lookup::ALL
        };
        run_invocation(shell, shifted(invocation, flags.place()), lookup).await
    })
}

/// Returns the invocation that begins at word number `place`.
fn shifted(invocation: &Invocation, place: usize) -> Invocation {
    let words: Vec<BString> = invocation.words.get(place..).unwrap_or_default().to_vec();
    let lists = invocation
        .lists
        .iter()
        .filter_map(|list| {
            let mut list = list.clone();
            list.argument = list.argument.checked_sub(place)?;
            Some(list)
        })
        .collect();
    Invocation { words, lists }
}

/// Prints what a name would run; false when nothing.
fn describe(shell: &mut Shell, name: &BString, is_verbose: bool, is_standard_path: bool) -> bool {
    let text = if let Some(value) = shell.aliases.get(name)
        && shell.options.has_shopt(Shopt::ExpandAliases)
    {
        if is_verbose {
            format!("{name} is aliased to `{value}'\n").into_bytes()
        } else {
            let value = bash_text::quote::single_or_ansi(value);
            format!("alias {name}={value}\n").into_bytes()
        }
    } else if bash_syntax::is_reserved_word(name) {
        told(name, is_verbose, "is a shell keyword")
    } else if let Some(function) = shell.function(name) {
        let mut text = told(name, is_verbose, "is a function");
        if is_verbose {
            text.extend_from_slice(&function_text(name, function));
            text.push(b'\n');
        }
        text
    } else if shell.builtin(name).is_some() {
        told(name, is_verbose, "is a shell builtin")
    } else {
        let hashed = shell.hash.get(name).map(|entry| entry.path.clone());
        let is_hashed = hashed.is_some();
        let found = hashed.or_else(|| shell.program_named(name, is_standard_path));
        match found {
            Some(path) if is_verbose && is_hashed => {
                format!("{name} is hashed ({path})\n").into_bytes()
            }
            Some(path) if is_verbose => format!("{name} is {path}\n").into_bytes(),
            Some(path) => format!("{path}\n").into_bytes(),
            None => return false,
        }
    };
    shell.print(&text);
    true
}

fn told(name: &BString, is_verbose: bool, what: &str) -> Vec<u8> {
    if is_verbose {
        format!("{name} {what}\n").into_bytes()
    } else {
        format!("{name}\n").into_bytes()
    }
}
