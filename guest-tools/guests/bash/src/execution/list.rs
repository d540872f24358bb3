//! Lists: commands one after the other, `&&`, `||` and `&`.

use bash_syntax::ast::{AndOr, Command, CommandKind, Connector, List, Pipeline};

use super::{background, pipeline};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, SetOption, Shell, Stop};

/// Bounds the stack that nested commands may take. Beyond the bound for function
/// calls, so that a call says it where there is one.
const STACK_BYTES_MAX: usize = if cfg!(target_family = "wasm") {
    11 << 20
} else {
    6 << 20
};

/// Runs a list; its status is that of the last command, 0 for an empty one.
pub fn execute_list<'a>(shell: &'a mut Shell, list: &'a List) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        if shell.runtime.stack_depth() > STACK_BYTES_MAX {
            return Err(shell.abandon("commands nested too deeply"));
        }
        let mut status = 0;
        for item in &list.items {
            if shell.options.has(SetOption::NoExec) && !shell.is_interactive {
                continue;
            }
            if item.is_background {
                shell.look().await?;
                status = background::start(shell, &item.chain);
                shell.status = status;
            } else {
                status = execute_chain(shell, &item.chain).await?;
            }
        }
        Ok(status)
    })
}

/// Runs pipelines joined by `&&` and `||`.
pub async fn execute_chain(shell: &mut Shell, chain: &AndOr) -> Outcome {
    let mut status = execute_part(shell, &chain.first, chain.rest.is_empty()).await?;
    for (place, (connector, next)) in chain.rest.iter().enumerate() {
        let is_skipped = match connector {
            Connector::And => status != 0,
            Connector::Or => status == 0,
        };
        if !is_skipped {
            status = execute_part(shell, next, place + 1 == chain.rest.len()).await?;
        }
    }
    Ok(status)
}

async fn execute_part(shell: &mut Shell, part: &Pipeline, is_last: bool) -> Outcome {
    if !is_last {
        shell.conditions += 1;
        let outcome = pipeline::execute(shell, part).await;
        shell.conditions -= 1;
        let status = outcome?;
        shell.status = status;
        return Ok(status);
    }
    let status = pipeline::execute(shell, part).await?;
    shell.status = status;
    if status != 0 && !part.is_negated && counts(&part.commands) {
        shell.after_failure(status).await?;
    }
    Ok(status)
}

/// Returns whether a failure of the pipeline counts for errexit and ERR: that of a compound command was already
/// looked at inside it.
fn counts(commands: &[std::rc::Rc<Command>]) -> bool {
    match commands {
        [only] => matches!(
            only.kind,
            CommandKind::Simple(_)
                | CommandKind::Subshell(_)
                | CommandKind::Arithmetic(_)
                | CommandKind::Condition(_)
        ),
        _ => true,
    }
}

/// Runs a list as a condition: its failures are no errors.
pub async fn execute_condition(shell: &mut Shell, list: &List) -> Outcome {
    shell.conditions += 1;
    let outcome = execute_list(shell, list).await;
    shell.conditions -= 1;
    outcome
}

/// What a loop does after its body.
pub enum Turn {
    /// Goes on.
    Next,
    /// Ends.
    Leave,
}

/// Reads the end of a loop's body: `break` and `continue` count down the loops they leave.
pub fn turn(outcome: Outcome, status: &mut u8) -> Result<Turn, Stop> {
    match outcome {
        Ok(ended) => {
            *status = ended;
            Ok(Turn::Next)
        }
        Err(Stop::Break(1)) => {
            *status = 0;
            Ok(Turn::Leave)
        }
        Err(Stop::Continue(1)) => {
            *status = 0;
            Ok(Turn::Next)
        }
        Err(Stop::Break(levels)) => Err(Stop::Break(levels - 1)),
        Err(Stop::Continue(levels)) => Err(Stop::Continue(levels - 1)),
        Err(stop) => Err(stop),
    }
}
