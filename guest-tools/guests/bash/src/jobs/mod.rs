//! Background jobs: what `jobs`, `wait`, `kill %1`, `fg`, `bg` and `disown` work on.
//!
//! A job is a pipeline or list in the background; each of its processes is a program or a task of the shell.

use std::cell::Cell;
use std::rc::Rc;

use bstr::BString;

use crate::runtime::{Ending, Task};

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// At least one process runs.
    Running,
    /// Ended.
    Done(Ending),
}

/// A background job.
#[derive(Clone)]
pub struct Job {
    /// Its number: `%n`.
    pub number: u32,
    /// The task that runs it; its process id is the job's.
    pub task: Rc<Task>,
    /// The process id of the job, `$!`.
    pub pid: u32,
    /// The commands as written.
    pub text: BString,
    /// Whether its end was told to the user.
    pub is_reported: Rc<Cell<bool>>,
    /// Whether SIGHUP leaves it alone: `disown -h`.
    pub is_spared: bool,
}

impl Job {
    /// Returns its state.
    pub fn state(&self) -> JobState {
        match self.task.ending() {
            Some(ending) => JobState::Done(ending),
            None => JobState::Running,
        }
    }
}

/// Bounds how many ended jobs are remembered for a later `wait PID`.
const REMEMBERED_MAX: usize = 1024;

/// The jobs of a shell, oldest first.
#[derive(Clone, Default)]
pub struct Jobs {
    jobs: Vec<Job>,
    /// How processes ended that are no longer in the list, for `wait PID`.
    remembered: Vec<(u32, Ending)>,
    /// Whether the jobs are those of the parent.
    is_inherited: bool,
    /// The job that `%%` means, and the one that `%-` means.
    current: Option<u32>,
    previous: Option<u32>,
}

impl Jobs {
    /// A subshell sees its parent's jobs only in `jobs`; it cannot wait for them.
    pub fn for_subshell(&self) -> Self {
        Self {
            is_inherited: true,
            remembered: Vec::new(),
            ..self.clone()
        }
    }

    /// Forgets the parent's jobs, which a subshell can only look at.
    pub fn forget_inherited(&mut self) {
        if std::mem::take(&mut self.is_inherited) {
            *self = Self::default();
        }
    }

    /// Adds a job and returns its number.
    pub fn add(&mut self, task: Rc<Task>, pid: u32, text: BString) -> u32 {
        self.forget_inherited();
        let number = self.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.jobs.push(Job {
            number,
            task,
            pid,
            text,
            is_reported: Rc::default(),
            is_spared: false,
        });
        self.previous = self.current;
        self.current = Some(number);
        number
    }

    /// Returns the jobs, oldest first.
    pub fn list(&self) -> &[Job] {
        &self.jobs
    }

    /// Returns the jobs for changing them.
    pub fn list_mut(&mut self) -> &mut Vec<Job> {
        &mut self.jobs
    }

    /// Returns the job of that number.
    pub fn get(&self, number: u32) -> Option<&Job> {
        self.jobs.iter().find(|job| job.number == number)
    }

    /// Returns the job with that process id.
    pub fn by_pid(&self, pid: u32) -> Option<&Job> {
        self.jobs
            .iter()
            .find(|job| job.pid == pid || job.task.own_pid() == pid)
    }

    /// Returns how a process ended that has left the list.
    pub fn remembered(&self, pid: u32) -> Option<Ending> {
        self.remembered
            .iter()
            .rev()
            .find(|(other, _)| *other == pid)
            .map(|(_, ending)| *ending)
    }

    /// Returns the job that `%%` and `%+` mean.
    pub fn current(&self) -> Option<&Job> {
        self.current
            .and_then(|number| self.get(number))
            .or_else(|| self.jobs.last())
    }

    /// Returns the job that `%-` means.
    pub fn previous(&self) -> Option<&Job> {
        let current = self.current().map(|job| job.number);
        self.previous
            .and_then(|number| self.get(number))
            .filter(|job| Some(job.number) != current)
            .or_else(|| {
                self.jobs
                    .iter()
                    .rev()
                    .find(|job| Some(job.number) != current)
            })
            .or_else(|| self.current())
    }

    /// Finds the job that a specification (`%1`, `%+`, `%-`, `%name`, `%?text`) means.
    /// `Err(true)` when it fits several.
    pub fn find(&self, specification: &[u8]) -> Result<&Job, bool> {
        let rest = specification.strip_prefix(b"%").unwrap_or(specification);
        match rest {
            b"" | b"%" | b"+" => return self.current().ok_or(false),
            b"-" => return self.previous().ok_or(false),
            _ => {}
        }
        if rest.iter().all(u8::is_ascii_digit) {
            let number =
                bash_text::arithmetic::parse_integer(rest).and_then(|n| u32::try_from(n).ok());
            return number.and_then(|number| self.get(number)).ok_or(false);
        }
        let mut fitting = self
            .jobs
            .iter()
            .filter(|job| match rest.strip_prefix(b"?") {
                Some(part) => bstr::ByteSlice::contains_str(job.text.as_slice(), part),
                None => job.text.starts_with(rest),
            });
        match (fitting.next(), fitting.next()) {
            (Some(job), None) => Ok(job),
            (Some(_), Some(_)) => Err(true),
            (None, _) => Err(false),
        }
    }

    /// Takes a job out of the list; how it ended is remembered.
    pub fn remove(&mut self, number: u32) {
        if let Some(at) = self.jobs.iter().position(|job| job.number == number) {
            let job = self.jobs.remove(at);
            if let Some(ending) = job.task.ending() {
                if self.remembered.len() >= REMEMBERED_MAX {
                    self.remembered.remove(0);
                }
                self.remembered.push((job.pid, ending));
            }
            if self.current == Some(number) {
                self.current = self.previous.take();
            }
        }
    }

    /// Takes the jobs out that have ended: nobody asked for them.
    pub fn forget_ended(&mut self) {
        let ended: Vec<u32> = self
            .jobs
            .iter()
            .filter(|job| matches!(job.state(), JobState::Done(_)))
            .map(|job| job.number)
            .collect();
        for number in ended {
            self.remove(number);
        }
    }

    /// Takes the ended jobs out at the end of a call: nobody will be told of them later.
    pub fn report_ended(&mut self) {
        self.forget_ended();
    }
}
