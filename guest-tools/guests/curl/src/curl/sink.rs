//! Where a response goes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::config::{Config, Target};
use http_client::address::{Address, decoded};
use http_client::message::Headers;

/// Standard output, or a file that is made when the first byte or the end of a good response comes.
pub(super) enum Sink {
    Stdout,
    File {
        path: PathBuf,
        /// Bytes that are there already and stay.
        kept: u64,
        open: Option<File>,
        may_replace: bool,
    },
}

impl Sink {
    /// Returns the sink of a URL. Errors are curl's words.
    pub(super) fn of(
        config: &Config,
        target: &Target,
        address: &Address,
    ) -> Result<Self, (u8, String)> {
        let name = match target {
            Target::Stdout => return Ok(Self::Stdout),
            Target::File(name) => name.clone(),
            Target::RemoteName => match address.file_name() {
                Some(name) => name,
                None => return Err((23, "Remote file name has no length".to_owned())),
            },
        };
        let path = match &config.output_dir {
            Some(folder) => Path::new(folder).join(name),
            None => PathBuf::from(name),
        };
        Ok(Self::File {
            path,
            kept: 0,
            open: None,
            may_replace: true,
        })
    }

    /// Takes the name that the server gives, if it gives one; such a file must not be there yet.
    pub(super) fn rename(&mut self, headers: &Headers) {
        let Self::File {
            path, may_replace, ..
        } = self
        else {
            return;
        };
        *may_replace = false;
        if let Some(name) = headers
            .get("content-disposition")
            .and_then(|d| file_name(&d))
        {
            *path = path.with_file_name(name);
        }
    }

    /// Goes on behind what is there, and returns how much that is.
    pub(super) fn resume(&mut self) -> u64 {
        match self {
            Self::Stdout => 0,
            Self::File { path, kept, .. } => {
                *kept = std::fs::metadata(path).map_or(0, |data| data.len());
                *kept
            }
        }
    }

    /// Forgets what was there: the server sends all of it.
    pub(super) fn begin_anew(&mut self) {
        if let Self::File { kept, .. } = self {
            *kept = 0;
        }
    }

    /// Returns the file's name.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File { path, .. } => Some(path),
        }
    }

    /// Makes the file.
    pub(super) fn open(&mut self, has_folders: bool) -> io::Result<()> {
        let Self::File {
            path,
            kept,
            open,
            may_replace,
        } = self
        else {
            return Ok(());
        };
        if open.is_some() {
            return Ok(());
        }
        if has_folders && let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut how = OpenOptions::new();
        match (*kept > 0, *may_replace) {
            (true, _) => how.append(true),
            (false, true) => how.write(true).create(true).truncate(true),
            (false, false) => how.write(true).create_new(true),
        };
        *open = Some(how.open(&*path)?);
        Ok(())
    }

    /// Removes the file, if it was made.
    pub(super) fn remove(&mut self) {
        if let Self::File { path, open, .. } = self
            && open.take().is_some()
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout => io::stdout().write(bytes),
            Self::File { open, .. } => match open {
                Some(file) => file.write(bytes),
                None => Err(io::Error::other("the file is not open")),
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().flush(),
            Self::File { .. } => Ok(()),
        }
    }
}

/// Reads the name in a `Content-Disposition`; never one with a folder.
pub(crate) fn file_name(disposition: &str) -> Option<String> {
    let mut found = None;
    for part in disposition.split(';').skip(1) {
        let (key, value) = part.trim().split_once('=')?;
        let value = value.trim().trim_matches('"');
        match key.to_ascii_lowercase().as_str() {
            "filename" if found.is_none() => found = Some(value.to_owned()),
            "filename*" => found = value.rsplit('\'').next().map(decoded),
            _ => {}
        }
    }
    let name = found?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_have_no_folders() {
        for (given, expected) in [
            ("attachment; filename=\"a b.txt\"", Some("a b.txt")),
            ("attachment; filename=../../etc/passwd", Some("passwd")),
            ("attachment; filename=x; filename*=UTF-8''a%2Fb", Some("b")),
            ("attachment; filename=..", None),
            ("inline", None),
        ] {
            assert_eq!(file_name(given).as_deref(), expected, "{given}");
        }
    }
}
