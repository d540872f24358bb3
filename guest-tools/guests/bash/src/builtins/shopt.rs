//! `shopt`: the options that `set` does not have.

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use super::set;
use crate::state::{Outcome, SetOption, Shell, Shopt};

/// `shopt`
pub const SHOPT: Builtin = Builtin {
    name: "shopt",
    usage: "shopt [-pqsu] [-o] [optname ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

/// What the options of `shopt` ask for.
#[derive(Default)]
struct Wishes {
    is_reusable: bool,
    is_quiet: bool,
    sets: bool,
    unsets: bool,
    is_set_option: bool,
}

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "psuoq");
    let mut wishes = Wishes::default();
    while let Some(flag) = flags.next(shell, &SHOPT) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'p' => wishes.is_reusable = true,
                b's' => wishes.sets = true,
                b'u' => wishes.unsets = true,
                b'o' => wishes.is_set_option = true,
                _ => wishes.is_quiet = true,
            },
        }
    }
    if wishes.sets && wishes.unsets {
        shell.report_for(
            invocation.name(),
            "cannot set and unset shell options simultaneously",
        );
        return Ok(1);
    }
    let names = flags.rest();
    if names.is_empty() {
        list(shell, &wishes);
        return Ok(0);
    }
    let changes = wishes.sets || wishes.unsets;
    let mut status = 0;
    for name in names {
        let outcome = match (changes, wishes.is_set_option) {
            (true, true) => change_set(shell, name, wishes.sets),
            (true, false) => change(shell, name, wishes.sets),
            (false, _) => show(shell, &wishes, name),
        };
        match outcome {
            Some(is_on) => status = status.max(u8::from(!is_on && !changes)),
            None => {
                let what = if wishes.is_set_option {
                    "invalid option name"
                } else {
                    "invalid shell option name"
                };
                shell.report_for(invocation.name(), format_args!("{name}: {what}"));
                status = 1;
            }
        }
    }
    Ok(status)
}

fn list(shell: &mut Shell, wishes: &Wishes) {
    let all: Vec<(&'static str, bool)> = if wishes.is_set_option {
        SetOption::ALL
            .iter()
            .map(|(option, name, _)| (*name, shell.options.has(*option)))
            .collect()
    } else {
        Shopt::ALL
            .iter()
            .map(|(option, name, _)| (*name, shell.options.has_shopt(*option)))
            .collect()
    };
    for (name, is_on) in all {
        let is_wanted =
            (!wishes.sets && !wishes.unsets) || (wishes.sets && is_on) || (wishes.unsets && !is_on);
        if is_wanted {
            print(shell, wishes, name, is_on);
        }
    }
}

fn print(shell: &mut Shell, wishes: &Wishes, name: &str, is_on: bool) {
    if wishes.is_quiet {
        return;
    }
    let line = match (wishes.is_reusable, wishes.is_set_option) {
        (true, true) => format!("set {}o {name}\n", if is_on { '-' } else { '+' }),
        (true, false) => format!("shopt -{} {name}\n", if is_on { 's' } else { 'u' }),
        (false, true) => format!("{name:<15}\t{}\n", on_or_off(is_on)),
        (false, false) => format!("{name:<15}\t{}\n", on_or_off(is_on)),
    };
    shell.print(line.as_bytes());
}

/// Returns `on` or `off`.
pub(super) fn on_or_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

fn show(shell: &mut Shell, wishes: &Wishes, name: &BString) -> Option<bool> {
    let (known, is_on) = if wishes.is_set_option {
        let option = SetOption::by_name(name)?;
        let known = SetOption::ALL.iter().find(|(other, ..)| *other == option)?;
        (known.1, shell.options.has(option))
    } else {
        let option = Shopt::by_name(name)?;
        let known = Shopt::ALL.iter().find(|(other, ..)| *other == option)?;
        (known.1, shell.options.has_shopt(option))
    };
    print(shell, wishes, known, is_on);
    Some(is_on)
}

fn change_set(shell: &mut Shell, name: &BString, is_on: bool) -> Option<bool> {
    let option = SetOption::by_name(name)?;
    set::put(shell, option, is_on);
    Some(true)
}

fn change(shell: &mut Shell, name: &BString, is_on: bool) -> Option<bool> {
    let option = Shopt::by_name(name)?;
    match option {
        // Facts about the shell, not choices.
        Shopt::LoginShell | Shopt::RestrictedShell => {}
        Shopt::Compat31
        | Shopt::Compat32
        | Shopt::Compat40
        | Shopt::Compat41
        | Shopt::Compat42
        | Shopt::Compat43
        | Shopt::Compat44 => {
            let all = [
                Shopt::Compat31,
                Shopt::Compat32,
                Shopt::Compat40,
                Shopt::Compat41,
                Shopt::Compat42,
                Shopt::Compat43,
                Shopt::Compat44,
            ];
            for other in all {
                shell.options.put_shopt(other, other == option && is_on);
            }
        }
        Shopt::InteractiveComments => {
            shell.options.put(SetOption::InteractiveComments, is_on);
            shell.options.put_shopt(option, is_on);
        }
        _ => shell.options.put_shopt(option, is_on),
    }
    Some(true)
}
