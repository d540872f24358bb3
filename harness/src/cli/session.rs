//! `sinew session`: the sessions of a daemon.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::conversation::{Conversation, TurnEnd};
use super::render::Renderer;
use super::resource::{Kind, One, text};
use super::session_file::{self, ExportArgs, ImportArgs};
use super::session_history::{self, DiffArgs, ForkArgs, RewindArgs};
use super::session_mounts::MountArgs;
use super::session_plan;
use super::session_replay::{self, ReplayArgs};
use super::session_requests;
use super::session_review::{self, ApproveArgs, DenyArgs};
use crate::json::Fields as _;

const SESSIONS: Kind = Kind {
    path: "/v1/sessions",
    line,
};

#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// Create a session of an agent
    #[command(
        after_help = "Example: sinew session create agent_... --file file_...:data.csv --memory memstore_...:ro"
    )]
    Create {
        /// Agent id
        agent: String,
        /// Environment id; the shared local one by default
        #[arg(long)]
        environment: Option<String>,
        /// Title
        #[arg(long)]
        title: Option<String>,
        #[command(flatten)]
        mounts: MountArgs,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List sessions, newest first
    List {
        /// Only these states: idle, running, rescheduling, terminated
        #[arg(long = "status")]
        statuses: Vec<String>,
        /// Also archived ones
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Show one session, as JSON
    Show(One),
    /// Show a session's events from the beginning
    Events {
        /// Session id
        id: String,
        /// Only these types, e.g. agent.message
        #[arg(long = "type")]
        types: Vec<String>,
        /// Stay and show what happens next
        #[arg(long)]
        follow: bool,
        /// One line for each event: its id, its time and its type
        #[arg(long)]
        ids: bool,
        /// Only this thread, with everything that its agent did
        #[arg(long, value_name = "THREAD_ID", conflicts_with = "types")]
        thread: Option<String>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List a session's threads: its own agent's, and those of the agents that were started in it
    #[command(after_help = "What an agent did: sinew session events sesn_... --thread sthr_...")]
    Threads(One),
    /// End a thread that is idle: it makes room for another agent
    ArchiveThread {
        /// Session id
        id: String,
        /// Thread id
        thread: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Make a session that begins as another one was at an event, with its files; both share what they have in common
    Fork(ForkArgs),
    /// Take a session back to an event: its conversation, its files and its shell
    #[command(
        after_help = "Example: sinew session rewind sesn_... --before sevt_...\n\n\
        Event ids: sinew session events sesn_... --ids"
    )]
    Rewind(RewindArgs),
    /// Show what changed of a session's files between two events, as a patch
    Diff(DiffArgs),
    /// Write a session to a file, with its whole history and its files, for another daemon to take up
    #[command(
        after_help = "Example: sinew session export sesn_... -o work.sinew\n\n\
        The file holds everything that was said and done, and no secret of a vault. It is not encrypted."
    )]
    Export(ExportArgs),
    /// Make a session of a file that an export wrote; it goes on where that one was
    #[command(after_help = "Example: sinew session import work.sinew\n\n\
        The session gets a new id. Mounted files, memory stores, vaults and skills stay where they were; the command \
        says which.")]
    Import(ImportArgs),
    /// Do a session again from its log, without any model, and compare: every request, every call's result and files
    #[command(after_help = "Example: sinew session replay work.sinew --verify\n\n\
        Exit status 1 where something differs. Calls of agents with sinew: {deterministic: true} see the same time and \
        the same random bytes again; others may differ by those alone.")]
    Replay(ReplayArgs),
    /// Show what the session's agents planned and how far they are, their limits, and what the session learns
    Plan(One),
    /// Show what the session sent over the network and what was denied, with the credentials that were used
    Requests(One),
    /// Show what calls would change that wait for a review, as patches
    Review(One),
    /// Let what a reviewed call changed land, all of it or some files
    Approve(ApproveArgs),
    /// Discard what a reviewed call changed
    Deny(DenyArgs),
    /// Send a message, an interrupt, the answer to a call that asks, or an outcome
    Send {
        /// Session id
        id: String,
        /// The message
        #[arg(short, long)]
        message: Option<String>,
        /// Stop the turn
        #[arg(long)]
        interrupt: bool,
        /// Allow the call recorded by this event
        #[arg(long, value_name = "EVENT_ID")]
        allow: Vec<String>,
        /// Deny the call recorded by this event
        #[arg(long, value_name = "EVENT_ID")]
        deny: Vec<String>,
        /// Answer the questions, or the call of a custom tool, that this event recorded
        #[arg(long, num_args = 2, value_names = ["EVENT_ID", "TEXT"])]
        answer: Vec<String>,
        /// What is to come out: the agent works until its work meets the rubric
        #[arg(long, value_name = "TASK", requires = "rubric")]
        outcome: Option<String>,
        /// File with the rubric that the work is held against
        #[arg(long, value_name = "FILE", requires = "outcome")]
        rubric: Option<PathBuf>,
        /// Times that the work is held against the rubric
        #[arg(long, value_name = "N", requires = "outcome")]
        max_iterations: Option<u64>,
        /// Show what happens until the agent stops
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Archive a session: it ends, its history stays
    Archive(One),
    /// Delete a session with everything it made
    Delete(One),
}

