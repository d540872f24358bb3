//! The work: one patch after the other, the questions that nobody answers, the files that come out.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};

use process::Errno;

use super::Trouble;
use super::apply::Output;
use super::find::{self, Found};
use super::lines::Lines;
use super::options::{Format, Request, Verbosity};
use super::say::{say, say_part};
use crate::options::quoted;

const RULE: &str = "--------------------------";

/// The state of a run.
pub(super) struct Session {
    pub(super) request: Request,
    pub(super) lines: Lines,
    pub(super) failed: bool,
    /// Files of which there is a backup, and rejects that were written.
    pub(super) backed_up: BTreeSet<String>,
    pub(super) rejected: BTreeSet<String>,
    pub(super) removed: Vec<String>,
}

/// A patch and what was decided about it.
pub(super) struct Work {
    pub(super) found: Found,
    pub(super) reverse: bool,
    pub(super) skip: bool,
    /// The file that is read; none if none was found.
    pub(super) input: Option<String>,
    /// What it was called before it was renamed, in an earlier run.
    pub(super) already: Option<String>,
}

/// What the hunks made of a file.
pub(super) struct Applied {
    pub(super) output: Output,
    pub(super) hunks: usize,
    pub(super) failed: usize,
    pub(super) mismatch: bool,
    pub(super) rejects: Vec<u8>,
}

impl Session {
    pub(super) fn open(request: Request) -> Result<Self, Trouble> {
        if let Some(folder) = &request.directory {
            std::env::set_current_dir(folder)
                .map_err(|error| Trouble::of("Can't change to directory", folder, &error))?;
        }
        let mut bytes = Vec::new();
        match request.input.as_deref() {
            None | Some("-") => io::stdin().lock().read_to_end(&mut bytes),
            Some(path) => {
                std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
            }
        }
        .map_err(|error| {
            Trouble::of(
                "Can't open patch file",
                request.input.as_deref().unwrap_or("-"),
                &error,
            )
        })?;
        Ok(Self {
            request,
            lines: Lines::new(&bytes),
            failed: false,
            backed_up: BTreeSet::new(),
            rejected: BTreeSet::new(),
            removed: Vec::new(),
        })
    }

    /// Applies all patches and returns the exit status.
    pub(super) fn run(&mut self) -> Result<u8, Trouble> {
        let mut is_first = true;
        loop {
            let begin = self.lines.at;
            if self.lines.is_at_end() {
                if !is_first && self.is_verbose() {
                    say!(self, "done");
                }
                break;
            }
            if self.is_verbose() {
                say_part!(self, "Hmm...");
            }
            let Some(found) = find::next(&mut self.lines, &self.request) else {
                if self.is_verbose() {
                    say!(
                        self,
                        "  {}",
                        if is_first {
                            "I can't seem to find a patch in there anywhere."
                        } else {
                            "Ignoring the trailing garbage.\ndone"
                        }
                    );
                }
                if is_first && !self.lines.is_empty() {
                    return Err(Trouble::Fatal(
                        "Only garbage was found in the patch input.".to_owned(),
                    ));
                }
                break;
            };
            if self.is_verbose() {
                say!(
                    self,
                    "  {} a {} to me...",
                    if is_first {
                        "Looks like"
                    } else {
                        "The next patch looks like"
                    },
                    match found.format {
                        Format::Unified if found.git.is_some() => "git diff",
                        Format::Unified => "unified diff",
                        Format::Context => "new-style context diff",
                        Format::Normal => "normal diff",
                        Format::Ed => "ed script",
                    }
                );
            }
            if is_first && self.lines.strip_returns && self.request.verbosity > Verbosity::Silent {
                say!(
                    self,
                    "(Stripping trailing CRs from patch; use --binary to disable.)"
                );
            }
            self.one(found, begin)?;
            is_first = false;
        }
        for file in self.removed.iter().filter(|_| self.is_verbose()) {
            say!(self, "Removing file {}", quoted(file));
        }
        Ok(u8::from(self.failed))
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.request.verbosity == Verbosity::Verbose
    }

