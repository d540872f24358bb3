//! Recipes that run: their commands one after the other, several recipes at a time.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;

use process::{Event, Program, Running, Status};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW};

use crate::file::{File, NEW, Progress, Time, Verdict};
use crate::maker::Maker;
use crate::pattern::Pattern;
use crate::place::{Outcome, Place, Stop, shown};
use crate::recipe::Command;
use crate::shell::{error_words, failure};

/// The times that writing a file now would give it: a clock that is read here is a few milliseconds ahead of those.
const TOUCHED: Timestamps = {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    Timestamps {
        last_access: now,
        last_modification: now,
    }
};

/// A recipe that runs.
pub(crate) struct Job {
    file: usize,
    commands: VecDeque<Command>,
    environment: BTreeMap<Vec<u8>, Vec<u8>>,
    running: Option<(Running, Command)>,
    /// When the target was changed before.
    before: Time,
    /// Something was run, not only printed.
    has_run: bool,
    stale: bool,
}

/// What became of a job when its next command was looked for.
enum Step {
    Runs,
    Ended(Verdict),
}

impl Maker {
    /// Starts the recipe of a file.
    pub(crate) fn start(&mut self, number: usize, body: usize) -> Outcome<Progress> {
        let recipe = self
            .files
            .get(number)
            .and_then(|file| file.bodies.get(body))
            .and_then(|body| body.recipe.clone());
        let Some(recipe) = recipe else {
            return Ok(Progress::Done(Verdict::Good));
        };
        while self
            .options
            .jobs
            .is_some_and(|jobs| self.jobs.len() >= jobs)
        {
            self.reap()?;
        }
        self.enter(number, body);
        let commands = self.commands(number, &recipe);
        let environment = match &commands {
            Ok(_) => self.exported(),
            Err(_) => Ok(BTreeMap::new()),
        };
        self.frames.clear();
        let mut job = Job {
            file: number,
            commands: commands?.into(),
            environment: environment?,
            running: None,
            before: self.time(number),
            has_run: false,
            stale: false,
        };
        match self.step(&mut job)? {
            Step::Ended(verdict) => {
                self.finish(&job, verdict);
                self.after(verdict)?;
                Ok(Progress::Done(verdict))
            }
            Step::Runs => {
                self.jobs.push(job);
                let also = self
                    .with(number, |file| {
                        file.progress = Progress::Running;
                        file.also.clone()
                    })
                    .unwrap_or_default();
                for other in also {
                    self.with(other, |file| file.progress = Progress::Running);
                }
                if self.options.jobs == Some(1) {
                    while self
                        .files
                        .get(number)
                        .is_some_and(|file| file.progress == Progress::Running)
                    {
                        self.reap()?;
                    }
                    let progress = self.files.get(number).map(|file| file.progress);
                    return Ok(match progress {
                        Some(Progress::Done(verdict)) => Progress::Done(verdict),
                        // More colons: this rule is done, the next one is looked at.
                        _ => Progress::Done(Verdict::Good),
                    });
                }
                Ok(Progress::Running)
            }
        }
    }

    /// Starts the next command of a job that is to be run.
    fn step(&mut self, job: &mut Job) -> Outcome<Step> {
        while let Some(command) = job.commands.pop_front() {
            let Some(argv) = self.argv(&command)? else {
                continue;
            };
            if self.options.question && !command.always {
                job.stale = true;
                return Ok(Step::Ended(Verdict::Stale));
            }
            let is_shown = !command.silent || self.options.dry_run || self.options.trace;
            self.show_directory();
            if is_shown && !command.text.is_empty() {
                let text = command.text.clone();
                self.say(&text);
            }
            self.commands_started += 1;
            if self.options.dry_run && !command.always {
                continue;
            }
            job.has_run = true;
            match self.spawn(job, &argv) {
                Ok(running) => {
                    job.running = Some((running, command));
                    return Ok(Step::Runs);
                }
                Err(error) => {
                    let name = argv.first().map(|name| shown(name)).unwrap_or_default();
                    self.complain(None, &format!("{name}: {}", error_words(error)));
                    if !self.ended(job, &command, Status::Exited(127)) {
                        return Ok(Step::Ended(Verdict::Failed));
                    }
                }
            }
        }
        Ok(Step::Ended(if job.stale {
            Verdict::Stale
        } else {
            Verdict::Good
        }))
    }