pub(super) async fn session(command: SessionCommand) -> Result<ExitCode> {
    match command {
        SessionCommand::Create {
            agent,
            environment,
            title,
            mounts,
            daemon,
        } => {
            let client = daemon.client()?;
            let environment = match environment {
                Some(environment) => environment,
                None => super::environment::local(&client).await?,
            };
            let mut body = json!({"agent": agent, "environment_id": environment, "title": title});
            mounts.add_to(&mut body);
            SESSIONS.print(&client.post(SESSIONS.path, &body).await?, &daemon);
        }
        SessionCommand::List {
            statuses,
            archived,
            daemon,
        } => {
            let mut query = format!("?limit=100&include_archived={archived}");
            for status in statuses {
                query.push_str("&statuses[]=");
                query.push_str(&status);
            }
            SESSIONS.list(&daemon, &query).await?;
        }
        SessionCommand::Show(one) => SESSIONS.show(&one).await?,
        SessionCommand::Events {
            id,
            types,
            follow,
            ids,
            thread,
            daemon,
        } => {
            let shown = Shown {
                types: &types,
                thread: thread.as_deref(),
                ids,
            };
            return events(&id, &shown, follow, &daemon).await;
        }
        SessionCommand::Threads(one) => threads(&one).await?,
        SessionCommand::ArchiveThread { id, thread, daemon } => {
            let path = format!("/v1/sessions/{id}/threads/{thread}/archive");
            let thread = daemon.client()?.post(&path, &json!({})).await?;
            say_thread(&thread, 0, daemon.json);
        }
        SessionCommand::Fork(args) => session_history::fork(args).await?,
        SessionCommand::Rewind(args) => session_history::rewind(args).await?,
        SessionCommand::Diff(args) => session_history::diff(args).await?,
        SessionCommand::Export(args) => session_file::export(args).await?,
        SessionCommand::Import(args) => session_file::import(args).await?,
        SessionCommand::Replay(args) => return Box::pin(session_replay::replay(args)).await,
        SessionCommand::Plan(one) => session_plan::plan(one).await?,
        SessionCommand::Requests(one) => session_requests::requests(one).await?,
        SessionCommand::Review(one) => session_review::review(one).await?,
        SessionCommand::Approve(args) => session_review::approve(args).await?,
        SessionCommand::Deny(args) => session_review::deny(args).await?,
        SessionCommand::Send {
            id,
            message,
            interrupt,
            allow,
            deny,
            answer,
            outcome,
            rubric,
            max_iterations,
            follow,
            daemon,
        } => {
            let mut events = answers(&answer);
            events.extend(inputs(message, interrupt, &allow, &deny));
            if let (Some(task), Some(rubric)) = (outcome, rubric) {
                events.push(outcome_of(&task, &rubric, max_iterations)?);
            }
            return send(&id, events, follow, &daemon).await;
        }
        SessionCommand::Archive(one) => SESSIONS.archive(&one).await?,
        SessionCommand::Delete(one) => SESSIONS.delete(&one).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn threads(one: &One) -> Result<()> {
    let client = one.daemon.client()?;
    let path = format!("/v1/sessions/{}/threads?limit=1000", one.id);
    // Whoever is started comes after the one that starts it.
    let mut levels: HashMap<String, usize> = HashMap::new();
    for thread in client.all(&path).await? {
        let above = thread.at("parent_thread_id").as_str();
        let level = above
            .and_then(|above| levels.get(above))
            .map_or(0, |level| level + 1);
        levels.insert(text(thread.at("id")), level);
        say_thread(&thread, level, one.daemon.json);
    }
    Ok(())
}

/// Shows a thread, so many levels below the first.
fn say_thread(thread: &Value, level: usize, is_json: bool) {
    if is_json {
        say!("{thread}");
        return;
    }
    let usage = thread.at("usage");
    let agent = match thread.at("agent").at("type").as_str() {
        Some("advisor") => format!("advisor {}", text(thread.at("agent").at("model"))),
        _ => text(thread.at("agent").at("name")),
    };
    say!(
        "{}  {:<12} {}  {}{agent}  in {} out {}",
        text(thread.at("id")),
        text(thread.at("status")),
        text(thread.at("created_at")),
        "  ".repeat(level),
        usage.at("input_tokens").as_u64().unwrap_or(0),
        usage.at("output_tokens").as_u64().unwrap_or(0),
    );
}

/// Which events are shown, and how.
struct Shown<'a> {
    types: &'a [String],
    thread: Option<&'a str>,
    ids: bool,
}

async fn events(
    id: &str,
    shown: &Shown<'_>,
    follow: bool,
    daemon: &DaemonArgs,
) -> Result<ExitCode> {
    let Shown { types, thread, ids } = *shown;
    let client = daemon.client()?;
    // Opened before the list is read, so that nothing falls in between; what both show is shown once.
    let stream = match (follow, thread) {
        (false, _) => None,
        (true, None) => Some(client.stream(id, false).await?),
        (true, Some(thread)) => {
            let path = format!("/v1/sessions/{id}/threads/{thread}/stream");
            Some(client.stream_of(&path).await?)
        }
    };
    let mut path = match thread {
        Some(thread) => format!("/v1/sessions/{id}/threads/{thread}/events?limit=1000"),
        None => format!("/v1/sessions/{id}/events?limit=1000"),
    };
    for kind in types {
        path.push_str("&types[]=");
        path.push_str(kind);
    }
    let mut renderer = Renderer::new(daemon.json);
    let mut show = |event: &Value| match ids {
        true => say!("{}", id_line(event)),
        false => renderer.show(event),
    };
    let mut seen = std::collections::HashSet::new();
    let key = |event: &Value| {
        (
            event.at("id").to_string(),
            event.at("processed_at").is_string(),
        )
    };
    for event in client.all(&path).await? {
        seen.insert(key(&event));
        show(&event);
    }
    let Some(mut stream) = stream else {
        return Ok(ExitCode::SUCCESS);
    };
    while let Some(event) = stream.recv().await {
        let event = event?;
        let is_wanted = types.is_empty() || types.iter().any(|kind| *event.at("type") == **kind);
        if is_wanted && seen.insert(key(&event)) {
            show(&event);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn inputs(
    message: Option<String>,
    interrupt: bool,
    allow: &[String],
    deny: &[String],
) -> Vec<Value> {
    let mut events = Vec::new();
    if interrupt {
        events.push(json!({"type": "user.interrupt"}));
    }
    for (ids, result) in [(allow, "allow"), (deny, "deny")] {
        for id in ids {
            events.push(
                json!({"type": "user.tool_confirmation", "tool_use_id": id, "result": result}),
            );
        }
    }
    if let Some(text) = message {
        events.push(json!({"type": "user.message", "content": [{"type": "text", "text": text}]}));
    }
    events
}

/// Returns the results of calls that the client answers: pairs of an event's id and a text.
fn answers(pairs: &[String]) -> Vec<Value> {
    let pairs = pairs.chunks_exact(2).map(|pair| {
        let [id, text] =
            [0, 1].map(|place| pair.get(place).map(String::as_str).unwrap_or_default());
        custom_result(id, text)
    });
    pairs.collect()
}

/// Returns the result of a call that the client answers.
pub(super) fn custom_result(id: &str, text: &str) -> Value {
    json!({
        "type": "user.custom_tool_result",
        "custom_tool_use_id": id,
        "content": [{"type": "text", "text": text}],
    })
}

fn outcome_of(task: &str, rubric: &Path, max_iterations: Option<u64>) -> Result<Value> {
    let content = std::fs::read_to_string(rubric)
        .with_context(|| format!("cannot read the rubric {}", rubric.display()))?;
    let mut event = json!({
        "type": "user.define_outcome",
        "description": task,
        "rubric": {"type": "text", "content": content},
    });
    if let Some(most) = max_iterations {
        event.set("max_iterations", json!(most));
    }
    Ok(event)
}

async fn send(id: &str, events: Vec<Value>, follow: bool, daemon: &DaemonArgs) -> Result<ExitCode> {
    if events.is_empty() {
        bail!(
            "nothing to send: give --message, --interrupt, --allow, --deny, --answer or --outcome"
        );
    }
    let client = daemon.client()?;
    let conversation = match follow {
        true => Some(Conversation::open(client.clone(), id, daemon.json).await?),
        false => None,
    };
    let path = format!("/v1/sessions/{id}/events");
    let stored = client.post(&path, &json!({ "events": events })).await?;
    match conversation {
        Some(mut conversation) => Ok(match conversation.follow().await? {
            TurnEnd::Done => ExitCode::SUCCESS,
            TurnEnd::Stopped | TurnEnd::Left => ExitCode::FAILURE,
        }),
        None => {
            for event in stored.at("data").as_array().into_iter().flatten() {
                say!("{event}");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn id_line(event: &Value) -> String {
    format!(
        "{}  {}  {}",
        text(event.at("id")),
        text(event.at("processed_at")),
        text(event.at("type")),
    )
}

fn line(session: &Value) -> String {
    format!(
        "{}  {:<12} {}  {}  {}",
        text(session.at("id")),
        text(session.at("status")),
        text(session.at("created_at")),
        text(session.at("agent").at("name")),
        text(session.at("title")),
    )
}
