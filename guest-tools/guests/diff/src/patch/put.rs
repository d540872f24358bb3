//! The file that is patched: looked at before, written, removed or renamed afterwards, and the hunks that failed.

use std::io::{self, Write as _};
use std::path::Path;

use process::{Errno, Kind, Stat};

use super::Trouble;
use super::backup;
use super::options::Format;
use super::say::{say, say_part};
use super::session::{Applied, Session, Work, absent};
use crate::options::quoted;

impl Session {
    /// Says which file is patched; looks whether it may be.
    pub(super) fn look(
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

    /// Writes, removes or renames the file.
    pub(super) fn put(
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
    pub(super) fn report(
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
