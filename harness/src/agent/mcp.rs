//! The session's MCP servers: their tools before the model is asked, and calls of them.
//!
//! What a server's tools are is an event, so that a request follows from the log alone, as all of them do. A call that
//! leaves the host is noted before it does: after a crash it is made again only where its server says that this does no
//! harm; of any other the model is told that nobody knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::runner::{Runner, Woken, close_call};
use super::session::DriverError;
use super::tool_output;
use super::toolset::{Known, MCP_TOOLSET};
use crate::clock::Timestamp;
use crate::hands::{HandError, LONG_OUTPUT_CHARS_MAX, Mounts, cut};
use crate::ids::EventId;
use crate::json::Fields as _;
use crate::mcp::{Answer, CallError, Connection, Connector, McpError, OnBehalfOf, Server};
use crate::session::{Call, CallKind, Draft, EventKind, State, Status, Thread, text_block};
use crate::store::{Key, Kind, Resource, StoreError};

/// What the model is told of a call that nobody can tell the end of.
const UNKNOWN: &str = "The outcome of this call is unknown: it may or may not have taken effect. Check that before you \
repeat it.";

/// The open connections of one session.
#[derive(Default)]
pub(super) struct Servers {
    open: BTreeMap<String, (Server, Connection)>,
    /// Start of the running time at whose beginning the servers were looked at: those that failed then are tried again
    /// when the session runs the next time.
    looked_at: Option<Timestamp>,
    /// They need not be looked at in the running time that begins next.
    is_looked_ahead: bool,
}

impl Servers {
    /// Ends all connections.
    pub(super) async fn close(&mut self) {
        self.looked_at = None;
        self.is_looked_ahead = false;
        let open = std::mem::take(&mut self.open).into_values();
        join_all(open.map(|(_, connection)| connection.close())).await;
    }

    /// Tells whether the servers were looked at since the session runs.
    fn is_looked_at(&mut self, thread: &Thread) -> bool {
        if thread.status != Status::Running {
            return false;
        }
        if std::mem::take(&mut self.is_looked_ahead) {
            self.looked_at = thread.running_since;
        }
        thread.running_since.is_some() && self.looked_at == thread.running_since
    }

    /// Notes that the servers were looked at.
    fn note_look(&mut self, thread: &Thread) {
        match thread.status {
            Status::Running => self.looked_at = thread.running_since,
            _ => self.is_looked_ahead = true,
        }
    }

    /// Ends the connections to servers that the agent has no more.
    fn keep_only(&mut self, servers: &[Server]) {
        self.open
            .retain(|_, (server, connection)| servers.contains(server) && !connection.is_closed());
    }
}

/// A server that was looked at: its connection and its tools.
type Looked = (Server, Result<(Connection, Vec<Value>), McpError>);

impl Runner {
    /// Makes sure that the tools of the agent's MCP servers are known before the model is asked. Returns what the request's
    /// start goes with; none if an interrupt came first.
    pub(super) async fn know_mcp_tools(
        &mut self,
        mut draft: Draft,
    ) -> Result<Option<Draft>, DriverError> {
        let servers = servers_of(self.agent()?);
        self.servers.keep_only(&servers);
        if servers.is_empty() {
            return Ok(Some(draft));
        }
        let thread = self.thread()?.clone();
        let is_looked_at = self.servers.is_looked_at(&thread);
        let mut lively = Vec::new();
        let mut missing = Vec::new();
        for server in servers {
            match self.servers.open.remove(&server.name) {
                Some((_, connection)) if connection.has_changed() => {
                    lively.push((server, connection));
                }
                Some(open) => {
                    self.servers.open.insert(server.name, open);
                }
                None if is_looked_at => {}
                None => missing.push(server),
            }
        }
        if lively.is_empty() && missing.is_empty() {
            self.servers.note_look(&thread);
            return Ok(Some(draft));
        }
        // Whoever watches sees that the session works, also while a server takes its time.
        self.open_turn(&mut draft)?;
        self.commit(draft).await?;
        let look = self.look_at(lively, missing).await?;
        let looked = match self.attend(look).await? {
            Woken::Done(looked) => looked,
            Woken::Interrupted => return Ok(None),
        };
        let thread = self.thread()?.clone();
        self.servers.note_look(&thread);
        let mut draft = self.draft()?;
        for (server, looked) in looked {
            self.note(&mut draft, server, looked)?;
        }
        Ok(Some(draft))
    }

