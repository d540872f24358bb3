//! `set`: options and positional parameters; alone it lists variables and functions.

use bstr::BString;

use super::builtin::{Builtin, Class, Invocation, Run};
use super::declaration_print;
use super::shopt::on_or_off;
use crate::state::{Outcome, Positional, SetOption, Shell, Shopt};

/// `set`
pub const SET: Builtin = Builtin {
    name: "set",
    usage: "set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]",
    class: Class::Special,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    if invocation.arguments().is_empty() {
        declaration_print::print_set(shell);
        return Ok(0);
    }
    let words = invocation.arguments();
    if let Some(status) = check(shell, invocation, words) {
        return Ok(status);
    }
    let mut rest = words.iter();
    let mut changes_parameters = false;
    while let Some(word) = rest.as_slice().first() {
        let Some((sign, letters)) = word
            .split_first()
            .filter(|(sign, _)| matches!(sign, b'-' | b'+'))
        else {
            changes_parameters = true;
            break;
        };
        rest.next();
        let is_on = *sign == b'-';
        match letters {
            b"-" if is_on => {
                changes_parameters = true;
                break;
            }
            b"" if is_on => {
                // An obsolete form: no tracing any more, and the rest are parameters if there is one.
                put(shell, SetOption::XTrace, false);
                put(shell, SetOption::Verbose, false);
                changes_parameters = !rest.as_slice().is_empty();
                break;
            }
            _ => {}
        }
        for letter in letters {
            if *letter == b'o' {
                match rest
                    .as_slice()
                    .first()
                    .and_then(|name| SetOption::by_name(name))
                {
                    Some(option) => {
                        rest.next();
                        put(shell, option, is_on);
                    }
                    None => list(shell, is_on),
                }
            } else if let Some(option) = SetOption::by_letter(*letter) {
                put(shell, option, is_on);
            }
        }
    }
    if changes_parameters {
        shell.positional = Positional::new(rest.as_slice().to_vec());
    }
    Ok(0)
}

/// Looks at all options before any of them takes effect, as bash does; returns the status of a mistake.
fn check(shell: &mut Shell, invocation: &Invocation, words: &[BString]) -> Option<u8> {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (sign, letters) = word
            .split_first()
            .filter(|(sign, _)| matches!(sign, b'-' | b'+'))?;
        if matches!(letters, b"" | b"-") && *sign == b'-' {
            return None;
        }
        for letter in letters {
            if *letter == b'o' {
                // What follows is the name, unless it is the next option or nothing.
                let Some(name) = rest.as_slice().first() else {
                    continue;
                };
                if name
                    .first()
                    .is_some_and(|first| matches!(first, b'-' | b'+'))
                {
                    continue;
                }
                if SetOption::by_name(name).is_none() {
                    shell.report_for(
                        invocation.name(),
                        format_args!("{name}: invalid option name"),
                    );
                    return Some(2);
                }
                rest.next();
            } else if SetOption::by_letter(*letter).is_none() {
                let text = format!("{}{}", char::from(*sign), char::from(*letter));
                shell.report_for(invocation.name(), format_args!("{text}: invalid option"));
                return Some(shell.usage(&SET));
            }
        }
    }
    None
}

/// Turns an option on or off with all that this means.
pub(super) fn put(shell: &mut Shell, option: SetOption, is_on: bool) {
    match option {
        SetOption::Vi if is_on => shell.options.put(SetOption::Emacs, false),
        SetOption::Emacs if is_on => shell.options.put(SetOption::Vi, false),
        SetOption::InteractiveComments => {
            shell.options.put_shopt(Shopt::InteractiveComments, is_on)
        }
        SetOption::Posix => {
            if is_on {
                // Not through `set`: the variable has the option turned on, which is what happens here.
                if shell.get(b"POSIXLY_CORRECT").is_none() {
                    let _ = shell.set(b"POSIXLY_CORRECT", b"y");
                }
                shell.options.put_shopt(Shopt::InheritErrExit, true);
                shell.options.put_shopt(Shopt::ShiftVerbose, true);
                shell.options.put_shopt(Shopt::ExpandAliases, true);
            } else {
                let _ = shell.unset(b"POSIXLY_CORRECT");
                shell.options.put_shopt(Shopt::ShiftVerbose, false);
                if !shell.is_interactive {
                    shell.options.put_shopt(Shopt::ExpandAliases, false);
                }
            }
        }
        _ => {}
    }
    shell.options.put(option, is_on);
    shell.must_look = true;
}

fn list(shell: &mut Shell, is_table: bool) {
    for (option, name, _) in SetOption::ALL {
        let is_on = shell.options.has(*option);
        let line = if is_table {
            format!("{name:<15}\t{}\n", on_or_off(is_on))
        } else {
            format!("set {}o {name}\n", if is_on { '-' } else { '+' })
        };
        shell.print(line.as_bytes());
    }
}
