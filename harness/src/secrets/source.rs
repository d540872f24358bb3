//! Where the master keys come from: a file, an environment variable, or what a command prints.
//!
//! In each of them there is one key a line: 32 random bytes in base64, the current one first. Earlier ones behind it
//! still open what they wrapped, which is how a key is exchanged without a moment in which something cannot be opened.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

use super::keyring::{Keyring, KeyringError, MasterKey};

/// Longest text that is read; a keyring is far shorter.
const TEXT_BYTES_MAX: u64 = 16 << 10;
/// How long a command may take.
const COMMAND_PATIENCE: Duration = Duration::from_secs(60);

/// Where the master keys come from.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MasterKeySource {
    /// A file, which must exist.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The output of a command that the shell runs.
    Command(String),
}

/// Why there are no master keys. Never says anything of the keys themselves.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read or written.
    #[error("cannot use the file of master keys {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file of the data folder may be read by others.
    #[error(
        "the file of master keys {} can be read by others; make it yours alone: chmod 600", path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file of the data folder is gone, while there are secrets that need it.
    #[error(
        "the file of master keys {} is gone, and without it the stored credentials cannot be opened: \
         put it back, or delete the credentials' vaults with the last backup in reach", path.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The environment variable is not set.
    #[error("the environment variable {0}, which should hold the master key, is not set")]
    Unset(String),
    /// The command failed.
    #[error("the command that should print the master key failed: {0}")]
    Command(String),
    /// What was read is no keyring.
    #[error("what should be the master key is none: {0}")]
    Keyring(#[from] KeyringError),
}

/// Reads the keys of a source.
pub async fn load(source: &MasterKeySource) -> Result<Keyring, SourceError> {
    let text = match source {
        MasterKeySource::File(path) => read(path)?,
        MasterKeySource::Env(name) => std::env::var(name)
            .map(Zeroizing::new)
            .map_err(|_| SourceError::Unset(name.clone()))?,
        MasterKeySource::Command(command) => output(command).await?,
    };
    Ok(Keyring::parse(&text)?)
}

/// Reads the keys of the data folder's own file. A missing one is made, unless `is_needed`: then there are
/// secrets that no new key opens.
pub fn load_or_create(path: &Path, is_needed: bool) -> Result<Keyring, SourceError> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.mode() & 0o077 != 0 => Err(SourceError::Exposed {
            path: path.to_owned(),
        }),
        Ok(_) => Ok(Keyring::parse(&read(path)?)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_needed => {
            Err(SourceError::Gone {
                path: path.to_owned(),
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let keyring = Keyring::of(MasterKey::fresh()?);
            write_keys(path, &keyring)?;
            Ok(keyring)
        }
        Err(error) => Err(failed(path, error)),
    }
}

/// Replaces a file of keys, whole or not at all; it is durable when this returns.
pub fn write_keys(path: &Path, keyring: &Keyring) -> Result<(), SourceError> {
    let write = || {
        let new = path.with_extension("new");
        // One that a crash left may have other rights.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        for key in std::iter::once(keyring.current()).chain(keyring.earlier()) {
            file.write_all(key.to_line().as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => {
                std::fs::File::open(folder)?.sync_all()
            }
            _ => Ok(()),
        }
    };
    write().map_err(|error| failed(path, error))
}

fn read(path: &Path) -> Result<Zeroizing<String>, SourceError> {
    let read = || {
        let file = std::fs::File::open(path)?;
        let mut text = Zeroizing::new(String::with_capacity(TEXT_BYTES_MAX as usize));
        file.take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|error| failed(path, error))
}

async fn output(command: &str) -> Result<Zeroizing<String>, SourceError> {
    let failed = |error: io::Error| SourceError::Command(error.to_string());
    // What it says about itself goes to the operator's terminal, what it prints stays here.
    let mut child = tokio::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let mut text = Zeroizing::new(String::with_capacity(TEXT_BYTES_MAX as usize));
    let run = async {
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = stdout.take(TEXT_BYTES_MAX);
            stdout.read_to_string(&mut text).await?;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(COMMAND_PATIENCE, run)
        .await
        .map_err(|_| SourceError::Command(format!("it took over {COMMAND_PATIENCE:?}")))?
        .map_err(failed)?;
    if !status.success() {
        return Err(SourceError::Command(format!("it ended with {status}")));
    }
    Ok(text)
}

fn failed(path: &Path, error: io::Error) -> SourceError {
    SourceError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn every_source_gives_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master-key");
        let made = load_or_create(&path, false).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let again = load_or_create(&path, true).unwrap();
        assert_eq!(made.current().id(), again.current().id());
        for source in [
            MasterKeySource::File(path.clone()),
            MasterKeySource::Command(format!("cat '{}'", path.display())),
        ] {
            let loaded = load(&source).await.unwrap();
            assert_eq!(loaded.current().id(), made.current().id());
        }
        let two = made.with_current(MasterKey::fresh().unwrap());
        write_keys(&path, &two).unwrap();
        let loaded = load_or_create(&path, true).unwrap();
        assert_eq!(loaded.current().id(), two.current().id());
        assert_eq!(loaded.earlier()[0].id(), made.current().id());
    }

    #[tokio::test]
    async fn what_is_no_source_says_why_and_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master-key");
        assert!(matches!(
            load_or_create(&path, true),
            Err(SourceError::Gone { .. })
        ));
        assert!(!path.exists());
        std::fs::write(&path, "bm90IGEga2V5\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            load_or_create(&path, true),
            Err(SourceError::Exposed { .. })
        ));
        for source in [
            MasterKeySource::File(path.clone()),
            MasterKeySource::File(folder.path().join("none")),
            MasterKeySource::Env("SINEW_TEST_NO_SUCH_VARIABLE".to_owned()),
            MasterKeySource::Command("exit 3".to_owned()),
            MasterKeySource::Command("true".to_owned()),
        ] {
            let error = load(&source).await.err().unwrap().to_string();
            assert!(!error.contains("bm90"), "{error}");
        }
    }
}