    /// Returns what asks servers for their tools, all at the same time.
    async fn look_at(
        &self,
        lively: Vec<(Server, Connection)>,
        missing: Vec<Server>,
    ) -> Result<impl Future<Output = Vec<Looked>> + use<>, DriverError> {
        let (mcp, who) = (self.brain.mcp.clone(), self.who().await?);
        Ok(async move {
            let again = lively.into_iter().map(|(server, connection)| async {
                let tools = connection.tools().await;
                (server, tools.map(|tools| (connection, tools)))
            });
            let anew = missing.into_iter().map(|server| async {
                let looked = connect(&mcp, &who, &server).await;
                (server, looked)
            });
            let (mut looked, anew) = futures::join!(join_all(again), join_all(anew));
            looked.extend(anew);
            looked
        })
    }

    /// Adds what the log is to have of a server that was looked at.
    fn note(
        &mut self,
        draft: &mut Draft,
        server: Server,
        looked: Result<(Connection, Vec<Value>), McpError>,
    ) -> Result<(), DriverError> {
        let tools = match looked {
            Ok((connection, tools)) => {
                let name = server.name.clone();
                self.servers.open.insert(name, (server.clone(), connection));
                tools
            }
            Err(error) => {
                push_error(draft, &server.name, &error);
                Vec::new()
            }
        };
        if known(self.state()).of_server(self.agent()?, &server.name) != tools {
            draft.session(
                EventKind::McpListed,
                json!({"mcp_server_name": server.name, "url": server.url, "tools": tools}),
            );
        }
        Ok(())
    }

    /// Returns what of the session servers may depend on.
    async fn who(&self) -> Result<OnBehalfOf, DriverError> {
        let row = self.brain.store.session(&self.session_id).await?;
        let vaults = self.state().config.at("vault_ids").as_array().cloned();
        let id = |id: Value| id.as_str().map(str::to_owned);
        let environment = self.state().config.at("environment_id").as_str();
        let key = Key {
            workspace: row.key.workspace.clone(),
            kind: Kind::Environment,
            id: environment.unwrap_or_default().to_owned(),
        };
        let networking = match self.brain.store.get(&key, None).await {
            Ok(environment) => networking_of(&environment),
            // One that is gone allows nothing any more.
            Err(StoreError::NotFound) => Value::Null,
            Err(error) => return Err(error.into()),
        };
        Ok(OnBehalfOf {
            workspace: row.key.workspace,
            vault_ids: vaults.into_iter().flatten().filter_map(id).collect(),
            networking,
        })
    }

    /// Sends a call over a connection, and returns what it came to and whether it was interrupted. A connection that
    /// still serves stays open for the next call.
    async fn make_call(
        &mut self,
        call: &Call,
        server: &Server,
        connection: Connection,
    ) -> Result<(Option<Result<Answer, CallError>>, bool), DriverError> {
        let progress = tool_output::to_watchers(
            self.brain.live.clone(),
            self.session_id.clone(),
            self.thread_id.clone(),
            self.state().last,
            call.event_id.clone(),
        );
        let cancel = CancellationToken::new();
        let _on_drop = cancel.clone().drop_guard();
        let input = call.input.as_object().cloned().unwrap_or_default();
        let key = idempotency_key(self.session_id.as_str(), &call.event_id);
        let limits = self.brain.mcp.limits();
        let work = connection.call(&call.name, input, &key, limits, progress, &cancel);
        let (done, is_interrupted) = self.attend_to_end(work, &cancel).await?;
        // One that failed is opened anew when it is needed next.
        let has_failed = matches!(
            done,
            Some(Err(CallError::NotMade(_) | CallError::Unknown(_)))
        );
        if !has_failed && !connection.is_closed() {
            let open = (server.clone(), connection);
            self.servers.open.insert(server.name.clone(), open);
        }
        Ok((done, is_interrupted))
    }

