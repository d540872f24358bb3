//! Runs the commands of xargs, at most so many at a time, and remembers how they ended.

use std::io::Write;

use process::{Errno, Event, Running, Status};

use crate::children;
use crate::messages::{report, words};

use super::Stop;
use super::options::Options;

/// A command that runs.
struct Slot {
    running: Running,
    name: String,
}

/// The commands.
pub struct Runner<'a> {
    options: &'a Options,
    /// By the number that `--process-slot-var` shows.
    slots: Vec<Option<Slot>>,
    status: u8,
}

impl<'a> Runner<'a> {
    /// Begins with nothing running.
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            slots: Vec::new(),
            status: 0,
        }
    }

    /// Starts a command; waits for its end unless several may run.
    pub fn run(&mut self, command: Vec<String>) -> Result<(), Stop> {
        if self.options.is_shown && !self.show(&command) {
            return Ok(());
        }
        while self.options.parallel > 0 && self.count() >= self.options.parallel {
            self.wait_for_one()?;
        }
        let place = match self.slots.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        let variable = self
            .options
            .slot_variable
            .as_deref()
            .map(|name| (name, place.to_string()));
        let has_input = self.options.keeps_input || self.options.file.is_some();
        let name = command.first().cloned().unwrap_or_default();
        loop {
            match children::start(&command, has_input, variable.clone()) {
                Ok(running) => {
                    if let Some(slot) = self.slots.get_mut(place) {
                        *slot = Some(Slot { running, name });
                    }
                    break;
                }
                // There is room again when one of ours ends.
                Err(Errno::TooManyProcesses) if self.count() > 0 => self.wait_for_one()?,
                Err(errno) => {
                    report("xargs", &format!("{name}: {}", words(errno)));
                    self.status = 0;
                    return Err(Stop::Status(if errno == Errno::NoEntry {
                        127
                    } else {
                        126
                    }));
                }
            }
        }
        if self.options.parallel == 1 {
            self.wait_for_one()
        } else {
            Ok(())
        }
    }

    fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Waits until one command has ended.
    fn wait_for_one(&mut self) -> Result<(), Stop> {
        loop {
            let mut has_ended = false;
            for place in 0..self.slots.len() {
                let Some(slot) = self.slots.get_mut(place) else {
                    continue;
                };
                let status = match slot.as_ref().and_then(|slot| slot.running.child.status()) {
                    Some(Status::Stopped(_)) | None => continue,
                    Some(status) => status,
                };
                let name = slot.take().map(|slot| slot.name).unwrap_or_default();
                has_ended = true;
                self.ended(&name, status)?;
            }
            if has_ended || self.count() == 0 {
                return Ok(());
            }
            let events: Vec<Event<'_>> = self
                .slots
                .iter()
                .flatten()
                .map(|slot| Event::Changed(&slot.running.child))
                .collect();
            process::wait(&events, None);
        }
    }

    fn ended(&mut self, name: &str, status: Status) -> Result<(), Stop> {
        match status {
            Status::Exited(0) => Ok(()),
            Status::Exited(255) => {
                report(
                    "xargs",
                    &format!("{name}: exited with status 255; aborting"),
                );
                Err(Stop::Status(124))
            }
            Status::Exited(_) => {
                self.status = 123;
                Ok(())
            }
            Status::Signaled(signal) | Status::Stopped(signal) => {
                report("xargs", &format!("{name}: terminated by signal {signal}"));
                Err(Stop::Status(125))
            }
        }
    }

    /// Waits for all that runs and returns the exit status.
    pub fn finish(&mut self) -> u8 {
        while self.count() > 0 {
            if let Err(Stop::Status(status)) = self.wait_for_one() {
                self.status = self.status.max(status);
            }
        }
        self.status
    }

    /// Shows a command on standard error; for `-p` returns whether the user agrees.
    fn show(&self, command: &[String]) -> bool {
        let words: Vec<String> = command.iter().map(|word| shell_quoted(word)).collect();
        let end = if self.options.is_asking { "?..." } else { "\n" };
        let _ = std::io::stderr()
            .lock()
            .write_all(format!("{}{end}", words.join(" ")).as_bytes());
        if !self.options.is_asking {
            return true;
        }
        // A hand has no terminal to ask at.
        report(
            "xargs",
            "failed to open /dev/tty for reading: No such device or address",
        );
        false
    }
}

/// Returns a word as a shell reads it back.
fn shell_quoted(word: &str) -> String {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"%+,-./:=@_^{}]#~".contains(&byte) || byte >= 0x80
    };
    let begins_special = word.starts_with(['#', '~']);
    if !word.is_empty()
        && word.bytes().all(is_plain)
        && !begins_special
        && word != "{"
        && word != "}"
    {
        return word.to_owned();
    }
    if word.contains('\'') && !word.contains(['"', '$', '`', '\\', '!']) {
        return format!("\"{word}\"");
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
