//! ls, dir and vdir: lists files.
//!
//! Here are the options and the walk over the operands; how a listing is sorted, laid out, coloured and dated is in
//! the modules beneath. Output that is no terminal has one name a line, unquoted, as for every `ls` in a pipe.

mod color;
mod entry;
mod layout;
mod long;
mod order;
mod settings;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::quoting;
use crate::report::{self, complain};
use crate::system::{Facts, Kind, Stat, stat};

use entry::Entry;
use settings::{Follow, Settings, Start};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (settings, operands) = match Settings::read(program, arguments) {
        Start::Run(settings, operands) => (*settings, operands),
        Start::Done(status) => return status,
    };
    let out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let mut listing = Listing {
        program,
        settings,
        out,
        status: 0,
        has_output: false,
        ancestors: Vec::new(),
    };
    match listing
        .operands(&operands)
        .and_then(|()| listing.out.flush())
    {
        Ok(()) => listing.status,
        Err(error) => report::finish(program, Err(error)),
    }
}

struct Listing<'a, W> {
    program: &'a str,
    settings: Settings,
    out: W,
    /// 1: something beneath an operand failed; 2: an operand did.
    status: u8,
    /// Whether a blank line is needed before the next folder.
    has_output: bool,
    /// The folders that a recursive listing is in, against loops.
    ancestors: Vec<(u64, u64)>,
}

impl<W: Write> Listing<'_, W> {
    fn operands(&mut self, operands: &[String]) -> io::Result<()> {
        let here = [".".to_owned()];
        let operands = if operands.is_empty() { &here } else { operands };
        let mut files = Vec::new();
        let mut folders = Vec::new();
        for operand in operands {
            match self.status_of_operand(operand) {
                Ok(status) => {
                    let is_folder =
                        status.is_directory() && !self.settings.lists_directories_themselves;
                    let path = PathBuf::from(operand);
                    let mut entry = Entry::with_status(operand.as_bytes().to_vec(), path, status);
                    if is_folder {
                        folders.push(entry);
                    } else {
                        entry.complete(&self.settings);
                        files.push(entry);
                    }
                }
                Err(error) => {
                    self.fail(
                        format_args!(
                            "cannot access {}: {}",
                            quoting::quoted(operand),
                            report::reason(&error)
                        ),
                        2,
                    );
                }
            }
        }
        order::sort(&mut files, &self.settings);
        order::sort(&mut folders, &self.settings);
        if !files.is_empty() {
            layout::print(&mut self.out, &files, &folders, &self.settings)?;
            self.has_output = true;
        }
        let has_headers = operands.len() > 1 || self.settings.recursive;
        for folder in folders {
            self.folder(&folder, has_headers, 2)?;
        }
        Ok(())
    }

    /// Returns the status of an operand, through a link if the settings say so.
    fn status_of_operand(&self, operand: &str) -> io::Result<Stat> {
        let path = operand.as_ref();
        match self.settings.follow {
            Follow::Always | Follow::Operands => stat(path, true),
            Follow::OperandsToDirectories => match stat(path, true) {
                Ok(status) if status.is_directory() => Ok(status),
                _ => stat(path, false),
            },
            Follow::Never => stat(path, false),
        }
    }

    fn folder(&mut self, folder: &Entry, has_header: bool, failure: u8) -> io::Result<()> {
        let name = folder.path.to_string_lossy().into_owned();
        let id = folder
            .status
            .as_ref()
            .map(|status| (status.device, status.inode));
        if let Some(id) = id.filter(|_| self.settings.recursive) {
            if self.ancestors.contains(&id) {
                self.fail(
                    format_args!(
                        "{}: not listing already-listed directory",
                        quoting::shell(&name)
                    ),
                    2,
                );
                return Ok(());
            }
            self.ancestors.push(id);
        }
        let entries = match self.entries(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.ancestors.pop();
                let reason = report::reason(&error);
                self.fail(
                    format_args!("cannot open directory {}: {reason}", quoting::quoted(&name)),
                    failure,
                );
                return Ok(());
            }
        };
        if has_header {
            if self.has_output {
                self.out.write_all(b"\n")?;
            }
            let quoted = quoting::quote(name.as_bytes(), self.settings.quoting);
            self.out.write_all(&quoted)?;
            self.out.write_all(b":\n")?;
        }
        self.has_output = true;
        if self.settings.is_long || self.settings.shows_blocks {
            let blocks: u64 = entries
                .iter()
                .filter_map(|entry| Some(entry.status.as_ref()?.blocks))
                .sum();
            let total = self.settings.block_unit.show(blocks * 512);
            write!(self.out, "total {total}")?;
            self.out.write_all(&[self.settings.end_of_line])?;
        }
        layout::print(&mut self.out, &entries, &[], &self.settings)?;
        if self.settings.recursive {
            for entry in &entries {
                if entry.kind == Some(Kind::Directory)
                    && !matches!(entry.name.as_slice(), b"." | b"..")
                {
                    self.folder(entry, true, 1)?;
                }
            }
            self.ancestors.pop();
        }
        Ok(())
    }

    /// Returns what a folder holds, sorted, with as much of their status as the settings need.
    fn entries(&mut self, folder: &Entry) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        if self.settings.all {
            for name in [".", ".."] {
                entries.push(Entry::new(
                    name.as_bytes().to_vec(),
                    folder.path.join(name),
                    Some(Kind::Directory),
                ));
            }
        }
        // A link's own status is not what is shown where links are followed.
        let with_stats =
            self.settings.needs_every_status() && self.settings.follow != Follow::Always;
        let path = process::name_bytes(folder.path.as_os_str());
        for found in process::Folder::open(path, with_stats)? {
            let found = found?;
            let name = process::name_bytes(&found.name).into_owned();
            if self.settings.hides(&name) {
                continue;
            }
            let path = if folder.path.as_os_str() == "." && !self.settings.recursive {
                found.name.into()
            } else {
                folder.path.join(found.name)
            };
            entries.push(match found.stat {
                Some(Ok(status)) => Entry::with_status(name, path, status),
                _ => Entry::new(name, path, entry::known_kind(found.kind)),
            });
        }
        for entry in &mut entries {
            if entry.status.is_none()
                && self.settings.needs_status(entry)
                && let Err(error) = entry.look(self.settings.follow == Follow::Always)
            {
                let reason = report::reason(&error);
                let path = entry.path.to_string_lossy();
                complain(
                    self.program,
                    format_args!("cannot access {}: {reason}", quoting::quoted(&path)),
                );
                self.status = self.status.max(1);
            }
            entry.complete(&self.settings);
        }
        order::sort(&mut entries, &self.settings);
        Ok(entries)
    }

    fn fail(&mut self, message: std::fmt::Arguments<'_>, status: u8) {
        // What was listed before the failure is to be seen before the message.
        let _ = self.out.flush();
        complain(self.program, message);
        self.status = self.status.max(status);
    }
}
