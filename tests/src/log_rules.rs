//! The rules that every session's log keeps, whatever happened to the daemon on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use sinew::clock::Timestamp;
use sinew::data_dir::database;
use sinew::ids::SessionId;
use sinew::session::{Limits, PROJECTION_PRIVATE, State, counting, project, rewinds_of};
use sinew::store::{Resource, SqliteOptions, SqliteStore, Store, StoreError, StoredEvent};

/// Events read at once.
const PAGE: usize = 1_000;

/// Refuses the events of a session that is not at work if they break a rule.
pub fn check(events: &[Value]) -> Result<()> {
    let mut problems = Vec::new();
    ids_and_times(events, &mut problems);
    statuses(events, &mut problems);
    requests(events, &mut problems);
    calls(events, &mut problems);
    let shown: Vec<String> = events.iter().map(short).collect();
    ensure!(
        problems.is_empty(),
        "the log breaks its rules:\n  {}\n{}",
        problems.join("\n  "),
        shown.join("\n")
    );
    Ok(())
}

/// Returns an event's type.
pub fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or_default()
}

/// Returns the types of events.
pub fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(kind).collect()
}

/// Returns the events of one type.
pub fn of_kind<'a>(events: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| kind(event) == wanted)
        .collect()
}

/// Returns the text of an event's content.
pub fn text_of(event: &Value) -> String {
    let blocks = event["content"].as_array().into_iter().flatten();
    let texts: Vec<&str> = blocks.filter_map(|block| block["text"].as_str()).collect();
    texts.join("\n")
}

fn short(event: &Value) -> String {
    let mut line = event.to_string();
    line.truncate(line.floor_char_boundary(200));
    line
}

fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap_or_default()
}

fn ids_and_times(events: &[Value], problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let mut latest: Option<Timestamp> = None;
    for event in events {
        if !seen.insert(id(event)) {
            problems.push(format!("{} comes twice", id(event)));
        }
        let at = event["processed_at"]
            .as_str()
            .and_then(|at| at.parse().ok());
        match (latest, at) {
            (_, None) => problems.push(format!("{} was never processed", id(event))),
            (Some(before), Some(at)) if at < before => {
                problems.push(format!("{} is older than the event before it", id(event)));
            }
            _ => {}
        }
        latest = at.or(latest);
    }
}

/// Status events come in their fixed groups and follow from each other. Where there are several threads, a session's status
/// is that of all together.
fn statuses(events: &[Value], problems: &mut Vec<String>) {
    let is_one = events.iter().all(|event| {
        !matches!(
            kind(event),
            "session.thread_created" | "span.outcome_evaluation_start"
        )
    });
    let mut status = "idle";
    for (index, event) in events.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).and_then(|at| events.get(at));
        let kind_before = |back| before(back).map(kind).unwrap_or_default();
        let next = match kind(event) {
            "session.status_running" => {
                if is_one && kind_before(1) != "session.thread_status_running" {
                    problems.push(format!("{}: no thread_status_running before it", id(event)));
                }
                "running"
            }
            "session.status_idle" => {
                let is_group = kind_before(1) == "session.usage"
                    && (!is_one
                        || (kind_before(2) == "session.thread_status_idle"
                            && before(2).is_some_and(|thread| {
                                thread["stop_reason"] == event["stop_reason"]
                            })));
                if !is_group {
                    problems.push(format!(
                        "{}: not behind thread_status_idle, usage",
                        id(event)
                    ));
                }
                "idle"
            }
            "session.status_rescheduled" => "rescheduled",
            "session.status_terminated" => "terminated",
            _ => continue,
        };
        if (status == "running" && next == "running") || status == "terminated" {
            problems.push(format!("{}: {next} after {status}", id(event)));
        }
        status = next;
    }
    if !matches!(status, "idle" | "terminated") {
        problems.push(format!("the session ends {status}"));
    }
}

/// One model request at a time; what the model says lies inside one.
fn requests(events: &[Value], problems: &mut Vec<String>) {
    let mut open: Option<&str> = None;
    for event in events {
        match kind(event) {
            "span.model_request_start" => {
                if let Some(open) = open {
                    problems.push(format!("{open} has no end before {}", id(event)));
                }
                open = Some(id(event));
            }
            "span.model_request_end" if open.take() != event["model_request_start_id"].as_str() => {
                problems.push(format!("{} ends a request that is not open", id(event)));
            }
            "agent.message" | "agent.thinking" | "agent.tool_use" | "agent.custom_tool_use"
                if open.is_none() && event["session_thread_id"].is_null() =>
            {
                problems.push(format!("{} ({}) is in no request", id(event), kind(event)));
            }
            _ => {}
        }
    }
    if let Some(open) = open {
        problems.push(format!("{open} has no end"));
    }
}

