//! Contents between files of this machine and a daemon, never whole in memory.

use std::io::{IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::{Bytes, BytesMut};
use clap::Args;
use futures::{Stream, TryStreamExt};
use reqwest::Body;
use reqwest::multipart::Part;
use serde_json::{Value, json};
use tempfile::{Builder, NamedTempFile};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::client::Client;
use super::render::plain;

/// Bytes read from a file at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// Time between two looks of the progress.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Refuses what cannot be uploaded, before anything is.
pub(super) fn check_file(path: &Path) -> Result<()> {
    let found =
        std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if found.is_dir() {
        bail!("{} is a folder; name the files in it", path.display());
    }
    if !found.is_file() {
        bail!("{} is no regular file", path.display());
    }
    Ok(())
}

/// Returns a file as a part of a form, read as it is sent.
pub(super) async fn part(path: &Path) -> Result<Part> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no UTF-8 name", path.display()))?;
    let (body, bytes) = opened(path, name).await?;
    Ok(Part::stream_with_length(body, bytes).file_name(name.to_owned()))
}

/// Returns a file as a request's body, read as it is sent.
pub(super) async fn body_of(path: &Path) -> Result<Body> {
    check_file(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(opened(path, &name).await?.0)
}

/// Returns a file to be sent, and its length.
async fn opened(path: &Path, name: &str) -> Result<(Body, u64)> {
    let opened = async {
        let file = File::open(path).await?;
        let bytes = file.metadata().await?.len();
        std::io::Result::Ok((file, bytes))
    };
    let (file, bytes) = opened
        .await
        .with_context(|| format!("cannot read {}", path.display()))?;
    let progress = Progress::new("sent", name, Some(bytes));
    Ok((Body::wrap_stream(chunks(file, progress)), bytes))
}

fn chunks(file: File, progress: Progress) -> impl Stream<Item = std::io::Result<Bytes>> {
    futures::stream::try_unfold((file, progress), |(mut file, mut progress)| async move {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        if file.read_buf(&mut chunk).await? == 0 {
            return Ok(None);
        }
        progress.add(chunk.len());
        Ok(Some((chunk.freeze(), (file, progress))))
    })
}

/// Where a download goes.
#[derive(Args)]
pub(super) struct SaveArgs {
    /// A file or folder, or - for standard output; by default the content's own name, in this folder
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
}

impl SaveArgs {
    /// Gets the content at `path`, which is called `name`. A file appears under its name once it is whole.
    pub(super) async fn save(
        &self,
        client: &Client,
        path: &str,
        name: &str,
        is_json: bool,
    ) -> Result<()> {
        let Some(target) = self.target(name)? else {
            let mut stdout = std::io::stdout();
            receive(client, path, "standard output", &mut stdout).await?;
            return Ok(());
        };
        match target.symlink_metadata() {
            Ok(_) if !self.force => return Err(is_there(&target)),
            // Never a device, a link or what else has a name.
            Ok(found) if !found.is_file() => bail!(
                "{} is no regular file, so it is not replaced; -o names another file",
                target.display()
            ),
            _ => {}
        }
        let shown = target.display().to_string();
        let mut file = beside(&target).with_context(|| format!("cannot write {shown}"))?;
        let bytes = receive(client, path, &shown, &mut file).await?;
        file.as_file()
            .sync_all()
            .with_context(|| format!("cannot write {shown}"))?;
        let kept = match self.force {
            true => file.persist(&target),
            false => file.persist_noclobber(&target),
        };
        if let Err(error) = kept {
            return match error.error.kind() {
                std::io::ErrorKind::AlreadyExists => Err(is_there(&target)),
                _ => Err(error.error).with_context(|| format!("cannot write {shown}")),
            };
        }
        let saved: Value = json!({"path": shown, "size_bytes": bytes});
        match is_json {
            true => say!("{saved}"),
            false => say!("{}  {}", plain(&shown), size(bytes)),
        }
        Ok(())
    }

    /// Returns the file to be made; `None` for standard output.
    fn target(&self, name: &str) -> Result<Option<PathBuf>> {
        match &self.output {
            Some(output) if output.as_os_str() == "-" => Ok(None),
            Some(output) if output.is_dir() => Ok(Some(output.join(own_name(name)?))),
            Some(output) => Ok(Some(output.clone())),
            None => Ok(Some(PathBuf::from(own_name(name)?))),
        }
    }
}

/// Returns the name that a daemon gives a content, if it leads to no other place.
fn own_name(name: &str) -> Result<&str> {
    let is_name = !matches!(name, "" | "." | "..")
        && !name
            .chars()
            .any(|c| c.is_control() || matches!(c, '/' | '\\'));
    match is_name {
        true => Ok(name),
        false => bail!("the content is called {name:?}, which is no file name; give one with -o"),
    }
}

fn is_there(target: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} is there already; --force replaces it, -o names another file",
        target.display()
    )
}

