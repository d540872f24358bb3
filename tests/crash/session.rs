//! One session of a workload and all that is known of it, whichever daemon serves it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use sinew::store::StoredEvent;
use sinew_tests::client::{Client, idle_reason};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::Seen;
use crate::stored::{Stored, results};
use crate::workload::{
    CUSTOM_TOOL, Files, Kind, MEMORIES_BEFORE, MEMORY_MOUNT, MEMORY_TOKENS, Plot,
};

/// The session, its plot, and what was seen of it.
pub struct Session<'a> {
    pub id: String,
    plot: &'a Plot,
    seen: Seen,
    /// Its log when the last daemon had died.
    log: Vec<StoredEvent>,
    /// The path of its memory store.
    memory: Option<String>,
}

/// What a client does next.
enum Next {
    Nothing,
    Wait,
    Send(Value),
    /// Makes two forks, one of which goes at once.
    Fork,
    /// Goes to a point, as the API names it.
    Go(Value),
}

/// Times that [`Kind::Branches`] goes back and forth.
const REWINDS: usize = 6;

impl<'a> Session<'a> {
    /// Makes the session with what its plot needs.
    pub async fn new(client: &Client, plot: &'a Plot) -> Result<Self> {
        let mut tools = vec![json!({"type": "agent_toolset_20260401"})];
        if plot.kind == Kind::Client {
            let schema = json!({"type": "object"});
            tools.push(
                json!({"type": "custom", "name": CUSTOM_TOOL, "description": "d",
                              "input_schema": schema}),
            );
        }
        let memory = match plot.kind {
            Kind::Memory => Some(new_memory(client).await?),
            _ => None,
        };
        let mut agent = json!({"name": "worker", "model": "claude-sonnet-4-6", "tools": tools});
        if plot.kind == Kind::Reviewed {
            agent["sinew"] = json!({"review": "writes"});
        }
        let agent = client.post("/v1/agents", &agent).await?;
        let environment = json!({"name": format!("{:?}", plot.kind)});
        let environment = client.post("/v1/environments", &environment).await?;
        let mut session = json!({"agent": agent["id"], "environment_id": environment["id"]});
        if let Some(id) = &memory {
            session["resources"] = json!([{"type": "memory_store", "memory_store_id": id}]);
        }
        let session = client.post("/v1/sessions", &session).await?;
        Ok(Self {
            id: session["id"].as_str().context("no id")?.to_owned(),
            plot,
            seen: Seen::default(),
            log: Vec::new(),
            memory: memory.map(|id| format!("/v1/memory_stores/{id}")),
        })
    }

    /// Does a client's part until the session has come to its end. Errors: anything, once the daemon is gone.
    pub async fn drive(&self, client: &Client) -> Result<()> {
        let mut stream = client.stream(&self.id, "").await?;
        loop {
            let events = client.events(&self.id).await?;
            events.iter().for_each(|event| self.seen.add(event));
            let next = match (self.next(&events)?, self.plot.kind) {
                (Next::Send(event), Kind::Branches) => self.branch(client, &events, event).await?,
                (next, _) => next,
            };
            match next {
                Next::Nothing => return Ok(()),
                Next::Fork => {
                    let fork = format!("/sinew/v1/sessions/{}/fork", self.id);
                    let made = client.post(&fork, &json!({})).await?;
                    client.post(&fork, &json!({})).await?;
                    let id = made["id"].as_str().context("no id")?;
                    client.delete(&format!("/v1/sessions/{id}")).await?;
                    // The first step of the way back and forth, so that the forks are not made again.
                    self.go(client, &first_message(&events)?).await?;
                    continue;
                }
                Next::Go(point) => {
                    self.go(client, &point).await?;
                    continue;
                }
                Next::Send(event) => {
                    let sent = client.send_events(&self.id, json!([event])).await?;
                    self.seen.add(&sent["data"][0]);
                }
                Next::Wait => {}
            }
            // Whatever the session comes to rest with is a reason to look again.
            for event in stream.until("session.status_idle").await? {
                self.seen.add(&event);
            }
        }
    }

    fn next(&self, events: &[Value]) -> Result<Next> {
        let said = of_kind(events, "user.message").len();
        let reason = match said {
            0 => Some("end_turn"),
            _ => idle_reason(events),
        };
        match reason {
            None => Ok(Next::Wait),
            Some("end_turn") => Ok(match self.plot.kind.messages().get(said) {
                Some(text) => {
                    let content = json!([{"type": "text", "text": text}]);
                    Next::Send(json!({"type": "user.message", "content": content}))
                }
                None => Next::Nothing,
            }),
            Some("requires_action") => {
                let last = events.last().context("no event")?;
                let call = &last["stop_reason"]["event_ids"][0];
                Ok(Next::Send(match self.plot.kind {
                    Kind::Reviewed => json!({
                        "type": "user.tool_confirmation",
                        "tool_use_id": call,
                        "result": "allow",
                    }),
                    _ => json!({
                        "type": "user.custom_tool_result",
                        "custom_tool_use_id": call,
                        "content": [{"type": "text", "text": "found"}],
                    }),
                }))
            }
            Some(other) => bail!("the session ended with {other}"),
        }
    }