/// Every call of a built-in tool has exactly one result, behind it, ours or a worker's.
fn calls(events: &[Value], problems: &mut Vec<String>) {
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_others: BTreeSet<&str> = BTreeSet::new();
    for event in events {
        match kind(event) {
            // Of a call of an agent that was started, only the agent's own thread has the result.
            "agent.tool_use" | "agent.mcp_tool_use" if event["session_thread_id"].is_string() => {
                of_others.insert(id(event));
            }
            "agent.tool_use" | "agent.mcp_tool_use" => {
                results.insert(id(event), 0);
            }
            "agent.tool_result" | "agent.mcp_tool_result" | "user.tool_result" => {
                let of = event["tool_use_id"].as_str();
                let of = of.or(event["mcp_tool_use_id"].as_str()).unwrap_or_default();
                match results.get_mut(of) {
                    _ if of_others.contains(of) => {}
                    Some(count) => *count += 1,
                    None => problems.push(format!("{} answers no call before it", id(event))),
                }
            }
            _ => {}
        }
    }
    let is_waiting = |call: &str| {
        events.iter().rev().take(1).any(|last| {
            let waiting = last["stop_reason"]["event_ids"]
                .as_array()
                .into_iter()
                .flatten();
            kind(last) == "session.status_idle" && waiting.into_iter().any(|id| id == call)
        })
    };
    for (call, count) in results {
        if count != 1 && !(count == 0 && is_waiting(call)) {
            problems.push(format!("the call {call} has {count} results"));
        }
    }
}

/// Reads a session's log from the data folder of a daemon that has ended, and refuses it if numbers are
/// missing or the session's row is not what follows from the log. Returns the log's last number.
pub async fn check_stored(data: &Path, session: &str) -> Result<u64> {
    let store = SqliteStore::open(SqliteOptions::new(database(data)))?;
    Ok(read_stored(&store, session).await?.len() as u64)
}

/// Reads a session's log, and refuses it as [`check_stored`] does.
pub async fn read_stored(store: &dyn Store, session: &str) -> Result<Vec<StoredEvent>> {
    let session_id = SessionId::from_text(session);
    let events = read_all(store, &session_id).await?;
    let contiguous = (1u64..)
        .zip(&events)
        .all(|(number, event)| event.number == number);
    ensure!(contiguous, "{session}: the numbers have a gap or a repeat");
    let row = store.session(&session_id).await?;
    let counted = counted(&row, &events);
    let state = State::fold(&session_id, &counted)?;
    ensure!(
        state.last == store.last_number(&session_id).await? && state.last == events.len() as u64,
        "{session}: wrong last number"
    );
    let projection = project(&state, &Limits::default());
    ensure!(
        row.body == projection.body,
        "{session}: the row is not what follows from the log:\n{}\n{}",
        row.body,
        projection.body
    );
    ensure!(
        row.status.as_deref() == Some(&projection.status),
        "{session}: the row says {:?}, the log {}",
        row.status,
        projection.status
    );
    Ok(events)
}

/// Returns those of a log's events that the session did not go back behind.
pub fn counted(row: &Resource, events: &[StoredEvent]) -> Vec<StoredEvent> {
    let rewinds = rewinds_of(&row.body[PROJECTION_PRIVATE]["rewinds"]);
    let ranges = counting(&rewinds, u64::MAX);
    let counts = |event: &&StoredEvent| {
        let number = event.number;
        ranges
            .iter()
            .any(|range| range.first <= number && number <= range.last)
    };
    events.iter().filter(counts).cloned().collect()
}

/// Reads all events of a session, and holds them against nothing.
pub async fn read_all(
    store: &dyn Store,
    session_id: &SessionId,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events = Vec::new();
    loop {
        let page = store.read(session_id, events.len() as u64, PAGE).await?;
        let is_last = page.len() < PAGE;
        events.extend(page);
        if is_last {
            return Ok(events);
        }
    }
}