/// Makes the file that becomes `target`, with the rights that any new file gets.
fn beside(target: &Path) -> std::io::Result<NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Builder::new()
        .prefix(".sinew-download-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

async fn receive(client: &Client, path: &str, name: &str, to: &mut impl Write) -> Result<u64> {
    let response = client.content(path).await?;
    let mut progress = Progress::new("received", name, response.content_length());
    let mut content = response.bytes_stream();
    while let Some(chunk) = content.try_next().await.context("the content broke off")? {
        to.write_all(&chunk)
            .with_context(|| format!("cannot write {name}"))?;
        progress.add(chunk.len());
    }
    to.flush().with_context(|| format!("cannot write {name}"))?;
    Ok(progress.done)
}

/// Shows on the terminal, if standard error is one, how far a transfer is; dropping it removes the line.
struct Progress {
    verb: &'static str,
    name: String,
    done: u64,
    bytes: Option<u64>,
    is_terminal: bool,
    looked_at: Option<Instant>,
}

impl Progress {
    fn new(verb: &'static str, name: &str, bytes: Option<u64>) -> Self {
        Self {
            verb,
            name: plain(name),
            done: 0,
            bytes,
            is_terminal: std::io::stderr().is_terminal(),
            looked_at: None,
        }
    }

    fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        let is_due = self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if self.is_terminal && is_due {
            self.looked_at = Some(Instant::now());
            eprint!("\r\u{1b}[K{}", self.line());
        }
    }

    fn line(&self) -> String {
        let done = size(self.done);
        match self.bytes {
            Some(bytes) if bytes > 0 => {
                let percent = self.done.saturating_mul(100) / bytes;
                let (verb, name) = (self.verb, &self.name);
                format!("{verb} {done} of {} ({percent} %)  {name}", size(bytes))
            }
            _ => format!("{} {done}  {}", self.verb, self.name),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.looked_at.is_some() {
            eprint!("\r\u{1b}[K");
        }
    }
}

/// Returns a size for people.
pub(super) fn size(bytes: u64) -> String {
    let mut rest = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB"] {
        if rest < 1_000.0 {
            break;
        }
        rest /= 1_000.0;
        unit = larger;
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ => format!("{rest:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_progress_says_how_far_it_is() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (524_288_000, "524.3 MB"),
            (5_000_000_000_000, "5000.0 GB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
        let mut progress = Progress::new("sent", "a\u{1b}[2J", Some(2_000));
        progress.done = 500;
        assert_eq!(progress.line(), "sent 500 B of 2.0 kB (25 %)  a[2J");
        progress.bytes = Some(0);
        assert_eq!(progress.line(), "sent 500 B  a[2J");
    }

    #[test]
    fn a_daemon_names_no_other_place() {
        for bad in ["", ".", "..", "../x", "/etc/passwd", "a\\b", "a\n"] {
            assert!(own_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(own_name("é b.csv").unwrap(), "é b.csv");
    }
}