    /// Returns what comes before `event` in a session that is forked and goes back and forth: `event` itself, once
    /// that is done.
    async fn branch(&self, client: &Client, events: &[Value], event: Value) -> Result<Next> {
        if of_kind(events, "user.message").is_empty() {
            return Ok(Next::Send(event));
        }
        let session = client
            .get(&format!("/sinew/v1/sessions/{}", self.id))
            .await?;
        let rewinds = session["rewinds"].as_array().map_or(0, Vec::len);
        let last = events.last().context("no event")?;
        Ok(match rewinds {
            0 => Next::Fork,
            REWINDS.. => Next::Send(event),
            even if even % 2 == 0 => Next::Go(first_message(events)?),
            // What the session went back behind is still there to go to.
            _ => Next::Go(json!({"event_id": last["id"]})),
        })
    }

    async fn go(&self, client: &Client, point: &Value) -> Result<()> {
        let rewind = format!("/sinew/v1/sessions/{}/rewind", self.id);
        client.post(&rewind, point).await.map(drop)
    }

    /// Refuses what a dead daemon left if it is not what the calls with results must have made of it.
    pub async fn check_left(&mut self, stored: &Stored) -> Result<()> {
        self.log = stored.log(&self.id, &self.log, &self.seen).await?;
        let results = results(&stored.counted(&self.id, &self.log).await?)?;
        let expected = self.plot.states.get(results);
        let expected = expected.context("there are more results than calls")?;
        let files = stored.files(&self.id).await?;
        let checked = files.check(expected);
        checked.with_context(|| format!("after {results} results"))
    }

    /// Holds the session that has come to its end to all that its plot says.
    pub async fn check_end(&self, client: &Client) -> Result<()> {
        let events = client.events(&self.id).await?;
        log_rules::check(&events)?;
        self.seen.check(&events);
        let calls = of_kind(&events, "agent.tool_use").len()
            + of_kind(&events, "agent.custom_tool_use").len();
        ensure!(
            calls == self.plot.calls(),
            "{calls} calls were made, not {}",
            self.plot.calls()
        );
        let said: Vec<String> = of_kind(&events, "user.message")
            .iter()
            .map(|event| text_of(event))
            .collect();
        ensure!(said == self.plot.kind.messages(), "the user said {said:?}");
        let messages = of_kind(&events, "agent.message");
        let last = messages.last().map(|event| text_of(event));
        ensure!(
            last.as_deref() == Some(&self.plot.last_words()),
            "the agent says {last:?}, not {:?}",
            self.plot.last_words()
        );
        match &self.memory {
            Some(store) => check_memory(client, store, &self.id).await,
            None => Ok(()),
        }
    }

    /// Refuses the folders that a daemon left which has ended in order, if they are not what the plot says.
    pub fn check_disk(&self, world: &World) -> Result<()> {
        let folder = world.options.data.join("sessions").join(&self.id);
        let mut files = Files::default();
        for (name, guest) in [
            ("workspace", "/workspace"),
            ("tmp", "/tmp"),
            ("outputs", "/mnt/session/outputs"),
        ] {
            files.add_disk(&folder.join(name), guest)?;
        }
        files.check(self.plot.end()).context("on the disk")
    }
}

/// Names the point before anything was said.
fn first_message(events: &[Value]) -> Result<Value> {
    let messages = of_kind(events, "user.message");
    let first = messages.first().context("nothing was said")?;
    Ok(json!({"before_event_id": first["id"]}))
}

async fn new_memory(client: &Client) -> Result<String> {
    let store = json!({"name": MEMORY_MOUNT.rsplit('/').next()});
    let store = client.post("/v1/memory_stores", &store).await?;
    let id = store["id"].as_str().context("no id")?.to_owned();
    for name in MEMORIES_BEFORE {
        let memory = json!({"path": format!("/{name}.md"), "content": "before\n"});
        client
            .post(&format!("/v1/memory_stores/{id}/memories"), &memory)
            .await?;
    }
    Ok(id)
}

/// Every change that the calls made is there, as one version each.
async fn check_memory(client: &Client, store: &str, session: &str) -> Result<()> {
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
    let memories = client.list(&format!("{store}/memories?view=full")).await?;
    let mut found: Vec<(String, String)> = memories
        .iter()
        .map(|memory| (text(memory, "path"), text(memory, "content")))
        .collect();
    found.sort();
    let log = format!("before\n{}\n", MEMORY_TOKENS.join("\n"));
    let mut expected = vec![("/log.md".to_owned(), log)];
    expected.extend(MEMORY_TOKENS.map(|token| (format!("/{token}.md"), format!("{token}\n"))));
    expected.sort();
    ensure!(found == expected, "the memories are {found:?}");
    let versions = format!("{store}/memory_versions?session_id={session}");
    let mut versions: Vec<(String, String)> = client
        .list(&versions)
        .await?
        .iter()
        .map(|version| (text(version, "operation"), text(version, "path")))
        .collect();
    versions.sort();
    let change = |operation: &str, path: &str| (operation.to_owned(), path.to_owned());
    let mut expected = vec![change("deleted", "/gone.md")];
    for token in MEMORY_TOKENS {
        expected.push(change("created", &format!("/{token}.md")));
        expected.push(change("modified", "/log.md"));
    }
    expected.sort();
    ensure!(versions == expected, "the versions are {versions:?}");
    Ok(())
}
