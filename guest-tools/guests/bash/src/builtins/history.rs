//! `history` and `fc`: the list of commands, which a shell that nobody sits at does not keep.

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `history`
pub const HISTORY: Builtin = Builtin {
    name: "history",
    usage: "history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]",
    class: Class::Regular,
    run: Run::Now(history),
};

/// `fc`
pub const FC: Builtin = Builtin {
    name: "fc",
    usage: "fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]",
    class: Class::Regular,
    run: Run::Now(fc),
};

fn history(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "acd:npsrw");
    let (mut expands, mut deletes) = (false, None);
    while let Some(flag) = flags.next(shell, &HISTORY) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'p' => expands = true,
                b'd' => deletes = flag.argument,
                _ => {}
            },
        }
    }
    if let Some(offset) = deletes {
        shell.report_for(
            invocation.name(),
            format_args!("{offset}: history position out of range"),
        );
        return Ok(1);
    }
    if expands {
        for word in flags.rest() {
            shell.print(&[word.as_slice(), b"\n"].concat());
        }
    } else if let Some(count) = flags.rest().first()
        && invocation.arguments().len() == 1
        && bash_text::arithmetic::parse_integer(count).is_none()
    {
        shell.report_for(
            invocation.name(),
            format_args!("{count}: numeric argument required"),
        );
        return Ok(1);
    }
    Ok(0)
}

fn fc(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "e:lnrs");
    let (mut lists, mut runs) = (false, false);
    while let Some(flag) = flags.next(shell, &FC) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) if flag.letter == b'l' => lists = true,
            Ok(flag) if flag.letter == b's' => runs = true,
            Ok(_) => {}
        }
    }
    // An empty list shows and edits nothing, which is no mistake.
    if lists || !runs {
        return Ok(0);
    }
    shell.report_for(invocation.name(), "no command found");
    Ok(1)
}