    /// Calls a tool of a server. The turn is open.
    pub(super) async fn call_server(
        &mut self,
        call: &Call,
        server: &str,
    ) -> Result<(), DriverError> {
        if may_have_happened(self.state(), self.thread()?, call) {
            return self.tell(call, UNKNOWN).await;
        }
        let mut servers = servers_of(self.agent()?).into_iter();
        let Some(server) = servers.find(|own| own.name == server) else {
            return self
                .tell(call, "The agent has this MCP server no more.")
                .await;
        };
        let was_open = self.servers.open.contains_key(&server.name);
        let connection = match self.connection(&server).await? {
            Woken::Done(Ok(connection)) => connection,
            Woken::Interrupted => return Ok(()),
            Woken::Done(Err(error)) => return self.tell_error(call, &server.name, &error).await,
        };
        let mut started = self.draft()?;
        let body = json!({"tool_use_id": call.event_id.as_str()});
        started.session(EventKind::CallStarted, body);
        self.commit(started).await?;
        let (mut done, mut is_interrupted) = self.make_call(call, &server, connection).await?;
        // A connection can end while nobody uses it, as with a server that was started anew. The call was not made.
        if was_open && !is_interrupted && matches!(done, Some(Err(CallError::NotMade(_)))) {
            let connection = match self.connection(&server).await? {
                Woken::Done(Ok(connection)) => connection,
                Woken::Interrupted => return Ok(()),
                Woken::Done(Err(error)) => {
                    return self.tell_error(call, &server.name, &error).await;
                }
            };
            (done, is_interrupted) = self.make_call(call, &server, connection).await?;
        }
        if is_interrupted {
            // The interrupt's own events answer the call.
            return Ok(());
        }
        match done {
            None | Some(Err(CallError::Interrupted)) => Ok(()),
            Some(Ok(answer)) => {
                let content = self.shortened(&call.event_id, answer.content).await?;
                match content {
                    Some(content) => self.answer_server(call, content, answer.is_error).await,
                    None => Ok(()),
                }
            }
            Some(Err(CallError::Refused(why))) => {
                self.tell(call, &format!("The server refused the call: {why}"))
                    .await
            }
            Some(Err(CallError::NotMade(error))) => {
                self.tell_error(call, &server.name, &error).await
            }
            Some(Err(CallError::Unknown(why))) => {
                let is_repeatable = is_repeatable(self.state(), self.thread()?, call);
                let text = match is_repeatable {
                    true => format!("The call failed: {why}."),
                    false => format!("The call failed: {why}. {UNKNOWN}"),
                };
                self.tell(call, &text).await
            }
        }
    }

    /// Takes the open connection to a server, or opens one.
    async fn connection(
        &mut self,
        server: &Server,
    ) -> Result<Woken<Result<Connection, McpError>>, DriverError> {
        let who = self.who().await?;
        if let Some((open, connection)) = self.servers.open.remove(&server.name)
            && open == *server
            && connection.is_within(&who)
            && !connection.is_closed()
        {
            return Ok(Woken::Done(Ok(connection)));
        }
        let (mcp, server) = (self.brain.mcp.clone(), server.clone());
        // Boxed: the SDK's handshake is a large future.
        self.attend(Box::pin(async move { mcp.connect(&who, &server).await }))
            .await
    }

    /// Answers a call with an error text.
    async fn tell(&mut self, call: &Call, text: &str) -> Result<(), DriverError> {
        self.answer_server(call, vec![text_block(text)], true).await
    }

    /// Answers a call that did not reach its server, and tells why in the session's events.
    async fn tell_error(
        &mut self,
        call: &Call,
        server: &str,
        error: &McpError,
    ) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        push_error(&mut draft, server, error);
        let text = format!(
            "The MCP server {server:?} cannot be used now, so the call was not made: {error}."
        );
        close_call(&mut draft, &call.kind, &call.event_id, &text);
        self.commit(draft).await
    }

    /// Appends the result of a call.
    async fn answer_server(
        &mut self,
        call: &Call,
        content: Vec<Value>,
        is_error: bool,
    ) -> Result<(), DriverError> {
        let mut draft = self.draft()?;
        let body = json!({
            "mcp_tool_use_id": call.event_id.as_str(),
            "content": content,
            "is_error": is_error,
        });
        draft.thread(EventKind::AgentMcpToolResult, body);
        match self.commit(draft).await {
            // A result that cannot be stored is told, not tried again for ever.
            Err(DriverError::Store(StoreError::Invalid(why))) => {
                let mut draft = self.draft()?;
                let text = format!("The call was made, but its result cannot be kept: {why}.");
                close_call(&mut draft, &call.kind, &call.event_id, &text);
                self.commit(draft).await
            }
            committed => committed,
        }
    }

    /// Puts texts that are too long together into a file of the session, and returns what the model sees; none if an
    /// interrupt came meanwhile.
    async fn shortened(
        &mut self,
        event_id: &EventId,
        content: Vec<Value>,
    ) -> Result<Option<Vec<Value>>, DriverError> {
        let texts: Vec<&str> = content
            .iter()
            .filter_map(|block| block.at("text").as_str())
            .collect();
        let chars: usize = texts.iter().map(|text| text.chars().count()).sum();
        if chars <= LONG_OUTPUT_CHARS_MAX {
            return Ok(Some(content));
        }
        let text = texts.join("\n");
        let shown = match self.kept(event_id, &text).await? {
            Woken::Interrupted => return Ok(None),
            Woken::Done(Ok(shown)) => shown,
            Woken::Done(Err(error)) => {
                tracing::warn!(session = %self.session_id, %error, "a long result could not be kept");
                cut(&text)
            }
        };
        let mut short = vec![text_block(&shown)];
        short.extend(
            content
                .into_iter()
                .filter(|block| block.get("text").is_none()),
        );
        Ok(Some(short))
    }

    /// Writes a text into a file of the session's hand, and returns its ends and the path.
    async fn kept(
        &mut self,
        event_id: &EventId,
        text: &str,
    ) -> Result<Woken<Result<String, HandError>>, DriverError> {
        if self.state().is_self_hosted() {
            // The machine that the model works on is not ours to write to.
            return Ok(Woken::Done(Ok(cut(text))));
        }
        let mounts = Mounts::of_session(&self.state().config);
        if let Woken::Interrupted = self.take_slot().await? {
            return Ok(Woken::Interrupted);
        }
        let is_new = self.slot().await.hand.is_none();
        let hand = match self.lend_hand(&mounts).await? {
            Woken::Done(Ok(hand)) => hand,
            Woken::Done(Err(error)) => return Ok(Woken::Done(Err(error))),
            Woken::Interrupted => return Ok(Woken::Interrupted),
        };
        if is_new && let Err(why) = self.bring_in(None, &*hand).await? {
            return Ok(Woken::Done(Err(HandError::Host(why.to_owned()))));
        }
        let shown = hand.keep_long(event_id, text.to_owned()).await;
        match hand.save().await {
            Ok(change) => {
                let slot = self.slot().await;
                slot.unsaved = change.map(Box::new);
                slot.hand = Some(hand);
                Ok(Woken::Done(shown))
            }
            Err(HandError::Full) => Err(StoreError::Full.into()),
            Err(error) => Ok(Woken::Done(Err(error))),
        }
    }
}

