//! The tool `bash`: its definition, its input, its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Called, End, Shell, text};
use crate::call::refusal;
use crate::hand::{CallOptions, ToolDefinition};
use crate::kernel::{Ended, StartError};
use crate::outcome::{HostFault, Outcome};
use crate::typed::Content;

/// The tool's name.
pub(crate) const fn name() -> &'static str {
    "bash"
}

/// How long a call lasts at the most if it does not say.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);

/// Longest script, in bytes.
const SCRIPT_BYTES_MAX: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    command: Option<String>,
    restart: Option<bool>,
    timeout_ms: Option<i64>,
}

/// Returns the tool as a model is told about it.
pub(crate) fn definition() -> ToolDefinition {
    ToolDefinition {
        name: name().to_owned(),
        description: "Runs a command in a bash shell that persists between calls: working directory, variables, \
            functions, options and background jobs stay. Standard output and standard error come back together. A \
            command that fails answers with an error that holds its output and exit status. Of more than 100 KiB of \
            output only the end is shown, and all of it is in a file that the answer names. Standard input is empty. \
            Programs started with & keep running between calls."
            .to_owned(),
        input_schema: json!({
            "type": "object",
            "properties": {
                "command": {
                    "type": "string",
                    "description": "The command to run; required unless the shell is restarted.",
                },
                "restart": {
                    "type": "boolean",
                    "description": "Ends the shell and everything it runs, and starts a new one.",
                },
                "timeout_ms": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Ends the command after this many milliseconds; 120000 if absent.",
                },
            },
            "additionalProperties": false,
        }),
    }
}

/// Runs one call of the tool.
pub(crate) async fn call(
    shell: &Arc<Shell>,
    input: &Value,
    options: CallOptions,
    wall_time: Duration,
) -> Outcome {
    let input = match Input::deserialize(input) {
        Ok(input) => input,
        Err(error) => return refusal(format!("the input is wrong: {error}")),
    };
    if input.restart == Some(true) {
        shell.restart().await;
        if input.command.is_none() {
            return Outcome::Result(vec![Content::Text("bash session restarted".to_owned())]);
        }
    }
    let Some(script) = input.command else {
        return refusal("the input has neither command nor restart".to_owned());
    };
    if script.len() > SCRIPT_BYTES_MAX {
        return refusal(format!(
            "the command has {} bytes; at most {SCRIPT_BYTES_MAX} are allowed. Write it to a file and run that",
            script.len()
        ));
    }
    let asked = match input.timeout_ms.map(u64::try_from) {
        None => TIMEOUT_DEFAULT,
        Some(Ok(milliseconds)) if milliseconds > 0 => Duration::from_millis(milliseconds),
        Some(_) => {
            return refusal("timeout_ms must be a positive number of milliseconds".to_owned());
        }
    };
    let timeout = asked
        .min(options.timeout.unwrap_or(Duration::MAX))
        .min(wall_time);
    let call = Call {
        script,
        deadline: Instant::now() + timeout,
        cancel: options.cancel,
        name: options.output_name,
        progress: options.progress,
    };
    let called = match options.is_apart {
        true => shell.call_apart(call).await,
        false => shell.call(call).await,
    };
    match called {
        Ok(called) => answer(&called, timeout),
        Err(StartError::TooManyProcesses) => refusal(
            "the shell cannot be started: too many programs run at the same time".to_owned(),
        ),
        Err(error) => Outcome::HostFault(HostFault::Start(error.to_string())),
    }
}

fn answer(called: &Called, timeout: Duration) -> Outcome {
    let mut shown = text::shown(&called.output);
    let note = match called.end {
        End::Done(0) => {
            if shown.is_empty() {
                shown.push_str("(no output)");
            }
            return Outcome::Result(vec![Content::Text(shown)]);
        }
        End::Done(status) => format!("[exit status {status}]"),
        End::TimedOut => format!(
            "[timed out after {} ms and was ended{}]",
            timeout.as_millis(),
            lost(called)
        ),
        End::Cancelled => return Outcome::Cancelled,
        End::Crashed(ended) => format!(
            "[the shell ended unexpectedly ({}){}]",
            match ended {
                Ended::Exited(status) => format!("status {status}"),
                Ended::Signaled(signal) => format!("signal {signal}"),
            },
            lost(called)
        ),
    };
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown.push('\n');
    }
    shown.push_str(&note);
    Outcome::ToolError(vec![Content::Text(shown)])
}

/// What else is gone.
fn lost(called: &Called) -> &'static str {
    if called.was_killed {
        "; all its programs, also those in the background, were killed; the shell goes on as it was before this call"
    } else {
        ""
    }
}