    fn argv(&mut self, command: &Command) -> Outcome<Option<Vec<Vec<u8>>>> {
        if command.text.is_empty() {
            return Ok(None);
        }
        self.command(&command.text)
    }

    fn spawn(&self, job: &Job, argv: &[Vec<u8>]) -> Result<Running, process::Errno> {
        let Some((name, arguments)) = argv.split_first() else {
            return Err(process::Errno::NoEntry);
        };
        // What make said comes before what the command says.
        let _ = std::io::stdout().flush();
        let mut program = Program::new(name);
        program.args(arguments).env_clear();
        for (name, value) in &job.environment {
            program.env(name, value);
        }
        program.spawn()
    }

    /// Says how a command ended; returns whether the recipe goes on.
    fn ended(&mut self, job: &Job, command: &Command, status: Status) -> bool {
        let Some(how) = failure(status) else {
            return true;
        };
        let place = match &command.place {
            Some(Place { file, line }) => format!("{file}:{line}"),
            None => "<builtin>".to_owned(),
        };
        let name = shown(self.name(job.file));
        if command.ignores {
            self.complain(None, &format!("[{place}: {name}] {how} (ignored)"));
            return true;
        }
        if self.remaking_makefiles && self.makefile_is_optional(job.file) {
            return false;
        }
        self.complain(None, &format!("*** [{place}: {name}] {how}"));
        let is_signal = matches!(status, Status::Signaled(_));
        self.delete_target(job, is_signal);
        false
    }

    fn makefile_is_optional(&self, number: usize) -> bool {
        let name = self.name(number);
        self.makefiles
            .iter()
            .any(|makefile| makefile.optional && makefile.name == name)
    }

    /// Removes a target that was changed by a recipe that failed, where that is wanted.
    fn delete_target(&mut self, job: &Job, is_signal: bool) {
        let is_wanted = is_signal || self.special(".DELETE_ON_ERROR").is_some();
        let is_kept = self
            .files
            .get(job.file)
            .is_some_and(|file| self.is_precious(file) || file.phony);
        if !is_wanted || is_kept {
            return;
        }
        self.forget_time(job.file);
        let now = self.time(job.file);
        let name = self.name(job.file).to_vec();
        let is_file =
            process::stat(&name, false).is_ok_and(|stat| stat.kind == process::Kind::Regular);
        if now != job.before && now.is_some() && is_file {
            self.complain(None, &format!("*** Deleting file '{}'", shown(&name)));
            // What cannot be removed stays: the error was told.
            let _ = std::fs::remove_file(crate::glob::path(&name));
        }
    }

