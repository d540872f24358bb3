//! Running programs: the shell's descriptors go straight to the child, and no byte passes through the shell.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::script;
use crate::descriptors::Relay;
use crate::runtime::{Ending, Interest};
use crate::state::{Outcome, Shell, Stop};
use crate::sys;
use crate::traps::Condition;

/// Whether the task has anything to do after the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// The shell goes on.
    Continue,
    /// The task ends with the program, whose process id becomes its own.
    End,
}

impl Shell {
    /// Runs the program at `path` and returns its status.
    pub async fn run_program(
        &mut self,
        path: &[u8],
        words: &[BString],
        afterwards: Afterwards,
    ) -> Outcome {
        self.flush(b"").await?;
        let mut relays = Vec::new();
        let spawned = self.spawn(path, words, &mut relays);
        let child = match spawned {
            Ok(child) => Rc::new(child),
            Err(error) => {
                for relay in relays {
                    relay.finish(&self.runtime);
                }
                return self.not_spawned(path, words, error).await;
            }
        };
        if afterwards == Afterwards::End {
            self.task.replace(&child);
        }
        self.task.adopt_child(&child);
        let ending = loop {
            match child.status() {
                Some(sys::Status::Exited(status)) => break Ending::Exited(status),
                Some(sys::Status::Signaled(signal)) => break Ending::Signaled(signal),
                Some(sys::Status::Stopped(_)) | None => {}
            }
            let runtime = Rc::clone(&self.runtime);
            let changed = runtime.until(Interest::Changed(Rc::clone(&child)));
            if self.is_subshell || !self.traps.is_set(Condition::Exit) {
                changed.await;
            } else {
                self.unless_ended(changed).await?;
            }
        };
        self.task.release_child(&child);
        for relay in relays {
            relay.finish(&self.runtime);
        }
        match ending {
            Ending::Signaled(signal) if afterwards == Afterwards::Continue => {
                self.killed_program = Some((signal, child.pid()));
            }
            // The task is the program: it ends as that did.
            Ending::Signaled(signal) => return Err(Stop::Signal(signal)),
            Ending::Exited(_) => {}
        }
        if !self.traps.is_empty() {
            self.must_look = true;
        }
        Ok(ending.status())
    }

    fn spawn(
        &mut self,
        path: &[u8],
        words: &[BString],
        relays: &mut Vec<Relay>,
    ) -> Result<sys::Child, sys::Errno> {
        let mut environment = self.environment();
        let absolute = self.absolute(path);
        let is_clean = environment.is_empty();
        let last = environment
            .iter_mut()
            .find(|(name, _)| name.as_slice() == b"_");
        match last {
            Some((_, value)) => value.clone_from(&absolute),
            // `exec -c` hands nothing over.
            None if is_clean => {}
            None => environment.push((BString::from("_"), absolute.clone())),
        }
        let mut descriptors = Vec::new();
        for (number, open) in self.descriptors.iter() {
            let descriptor = if open.give_back() || open.is_text() {
                open.descriptor(&self.runtime)?
            } else {
                let relay = Relay::start(&self.runtime, open)?;
                let reader = Rc::clone(relay.reader());
                relays.push(relay);
                reader
            };
            descriptors.push((number, descriptor));
        }
        sys::spawn(&sys::Program {
            path: &absolute,
            words,
            environment: &environment,
            directory: &self.directory,
            descriptors: &descriptors,
            umask: self.umask,
            ignored: self.traps.dispositions().1,
        })
    }

    async fn not_spawned(&mut self, path: &[u8], words: &[BString], error: sys::Errno) -> Outcome {
        match error {
            sys::Errno::ExecFormat => return script::run_file(self, path, words).await,
            sys::Errno::NoEntry => {
                let is_there = sys::stat(self.absolute(path), true).is_ok();
                let message = if is_there {
                    "cannot execute: required file not found"
                } else {
                    "No such file or directory"
                };
                self.report(format_args!("{}: {message}", path.as_bstr()));
                Ok(127)
            }
            sys::Errno::NotDirectory => {
                self.report(format_args!("{}: Not a directory", path.as_bstr()));
                Ok(126)
            }
            error => {
                let stat = sys::stat(self.absolute(path), true);
                let is_directory = stat.is_ok_and(|stat| stat.kind == sys::Kind::Directory);
                let message = if is_directory {
                    sys::words(sys::Errno::IsDirectory)
                } else {
                    sys::words(error)
                };
                self.report(format_args!("{}: {message}", path.as_bstr()));
                Ok(126)
            }
        }
    }

    /// Says that a signal ended a program, where bash does.
    pub fn report_signal(&mut self, signal: u8, pid: u32, command: &[u8]) {
        if matches!(signal, sys::SIGINT | sys::SIGPIPE) {
            return;
        }
        let Some(description) = bash_text::signal::description(signal) else {
            return;
        };
        // As Debian's bash, which says no more of SIGTERM.
        if signal == sys::SIGTERM || self.traps.is_set(Condition::Signal(signal)) {
            self.print_error(format!("{description}\n").as_bytes());
            return;
        }
        self.report(format_args!("{pid} {description:23} {}", command.as_bstr()));
    }
}
