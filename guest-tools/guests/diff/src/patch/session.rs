//! The work: one patch after the other, the questions that nobody answers, the files that come out.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use process::{Errno, Kind, Stat};

use super::Trouble;
use super::apply::Output;
use super::backup;
use super::ed;
use super::find::{self, Found};
use super::hunk::{self, Hunk};
use super::lines::Lines;
use super::locate::Place;
use super::names;
use super::options::{Format, Request, Verbosity};
use super::reject;
use crate::options::quoted;

const RULE: &str = "--------------------------";

/// Tells the user, on standard error if the patched file goes to standard output. Who is not heard is not stopped.
macro_rules! say_part {
    ($session:expr, $($text:tt)*) => {
        if $session.request.output.as_deref() == Some("-") {
            eprint!($($text)*);
        } else {
            let _ = write!(io::stdout(), $($text)*);
        }
    };
}

/// As `say_part`, with the end of the line.
macro_rules! say {
    ($session:expr, $format:literal $($text:tt)*) => {
        say_part!($session, "{}\n", format_args!($format $($text)*))
    };
}

/// The state of a run.
pub(super) struct Session {
    request: Request,
    lines: Lines,
    failed: bool,
    /// Files of which there is a backup, and rejects that were written.
    backed_up: BTreeSet<String>,
    rejected: BTreeSet<String>,
    removed: Vec<String>,
}

/// A patch and what was decided about it.
struct Work {
    found: Found,
    reverse: bool,
    skip: bool,
    /// The file that is read; none if none was found.
    input: Option<String>,
    /// What it was called before it was renamed, in an earlier run.
    already: Option<String>,
}

/// What the hunks made of a file.
struct Applied {
    output: Output,
    hunks: usize,
    failed: usize,
    mismatch: bool,
    rejects: Vec<u8>,
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

    fn is_verbose(&self) -> bool {
        self.request.verbosity == Verbosity::Verbose
    }

