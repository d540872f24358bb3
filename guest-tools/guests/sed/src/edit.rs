//! Files edited in place: the output goes to a new file, which takes the old one's place when it is whole.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{Failure, output::Output, settings::Settings};

/// A file that is being edited.
pub(crate) struct Edit {
    path: PathBuf,
    temporary: PathBuf,
    mode: Option<u32>,
}

impl Edit {
    /// Begins to edit a file, and returns where its new text goes.
    pub(crate) fn begin(name: &str, settings: &Settings) -> Result<(Self, Output), Failure> {
        let path = match settings.follow_links {
            true => fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name)),
            false => PathBuf::from(name),
        };
        let is_regular = fs::metadata(&path).is_ok_and(|data| data.is_file());
        if !is_regular {
            return Err(Failure::trouble(format!(
                "couldn't edit {name}: not a regular file"
            )));
        }
        let absolute = process::absolute(path.to_string_lossy().as_bytes());
        let mode = process::stat(&absolute, true).ok().map(|stat| stat.mode);
        let folder = path.parent().unwrap_or(Path::new(""));
        let temporary = folder.join(format!("sed{}.tmp", process::pid()));
        let file = File::create(&temporary).map_err(|error| {
            Failure::trouble(format!(
                "couldn't open temporary file {}: {}",
                temporary.display(),
                process::message(&error)
            ))
        })?;
        let output = Output::new(
            Box::new(file),
            temporary.display().to_string(),
            settings.line_end,
        );
        let edit = Self {
            path,
            temporary,
            mode,
        };
        Ok((edit, output))
    }

    /// Puts the new file in the old one's place.
    pub(crate) fn finish(self, mut output: Output, settings: &Settings) -> Result<(), Failure> {
        output.flush()?;
        drop(output);
        if let Some(mode) = self.mode {
            let absolute = process::absolute(self.temporary.to_string_lossy().as_bytes());
            // A file system without modes is no reason to lose the edit.
            let _ = process::chmod(&absolute, mode & 0o7777);
        }
        let result = self.rename(settings);
        if result.is_err() {
            let _ = fs::remove_file(&self.temporary);
        }
        result
    }

    fn rename(&self, settings: &Settings) -> Result<(), Failure> {
        let suffix = settings.in_place.as_deref().unwrap_or_default();
        if !suffix.is_empty() {
            rename(&self.path, &self.backup(suffix))?;
        }
        rename(&self.temporary, &self.path)
    }

    /// Gives the edit up.
    pub(crate) fn abandon(self) {
        let _ = fs::remove_file(self.temporary);
    }

    /// Returns the backup's path. `*` in the suffix stands for the file's name.
    fn backup(&self, suffix: &str) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let backup = match suffix.contains('*') {
            true => suffix.replace('*', &name),
            false => format!("{name}{suffix}"),
        };
        match backup.contains('/') {
            true => PathBuf::from(backup),
            false => self.path.with_file_name(backup),
        }
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).map_err(|error| {
        Failure::trouble(format!(
            "cannot rename {}: {}",
            from.display(),
            process::message(&error)
        ))
    })
}
