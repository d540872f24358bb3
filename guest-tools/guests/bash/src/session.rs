//! The long-lived shell of a hand: one call after the other in the same shell.
//!
//! A call ends with its foreground commands; background jobs go on between calls. Its state is reported after
//! every call. A call that is broken off ends at once with what it started in the foreground.

use std::rc::Rc;

use bstr::BString;

use crate::execution::{Origin, run_text};
use crate::invocation::finish;
use crate::runtime::{Either, Ending, Interest, Runtime, race};
use crate::state::{Shell, Stop};
use crate::traps::Condition;
use crate::{snapshot, startup, sys};

/// Runs calls until the shell ends.
pub fn run(name: &str) -> u8 {
    let runtime = Rc::new(Runtime::new());
    let task = runtime.new_task(None);
    let mut shell = startup::new_shell(&runtime, &task, name);
    shell.is_session = true;
    runtime.start(&task, Box::pin(serve(shell)));
    runtime.run(&task).status()
}

async fn serve(mut shell: Shell) -> Ending {
    startup::import_functions(&mut shell).await;
    if let Some(state) = sys::session::restored() {
        let _ = run_text(&mut shell, &state, Origin::Main).await;
        let _ = shell.flush(b"").await;
    }
    let mut last_state = BString::default();
    loop {
        let Some(call) = next_call(&mut shell).await else {
            return Ending::Exited(0);
        };
        let (status, is_over) = serve_call(&mut shell, call).await;
        if is_over {
            // It has run; a shell that goes on from here has none until it sets one.
            shell.traps.set(Condition::Exit, None);
        }
        let state = snapshot::write(&shell);
        if !is_over && state == last_state {
            sys::session::done(status, &last_state, false);
        } else {
            sys::session::done(status, &state, is_over);
            last_state = state;
        }
        if is_over {
            return Ending::Exited(status);
        }
    }
}

/// Waits for the next call while background tasks go on.
async fn next_call(shell: &mut Shell) -> Option<String> {
    loop {
        if let Some(call) = sys::session::next() {
            return Some(call.script);
        }
        let notify = Rc::new(sys::session::notify()?);
        let runtime = Rc::clone(&shell.runtime);
        let arrival = runtime.until(Interest::Readable(notify));
        // A trapped signal runs its trap also between calls.
        if shell.interruptible(arrival).await.is_err() {
            let _ = shell.run_pending_traps().await;
            let _ = shell.flush(b"").await;
        }
    }
}

/// Runs one call and says its status and whether the shell is over.
async fn serve_call(shell: &mut Shell, script: String) -> (u8, bool) {
    let runtime = Rc::clone(&shell.runtime);
    let task = Rc::clone(&shell.task);
    let before = shell.clone();
    let running = async {
        let outcome = run_text(shell, script.as_bytes(), Origin::Main).await;
        match outcome {
            Ok(status)
            | Err(Stop::Fatal(status) | Stop::Discard(status) | Stop::Return(status)) => {
                (status, false)
            }
            Err(Stop::Break(_) | Stop::Continue(_)) => (shell.status, false),
            // A broken pipe of the call's output ends the call, not the shell.
            Err(Stop::Signal(signal)) => (128_u8.wrapping_add(signal), false),
            Err(stop @ Stop::Exit(_)) => (finish(shell, Err(stop)).await.status(), true),
        }
    };
    let outcome = race(running, broken_off(&runtime)).await;
    let (status, is_over) = match outcome {
        Either::First(ended) => ended,
        Either::Second(()) => {
            runtime.cancel_foreground(&task, sys::SIGKILL);
            (130, false)
        }
    };
    unwind(shell, &before);
    shell.status = status;
    let _ = shell.flush(b"").await;
    shell.jobs.report_ended();
    (status, is_over)
}

async fn broken_off(runtime: &Runtime) {
    loop {
        if sys::session::is_broken_off() {
            return;
        }
        match sys::session::notify() {
            Some(notify) => runtime.until(Interest::Readable(Rc::new(notify))).await,
            None => std::future::pending().await,
        }
        if sys::session::is_broken_off() {
            return;
        }
        // The descriptor also tells of a next call, which is not taken before this one has ended.
        let soon = std::time::Instant::now() + std::time::Duration::from_millis(20);
        runtime.until(Interest::At(soon)).await;
    }
}

/// Takes back what an abandoned command had opened: scopes, calls, redirections of its own.
fn unwind(shell: &mut Shell, before: &Shell) {
    while shell.variables.depth() > before.variables.depth() {
        shell.pop_scope();
    }
    if shell.calls.len() > before.calls.len() {
        shell.positional = before.positional.clone();
    }
    shell.calls.truncate(before.calls.len());
    if shell.function_depth != before.function_depth {
        shell.function_depth = before.function_depth;
    }
    shell.conditions = 0;
    shell.loops = 0;
    shell.source_depth = 0;
    shell.text_depth = 0;
    shell.substitution_depth = 0;
    shell.deadly_signal = None;
    shell.close_substitutions(0);
}