    fn is_silent(&self) -> bool {
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

    /// Chooses the file that the patch is for among the names that it gives.
    fn choose(&mut self, work: &mut Work) {
        let found = &work.found;
        let mut index = found.index.as_deref();
        if found.old.name.is_some() || found.new.name.is_some() {
            index = None;
        }
        let mut all = [found.old.name.as_deref(), found.new.name.as_deref(), index];
        for place in &mut all {
            if let Some(name) = *place
                && (names::is_dangerous(name) || leads_out(name))
            {
                if !self.is_silent() && process::stat(name, false).is_ok() {
                    say!(
                        self,
                        "Ignoring potentially dangerous file name {}",
                        quoted(name)
                    );
                }
                *place = None;
            }
        }
        let all = all.map(|name| name.map(str::to_owned));
        if let Some(git) = &found.git
            && (git.renames || git.copies)
        {
            let [old, new, _] = &all;
            if old.is_none() || new.is_none() {
                say!(
                    self,
                    "Cannot {} file without two valid file names",
                    if git.renames { "rename" } else { "copy" }
                );
                work.skip = true;
                return;
            }
            let (from, to) = if work.reverse { (new, old) } else { (old, new) };
            let is_there = |name: &Option<String>| {
                name.as_deref()
                    .is_some_and(|name| process::stat(name, false).is_ok())
            };
            // A copy is not copied back; what was renamed before is patched where it is.
            let is_settled =
                (git.copies && work.reverse) || (git.renames && !is_there(from) && is_there(to));
            work.input = if is_settled { to.clone() } else { from.clone() };
            work.already = from.clone().filter(|_| is_settled && git.renames);
            return;
        }
        let stats = all.each_ref().map(|name| {
            name.as_deref()
                .and_then(|name| process::stat(name, false).ok())
        });
        let existing: Vec<Option<&str>> = all
            .iter()
            .zip(&stats)
            .map(|(name, stat)| stat.as_ref().and(name.as_deref()))
            .collect();
        let mut chosen = names::best(&existing);
        let last = all.iter().rposition(Option::is_some);
        if let Some(last) = last {
            let place = chosen.unwrap_or(last);
            let stat = stats.get(place).copied().flatten();
            let is_regular = stat.is_none_or(|stat| stat.kind == Kind::Regular);
            let name = all.get(place).cloned().flatten().unwrap_or_default();
            let is_empty = stat.is_none_or(|stat| stat.size == 0);
            if is_regular
                && self.seems_reversed(work, &name, chosen.is_none(), is_empty)
                && chosen.is_none()
            {
                chosen = Some(last);
            }
        }
        if chosen.is_none() && absent(&work.found, work.reverse) > 0 {
            let new_folders = |name: &str| {
                Path::new(name)
                    .ancestors()
                    .skip(1)
                    .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
                    .count()
            };
            let fewest = all.iter().flatten().map(|name| new_folders(name)).min();
            let candidates: Vec<Option<&str>> = all
                .iter()
                .map(|name| {
                    name.as_deref()
                        .filter(|name| Some(new_folders(name)) == fewest)
                })
                .collect();
            chosen = names::best(&candidates);
        }
        work.input = chosen.and_then(|place| all.get(place).cloned().flatten());
    }

    /// Looks whether the patch makes a file that is there, or empties one that is not; asks, and says whether so.
    fn seems_reversed(
        &mut self,
        work: &mut Work,
        name: &str,
        nonexistent: bool,
        is_empty: bool,
    ) -> bool {
        let says = |side: bool| absent(&work.found, side);
        let is_reversed = u8::from(!is_empty) < says(work.reverse ^ is_empty);
        if is_empty
            && says(work.reverse ^ nonexistent) == 1
            && says(!work.reverse ^ nonexistent) == 2
        {
            return false;
        }
        if is_reversed {
            let (does, is) = if nonexistent {
                ("delete", "does not exist")
            } else if is_empty {
                ("empty out", "is already empty")
            } else {
                ("create", "already exists")
            };
            let reversed = if work.reverse { ", when reversed," } else { "" };
            let question = format!(
                "The next patch{reversed} would {does} the file {},\nwhich {is}!",
                quoted(name)
            );
            if self.is_reverse_accepted(work, &question) {
                work.reverse = !work.reverse;
            }
        }
        is_reversed
    }

    /// Decides about a patch that seems to be applied already.
    fn is_reverse_accepted(&self, work: &mut Work, what: &str) -> bool {
        let request = &self.request;
        if request.forward || !(request.force && self.is_silent()) {
            say_part!(self, "{what}");
        }
        if request.forward {
            say!(self, "  Skipping patch.");
            work.skip = true;
            return false;
        }
        if request.force {
            if !self.is_silent() {
                say!(self, "  Applying it anyway.");
            }
            return false;
        }
        if request.batch {
            if !self.is_silent() {
                say!(
                    self,
                    "{}",
                    if work.reverse {
                        "  Ignoring -R."
                    } else {
                        "  Assuming -R."
                    }
                );
            }
            return true;
        }
        // There is no terminal to ask at: the answers are the defaults.
        say!(
            self,
            "{}",
            if work.reverse {
                "  Ignore -R? [n] "
            } else {
                "  Assume -R? [n] "
            }
        );
        say!(self, "Apply anyway? [n] ");
        if !self.is_silent() {
            say!(self, "Skipping patch.");
        }
        work.skip = true;
        false
    }

    /// Says what stands before the patch, and what cannot be done without a file.
    fn introduce(&self, work: &mut Work, begin: usize) {
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

    fn output_name(&self, work: &Work) -> Option<String> {
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

    /// Says which file is patched; looks whether it may be.
    fn look(
        &mut self,
        name: &str,
        output: Option<&str>,
        work: &mut Work,
    ) -> Result<Option<Stat>, Trouble> {
        let stat = match process::stat(name, self.request.follow_symlinks) {
            Ok(stat) => Some(stat),
            Err(Errno::NoEntry | Errno::NotDirectory) => None,
            Err(error) => {
                return Err(Trouble::of(
                    "Can't get file attributes of",
                    name,
                    &error.into(),
                ));
            }
        };
        if let Some(git) = &work.found.git
            && git.is_binary
        {
            say!(
                self,
                "File {}: git binary diffs are not supported.",
                quoted(name)
            );
            self.failed = true;
            work.skip = true;
            return Ok(stat);
        }
        if let Some(stat) = &stat
            && stat.kind != Kind::Regular
        {
            say!(
                self,
                "File {} is not a regular file -- refusing to patch",
                quoted(name)
            );
            self.failed = true;
            work.skip = true;
            return Ok(Some(*stat));
        }
        if let Some(stat) = &stat
            && stat.mode & 0o222 == 0
            && !self.request.read_only_is_silent
        {
            if self.request.read_only_fails {
                say!(
                    self,
                    "File {} is read-only; refusing to patch",
                    quoted(name)
                );
                self.failed = true;
                work.skip = true;
                return Ok(Some(*stat));
            }
            say!(
                self,
                "File {} is read-only; trying to patch anyway",
                quoted(name)
            );
        }
        if !self.is_silent() && (work.found.format != Format::Ed || self.is_verbose()) {
            let output = output.unwrap_or(name);
            let verb = if self.request.dry_run {
                "checking"
            } else {
                "patching"
            };
            let git = work.found.git.as_ref();
            let how = match git {
                _ if work.already.is_some() => format!(
                    " (already renamed from {})",
                    quoted(work.already.as_deref().unwrap_or_default())
                ),
                _ if output == name => String::new(),
                Some(git) if git.renames => format!(" (renamed from {})", quoted(name)),
                Some(git) if git.copies => format!(" (copied from {})", quoted(name)),
                _ => format!(" (read from {})", quoted(name)),
            };
            say!(self, "{verb} file {}{how}", quoted(output));
            if self.is_verbose() {
                say!(self, "Using Plan A...");
            }
        }
        Ok(stat)
    }

    fn run_ed(&mut self, work: &Work, input: &[Vec<u8>]) -> Result<Applied, Trouble> {
        let mut text = input.to_vec();
        if work.skip {
            ed::run(&mut self.lines, &mut Vec::new()).ok();
        } else {
            ed::run(&mut self.lines, &mut text)?;
        }
        let mut output = Output::default();
        output.finish(&text);
        Ok(Applied {
            output,
            hunks: 0,
            failed: 0,
            mismatch: false,
            rejects: Vec::new(),
        })
    }

    fn apply_hunks(
        &mut self,
        work: &mut Work,
        input: &[Vec<u8>],
        stat: Option<&Stat>,
    ) -> Result<Applied, Trouble> {
        let mut applied = Applied {
            output: Output::default(),
            hunks: 0,
            failed: 0,
            mismatch: false,
            rejects: Vec::new(),
        };
        let mut apply_anyway = false;
        let (mut in_offset, mut out_offset) = (0_isize, 0_isize);
        while let Some(mut hunk) = hunk::next(&mut self.lines, work.found.format)? {
            if work.reverse {
                hunk.swap();
            }
            applied.hunks += 1;
            let (before, behind) = hunk.context();
            let fuzz_max = self.request.fuzz_max.min(before.max(behind));
            let (mut place, mut fuzz) = (None, 0);
            let mut at = Place {
                input,
                frozen: applied.output.frozen,
                offset: in_offset,
                ignore_space: self.request.ignore_space,
            };
            while !work.skip {
                place = at.locate(&hunk, fuzz);
                applied.mismatch |= place.is_none() || fuzz > 0 || at.offset != 0;
                if applied.hunks == 1
                    && place.is_none()
                    && !self.request.force
                    && !apply_anyway
                    && work.reverse == self.request.reverse
                {
                    hunk.swap();
                    place = at.locate(&hunk, fuzz);
                    let what = format!(
                        "{} patch detected!",
                        if work.reverse {
                            "Unreversed"
                        } else {
                            "Reversed (or previously applied)"
                        }
                    );
                    if place.is_some() && self.is_reverse_accepted(work, &what) {
                        work.reverse = !work.reverse;
                    } else {
                        hunk.swap();
                        if place.take().is_some() {
                            apply_anyway = true;
                            at.offset = in_offset;
                            continue;
                        }
                    }
                }
                fuzz += 1;
                if place.is_some() || fuzz > fuzz_max {
                    break;
                }
            }
            fuzz = fuzz.saturating_sub(1);
            in_offset = at.offset;
            let shown = place
                .unwrap_or(hunk.old_start)
                .saturating_add_signed(out_offset);
            let exists = place == Some(1)
                && absent(&work.found, work.reverse) == 2
                && stat.is_some_and(|stat| stat.size > 0);
            match place.filter(|_| !work.skip && !exists) {
                Some(place) => {
                    applied.output.apply(input, &hunk, place)?;
                    let moved = in_offset != 0;
                    if self.is_verbose() || (!self.is_silent() && (fuzz > 0 || moved)) {
                        let mut line = format!("Hunk #{} succeeded at {shown}", applied.hunks);
                        if fuzz > 0 {
                            line.push_str(&format!(" with fuzz {fuzz}"));
                        }
                        if moved {
                            let plural = if in_offset == 1 { "" } else { "s" };
                            line.push_str(&format!(" (offset {in_offset} line{plural})"));
                        }
                        say!(self, "{line}.");
                    }
                    let grown = |lines: usize| isize::try_from(lines).unwrap_or(0);
                    out_offset += grown(hunk.new.len()) - grown(hunk.old.len());
                }
                None => {
                    self.reject(work, &hunk, out_offset, &mut applied);
                    if self.is_verbose() || (!work.skip && !self.is_silent()) {
                        say!(
                            self,
                            "Hunk #{} {} at {shown}{}.",
                            applied.hunks,
                            if work.skip { "ignored" } else { "FAILED" },
                            if !work.skip && other_ends(&hunk, input, shown) {
                                " (different line endings)"
                            } else {
                                ""
                            }
                        );
                    }
                }
            }
        }
        applied.output.finish(input);
        Ok(applied)
    }

    fn reject(&self, work: &Work, hunk: &Hunk, shift: isize, applied: &mut Applied) {
        let format = work.found.format;
        let is_unified = self
            .request
            .reject_unified
            .unwrap_or(format == Format::Unified);
        if applied.failed == 0 {
            applied
                .rejects
                .extend(reject::head(&work.found, is_unified, work.reverse));
        }
        applied.failed += 1;
        applied.rejects.extend(if is_unified {
            reject::unified(hunk, shift)
        } else {
            reject::context(hunk, shift, format == Format::Normal)
        });
    }

    /// Writes, removes or renames the file.
    fn put(
        &mut self,
        work: &Work,
        output: &str,
        stat: Option<&Stat>,
        applied: &Applied,
    ) -> Result<(), Trouble> {
        let bytes = &applied.output.bytes;
        if self.request.output.is_some() {
            if output == "-" {
                return io::stdout()
                    .write_all(bytes)
                    .map_err(|error| Trouble::of("Can't write", output, &error));
            }
            if !self.request.dry_run {
                write(output, bytes, stat.map(|stat| stat.mode))?;
            }
            return Ok(());
        }
        let mismatch = applied.mismatch || applied.failed > 0;
        let says_gone = absent(&work.found, !work.reverse) == 2;
        let is_removed =
            bytes.is_empty() && (self.request.remove_empty || (says_gone && !self.request.posix));
        if !bytes.is_empty() && says_gone && !self.request.posix {
            self.failed = true;
            if !self.is_silent() {
                say!(
                    self,
                    "Not deleting file {} as content differs from patch",
                    quoted(output)
                );
            }
        }
        if self.request.dry_run {
            return Ok(());
        }
        let is_backed_up = self.request.backup
            || (mismatch && !self.request.no_backup_if_mismatch && !self.request.posix);
        if is_backed_up && self.backed_up.insert(output.to_owned()) {
            let backup = backup::name(&self.request, output);
            backup::make(output, &backup)
                .map_err(|error| Trouble::of("Can't create backup file", &backup, &error))?;
        }
        let git = work.found.git.as_ref();
        if is_removed {
            if stat.is_some() {
                remove(output)?;
                self.removed.push(output.to_owned());
            }
            return Ok(());
        }
        let mode = git
            .and_then(|git| {
                let [old, new] = git.modes;
                if work.reverse { old } else { new }
            })
            .or(stat.map(|stat| stat.mode));
        let is_moved = work.input.as_deref() != Some(output);
        let changed = applied.hunks > applied.failed
            || work.found.format == Format::Ed
            || stat.is_none()
            || is_moved
            || git.is_some_and(|git| git.is_extended);
        if changed {
            write(output, bytes, mode)?;
        }
        if let Some(git) = git
            && git.renames
            && is_moved
            && let Some(input) = &work.input
        {
            remove(input)?;
        }
        Ok(())
    }

    /// Says how many hunks failed and writes them down.
    fn report(
        &mut self,
        work: &Work,
        output: Option<&str>,
        applied: &Applied,
    ) -> Result<(), Trouble> {
        if applied.failed == 0 {
            if work.skip {
                self.failed = true;
            }
            return Ok(());
        }
        self.failed = true;
        let plural = if applied.hunks == 1 { "" } else { "s" };
        let verb = if work.skip { "ignored" } else { "FAILED" };
        say_part!(
            self,
            "{} out of {} hunk{plural} {verb}",
            applied.failed,
            applied.hunks
        );
        let Some(output) = output.filter(|_| self.request.reject_file.as_deref() != Some("-"))
        else {
            say!(self, "");
            return Ok(());
        };
        if self.request.dry_run {
            say!(self, "");
            return Ok(());
        }
        let file = match &self.request.reject_file {
            Some(file) => file.clone(),
            None => format!("{output}.rej"),
        };
        say!(self, " -- saving rejects to file {}", quoted(&file));
        if let Some(folder) = Path::new(&file).parent() {
            // Where that fails, so does the next step, which tells.
            let _ = std::fs::create_dir_all(folder);
        }
        let is_new = self.rejected.insert(file.clone());
        let saved = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .append(!is_new)
            .truncate(is_new)
            .open(&file)
            .and_then(|mut out| out.write_all(&applied.rejects));
        saved.map_err(|error| Trouble::of("Can't create reject file", &file, &error))
    }
}

/// Returns how much a patch says that there is no file before (or, for `side`, after) it.
fn absent(found: &Found, side: bool) -> u8 {
    let [old, new] = found.absent;
    if side { new } else { old }
}

/// Returns whether a name leads out of the working directory through a symbolic link.
fn leads_out(name: &str) -> bool {
    let Some(folder) = Path::new(name)
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return false;
    };
    let Ok(here) = std::fs::canonicalize(".") else {
        return false;
    };
    let existing: Option<PathBuf> = folder
        .ancestors()
        .find(|folder| !folder.as_os_str().is_empty() && folder.exists())
        .map(Path::to_path_buf);
    existing.is_some_and(|folder| {
        std::fs::canonicalize(folder).is_ok_and(|folder| !folder.starts_with(&here))
    })
}

fn read_lines(path: &str) -> Result<Vec<Vec<u8>>, Trouble> {
    let bytes =
        std::fs::read(path).map_err(|error| Trouble::of("Can't open file", path, &error))?;
    Ok(bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect())
}

fn write(path: &str, bytes: &[u8], mode: Option<u32>) -> Result<(), Trouble> {
    let fail = |error: io::Error| Trouble::of("Can't create file", path, &error);
    if let Some(folder) = Path::new(path).parent()
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    if let Err(error) = std::fs::write(path, bytes) {
        // A file that must not be written gives way to a new one.
        if error.kind() != io::ErrorKind::PermissionDenied {
            return Err(fail(error));
        }
        std::fs::remove_file(path).map_err(fail)?;
        std::fs::write(path, bytes).map_err(fail)?;
    }
    if let Some(mode) = mode {
        process::chmod(path, mode & 0o7777).map_err(|error| fail(error.into()))?;
    }
    Ok(())
}

/// Removes a file and the folders that are empty without it.
fn remove(path: &str) -> Result<(), Trouble> {
    std::fs::remove_file(path).map_err(|error| Trouble::of("Can't remove file", path, &error))?;
    for folder in Path::new(path).ancestors().skip(1) {
        if folder.as_os_str().is_empty() || std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Returns whether the lines of a hunk end otherwise than those of the file.
fn other_ends(hunk: &Hunk, input: &[Vec<u8>], place: usize) -> bool {
    let (Some(pattern), Some(last)) = (hunk.old.first(), input.len().checked_sub(1)) else {
        return false;
    };
    let line = input.get(place.saturating_sub(1).min(last));
    line.is_some_and(|line| pattern.text.ends_with(b"\r\n") != line.ends_with(b"\r\n"))
}
