//! Running the text of traps at the right time.
//!
//! A trap sees `$?` as it was and leaves it so, unless it exits. No trap starts again inside itself.

use std::rc::Rc;

use super::{Condition, Traps};
use crate::execution::{Origin, run_text};
use crate::state::{SetOption, Shell, Stop};
use crate::sys;

/// How many commands run before other tasks and signals get a turn.
const PATIENCE: u32 = 256;

impl Shell {
    /// Runs the trap of a condition, if one is set, and returns the status that its text ended with.
    pub async fn run_trap(&mut self, condition: Condition) -> Result<u8, Stop> {
        let status = self.status;
        let Some(text) = self.traps.get(condition).map(Rc::clone) else {
            return Ok(0);
        };
        if text.is_empty() || self.traps.running.contains(&condition) {
            return Ok(0);
        }
        self.traps.running.push(condition);
        let line = self.line;
        if matches!(condition, Condition::Signal(_) | Condition::Exit) {
            self.line = 1;
        }
        let pipe_status = Rc::clone(&self.pipe_status);
        let last_argument = self.last_argument.clone();
        let command_text = self.command_text.clone();
        let conditions = self.conditions;
        let (trap_status, trap_depth) = (self.trap_status, self.trap_depth);
        if matches!(condition, Condition::Signal(_) | Condition::Exit) {
            self.trap_status = Some(status);
            self.trap_depth = self.function_depth;
        }
        let outcome = run_text(self, &text, Origin::Trap).await;
        (self.trap_status, self.trap_depth) = (trap_status, trap_depth);
        self.conditions = conditions;
        self.command_text = command_text;
        self.last_argument = last_argument;
        self.line = line;
        self.traps.running.retain(|other| *other != condition);
        let ended = self.status;
        self.status = status;
        self.pipe_status = pipe_status;
        outcome.map(|_| ended)
    }

    /// Runs the ERR trap and applies `set -e` after a command that failed outside of conditions.
    pub async fn after_failure(&mut self, status: u8) -> Result<(), Stop> {
        if status == 0 || self.conditions > 0 {
            return Ok(());
        }
        self.status = status;
        if self.traps.is_set(Condition::Error) {
            self.run_trap(Condition::Error).await?;
        }
        if self.options.has(SetOption::ErrExit) {
            return Err(Stop::Exit(status));
        }
        Ok(())
    }

    /// Lets other tasks and signals have their turn; called between commands and cheap when nothing is due.
    pub async fn look(&mut self) -> Result<(), Stop> {
        if self.patience > 0 && !self.must_look {
            self.patience -= 1;
            return Ok(());
        }
        self.patience = PATIENCE;
        self.must_look = false;
        if let Some(signal) = self.deadly_signal {
            return Err(Stop::Signal(signal));
        }
        if self.runtime.task_count() > 1 || self.is_session {
            let runtime = Rc::clone(&self.runtime);
            runtime.yield_now().await;
        }
        self.run_pending_traps().await
    }

    /// Runs the traps of signals that came in.
    pub async fn run_pending_traps(&mut self) -> Result<(), Stop> {
        self.take_signals();
        if let Some(signal) = self.deadly_signal {
            return Err(Stop::Signal(signal));
        }
        while let Some(signal) = self.traps.take_pending() {
            self.run_trap(Condition::Signal(signal)).await?;
        }
        Ok(())
    }

    /// Takes in the signals that the shell handles. Returns the last one.
    pub fn take_signals(&mut self) -> Option<u8> {
        let mut signals = Vec::new();
        if self.is_subshell {
            if self.task.has_signals() {
                signals = self.task.take_signals();
            }
        } else if self.traps.caught() != 0 {
            signals = sys::pending();
        }
        for signal in &signals {
            if !self.is_subshell && !self.traps.handles(*signal) && Traps::is_deadly(*signal) {
                self.deadly_signal = Some(*signal);
            }
            if self.traps.is_set(Condition::Signal(*signal)) {
                self.traps.push_pending(*signal);
            }
        }
        signals.last().copied()
    }

    /// Waits for `future` unless a trapped signal comes first: then the answer is its number, and the trap runs
    /// when the command has ended.
    pub async fn interruptible<T>(&mut self, future: impl Future<Output = T>) -> Result<T, u8> {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| {
            // A signal counts before an end that came with it.
            if !self.traps.is_empty()
                && let Some(signal) = self.take_signals()
                && (self.traps.has_pending() || self.deadly_signal.is_some())
            {
                self.must_look = true;
                return std::task::Poll::Ready(Err(signal));
            }
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                return std::task::Poll::Ready(Ok(value));
            }
            if self.traps.is_empty() {
                return std::task::Poll::Pending;
            }
            if self.is_subshell {
                self.task.wake_at_event(context.waker());
            } else {
                self.runtime.wake_at_signal(context.waker());
            }
            std::task::Poll::Pending
        })
        .await
    }

    /// Waits for `future`; only a signal that ends the shell breaks the wait off.
    pub async fn unless_ended<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Stop> {
        let mut future = std::pin::pin!(future);
        loop {
            if let Ok(value) = self.interruptible(future.as_mut()).await {
                return Ok(value);
            }
            if let Some(signal) = self.deadly_signal {
                return Err(Stop::Signal(signal));
            }
        }
    }

    /// Sends a signal to a process, a group, or a task of the shell.
    pub fn send_signal(&mut self, pid: i32, signal: u8) -> Result<(), sys::Errno> {
        self.must_look = true;
        if self.is_subshell && pid == sys::signed(self.pid()) {
            // A subshell may run within its parent's task, which must not end.
            if signal != 0 && !self.task.deliver(signal) && signal != sys::SIGCONT {
                self.deadly_signal = Some(signal);
            }
            return Ok(());
        }
        let is_own = !self.is_subshell && pid == sys::signed(self.shell_pid);
        if is_own && Traps::is_deadly(signal) && !self.traps.handles(signal) {
            self.deadly_signal = Some(signal);
            return Ok(());
        }
        let task = u32::try_from(pid)
            .ok()
            .and_then(|pid| self.runtime.find(pid));
        if let Some(task) = task {
            let ends = signal != 0 && !Traps::is_spared(signal);
            if ends && !task.deliver(signal) {
                self.runtime.cancel(&task, signal);
            }
            return Ok(());
        }
        sys::send(pid, signal)
    }
}
