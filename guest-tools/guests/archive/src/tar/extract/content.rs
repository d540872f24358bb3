//! What is in a member: into a file, to the standard output, or into another program.

use std::io::{self, Write};
use std::path::Path;

use process::{Errno, OpenHow, Program, Status, Stdio, Stream};

use super::{Extractor, Way};
use crate::tar::entry::Entry;
use crate::tar::input::Reader;
use crate::tar::report::{Fatal, UNEXPECTED_END};
use crate::tar::settings::Existing;

const BUFFER_BYTES: usize = 65_536;

impl Extractor<'_> {
    pub(super) fn regular(
        &mut self,
        reader: &mut Reader,
        entry: &Entry,
        path: &Path,
        name: &[u8],
    ) -> Result<(), Fatal> {
        let Some(file) = self.open(entry, path, name) else {
            return Ok(());
        };
        let mut file = Stream(file);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(fatal) => {
                    if fatal.is_end() {
                        self.report.error(UNEXPECTED_END);
                    }
                    return Err(fatal);
                }
            };
            if let Err(error) = file.write_all(buffer.get(..read).unwrap_or_default()) {
                self.report.file(name, "Cannot write", &error);
                break;
            }
        }
        drop(file);
        self.finish(entry, path, name);
        Ok(())
    }

    fn open(&self, entry: &Entry, path: &Path, name: &[u8]) -> Option<process::Descriptor> {
        const TRIES: u32 = 3;
        let overwrites = self.settings.existing == Existing::Overwrite;
        let how = OpenHow {
            exclusive: !overwrites,
            truncate: overwrites,
            no_follow: true,
            ..OpenHow::WRITE
        };
        for attempt in 1..=TRIES {
            let error = match process::open(process::path_bytes(path), how, entry.mode & 0o777) {
                Ok(file) => return Some(file),
                Err(error) => io::Error::from(error),
            };
            match self.clear(path, name, &error) {
                Way::Clear if attempt < TRIES => {}
                Way::Blocked => return None,
                _ => {
                    self.report.file(name, "Cannot open", &error);
                    return None;
                }
            }
        }
        None
    }

    /// Passes a member's content to the standard output or a command.
    pub(super) fn pass(
        &mut self,
        reader: &mut Reader,
        entry: &Entry,
        name: &[u8],
    ) -> Result<(), Fatal> {
        let Some(command) = &self.settings.to_command else {
            let mut out = io::stdout().lock();
            copy(reader, &mut out)?;
            return out.flush().map_err(|error| {
                Fatal::new(format!("-: Cannot write: {}", process::message(&error)))
            });
        };
        // A command may end before it has read all.
        process::set_signals(0, 1 << process::signal::PIPE);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let started = Program::new("sh")
            .args(["-c", command.as_str()])
            .ignored(0)
            .env("TAR_VERSION", "1.34")
            .env("TAR_FILETYPE", "f")
            .env("TAR_FILENAME", name)
            .env("TAR_REALNAME", text(&entry.name))
            .env("TAR_SIZE", entry.size.to_string())
            .env("TAR_MODE", format!("0{:o}", entry.mode))
            .env("TAR_MTIME", entry.modified.seconds.to_string())
            .env("TAR_UID", entry.user.to_string())
            .env("TAR_GID", entry.group.to_string())
            .env("TAR_UNAME", text(&entry.user_name))
            .env("TAR_GNAME", text(&entry.group_name))
            .env("TAR_ARCHIVE", &self.settings.archive)
            .stdin(Stdio::Piped)
            .spawn();
        let mut running =
            started.map_err(|error| Fatal::new(format!("sh: Cannot exec: {error}")))?;
        if let Some(input) = running.stdin.take() {
            copy(reader, &mut Stream(input))?;
        }
        let pid = running.pid();
        match running.wait() {
            status if status.is_success() || self.settings.ignore_command_error => {}
            Status::Exited(status) => {
                self.report
                    .error(&format!("{pid}: Child returned status {status}"));
            }
            Status::Signaled(signal) | Status::Stopped(signal) => {
                self.report
                    .error(&format!("{pid}: Child died with signal {signal}"));
            }
        }
        Ok(())
    }
}

/// Copies a member's content as far as it is taken.
fn copy(reader: &mut Reader, out: &mut impl Write) -> Result<(), Fatal> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        match out.write_all(buffer.get(..read).unwrap_or_default()) {
            Ok(()) => {}
            Err(error) if Errno::from(&error) == Errno::BrokenPipe => return Ok(()),
            Err(error) => {
                return Err(Fatal::new(format!(
                    "-: Cannot write: {}",
                    process::message(&error)
                )));
            }
        }
    }
}