/// Returns the `networking` of a stored environment; the machines of a self-hosted one are not ours to restrict, nor are
/// the servers that we ask on its behalf.
fn networking_of(environment: &Resource) -> Value {
    let config = environment.body.at("config");
    match config.at("type").as_str() {
        Some("self_hosted") => json!({"type": "unrestricted"}),
        _ => config.at("networking").clone(),
    }
}

async fn connect(
    mcp: &Arc<Connector>,
    who: &OnBehalfOf,
    server: &Server,
) -> Result<(Connection, Vec<Value>), McpError> {
    let connection = mcp.connect(who, server).await?;
    let tools = connection.tools().await?;
    Ok((connection, tools))
}

/// Returns the servers that the agent's toolsets use.
fn servers_of(agent: &Value) -> Vec<Server> {
    let tools = agent.at("tools").as_array().into_iter().flatten();
    let used: Vec<&Value> = tools
        .filter(|set| set.at("type") == MCP_TOOLSET)
        .map(|set| set.at("mcp_server_name"))
        .collect();
    let servers = agent.at("mcp_servers").as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    servers
        .filter(|server| used.contains(&server.at("name")))
        .filter_map(|server| {
            Some(Server {
                name: text(server.at("name"))?,
                url: text(server.at("url"))?,
            })
        })
        .collect()
}

fn known(state: &State) -> Known<'_> {
    Known {
        built_in: &[],
        mcp_lists: &state.mcp_lists,
        components: &[],
    }
}

/// Tells whether a call left the host, nobody knows whether it arrived, and making it again may do harm.
pub(super) fn may_have_happened(state: &State, thread: &Thread, call: &Call) -> bool {
    call.has_left && call.answer.is_none() && !is_repeatable(state, thread, call)
}

/// Tells whether the server says that a call of this tool changes nothing, or nothing more when it is made again.
fn is_repeatable(state: &State, thread: &Thread, call: &Call) -> bool {
    let CallKind::Mcp(server) = &call.kind else {
        return false;
    };
    known(state)
        .of_server(state.agent_of(thread), server)
        .iter()
        .any(|tool| tool.at("name") == call.name.as_str() && tool.at("is_repeatable") == true)
}

fn push_error(draft: &mut Draft, server: &str, error: &McpError) {
    match error {
        McpError::Vault(error) => {
            tracing::error!(server, %error, "the credential of an MCP server cannot be read");
        }
        error => tracing::warn!(server, %error, "an MCP server cannot be used"),
    }
    let message = format!("the MCP server {server:?} cannot be used: {error}");
    draft.server_error(error.kind(), &message, server);
}

/// Returns the same text for a call that is made again, and for no other.
fn idempotency_key(session_id: &str, event_id: &EventId) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("sinew 2026 idempotency key of a call");
    hasher.update(session_id.as_bytes());
    hasher.update(event_id.as_str().as_bytes());
    let key = hasher.finalize().to_hex();
    key.get(..32).unwrap_or_default().to_owned()
}
