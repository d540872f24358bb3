//! The persistent shell of a hand, and its other way in: one program, run to its end.
//!
//! The shell is a process like any other that gets its calls one after the other. After each call it reports a state
//! from which a new one goes on, so it can be thrown away at any moment: when a call must be ended and the shell does
//! not do so itself, all processes of the hand are killed and the next call starts a new shell from the last state.

mod input;
mod output;
mod text;
mod tool;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub use output::Progress;
pub(crate) use tool::{call as call_tool, definition, name as tool_name};

use crate::kernel::{
    Description, Done, Ended, Entry, Kernel, Session, Sink, Start, StartError, pipe,
};
use output::{Output, Written};

/// Time that the shell gets to end what it runs by itself before everything is killed.
const GRACE: Duration = Duration::from_millis(5);

/// The shell's program.
const SHELL: &str = "/usr/bin/bash";

/// Ends a process whatever it does.
const SIGKILL: u8 = 9;

/// Where a shell begins.
const DIRECTORY: &str = "/workspace";

/// The shell of one hand.
pub(crate) struct Shell {
    kernel: Arc<Kernel>,
    environment: Arc<Vec<(String, String)>>,
    output: Arc<Output>,
    /// Calls wait here for their turn.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    live: Option<Live>,
    /// What the last call left.
    state: Option<Bytes>,
}

struct Live {
    entry: Arc<Entry>,
    session: Session,
}

/// A call of the shell.
pub(crate) struct Call {
    pub(crate) script: String,
    pub(crate) deadline: Instant,
    pub(crate) cancel: CancellationToken,
    /// Names the file of a long output.
    pub(crate) name: String,
    pub(crate) progress: Option<Progress>,
}

/// How a call came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With a status.
    Done(u8),
    TimedOut,
    Cancelled,
    /// The shell itself ended without reporting: a limit, a trap.
    Crashed(Ended),
}

/// A call that has ended.
pub(crate) struct Called {
    pub(crate) end: End,
    pub(crate) output: Written,
    /// Everything was killed: what the call did to the shell's variables is lost.
    pub(crate) was_killed: bool,
}

impl Shell {
    pub(crate) fn new(kernel: Arc<Kernel>, environment: Arc<Vec<(String, String)>>) -> Self {
        let output = Output::new(Arc::clone(&kernel.vfs));
        Self {
            kernel,
            environment,
            output,
            inner: Mutex::default(),
        }
    }

    /// Returns the state from which a new shell goes on, as of the last call.
    pub(crate) async fn state(&self) -> Option<Bytes> {
        self.inner.lock().await.state.clone()
    }

    /// Sets the state from which the next shell begins.
    pub(crate) async fn restore(&self, state: Bytes) {
        let mut inner = self.inner.lock().await;
        self.kill(&mut inner).await;
        inner.state = Some(state);
    }

    /// Throws the shell away with everything it runs; the next call begins a fresh one.
    pub(crate) async fn restart(&self) {
        let mut inner = self.inner.lock().await;
        self.kill(&mut inner).await;
        inner.state = None;
        drop(self.output.end());
    }

    /// Throws the shell away with everything it runs; the next one goes on from its state, and processes are numbered
    /// as in a fresh hand.
    pub(crate) async fn begin_anew(&self) {
        let mut inner = self.inner.lock().await;
        self.kill(&mut inner).await;
        self.kernel.forget_numbers();
        drop(self.output.end());
    }

    /// Kills the shell and everything it runs, and hears no more of them.
    async fn kill(&self, inner: &mut Inner) {
        inner.live = None;
        self.output.cut_off();
        self.kernel.end_all_and_wait().await;
    }

    /// Runs a script in the shell.
    pub(crate) async fn call(&self, call: Call) -> Result<Called, StartError> {
        let mut inner = self.inner.lock().await;
        let session = self.live(&mut inner).await?;
        let Some(live) = &inner.live else {
            return Err(StartError::Closed);
        };
        let entry = Arc::clone(&live.entry);
        self.output.begin(call.name, call.progress);
        entry.settle_cpu_time();
        session.call(call.script);
        // Dropped before its end, as a call may be, this kills what still runs.
        let guard = KillOnDrop(Some(&self.kernel));
        let broken_off = tokio::select! {
            biased;
            done = session.done() => {
                guard.defuse();
                return Ok(self.done(&mut inner, done, None));
            }
            ended = entry.ended() => {
                guard.defuse();
                return Ok(self.crashed(&mut inner, &session, ended).await);
            }
            () = call.cancel.cancelled() => End::Cancelled,
            () = tokio::time::sleep_until(call.deadline.into()) => End::TimedOut,
        };
        session.break_off();
        let done = tokio::time::timeout(GRACE, session.done()).await;
        guard.defuse();
        Ok(match done {
            Ok(done) => {
                let called = self.done(&mut inner, done, Some(broken_off));
                // What the call left in the background ends with it; the shell goes on from the state it reported.
                self.kill(&mut inner).await;
                called
            }
            Err(_) => {
                self.kill(&mut inner).await;
                Called {
                    end: broken_off,
                    output: self.output.end(),
                    was_killed: true,
                }
            }
        })
    }

