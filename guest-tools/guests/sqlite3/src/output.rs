//! Where results go: standard output, a file or a command.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};

/// Results are held back up to this much.
const BUFFER_BYTES: usize = 65_536;

/// What the shell writes to.
pub(crate) struct Output {
    target: Target,
    /// What `.show` calls it.
    pub(crate) name: String,
    /// It is for the next statement only.
    pub(crate) is_once: bool,
}

enum Target {
    Standard(BufWriter<io::Stdout>),
    File(BufWriter<File>),
    Command(BufWriter<process::Stream>, process::Running),
    Nothing,
}

impl Output {
    /// Returns standard output.
    pub(crate) fn standard() -> Self {
        Self {
            target: Target::Standard(BufWriter::with_capacity(BUFFER_BYTES, io::stdout())),
            name: "stdout".to_owned(),
            is_once: false,
        }
    }

    /// Opens a file, or a command if the name begins with `|`. Standard output is flushed before.
    pub(crate) fn open(&mut self, name: &str) -> Result<(), String> {
        self.reset();
        let target = match name.strip_prefix('|') {
            _ if name == "stdout" => return Ok(()),
            Some(command) => {
                let mut shell = process::Program::new("sh");
                shell.arg("-c").arg(command).stdin(process::Stdio::Piped);
                let mut running = shell
                    .spawn()
                    .map_err(|_| format!("Error: cannot open pipe \"{command}\""))?;
                let stdin = running
                    .stdin
                    .take()
                    .ok_or_else(|| format!("Error: cannot open pipe \"{command}\""))?;
                Target::Command(BufWriter::new(process::Stream(stdin)), running)
            }
            None if name == "off" => Target::Nothing,
            None => {
                let file = File::create(name).map_err(|_| {
                    format!("Error: cannot open \"{name}\"\nError: cannot write to \"{name}\"")
                })?;
                Target::File(BufWriter::with_capacity(BUFFER_BYTES, file))
            }
        };
        self.target = target;
        name.clone_into(&mut self.name);
        Ok(())
    }

    /// Goes back to standard output; a command is waited for.
    pub(crate) fn reset(&mut self) {
        // A file that could not be written has said so before, or says so here.
        let flushed = self.flush();
        self.settle(flushed);
        if matches!(self.target, Target::Standard(_)) {
            self.is_once = false;
            return;
        }
        let before = std::mem::replace(self, Self::standard());
        if let Target::Command(stream, mut running) = before.target {
            drop(stream);
            running.wait();
        }
    }

    /// Ends the program if something could not be written.
    pub(crate) fn settle(&mut self, written: io::Result<()>) {
        let Err(error) = written else { return };
        match &self.target {
            // A command may have read enough.
            Target::Command(..) if error.kind() == ErrorKind::BrokenPipe => {
                self.target = Target::Nothing;
            }
            _ if error.kind() == ErrorKind::BrokenPipe => process::exit(141),
            _ => {
                let message = process::message(&error);
                let _ = writeln!(
                    io::stderr(),
                    "Error: cannot write to {}: {message}",
                    self.name
                );
                process::exit(1);
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Standard(out) => out.write(bytes),
            Target::File(out) => out.write(bytes),
            Target::Command(out, _) => out.write(bytes),
            Target::Nothing => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Standard(out) => out.flush(),
            Target::File(out) => out.flush(),
            Target::Command(out, _) => out.flush(),
            Target::Nothing => Ok(()),
        }
    }
}
