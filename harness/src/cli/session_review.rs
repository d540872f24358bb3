//! `sinew session review`, `approve` and `deny`: what calls would change, and the word on it.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::client::Client;
use super::resource::{One, text};
use crate::json::Fields as _;

#[derive(Args)]
pub(super) struct ApproveArgs {
    /// Session id
    id: String,
    /// The call, by the id of its event; by default all that wait
    #[arg(long, value_name = "EVENT_ID")]
    call: Option<String>,
    /// Let only this file or folder land, by its whole path; may be given several times
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Args)]
pub(super) struct DenyArgs {
    /// Session id
    id: String,
    /// The call, by the id of its event; by default all that wait
    #[arg(long, value_name = "EVENT_ID")]
    call: Option<String>,
    /// Why, for the model
    #[arg(short, long)]
    message: Option<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
}

async fn waiting(client: &Client, id: &str) -> Result<Vec<Value>> {
    let path = format!("/sinew/v1/sessions/{id}/reviews");
    let reviews = client.get(&path).await?;
    Ok(reviews.at("data").as_array().cloned().unwrap_or_default())
}

/// Shows what waits, as patches.
pub(super) async fn review(one: One) -> Result<()> {
    let client = one.daemon.client()?;
    for review in waiting(&client, &one.id).await? {
        if one.daemon.json {
            say!("{review}");
            continue;
        }
        say!("# call {}", text(review.at("tool_use_id")));
        say_part!("{}", text(review.at("patch")));
        if *review.at("is_truncated") == true {
            say!("# ... and more");
        }
    }
    Ok(())
}

pub(super) async fn approve(args: ApproveArgs) -> Result<()> {
    let mut answer = json!({"type": "user.tool_confirmation", "result": "allow"});
    if !args.files.is_empty() {
        answer.set("sinew", json!({"files": args.files}));
    }
    send(&args.daemon, &args.id, args.call, answer).await
}

pub(super) async fn deny(args: DenyArgs) -> Result<()> {
    let answer = json!({
        "type": "user.tool_confirmation",
        "result": "deny",
        "deny_message": args.message,
    });
    send(&args.daemon, &args.id, args.call, answer).await
}

async fn send(daemon: &DaemonArgs, id: &str, call: Option<String>, answer: Value) -> Result<()> {
    let client = daemon.client()?;
    let calls = match call {
        Some(call) => vec![call],
        None => {
            let reviews = waiting(&client, id).await?;
            reviews
                .iter()
                .map(|review| text(review.at("tool_use_id")))
                .collect()
        }
    };
    if calls.is_empty() {
        bail!(
            "no call of {id} waits for a review; calls that ask are answered by \"sinew session send --allow\""
        );
    }
    let events: Vec<Value> = calls
        .into_iter()
        .map(|call| {
            let mut event = answer.clone();
            event.set("tool_use_id", json!(call));
            event
        })
        .collect();
    let path = format!("/v1/sessions/{id}/events");
    let stored = client.post(&path, &json!({ "events": events })).await?;
    for event in stored.at("data").as_array().into_iter().flatten() {
        match daemon.json {
            true => say!("{event}"),
            false => say!(
                "{} {}",
                text(event.at("result")),
                text(event.at("tool_use_id"))
            ),
        }
    }
    Ok(())
}
