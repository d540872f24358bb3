//! The memories of one store by their paths, as people name them; the API names them by ids.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::DaemonArgs;
use super::client::Client;
use super::render::plain;
use super::resource::{delete, print, text};
use super::transfer::size;
use crate::json::Fields as _;
use crate::memory::CONTENT_BYTES_MAX;

/// One memory store.
pub(super) struct Store<'a> {
    daemon: &'a DaemonArgs,
    client: Client,
    id: &'a str,
}

impl<'a> Store<'a> {
    pub(super) fn new(daemon: &'a DaemonArgs, id: &'a str) -> Result<Self> {
        Ok(Self {
            daemon,
            client: daemon.client()?,
            id,
        })
    }

    /// Prints what is in the folder `prefix`.
    pub(super) async fn list(&self, prefix: &str, is_deep: bool) -> Result<()> {
        for entry in self.below(&folder(prefix), is_deep).await? {
            print(&entry, self.daemon, line);
        }
        Ok(())
    }

    /// Prints a memory's text as it is, or without what could drive a terminal.
    pub(super) async fn print(&self, path: &str) -> Result<()> {
        let memory = self.client.get(&self.path_of(path).await?).await?;
        if self.daemon.json {
            say!("{memory}");
            return Ok(());
        }
        let content = memory.at("content").as_str().unwrap_or_default();
        let mut stdout = std::io::stdout();
        let shown = match stdout.is_terminal() {
            true => plain(content),
            false => content.to_owned(),
        };
        stdout.write_all(shown.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Writes a memory, whatever it held before.
    pub(super) async fn put(&self, path: &str, content: &str) -> Result<()> {
        let put = match self.find(path).await? {
            Some(memory) => {
                let id = memory.at("id").as_str().unwrap_or_default();
                let path = format!("{}/{id}", self.memories());
                self.client.post(&path, &json!({"content": content})).await
            }
            None => {
                let body = json!({"path": rooted(path), "content": content});
                self.client.post(&self.memories(), &body).await
            }
        };
        print(&put?, self.daemon, line);
        Ok(())
    }

    pub(super) async fn remove(&self, path: &str) -> Result<()> {
        let at = self.path_of(path).await?;
        delete(self.daemon, &at, &rooted(path)).await
    }

    /// Prints the versions of a memory, which may be gone, or of all.
    pub(super) async fn versions(&self, path: Option<&str>) -> Result<()> {
        let mut query = "?limit=100".to_owned();
        let mut wanted = path.map(rooted);
        if let Some(path) = path
            && let Some(memory) = self.find(path).await?
        {
            // Of one that lives, also those from before it was moved here.
            query = format!("{query}&memory_id={}", text(memory.at("id")));
            wanted = None;
        }
        let all = format!("/v1/memory_stores/{}/memory_versions{query}", self.id);
        let mut versions = self.client.all(&all).await?;
        if let Some(path) = wanted {
            versions.retain(|version| *version.at("path") == *path);
            if versions.is_empty() {
                return Err(self.missing(&path));
            }
        }
        for version in versions {
            print(&version, self.daemon, version_line);
        }
        Ok(())
    }

    pub(super) async fn redact(&self, version: &str) -> Result<()> {
        let id = self.id;
        let path = format!("/v1/memory_stores/{id}/memory_versions/{version}/redact");
        let redacted = self.client.post(&path, &Value::Null).await?;
        print(&redacted, self.daemon, version_line);
        Ok(())
    }

    fn memories(&self) -> String {
        format!("/v1/memory_stores/{}/memories", self.id)
    }

    async fn below(&self, folder: &str, is_deep: bool) -> Result<Vec<Value>> {
        let folder: String = byte_serialize(folder.as_bytes()).collect();
        let depth = if is_deep { 0 } else { 1 };
        let query = format!("?limit=100&path_prefix={folder}&depth={depth}");
        self.client
            .all(&format!("{}{query}", self.memories()))
            .await
    }

    async fn find(&self, path: &str) -> Result<Option<Value>> {
        let path = rooted(path);
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let listed = self.below(&folder(above), false).await?;
        let is_it = |entry: &Value| *entry.at("path") == *path && *entry.at("type") == "memory";
        Ok(listed.into_iter().find(is_it))
    }

    /// Returns where the API has the memory at a path. Errors: there is none.
    async fn path_of(&self, path: &str) -> Result<String> {
        let memory = self.find(path).await?;
        let memory = memory.ok_or_else(|| self.missing(&rooted(path)))?;
        let id = memory.at("id").as_str().unwrap_or_default();
        Ok(format!("{}/{id}", self.memories()))
    }

    fn missing(&self, path: &str) -> anyhow::Error {
        let id = self.id;
        anyhow::anyhow!(
            "the store {id} has no memory {path}; \"sinew memory ls {id} -r\" shows what it has"
        )
    }
}

/// Reads what is to be a memory: a text that is not too large.
pub(super) fn put_source(file: &Path) -> Result<String> {
    let name = match file.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let bytes_max = CONTENT_BYTES_MAX as u64;
    let mut bytes = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().take(bytes_max + 1).read_to_end(&mut bytes),
        false => std::fs::File::open(file)
            .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("cannot read {name}"))?;
    if bytes.len() > CONTENT_BYTES_MAX {
        bail!("{name} has more than {CONTENT_BYTES_MAX} bytes; split it into several memories");
    }
    String::from_utf8(bytes).with_context(|| format!("{name} is no UTF-8 text"))
}

/// Every path begins with a slash, whether people write it or not.
fn rooted(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// Folders end with a slash, too.
fn folder(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}

fn line(entry: &Value) -> String {
    let bytes = entry.at("content_size_bytes").as_u64();
    format!(
        "{:>9}  {:<24}  {}",
        bytes.map(size).unwrap_or_default(),
        text(entry.at("updated_at")),
        text(entry.at("path")),
    )
}

fn version_line(version: &Value) -> String {
    let actor = version.at("created_by");
    let ids = [actor.at("session_id"), actor.at("api_key_id")];
    let by = ids.iter().find_map(|id| id.as_str()).unwrap_or("-");
    let state = match version.at("redacted_at") {
        Value::Null => text(version.at("path")),
        _ => "(redacted)".to_owned(),
    };
    format!(
        "{}  {}  {:<8}  {}  {state}",
        text(version.at("id")),
        text(version.at("created_at")),
        text(version.at("operation")),
        plain(by),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_rooted_and_folders_end() {
        for (given, path, as_folder) in [
            ("a", "/a", "/a/"),
            ("/a/b", "/a/b", "/a/b/"),
            ("//a/", "/a/", "/a/"),
            ("", "/", "/"),
            ("/", "/", "/"),
        ] {
            assert_eq!(rooted(given), path);
            assert_eq!(folder(given), as_folder);
        }
    }
}
