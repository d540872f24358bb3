//! What the commands of every kind of resource share: several are listed, one a line; one is named by its id, and
//! shown, archived or deleted.

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::DaemonArgs;
use super::render::plain;
use crate::json::Fields as _;

/// One resource of a daemon.
#[derive(Args)]
pub(super) struct One {
    /// Its id
    #[arg(value_parser = id)]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) daemon: DaemonArgs,
}

/// All resources of a daemon.
#[derive(Args)]
pub(super) struct All {
    /// Also archived ones
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    pub(super) daemon: DaemonArgs,
}

impl All {
    /// Returns the query of a list.
    pub(super) fn query(&self) -> String {
        format!("?limit=100&include_archived={}", self.archived)
    }
}

/// A kind of resource.
pub(super) struct Kind {
    /// The path of the list, to which ids are added.
    pub(super) path: &'static str,
    /// Returns one of them for people.
    pub(super) line: fn(&Value) -> String,
}

impl Kind {
    pub(super) async fn list(&self, daemon: &DaemonArgs, query: &str) -> Result<()> {
        let path = format!("{}{query}", self.path);
        for one in daemon.client()?.all(&path).await? {
            self.print(&one, daemon);
        }
        Ok(())
    }

    /// Shows all there is to know of one, as JSON.
    pub(super) async fn show(&self, one: &One) -> Result<()> {
        let found = one.daemon.client()?.get(&self.path_of(&one.id)).await?;
        say!("{found:#}");
        Ok(())
    }

    pub(super) async fn create(&self, daemon: &DaemonArgs, body: &Value) -> Result<()> {
        let made = daemon.client()?.post(self.path, body).await?;
        self.print(&made, daemon);
        Ok(())
    }

    pub(super) async fn archive(&self, one: &One) -> Result<()> {
        self.print(&self.post(one, "archive").await?, &one.daemon);
        Ok(())
    }

    /// Has one do what `verb` says, and returns the answer.
    pub(super) async fn post(&self, one: &One, verb: &str) -> Result<Value> {
        let path = format!("{}/{verb}", self.path_of(&one.id));
        one.daemon.client()?.post(&path, &Value::Null).await
    }

    pub(super) async fn delete(&self, one: &One) -> Result<()> {
        delete(&one.daemon, &self.path_of(&one.id), &one.id).await
    }

    pub(super) fn print(&self, one: &Value, daemon: &DaemonArgs) {
        print(one, daemon, self.line);
    }

    fn path_of(&self, id: &str) -> String {
        format!("{}/{id}", self.path)
    }
}

/// Deletes what is at `path`; people know it as `name`.
pub(super) async fn delete(daemon: &DaemonArgs, path: &str, name: &str) -> Result<()> {
    let gone = daemon.client()?.delete(path).await?;
    print(&gone, daemon, |_| format!("deleted {}", plain(name)));
    Ok(())
}

/// Prints JSON for programs, else a line.
pub(super) fn print(one: &Value, daemon: &DaemonArgs, line: impl Fn(&Value) -> String) {
    if daemon.json {
        say!("{one}");
    } else {
        say!("{}", line(one));
    }
}

/// Reads an id: nothing else may become part of a request's path.
pub(super) fn id(text: &str) -> Result<String, String> {
    let is_id = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !text.is_empty() && text.bytes().all(is_id) {
        return Ok(text.to_owned());
    }
    Err("an id has letters, digits, _ and - only; the list command shows them".to_owned())
}

/// Returns a text of the API for the terminal, nothing for null.
pub(super) fn text(value: &Value) -> String {
    plain(value.as_str().unwrap_or_default())
}

/// Returns `name`, marked if the resource is archived.
pub(super) fn with_state(one: &Value, name: &str) -> String {
    match one.at("archived_at") {
        Value::Null => text(one.at(name)),
        _ => format!("{} (archived)", text(one.at(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lead_elsewhere_is_no_id() {
        for (text, is_good) in [
            ("file_01Ab-c", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            ("a?x=1", false),
            ("é", false),
        ] {
            assert_eq!(id(text).is_ok(), is_good, "{text:?}");
        }
    }
}
