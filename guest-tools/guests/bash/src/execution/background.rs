//! Background lists: tasks of their own that are jobs of the shell.

use std::rc::Rc;

use bash_syntax::ast::{AndOr, CommandKind, List, ListItem};

use super::list::execute_chain;
use super::subshell::finish_subshell;
use crate::descriptors::Open;
use crate::runtime::LocalFuture;
use crate::state::{SetOption, Shell};
use crate::sys;
use crate::traps::Condition;

/// Starts pipelines in the background and returns the status of having done so.
pub fn start(shell: &mut Shell, chain: &Rc<AndOr>) -> u8 {
    if shell.runtime.cannot_fork(1) {
        shell.report(format_args!("fork: {}", sys::Errno::Again));
        return 254;
    }
    let task = shell.runtime.new_task(None);
    let mut subshell = shell.subshell(Rc::clone(&task));
    subshell.conditions = 0;
    subshell.jobs.forget_inherited();
    // It must come as far as the program it becomes before anybody asks for its process id.
    subshell.must_look = false;
    subshell.patience = subshell.patience.max(1);
    if !shell.options.has(SetOption::Monitor)
        && let Ok(null) = sys::open(b"/dev/null", sys::OpenHow::READ, 0)
    {
        subshell.descriptors.put(0, Some(Open::new(null)));
    }
    if !shell.options.has(SetOption::Monitor) {
        subshell.traps.ignore_interrupts();
        subshell.publish_dispositions();
    }
    subshell.is_last_command = is_single(chain);
    if subshell.is_last_command && is_simple(chain) {
        // The process is that of the command: its failure is the shell's to learn of.
        subshell.traps.forget(Condition::Error);
    }
    let own = Rc::clone(chain);
    shell.runtime.start(
        &task,
        Box::pin(async move {
            let running: LocalFuture<'_, _> = Box::pin(execute_chain(&mut subshell, &own));
            let outcome = running.await;
            finish_subshell(&mut subshell, outcome).await
        }),
    );
    shell.runtime.poll_now(&task);
    let pid = task.pid();
    let text = bash_syntax::print_list_line(&List {
        items: vec![ListItem {
            chain: Rc::clone(chain),
            is_background: false,
            is_line_end: false,
        }],
    });
    shell.jobs.add(task, pid, text);
    shell.last_background = Some(pid);
    0
}

fn is_simple(chain: &AndOr) -> bool {
    let mut commands = chain.first.commands.iter();
    commands.all(|command| matches!(command.kind, CommandKind::Simple(_)))
}

/// Returns whether there is nothing but one simple command or subshell.
fn is_single(chain: &AndOr) -> bool {
    match chain.first.commands.as_slice() {
        [only] => {
            chain.rest.is_empty()
                && !chain.first.is_negated
                && chain.first.time.is_none()
                && matches!(only.kind, CommandKind::Simple(_) | CommandKind::Subshell(_))
        }
        _ => false,
    }
}
