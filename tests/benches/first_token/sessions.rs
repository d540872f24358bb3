//! Sessions with an open stream each, and the time until a message's first piece of text comes out of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sinew_tests::client::{Client, Stream};

/// What new sessions are made of.
pub struct Template {
    agent: Value,
    environment: Value,
}

impl Template {
    /// Creates an agent, with the built-in tools or without any, and an environment.
    pub async fn new(client: &Client, has_tools: bool) -> Result<Self> {
        let tools = match has_tools {
            true => json!([{"type": "agent_toolset_20260401"}]),
            false => json!([]),
        };
        let name = format!("bench {has_tools}");
        let agent = json!({"name": name, "model": super::MODEL, "tools": tools});
        Ok(Self {
            agent: client.post("/v1/agents", &agent).await?["id"].take(),
            environment: client
                .post("/v1/environments", &json!({"name": name}))
                .await?["id"]
                .take(),
        })
    }
}

/// A session that is watched.
pub struct Live {
    client: Client,
    session_id: String,
    stream: Stream,
}

impl Live {
    /// Creates a session and opens its stream.
    pub async fn new(client: &Client, template: &Template) -> Result<Self> {
        let config = json!({"agent": template.agent, "environment_id": template.environment});
        let session = client.post("/v1/sessions", &config).await?;
        let session_id = session["id"]
            .as_str()
            .context("a session has no id")?
            .to_owned();
        let stream = client
            .stream(&session_id, "?event_deltas[]=agent.message")
            .await?;
        Ok(Self {
            client: client.clone(),
            session_id,
            stream,
        })
    }

    /// Sends a message and returns how long the answer's first piece took; returns once the turn is over.
    pub async fn first_token(&mut self, text: &str) -> Result<Duration> {
        let start = Instant::now();
        let Self {
            client,
            session_id,
            stream,
        } = self;
        let (sent, first) = tokio::join!(client.message(session_id, text), async {
            first_text(stream).await.map(|()| start.elapsed())
        });
        sent?;
        let first = first?;
        stream.until("session.status_idle").await?;
        Ok(first)
    }
}

/// Waits for the first text: a preview, or the whole message if that was faster.
async fn first_text(stream: &mut Stream) -> Result<()> {
    while let Some(event) = stream.next().await? {
        match event["type"].as_str() {
            Some("event_delta" | "agent.message") => return Ok(()),
            Some("session.status_idle") => bail!("a turn ended without any text: {event}"),
            _ => {}
        }
    }
    bail!("a stream ended before any text came")
}