    pub(super) fn is_silent(&self) -> bool {
        self.request.verbosity == Verbosity::Silent
    }

    fn one(&mut self, found: Found, begin: usize) -> Result<(), Trouble> {
        let mut work = Work {
            reverse: self.request.reverse,
            skip: false,
            input: self.request.file.clone(),
            already: None,
            found,
        };
        if work.input.is_none() {
            self.choose(&mut work);
        }
        self.introduce(&mut work, begin);
        self.lines.at = work.found.start;
        let output = self.output_name(&work).filter(|_| !work.skip);
        let stat = match work.input.clone() {
            Some(name) if !work.skip => self.look(&name, output.as_deref(), &mut work)?,
            _ => None,
        };
        let input = match &work.input {
            Some(name) if !work.skip && stat.is_some() => read_lines(name)?,
            _ => Vec::new(),
        };
        let applied = if work.found.format == Format::Ed {
            self.run_ed(&work, &input)?
        } else {
            self.apply_hunks(&mut work, &input, stat.as_ref())?
        };
        if applied.failed > 0
            && !work.skip
            && stat.is_none()
            && absent(&work.found, !work.reverse) < 2
            && output == work.input
            && let Some(name) = &work.input
        {
            return Err(Trouble::of(
                "Can't reopen file",
                name,
                &Errno::NoEntry.into(),
            ));
        }
        if !work.skip
            && let Some(output) = &output
        {
            self.put(&work, output, stat.as_ref(), &applied)?;
        }
        self.report(&work, output.as_deref(), &applied)
    }

    /// Says what stands before the patch, and what cannot be done without a file.
    pub(super) fn introduce(&self, work: &mut Work, begin: usize) {
        let is_lost = work.input.is_none() && !work.skip;
        if is_lost {
            say!(
                self,
                "can't find file to patch at input line {}",
                work.found.start + 1
            );
            if work.found.format != Format::Ed {
                say!(
                    self,
                    "Perhaps you {} the {}-p or --strip option?",
                    if self.request.strip.is_none() {
                        "should have used"
                    } else {
                        "used"
                    },
                    if self.request.strip.is_none() {
                        ""
                    } else {
                        "wrong "
                    }
                );
            }
        }
        if (is_lost || self.is_verbose()) && begin < work.found.start {
            say!(self, "The text leading up to this was:\n{RULE}");
            for number in begin..work.found.start {
                let mut line = vec![b'|'];
                line.extend_from_slice(self.lines.raw(number).unwrap_or_default());
                if !line.ends_with(b"\n") {
                    line.push(b'\n');
                }
                say_part!(self, "{}", String::from_utf8_lossy(&line));
            }
            say!(self, "{RULE}");
        }
        if is_lost {
            work.skip = true;
            if self.request.force || self.request.batch {
                say!(self, "No file to patch.  Skipping patch.");
                return;
            }
            say!(self, "File to patch: \nSkip this patch? [y] ");
            if !self.is_silent() {
                say!(self, "Skipping patch.");
            }
        }
    }

    pub(super) fn output_name(&self, work: &Work) -> Option<String> {
        if let Some(output) = &self.request.output {
            return Some(output.clone());
        }
        if self.request.file.is_none()
            && let Some(git) = &work.found.git
            && (git.renames || git.copies)
        {
            return if work.reverse {
                work.found.old.name.clone()
            } else {
                work.found.new.name.clone()
            };
        }
        work.input.clone()
    }
}

/// Returns how much a patch says that there is no file before (or, for `side`, after) it.
pub(super) fn absent(found: &Found, side: bool) -> u8 {
    let [old, new] = found.absent;
    if side { new } else { old }
}

fn read_lines(path: &str) -> Result<Vec<Vec<u8>>, Trouble> {
    let bytes =
        std::fs::read(path).map_err(|error| Trouble::of("Can't open file", path, &error))?;
    Ok(bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect())
}
