//! `enable`: turns builtins off and on.

use std::rc::Rc;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `enable`
pub const ENABLE: Builtin = Builtin {
    name: "enable",
    usage: "enable [-a] [-dnps] [-f filename] [name ...]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "adnpsf:");
    let (mut is_all, mut turns_off, mut prints, mut is_special) = (false, false, false, false);
    while let Some(flag) = flags.next(shell, &ENABLE) {
        let flag = match flag {
            Err(status) => return Ok(status),
            Ok(flag) => flag,
        };
        match flag.letter {
            b'a' => is_all = true,
            b'n' => turns_off = true,
            b'p' => prints = true,
            b's' => is_special = true,
            _ => {
                shell.report_for(invocation.name(), "dynamic loading not available");
                return Ok(2);
            }
        }
    }
    if flags.rest().is_empty() || prints {
        for builtin in super::all() {
            let is_off = shell.disabled_builtins.contains(&builtin.name);
            if (is_special && !builtin.class.is_special()) || (!is_all && is_off != turns_off) {
                continue;
            }
            let line = format!(
                "enable {}{}\n",
                if is_off { "-n " } else { "" },
                builtin.name
            );
            shell.print(line.as_bytes());
        }
        return Ok(0);
    }
    let mut status = 0;
    for name in flags.rest() {
        let Some(builtin) =
            super::find(name).filter(|builtin| !is_special || builtin.class.is_special())
        else {
            shell.report_for(
                invocation.name(),
                format_args!("{name}: not a shell builtin"),
            );
            status = 1;
            continue;
        };
        let off = Rc::make_mut(&mut shell.disabled_builtins);
        off.retain(|other| *other != builtin.name);
        if turns_off {
            off.push(builtin.name);
        }
    }
    Ok(status)
}
