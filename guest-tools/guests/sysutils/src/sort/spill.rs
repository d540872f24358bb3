//! Sorted parts that do not fit in memory, as files in the temporary folder. They go when the run ends.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::Failure;
use super::compare::Comparison;
use super::input::Lines;
use super::merge::{self, Input};
use super::options::Settings;

/// Files that are merged at once: each takes a descriptor and a buffer.
const MERGED_MAX: usize = 64;

/// The parts so far, in order of the input.
pub(crate) struct Parts<'a> {
    settings: &'a Settings,
    files: Vec<PathBuf>,
    made: u64,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Parts {
            settings,
            files: Vec::new(),
            made: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes sorted lines into a part of their own.
    pub(crate) fn add(&mut self, lines: &Lines) -> Result<(), Failure> {
        let (path, file) = self.create()?;
        self.files.push(path);
        let mut out = BufWriter::with_capacity(super::BUFFER_BYTES, file);
        let written = lines.iter().try_for_each(|line| {
            out.write_all(line)?;
            out.write_all(&[self.settings.end])
        });
        written
            .and_then(|()| out.flush())
            .map_err(Failure::Temporary)
    }

    fn create(&mut self) -> Result<(PathBuf, File), Failure> {
        let stamp = crate::clock::now();
        loop {
            self.made += 1;
            let name = format!(
                "sort{}-{}-{:x}{:x}",
                process::pid(),
                self.made,
                stamp.seconds,
                stamp.nanoseconds
            );
            let path = self.settings.temporary.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Failure::Temporary(error)),
            }
        }
    }

    /// Returns the parts to merge, few enough to be open at once.
    pub(crate) fn inputs(&mut self, comparison: &Comparison<'_>) -> Result<Vec<Input>, Failure> {
        while self.files.len() > MERGED_MAX {
            let first: Vec<PathBuf> = self.files.drain(..MERGED_MAX).collect();
            let inputs = first
                .iter()
                .map(|path| self.open(path))
                .collect::<Result<Vec<_>, _>>()?;
            let (path, file) = self.create()?;
            // In front: what is merged is the beginning of the input, and equal lines keep their order.
            self.files.insert(0, path);
            let mut out = BufWriter::with_capacity(super::BUFFER_BYTES, file);
            merge::merge(inputs, comparison, self.settings, &mut out)?;
            out.flush().map_err(Failure::Temporary)?;
            first.iter().for_each(remove);
        }
        self.files.iter().map(|path| self.open(path)).collect()
    }

    fn open(&self, path: &PathBuf) -> Result<Input, Failure> {
        let file = File::open(path).map_err(Failure::Temporary)?;
        Ok(Input::new(
            Box::new(file),
            &path.to_string_lossy(),
            self.settings.end,
        ))
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        self.files.iter().for_each(remove);
    }
}

fn remove(path: &PathBuf) {
    // A file that stays is a nuisance, not a wrong result.
    let _ = fs::remove_file(path);
}
