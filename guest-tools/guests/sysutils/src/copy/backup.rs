//! Backups of files that are about to be replaced: `--backup`, `-b`, `--suffix`.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Whether and under what name the old file is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Backup {
    #[default]
    None,
    /// With a suffix.
    Simple(String),
    /// As `.~1~` and so on.
    Numbered,
    /// Numbered if there is a numbered one already.
    Existing(String),
}

impl Backup {
    /// Returns the way that `--backup=WORD` names; the environment's if there is no word.
    pub(crate) fn named(word: Option<&str>, suffix: Option<&str>) -> Option<Self> {
        let from_environment = env::var("VERSION_CONTROL").ok();
        let word = word.or(from_environment.as_deref()).unwrap_or("existing");
        let suffix = suffix
            .map(str::to_owned)
            .or_else(|| env::var("SIMPLE_BACKUP_SUFFIX").ok());
        let suffix = suffix
            .filter(|suffix| !suffix.is_empty())
            .unwrap_or_else(|| "~".to_owned());
        Some(match word {
            "none" | "off" => Backup::None,
            "simple" | "never" => Backup::Simple(suffix),
            "numbered" | "t" => Backup::Numbered,
            "existing" | "nil" => Backup::Existing(suffix),
            _ => return None,
        })
    }

    /// Moves a file away and returns where to.
    pub(crate) fn make(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let with = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let latest = || {
            (1_u64..)
                .take_while(|number| fs::symlink_metadata(with(&format!(".~{number}~"))).is_ok())
                .last()
        };
        let to = match self {
            Backup::None => return Ok(None),
            Backup::Simple(suffix) => with(suffix),
            Backup::Numbered => with(&format!(".~{}~", latest().unwrap_or(0) + 1)),
            Backup::Existing(suffix) => match latest() {
                Some(number) => with(&format!(".~{}~", number + 1)),
                None => with(suffix),
            },
        };
        fs::rename(path, &to)?;
        Ok(Some(to))
    }
}