    /// Runs a script in a shell of its own, which knows nothing of this one and leaves nothing in it; what it starts in
    /// the background ends with it. One that has to be broken off takes everything that runs in the hand with it.
    pub(crate) async fn call_apart(&self, call: Call) -> Result<Called, StartError> {
        let _turn = self.inner.lock().await;
        let apart = Self::new(Arc::clone(&self.kernel), Arc::clone(&self.environment));
        let called = apart.call(call).await;
        if let Some(live) = apart.inner.lock().await.live.take() {
            apart.output.cut_off();
            self.kernel.kill(&live.entry, 0, SIGKILL);
            live.entry.ended().await;
        }
        called
    }

    fn done(&self, inner: &mut Inner, done: Done, broken_off: Option<End>) -> Called {
        inner.state = Some(done.state);
        if done.is_over {
            inner.live = None;
        }
        Called {
            end: broken_off.unwrap_or(End::Done(done.status)),
            output: self.output.end(),
            was_killed: false,
        }
    }

    /// A shell that reported its end and then ended is none that crashed: both may be seen at once.
    async fn crashed(&self, inner: &mut Inner, session: &Session, ended: Ended) -> Called {
        if let Some(done) = futures::FutureExt::now_or_never(session.done()) {
            let called = self.done(inner, done, None);
            inner.live = None;
            return called;
        }
        self.kill(inner).await;
        Called {
            end: End::Crashed(ended),
            output: self.output.end(),
            was_killed: true,
        }
    }

    /// Returns the session of the shell, which is started if there is none.
    async fn live(&self, inner: &mut Inner) -> Result<Session, StartError> {
        if let Some(live) = &inner.live
            && live.entry.is_alive()
        {
            return Ok(live.session.clone());
        }
        let session = Session::new(inner.state.clone());
        // One description for both, so that their order is kept and `2>&1` changes nothing.
        let out = Arc::new(Description::Sink(Arc::new(self.output.writer())));
        let start = Start {
            program: SHELL.to_owned(),
            arguments: vec!["bash".to_owned(), "--session".to_owned()],
            environment: (*self.environment).clone(),
            directory: DIRECTORY.to_owned(),
            descriptors: BTreeMap::from([
                (0, Arc::new(Description::Empty)),
                (1, Arc::clone(&out)),
                (2, out),
            ]),
            group: Some(0),
            umask: 0o022,
            ignored: 0,
            session: Some(session.clone()),
        };
        let entry = self.kernel.start(None, start).await?;
        inner.live = Some(Live {
            entry,
            session: session.clone(),
        });
        Ok(session)
    }
}

/// Kills everything unless it is told that all went well.
struct KillOnDrop<'k>(Option<&'k Arc<Kernel>>);

impl KillOnDrop<'_> {
    fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(kernel) = self.0 {
            kernel.end_all();
        }
    }
}

/// A program to run to its end, with the caller's own streams.
pub struct RunProgram {
    /// Absolute path in the hand, as `/usr/bin/bash`.
    pub program: String,
    /// Arguments, the name first.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// The working directory, absolute.
    pub directory: String,
    /// What it reads; nothing if none.
    pub stdin: Option<Box<dyn std::io::Read + Send>>,
    /// Where its standard output goes.
    pub stdout: Arc<dyn Sink>,
    /// Where its standard error goes; the same sink as `stdout` keeps their order.
    pub stderr: Arc<dyn Sink>,
    /// Kills it, and everything it started, when it has not ended by then.
    pub deadline: Option<Instant>,
    /// Kills it when it is cancelled.
    pub cancel: CancellationToken,
}

/// How a program that was run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramEnd {
    /// By itself or by a signal.
    Ended(Ended),
    /// Its time was over.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// Why a program was not run.
#[derive(Debug, thiserror::Error)]
#[error("{program} cannot be run: {reason}")]
pub struct RunError {
    /// The program's path.
    pub program: String,
    /// What stands in the way.
    pub reason: String,
}

/// Runs a program to its end. Whatever it left in the background is killed.
pub(crate) async fn run_program(
    kernel: &Arc<Kernel>,
    run: RunProgram,
) -> Result<ProgramEnd, RunError> {
    let stdin = match run.stdin {
        None => Description::Empty,
        Some(source) => {
            let (reader, writer) = pipe();
            input::feed(source, writer);
            Description::Reader(reader)
        }
    };
    let is_one = Arc::ptr_eq(&run.stdout, &run.stderr);
    let stdout = Arc::new(Description::Sink(run.stdout));
    let stderr = if is_one {
        Arc::clone(&stdout)
    } else {
        Arc::new(Description::Sink(run.stderr))
    };
    let start = Start {
        program: run.program.clone(),
        arguments: run.arguments,
        environment: run.environment,
        directory: run.directory,
        descriptors: BTreeMap::from([(0, Arc::new(stdin)), (1, stdout), (2, stderr)]),
        group: Some(0),
        umask: 0o022,
        ignored: 0,
        session: None,
    };
    let entry = kernel.start(None, start).await.map_err(|error| RunError {
        program: run.program,
        reason: error.to_string(),
    })?;
    let _guard = KillOnDrop(Some(kernel));
    let deadline = async {
        match run.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    Ok(tokio::select! {
        biased;
        ended = entry.ended() => ProgramEnd::Ended(ended),
        () = run.cancel.cancelled() => ProgramEnd::Cancelled,
        () = deadline => ProgramEnd::TimedOut,
    })
}
