//! The end of a subshell: its EXIT trap, what is pending, its status.

use std::rc::Rc;

use bash_syntax::ast::{Command, List};

use super::list::execute_list;
use crate::runtime::Ending;
use crate::state::{Outcome, Shell, Stop};
use crate::traps::Condition;

/// Ends a subshell and says how it ended.
pub async fn finish_subshell(shell: &mut Shell, outcome: Outcome) -> Ending {
    let mut ending = ending_of(outcome);
    if !shell.traps.is_empty()
        && let Err(stop) = shell.run_pending_traps().await
    {
        ending = ending_of(Err(stop));
    }
    if shell.traps.is_set(Condition::Exit) && matches!(ending, Ending::Exited(_)) {
        shell.status = ending.status();
        if let Err(Stop::Exit(status)) = shell.run_trap(Condition::Exit).await {
            ending = Ending::Exited(status);
        }
    }
    match shell.flush(b"").await {
        Ok(_) => ending,
        Err(stop) => ending_of(Err(stop)),
    }
}

fn ending_of(outcome: Outcome) -> Ending {
    match outcome {
        Ok(status)
        | Err(
            Stop::Exit(status) | Stop::Return(status) | Stop::Discard(status) | Stop::Fatal(status),
        ) => Ending::Exited(status),
        Err(Stop::Break(_) | Stop::Continue(_)) => Ending::Exited(0),
        Err(Stop::Signal(signal)) => Ending::Signaled(signal),
    }
}

/// Runs `( list )`.
pub async fn execute_subshell(shell: &mut Shell, command: &Command, list: &List) -> Outcome {
    shell.flush(b"").await?;
    let mut subshell = shell.inline_subshell();
    subshell.jobs.forget_inherited();
    let task = Rc::clone(&subshell.task);
    let outcome = execute_list(&mut subshell, list).await;
    let ending = finish_subshell(&mut subshell, outcome).await;
    drop(subshell);
    shell.runtime.finish(&task, ending);
    shell.task.release(&task);
    if !shell.traps.is_empty() {
        shell.must_look = true;
    }
    if let Ending::Signaled(signal) = ending {
        let text = bash_syntax::print_command_line(command);
        shell.report_signal(signal, task.own_pid(), &text);
    }
    Ok(ending.status())
}
