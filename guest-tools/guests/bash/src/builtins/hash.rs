//! `hash`: where programs were found.

use std::rc::Rc;

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{HashEntry, Outcome, SetOption, Shell};

/// `hash`
pub const HASH: Builtin = Builtin {
    name: "hash",
    usage: "hash [-lr] [-p pathname] [-dt] [name ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    if !shell.options.has(SetOption::HashAll) {
        shell.report_for(invocation.name(), "hashing disabled");
        return Ok(1);
    }
    let mut flags = Flags::new(invocation, "dlp:rt");
    let (mut deletes, mut is_reusable, mut empties, mut tells) = (false, false, false, false);
    let mut path = None;
    while let Some(flag) = flags.next(shell, &HASH) {
        let flag = match flag {
            Err(status) => return Ok(status),
            Ok(flag) => flag,
        };
        match flag.letter {
            b'd' => deletes = true,
            b'l' => is_reusable = true,
            b'p' => path = flag.argument.map(BString::from),
            b'r' => empties = true,
            _ => tells = true,
        }
    }
    let names = flags.rest();
    if names.is_empty() && (deletes || tells) {
        let letter = if deletes { 'd' } else { 't' };
        shell.report_for(
            invocation.name(),
            format_args!("-{letter}: option requires an argument"),
        );
        return Ok(1);
    }
    if empties {
        shell.hash = Rc::default();
    }
    if names.is_empty() {
        if !empties {
            list(shell, is_reusable);
        }
        return Ok(0);
    }
    let mut status = 0;
    for name in names {
        let is_done = if let Some(path) = &path {
            remember(shell, name, path);
            true
        } else if deletes {
            Rc::make_mut(&mut shell.hash).remove(name).is_some()
        } else if tells {
            tell(shell, name, is_reusable, names.len() > 1)
        } else {
            search(shell, name)
        };
        if !is_done {
            shell.report_for(invocation.name(), format_args!("{name}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

fn list(shell: &mut Shell, is_reusable: bool) {
    let all = Rc::clone(&shell.hash);
    if all.is_empty() {
        if !is_reusable {
            shell.print(format!("{}: hash table empty\n", HASH.name).as_bytes());
        }
        return;
    }
    if !is_reusable {
        shell.print(b"hits\tcommand\n");
    }
    for (name, entry) in all.iter() {
        let line = if is_reusable {
            format!("builtin hash -p {} {}\n", entry.path, name)
        } else {
            format!("{:4}\t{}\n", entry.hits, entry.path)
        };
        shell.print(line.as_bytes());
    }
}

fn remember(shell: &mut Shell, name: &BString, path: &BString) {
    let entry = HashEntry {
        path: path.clone(),
        hits: 0,
    };
    Rc::make_mut(&mut shell.hash).insert(name.clone(), entry);
}

fn tell(shell: &mut Shell, name: &BString, is_reusable: bool, is_one_of_many: bool) -> bool {
    // Asking counts as using.
    let Some(entry) = Rc::make_mut(&mut shell.hash).get_mut(name) else {
        return false;
    };
    entry.hits += 1;
    let path = entry.path.clone();
    let line = if is_reusable {
        format!("builtin hash -p {} {}\n", path, name)
    } else if is_one_of_many {
        format!("{name}\t{path}\n")
    } else {
        format!("{path}\n")
    };
    shell.print(line.as_bytes());
    true
}

/// Looks a name up anew; functions and builtins need no remembering.
fn search(shell: &mut Shell, name: &BString) -> bool {
    if name.contains(&b'/') || shell.function(name).is_some() || shell.builtin(name).is_some() {
        return true;
    }
    Rc::make_mut(&mut shell.hash).remove(name);
    match shell.programs_named(name, false).into_iter().next() {
        Some(path) => {
            remember(shell, name, &path);
            true
        }
        None => false,
    }
}
