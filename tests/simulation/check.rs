//! What must be true of a session that has come to rest, whatever happened on the way.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sinew::ids::SessionId;
use sinew::store::{Place, Store, StoredEvent};
use sinew_tests::log_rules;

use crate::hands::{TOOL, lines_of};
use crate::user::User;

/// Tools by which an agent keeps to the rules of its supervision.
const SUPERVISION: [&str; 3] = ["make_plan", "finish_step", "ask_user"];

/// Refuses a session at rest if it breaks a rule; `wire` is what the API lists.
pub async fn session(store: &dyn Store, user: &User, wire: &[Value]) -> Result<()> {
    let events = log_rules::read_stored(store, &user.session).await?;
    let id = SessionId::from_text(user.session.as_str());
    let row = store.session(&id).await?;
    // Both leave in the list what the session turned away from in the middle of a turn.
    let turns_away =
        |event: &StoredEvent| matches!(event.kind.as_str(), "sinew.forked" | "sinew.rewound");
    if !events.iter().any(turns_away) {
        log_rules::check(wire)?;
    }
    acknowledged(user, &events)?;
    let counted = log_rules::counted(&row, &events);
    effects(store, &id, &counted).await
}

/// What the client was told is there once; what it was not told, at most once.
fn acknowledged(user: &User, events: &[StoredEvent]) -> Result<()> {
    let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == "user.message") {
        let text = event.body["content"][0]["text"].as_str();
        let text = text.context("a message without text")?;
        said.entry(text).or_default().push(event.id.as_str());
    }
    for (text, id) in &user.told {
        let found = said.get(text.as_str()).map(Vec::as_slice);
        ensure!(
            found == Some(&[id.as_str()]),
            "{text:?} was acknowledged as {id} and is there as {found:?}"
        );
    }
    for text in &user.refused {
        ensure!(
            !said.contains_key(text.as_str()),
            "{text:?} was refused and is there"
        );
    }
    for text in &user.untold {
        let found = said.get(text.as_str()).map_or(0, Vec::len);
        ensure!(
            found <= 1,
            "{text:?} was sent once and is there {found} times"
        );
    }
    Ok(())
}

/// The file has a line of each call that says so, made on the lines before it, and of no other call.
async fn effects(store: &dyn Store, id: &SessionId, counted: &[StoredEvent]) -> Result<()> {
    let mut calls = BTreeSet::new();
    let mut written: BTreeMap<&str, String> = BTreeMap::new();
    let mut maybe = BTreeSet::new();
    // What graders change is undone.
    let begun = |event: &&StoredEvent| event.kind == "span.outcome_evaluation_start";
    let graders: BTreeSet<String> = counted
        .iter()
        .filter(begun)
        .filter_map(|event| event.private.as_ref()?["grader"]["thread_id"].as_str())
        .map(str::to_owned)
        .collect();
    let is_graders = |event: &StoredEvent| {
        let thread = event.thread_id.as_ref();
        thread.is_some_and(|thread| graders.contains(thread.as_str()))
    };
    for event in counted.iter().filter(|event| !is_graders(event)) {
        match event.kind.as_str() {
            "agent.tool_use" => {
                let name = event.body["name"].as_str().unwrap_or_default();
                ensure!(
                    name == TOOL || SUPERVISION.contains(&name),
                    "an unknown tool is called"
                );
                calls.insert(event.id.as_str());
            }
            "agent.tool_result" => {
                let call = event.body["tool_use_id"].as_str().unwrap_or_default();
                ensure!(calls.remove(call), "{call} has a result too many");
                // Of a validation it says itself what it wrote, behind what the harness says of it.
                let is_validation = event.body["sinew"]["validation"].is_string();
                let text = event.body["content"][usize::from(is_validation)]["text"].as_str();
                let text = text.unwrap_or_default();
                if is_validation || (event.body["is_error"] == false && text.starts_with("line ")) {
                    written.insert(call, format!("{call} {}", text.trim_start_matches("line ")));
                } else if text.contains("interrupted") {
                    maybe.insert(call);
                }
            }
            _ => {}
        }
    }
    let last = counted.last().map_or(0, |event| event.number);
    let files = store.files().files_at(id, last).await?;
    let file = match files {
        None => String::new(),
        Some(files) => match store.files().places(&[files.root]).await?.first() {
            Some(Some(Place::Row(object))) => lines_of(object),
            other => bail!("the root of the files is {other:?}"),
        },
    };
    let mut seen = BTreeSet::new();
    for (number, line) in file.lines().enumerate() {
        let call = line.split(' ').next().unwrap_or_default();
        ensure!(seen.insert(call), "{call} has two effects:\n{file}");
        ensure!(
            line == format!("{call} {number}"),
            "line {number} was made on another file:\n{file}"
        );
        match written.remove(call) {
            Some(expected) => ensure!(line == expected, "{line:?} and not {expected:?}:\n{file}"),
            None => ensure!(
                maybe.contains(call),
                "{call} has an effect and no result:\n{file}"
            ),
        }
    }
    ensure!(
        written.is_empty(),
        "results without an effect: {written:?}:\n{file}"
    );
    Ok(())
}
