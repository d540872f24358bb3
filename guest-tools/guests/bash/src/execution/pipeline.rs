//! Pipelines: every stage is a task, and a pipe joins each two of them.

use std::rc::Rc;

use bash_syntax::ast::{Command, CommandKind, Pipeline};

use super::compound::{before_command, execute_command};
use super::subshell::finish_subshell;
use super::timing;
use crate::descriptors::Open;
use crate::redirection::Saved;
use crate::runtime::{LocalFuture, Task};
use crate::state::{Outcome, SetOption, Shell, Shopt, Stop};
use crate::sys;

/// Runs a pipeline.
pub async fn execute(shell: &mut Shell, pipeline: &Pipeline) -> Outcome {
    let clock = pipeline.time.map(|_| timing::Clock::start());
    // `!` makes a condition only where `set -e` is on already.
    let is_condition = pipeline.is_negated && shell.options.has(SetOption::ErrExit);
    shell.conditions += u32::from(is_condition);
    let outcome = match pipeline.commands.as_slice() {
        [] => Ok(0),
        [only] => execute_command(shell, only).await,
        commands => execute_stages(shell, commands).await,
    };
    shell.conditions -= u32::from(is_condition);
    if let (Some(clock), Some(format)) = (clock, pipeline.time) {
        timing::print(shell, clock, format).await?;
    }
    let status = outcome?;
    Ok(if pipeline.is_negated {
        u8::from(status == 0)
    } else {
        status
    })
}

async fn execute_stages(shell: &mut Shell, commands: &[Rc<Command>]) -> Outcome {
    shell.flush(b"").await?;
    let has_last_here =
        shell.options.has_shopt(Shopt::LastPipe) && !shell.options.has(SetOption::Monitor);
    let mut tasks: Vec<Rc<Task>> = Vec::with_capacity(commands.len());
    let mut input: Option<Rc<Open>> = None;
    let mut statuses: Vec<u8> = Vec::with_capacity(commands.len());
    if shell.runtime.cannot_fork(commands.len()) {
        shell.report(format_args!("fork: {}", sys::Errno::Again));
        return Ok(254);
    }
    for (place, command) in commands.iter().enumerate() {
        let is_last = place + 1 == commands.len();
        shell.line = command.line;
        if is_last && has_last_here {
            let mut saved = Saved::default();
            shell.replace_descriptor(0, input.take(), &mut saved);
            let last: LocalFuture<'_, _> = Box::pin(execute_command(shell, command));
            let outcome = last.await;
            shell.flush(b"").await?;
            shell.restore_descriptors(saved);
            let status = outcome?;
            collect(shell, &tasks, &mut statuses).await?;
            statuses.push(status);
            return Ok(conclude(shell, &statuses));
        }
        let (next, output) = if is_last {
            (None, None)
        } else {
            match sys::pipe() {
                Ok((reader, writer)) => (Some(Open::new(reader)), Some(Open::new(writer))),
                Err(error) => {
                    shell.report(format_args!("pipe error: {error}"));
                    return Ok(1);
                }
            }
        };
        if matches!(command.kind, CommandKind::Simple(_)) {
            before_command(shell, || bash_syntax::print_simple(command)).await?;
        }
        tasks.push(start_stage(shell, command, input.take(), output));
        input = next;
    }
    collect(shell, &tasks, &mut statuses).await?;
    for task in &tasks {
        shell.task.release(task);
    }
    Ok(conclude(shell, &statuses))
}

fn start_stage(
    shell: &Shell,
    command: &Rc<Command>,
    input: Option<Rc<Open>>,
    output: Option<Rc<Open>>,
) -> Rc<Task> {
    let task = shell.runtime.new_task(Some(&shell.task));
    let mut stage = shell.subshell(Rc::clone(&task));
    if input.is_some() {
        stage.descriptors.put(0, input);
    }
    if output.is_some() {
        stage.descriptors.put(1, output);
    }
    stage.is_last_command = matches!(
        command.kind,
        CommandKind::Simple(_) | CommandKind::Subshell(_)
    );
    stage.was_debugged = matches!(command.kind, CommandKind::Simple(_));
    let command = Rc::clone(command);
    shell.runtime.start(
        &task,
        Box::pin(async move {
            let running: LocalFuture<'_, _> = Box::pin(execute_command(&mut stage, &command));
            let mut outcome = running.await;
            // A stage is a subshell, in which errexit and ERR count as anywhere.
            if let Ok(status) = outcome
                && status != 0
                && !stage.is_last_command
                && matches!(command.kind, CommandKind::Simple(_))
                && let Err(stop) = stage.after_failure(status).await
            {
                outcome = Err(stop);
            }
            finish_subshell(&mut stage, outcome).await
        }),
    );
    task
}

async fn collect(
    shell: &mut Shell,
    tasks: &[Rc<Task>],
    statuses: &mut Vec<u8>,
) -> Result<(), Stop> {
    for task in tasks {
        statuses.push(shell.unless_ended(task.ended()).await?.status());
    }
    if !shell.traps.is_empty() {
        shell.must_look = true;
    }
    Ok(())
}

fn conclude(shell: &mut Shell, statuses: &[u8]) -> u8 {
    shell.pipe_status = Rc::from(statuses);
    let last = statuses.last().copied().unwrap_or(0);
    if shell.options.has(SetOption::PipeFail) {
        let failed = statuses.iter().rev().find(|status| **status != 0);
        return failed.copied().unwrap_or(0);
    }
    last
}
