//! `sinew session fork`, `rewind` and `diff`: a session's history.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::resource::text;
use crate::json::Fields as _;

/// A point in a session's history.
#[derive(Args)]
pub(super) struct PointArgs {
    /// Once this event has happened
    #[arg(long, value_name = "EVENT_ID", conflicts_with = "before")]
    at: Option<String>,
    /// Just before this event
    #[arg(long, value_name = "EVENT_ID")]
    before: Option<String>,
}

impl PointArgs {
    fn add_to(&self, body: &mut Value) {
        if let Some(at) = &self.at {
            body.set("event_id", json!(at));
        }
        if let Some(before) = &self.before {
            body.set("before_event_id", json!(before));
        }
    }
}

#[derive(Args)]
pub(super) struct ForkArgs {
    /// Session id
    id: String,
    #[command(flatten)]
    point: PointArgs,
    /// Title of the new session
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Args)]
pub(super) struct RewindArgs {
    /// Session id
    id: String,
    #[command(flatten)]
    point: PointArgs,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Args)]
pub(super) struct DiffArgs {
    /// Session id
    id: String,
    /// The files once this event has happened; by default those that the session began with
    #[arg(long, value_name = "EVENT_ID")]
    from: Option<String>,
    /// The files once this event has happened; by default those of now
    #[arg(long, value_name = "EVENT_ID")]
    to: Option<String>,
    /// Names and numbers of lines in place of the patch
    #[arg(long)]
    stat: bool,
    /// Lines around each change
    #[arg(short = 'U', long, default_value_t = 3)]
    context: u32,
    #[command(flatten)]
    daemon: DaemonArgs,
}

/// Makes a copy of a session as it was at a point.
pub(super) async fn fork(args: ForkArgs) -> Result<()> {
    let mut body = json!({});
    args.point.add_to(&mut body);
    if let Some(title) = &args.title {
        body.set("title", json!(title));
    }
    let path = format!("/sinew/v1/sessions/{}/fork", args.id);
    let made = args.daemon.client()?.post(&path, &body).await?;
    match args.daemon.json {
        true => say!("{made}"),
        false => say!("{}", text(made.at("id"))),
    }
    Ok(())
}

/// Takes a session back to a point.
pub(super) async fn rewind(args: RewindArgs) -> Result<()> {
    let mut body = json!({});
    args.point.add_to(&mut body);
    let path = format!("/sinew/v1/sessions/{}/rewind", args.id);
    let session = args.daemon.client()?.post(&path, &body).await?;
    match args.daemon.json {
        true => say!("{session}"),
        false => say!(
            "{} is as it was; what came behind stays in its log",
            text(session.at("id"))
        ),
    }
    Ok(())
}

/// Shows what changed of a session's files.
pub(super) async fn diff(args: DiffArgs) -> Result<()> {
    let is_patch = !args.stat && !args.daemon.json;
    let kind = if is_patch { "patch" } else { "diff" };
    let mut path = format!(
        "/sinew/v1/sessions/{}/{kind}?context={}",
        args.id, args.context
    );
    for (name, event) in [("from_event_id", &args.from), ("to_event_id", &args.to)] {
        if let Some(event) = event {
            path.push_str(&format!("&{name}={event}"));
        }
    }
    let client = args.daemon.client()?;
    if is_patch {
        let patch = client.content(&path).await?.text().await?;
        say_part!("{patch}");
        return Ok(());
    }
    let diff = client.get(&path).await?;
    if args.daemon.json {
        say!("{diff}");
        return Ok(());
    }
    for file in diff.at("files").as_array().into_iter().flatten() {
        say!("{}", stat_line(file));
    }
    if *diff.at("is_truncated") == true {
        say!("... and more");
    }
    Ok(())
}

fn stat_line(file: &Value) -> String {
    let change = match text(file.at("change")).as_str() {
        "added" => 'A',
        "removed" => 'D',
        _ => 'M',
    };
    let path = text(file.at("path"));
    match file.at("patch") {
        Value::Null => {
            let side = |name: &str| match file.at(name).at("bytes").as_u64() {
                Some(bytes) => format!("{bytes} bytes"),
                None => text(file.at(name).at("kind")),
            };
            let sides = [side("old"), side("new")];
            let known: Vec<&str> = sides
                .iter()
                .map(String::as_str)
                .filter(|side| !side.is_empty())
                .collect();
            format!("{change} {path}  ({})", known.join(" -> "))
        }
        _ => format!(
            "{change} {path}  +{} -{}",
            file.at("additions"),
            file.at("deletions")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_one_line() {
        let text = json!({"path": "/workspace/a", "change": "added", "patch": "@@", "additions": 3,
            "deletions": 0});
        assert_eq!(stat_line(&text), "A /workspace/a  +3 -0");
        let binary = json!({"path": "/workspace/b", "change": "modified", "patch": null,
            "old": {"kind": "file", "bytes": 3}, "new": {"kind": "file", "bytes": 5}});
        assert_eq!(stat_line(&binary), "M /workspace/b  (3 bytes -> 5 bytes)");
        let folder = json!({"path": "/tmp/c", "change": "removed", "patch": null, "old": {"kind": "folder"}});
        assert_eq!(stat_line(&folder), "D /tmp/c  (folder)");
    }
}
