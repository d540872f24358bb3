//! One conversation in the terminal: send, watch, answer questions, interrupt.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::client::Client;
use super::render::Renderer;
use super::session::custom_result;
use crate::json::Fields as _;
use crate::session::ASK_USER;

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TurnEnd {
    /// The agent is done.
    Done,
    /// The agent stopped without finishing: refusal, failed retries, budget.
    Stopped,
    /// The user interrupted twice.
    Left,
}

/// A session with its stream.
pub(super) struct Conversation {
    client: Client,
    session_id: String,
    events: mpsc::Receiver<Result<Value>>,
    pub(super) renderer: Renderer,
    /// Calls of custom tools, which only a program can answer.
    custom_calls: HashSet<String>,
    /// Calls that ask the user questions, with these.
    questions: HashMap<String, Vec<String>>,
}

impl Conversation {
    /// Opens the session's stream.
    pub(super) async fn open(client: Client, session_id: &str, is_json: bool) -> Result<Self> {
        let events = client.stream(session_id, !is_json).await?;
        Ok(Self {
            client,
            session_id: session_id.to_owned(),
            events,
            renderer: Renderer::new(is_json),
            custom_calls: HashSet::new(),
            questions: HashMap::new(),
        })
    }

    /// Sends a message and shows what happens until the agent stops.
    pub(super) async fn turn(&mut self, text: &str) -> Result<TurnEnd> {
        self.send(json!({
            "type": "user.message",
            "content": [{"type": "text", "text": text}],
        }))
        .await?;
        self.follow().await
    }

    /// Shows what happens until the agent stops.
    pub(super) async fn follow(&mut self) -> Result<TurnEnd> {
        let mut interrupts = 0u32;
        loop {
            let event = tokio::select! {
                event = self.events.recv() => event,
                signal = tokio::signal::ctrl_c() => {
                    signal.context("cannot listen for Ctrl-C")?;
                    interrupts += 1;
                    if interrupts > 1 {
                        return Ok(TurnEnd::Left);
                    }
                    self.renderer.say("interrupting; press Ctrl-C again to leave");
                    self.send(json!({"type": "user.interrupt"})).await?;
                    continue;
                }
            };
            let Some(event) = event else {
                bail!(
                    "the daemon closed the stream; \"sinew session events {}\" shows what is stored",
                    self.session_id
                );
            };
            let event = event?;
            self.renderer.show(&event);
            match event.at("type").as_str() {
                Some("agent.custom_tool_use") => {
                    let id = event.at("id").as_str().unwrap_or_default().to_owned();
                    match questions(&event) {
                        Some(questions) => drop(self.questions.insert(id, questions)),
                        None => drop(self.custom_calls.insert(id)),
                    }
                }
                Some("session.status_idle") => {
                    let reason = &event.at("stop_reason");
                    match reason.at("type").as_str() {
                        Some("end_turn") => return Ok(TurnEnd::Done),
                        Some("requires_action") => self.answer(reason).await?,
                        _ => return Ok(TurnEnd::Stopped),
                    }
                }
                Some("session.status_terminated" | "session.deleted") => {
                    return Ok(TurnEnd::Stopped);
                }
                _ => {}
            }
        }
    }

    /// Asks the person at the terminal about the calls that wait.
    async fn answer(&mut self, reason: &Value) -> Result<()> {
        let ids = reason.at("event_ids").as_array().into_iter().flatten();
        let mut ids = ids.filter_map(Value::as_str);
        if let Some(id) = ids.find(|id| self.custom_calls.contains(*id)) {
            bail!(
                "the agent calls a custom tool ({id}), which a program has to answer: send \
                 user.custom_tool_result to session {}",
                self.session_id
            );
        }
        if !std::io::stdin().is_terminal() {
            bail!(
                "the agent waits for an answer and nobody is at the terminal; answer {} with \
                 \"sinew session send {} --allow ID\", \"--deny ID\" or, if it asks questions, \"--answer ID TEXT\"",
                reason.at("event_ids"),
                self.session_id
            );
        }
        let mut answers = Vec::new();
        for id in reason.at("event_ids").as_array().into_iter().flatten() {
            if let Some(questions) = self.questions.get(id.as_str().unwrap_or_default()) {
                let id = id.as_str().unwrap_or_default().to_owned();
                let questions = questions.clone();
                let said = tokio::task::spawn_blocking(move || ask_all(&questions)).await??;
                answers.push(custom_result(&id, &said));
                continue;
            }
            let prompt = format!("allow {}? [y/N] ", id.as_str().unwrap_or_default());
            let reply = tokio::task::spawn_blocking(move || ask(&prompt)).await??;
            let result = if reply.eq_ignore_ascii_case("y") {
                "allow"
            } else {
                "deny"
            };
            answers.push(
                json!({"type": "user.tool_confirmation", "tool_use_id": id, "result": result}),
            );
        }
        self.client
            .post(
                &format!("/v1/sessions/{}/events", self.session_id),
                &json!({ "events": answers }),
            )
            .await?;
        Ok(())
    }

    async fn send(&self, event: Value) -> Result<()> {
        let path = format!("/v1/sessions/{}/events", self.session_id);
        self.client.post(&path, &json!({"events": [event]})).await?;
        Ok(())
    }
}

/// Returns the questions of a call that asks the user; none of another one.
fn questions(event: &Value) -> Option<Vec<String>> {
    let questions = event.at("input").at("questions").as_array();
    let asked: Vec<String> = questions?
        .iter()
        .filter_map(|question| {
            let mut text = question.at("question").as_str()?.to_owned();
            let options = question.at("options").as_array().into_iter().flatten();
            let options: Vec<&str> = options.filter_map(Value::as_str).collect();
            if !options.is_empty() {
                text.push_str(&format!(" ({})", options.join(", ")));
            }
            Some(text)
        })
        .collect();
    (*event.at("name") == ASK_USER && !asked.is_empty()).then_some(asked)
}

/// Asks one question after the other, and returns all with their answers.
fn ask_all(questions: &[String]) -> Result<String> {
    let mut said = Vec::new();
    for question in questions {
        let answer = ask(&format!("{question}\n> "))?;
        said.push(format!("{question}\n{answer}"));
    }
    Ok(said.join("\n\n"))
}

/// Asks on the terminal and returns the trimmed reply; empty at the end of input.
pub(super) fn ask(prompt: &str) -> Result<String> {
    say_part!("{prompt}");
    std::io::stdout().flush()?;
    let mut reply = String::new();
    std::io::stdin().lock().read_line(&mut reply)?;
    Ok(reply.trim().to_owned())
}
