//! `bind`: accepted without effect, because nobody edits lines here.

use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, Shell};

/// `bind`
pub const BIND: Builtin = Builtin {
    name: "bind",
    usage: "bind [-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] [keyseq:readline-function or readline-command]",
    class: Class::Regular,
    run: Run::Now(run),
};

fn run(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    if !shell.is_interactive {
        shell.report_for(invocation.name(), "warning: line editing not enabled");
    }
    Ok(0)
}