    /// Waits until a command ends, and goes on with its recipe.
    pub(crate) fn reap(&mut self) -> Outcome<()> {
        if self.jobs.is_empty() {
            return Err(Stop::at(None, "nothing runs and nothing can be made"));
        }
        let events: Vec<Event<'_>> = self
            .jobs
            .iter()
            .filter_map(|job| job.running.as_ref())
            .map(|(running, _)| Event::Changed(&running.child))
            .collect();
        process::wait(&events, None);
        drop(events);
        let done: Vec<usize> = self
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| {
                job.running
                    .as_ref()
                    .is_some_and(|(running, _)| running.try_wait().is_some())
            })
            .map(|(place, _)| place)
            .collect();
        for place in done.into_iter().rev() {
            let mut job = self.jobs.remove(place);
            let Some((running, command)) = job.running.take() else {
                continue;
            };
            let status = running.try_wait().unwrap_or(Status::Exited(0));
            let step = if self.ended(&job, &command, status) {
                self.step(&mut job)?
            } else {
                Step::Ended(Verdict::Failed)
            };
            match step {
                Step::Runs => self.jobs.insert(place.min(self.jobs.len()), job),
                Step::Ended(verdict) => {
                    self.finish(&job, verdict);
                    self.after(verdict)?;
                }
            }
        }
        Ok(())
    }

    /// Ends everything after a failure, unless make is to keep going.
    fn after(&mut self, verdict: Verdict) -> Outcome<()> {
        if verdict != Verdict::Failed || self.options.keep_going || self.remaking_makefiles {
            return Ok(());
        }
        self.wait_for_jobs()?;
        Err(Stop::Exit(2))
    }

    /// Waits for the recipes that still run.
    pub(crate) fn wait_for_jobs(&mut self) -> Outcome<()> {
        if self.jobs.is_empty() {
            return Ok(());
        }
        self.complain(None, "*** Waiting for unfinished jobs....");
        let keep_going = std::mem::replace(&mut self.options.keep_going, true);
        while !self.jobs.is_empty() {
            self.reap()?;
        }
        self.options.keep_going = keep_going;
        Ok(())
    }

    /// Takes note of the end of a recipe.
    fn finish(&mut self, job: &Job, verdict: Verdict) {
        let also = self
            .files
            .get(job.file)
            .map(|file| file.also.clone())
            .unwrap_or_default();
        for number in std::iter::once(job.file).chain(also) {
            let before = if number == job.file {
                job.before
            } else {
                self.time(number)
            };
            self.forget_time(number);
            let mut after = self.time(number);
            let printed = self.options.dry_run && !job.has_run;
            if verdict == Verdict::Good && (printed || after.is_none()) {
                // It counts as made, even if nothing came of it.
                after = NEW;
                self.with(number, |file| file.time = Some(NEW));
            }
            let is_own = number == job.file;
            let is_phony = self.files.get(number).is_some_and(|file| file.phony);
            self.with(number, |file| {
                file.was_made |= after != before || is_phony;
                file.body += 1;
                let is_last = file.body >= file.bodies.len() || !file.double_colon;
                file.progress = if verdict == Verdict::Good && is_own && !is_last {
                    Progress::Waiting
                } else {
                    Progress::Done(verdict)
                };
                if is_phony && is_last {
                    file.time = Some(NEW);
                }
            });
            let is_way = self.files.get(number).is_some_and(|file| {
                file.intermediate && !self.is_precious(file) && !file.secondary && !file.phony
            }) && before.is_none()
                && !self
                    .options
                    .goals
                    .iter()
                    .any(|goal| goal.as_bytes() == self.name(number));
            let is_listed_secondary = self
                .special(".SECONDARY")
                .is_some_and(|files| files.is_empty());
            if is_way && verdict == Verdict::Good && !is_listed_secondary {
                let name = self.name(number).to_vec();
                if !self.made_on_the_way.contains(&name) {
                    self.made_on_the_way.push(name);
                }
            }
        }
    }

    /// Returns whether a file is to be kept, by its name or by a pattern of such.
    fn is_precious(&self, file: &File) -> bool {
        file.precious
            || self.special(".PRECIOUS").is_some_and(|files| {
                files.iter().any(|known| {
                    let name = self.name(*known);
                    name.contains(&b'%') && Pattern::new(name).stem(&file.name).is_some()
                })
            })
    }

    /// Sets the time of a file instead of making it.
    pub(crate) fn touch(&mut self, number: usize, body: usize) -> Outcome<Progress> {
        let is_empty = self
            .files
            .get(number)
            .and_then(|file| file.bodies.get(body))
            .and_then(|body| body.recipe.as_ref())
            .is_none_or(|recipe| {
                recipe
                    .lines
                    .iter()
                    .all(|line| crate::expand::is_empty(line))
            });
        if is_empty {
            return Ok(Progress::Done(Verdict::Good));
        }
        let name = self.name(number).to_vec();
        if !self.options.silent {
            let line = [b"touch ", name.as_slice()].concat();
            self.say(&line);
        }
        self.commands_started += 1;
        if !self.options.dry_run {
            let touched = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(crate::glob::path(&name))
                .and_then(|file| Ok(rustix::fs::futimens(&file, &TOUCHED)?));
            if let Err(error) = touched {
                self.complain(
                    None,
                    &format!("touch: {}: {}", shown(&name), process::message(&error)),
                );
                return Ok(Progress::Done(Verdict::Failed));
            }
        }
        self.with(number, |file| {
            file.time = Some(NEW);
            file.was_made = true;
        });
        Ok(Progress::Done(Verdict::Good))
    }
}
