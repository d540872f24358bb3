//! Command and process substitution.

use std::rc::Rc;

use bash_syntax::ast::{
    CommandSubstitution, List, ProcessDirection, ProcessSubstitution, Redirection,
    RedirectionTarget,
};
use bstr::BString;

use super::word::Context;
use crate::descriptors::Open;
use crate::execution::{execute_list, finish_subshell};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, SetOption, Shell, Shopt, Stop};
use crate::sys;

impl Shell {
    /// Runs `$(...)` and returns what it wrote, without the newlines at the end.
    pub(super) async fn substitute(
        &mut self,
        substitution: &CommandSubstitution,
    ) -> Result<BString, Stop> {
        let list = match substitution {
            CommandSubstitution::Parenthesised(list) => Rc::clone(list),
            CommandSubstitution::Backquoted(backquoted) => {
                match backquoted.list(&self.parse_options()) {
                    Ok(list) => Rc::clone(list),
                    Err(error) => {
                        let message = format!("command substitution: {error}");
                        self.report(message);
                        self.substitution_status = Some(2);
                        self.status = 2;
                        return Ok(BString::default());
                    }
                }
            }
        };
        if let Some(redirection) = list.as_file_read() {
            return self.read_file(redirection).await;
        }
        let nested: LocalFuture<'_, _> = Box::pin(self.captured(&list));
        nested.await
    }

    async fn captured(&mut self, list: &List) -> Result<BString, Stop> {
        self.flush(b"").await?;
        let (open, capture) = Open::capture();
        let mut shell = self.inline_subshell();
        shell.descriptors.put(1, Some(open));
        shell.substitution_depth += 1;
        // `break` is known there, but the loop is the parent's.
        shell.loops = self.loops;
        if !self.options.has_shopt(Shopt::InheritErrExit) && !self.is_posix() {
            shell.options.put(SetOption::ErrExit, false);
        }
        let task = Rc::clone(&shell.task);
        let outcome = execute_list(&mut shell, list).await;
        let ending = finish_subshell(&mut shell, outcome).await;
        drop(shell);
        let mut bytes = capture.finished().await;
        self.runtime.finish(&task, ending);
        self.task.release(&task);
        if bytes.contains(&0) {
            self.report("warning: command substitution: ignored null byte in input");
            bytes.retain(|byte| *byte != 0);
        }
        while bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        self.status = ending.status();
        self.substitution_status = Some(ending.status());
        Ok(BString::from(bytes))
    }

    /// `$(< file)`
    async fn read_file(&mut self, redirection: &Redirection) -> Result<BString, Stop> {
        let RedirectionTarget::Word(word) = &redirection.target else {
            return Ok(BString::default());
        };
        let path = self.expand_nested(word, Context::SINGLE).await?.joined();
        let outcome = match self.open_file(&path, sys::OpenHow::READ) {
            Ok(open) => open.read_all(&self.runtime).await,
            Err(error) => Err(error),
        };
        let mut bytes = match outcome {
            Ok(bytes) => bytes,
            Err(error) => {
                self.report(format_args!("{path}: {error}"));
                self.substitution_status = Some(1);
                self.status = 1;
                return Ok(BString::default());
            }
        };
        bytes.retain(|byte| *byte != 0);
        while bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        self.substitution_status = Some(0);
        self.status = 0;
        Ok(BString::from(bytes))
    }

    /// `<(< file)`: as `cat file`.
    async fn copy_file(&mut self, redirection: &Redirection) -> Outcome {
        let RedirectionTarget::Word(word) = &redirection.target else {
            return Ok(0);
        };
        let path = self.expand_nested(word, Context::SINGLE).await?.joined();
        let read = match self.open_file(&path, sys::OpenHow::READ) {
            Ok(open) => open.read_all(&self.runtime).await,
            Err(error) => Err(error),
        };
        match read {
            Ok(bytes) => {
                self.print(&bytes);
                Ok(0)
            }
            Err(error) => {
                self.report(format_args!("{path}: {error}"));
                Ok(1)
            }
        }
    }

    /// Returns a subshell that runs within this task.
    pub fn inline_subshell(&self) -> Shell {
        let task = self.runtime.new_task(Some(&self.task));
        self.subshell(task)
    }

    /// Starts `<(...)` or `>(...)` and returns the path that stands for it.
    pub(super) fn substitute_process(
        &mut self,
        process: &ProcessSubstitution,
    ) -> Result<BString, Stop> {
        let (reader, writer) = match sys::pipe() {
            Ok(ends) => ends,
            Err(error) => {
                return Err(self.abandon(format_args!(
                    "cannot make pipe for process substitution: {error}"
                )));
            }
        };
        let (reader, writer) = (Open::new(reader), Open::new(writer));
        let task = self.runtime.new_task(Some(&self.task));
        let mut shell = self.subshell(Rc::clone(&task));
        let (inner, number, outer) = match process.direction {
            ProcessDirection::Read => (writer, 1, reader),
            ProcessDirection::Write => (reader, 0, writer),
        };
        shell.descriptors.put(number, Some(inner));
        shell.conditions = 0;
        shell.substitution_depth += 1;
        shell.traps.forget_inherited();
        let list = Rc::clone(&process.list);
        self.runtime.start(
            &task,
            Box::pin(async move {
                let outcome = match list.as_file_read() {
                    Some(redirection) => shell.copy_file(redirection).await,
                    None => execute_list(&mut shell, &list).await,
                };
                finish_subshell(&mut shell, outcome).await
            }),
        );
        self.last_background = Some(task.pid());
        let number = self.descriptors.free_downwards();
        self.descriptors.put(number, Some(outer));
        self.substitutions.push(number);
        Ok(BString::from(format!("/dev/fd/{number}")))
    }

    /// Closes the descriptors of process substitutions made since there were `count`.
    pub fn close_substitutions(&mut self, count: usize) {
        while self.substitutions.len() > count {
            if let Some(number) = self.substitutions.pop() {
                self.descriptors.put(number, None);
            }
        }
    }
}
