//! A session whose agent uses an MCP server, with a model that calls what a message names.

#![allow(clippy::panic, reason = "tests")]

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::log_rules::of_kind;
use crate::mcp::McpServer;
use crate::world::World;

/// The servers of tests are on this machine.
pub const CONFIGURATION: &str = "egress: {private_hosts: [127.0.0.1]}";

/// Returns a script of a model that calls what the newest message names, and then says what came of it.
pub fn script() -> String {
    let call = |words: &str, name: &str, input: Value| {
        json!({
            "when": {"last_user_text_contains": words},
            "tools": [{"name": format!("mcp__things__{name}"), "input": input}],
        })
    };
    let mut rules =
        vec![json!({"when": {"tool_result_contains": ""}, "text": "It said: ${last_tool_result}"})];
    rules.push(call("please add", "add", json!({"a": 2, "b": 3})));
    rules.push(call("please charge", "charge", json!({"amount": 7})));
    for name in [
        "look",
        "picture",
        "broken",
        "long",
        "echo_token",
        "slow",
        "grow",
        "later",
    ] {
        rules.push(call(&format!("please {name}"), name, json!({})));
    }
    let count = "wc -c < /tmp/tool-output/*.txt";
    rules.push(json!({
        "when": {"last_user_text_contains": "count it"},
        "tools": [{"name": "bash", "input": {"command": count}}],
    }));
    json!({"rules": rules, "otherwise": {"text": "Nothing to do."}}).to_string()
}

/// A world with a server and a session whose agent has its tools.
pub struct Setup {
    /// The daemon, its client and its model.
    pub world: World,
    /// The server.
    pub server: McpServer,
    /// The session's id.
    pub session: String,
    /// The path of the session's vault.
    pub vault: String,
}

/// Returns an agent with the tools of a server under this policy.
pub fn agent(url: &str, policy: &str) -> Value {
    json!({
        "name": "user of things",
        "model": "claude-sonnet-4-6",
        "tools": [
            {"type": "agent_toolset_20260401"},
            {"type": "mcp_toolset", "mcp_server_name": "things",
             "default_config": {"permission_policy": {"type": policy}}},
        ],
        "mcp_servers": [{"type": "url", "name": "things", "url": url}],
    })
}

impl Setup {
    /// Makes all of it; the vault has the token if there is one.
    pub async fn new(program: &str, token: &str, policy: &str, is_sse: bool) -> Result<Self> {
        let server = McpServer::start(token, is_sse)?;
        let world = World::start_with(program, &script(), CONFIGURATION).await?;
        let client = &world.client;
        let vault = client
            .post("/v1/vaults", &json!({"display_name": "v"}))
            .await?;
        let vault_id = vault["id"].as_str().context("no id")?.to_owned();
        let vault = format!("/v1/vaults/{vault_id}");
        if !token.is_empty() {
            // Another spelling of the same server.
            let url = server.url.replace("http://", "HTTP://") + "/";
            let auth = json!({"type": "static_bearer", "token": token, "mcp_server_url": url});
            let body = json!({ "auth": auth });
            client.post(&format!("{vault}/credentials"), &body).await?;
        }
        let session = new_session(&world, &agent(&server.url, policy), &vault_id).await?;
        Ok(Self {
            world,
            server,
            session,
            vault,
        })
    }

    /// Sends a message and returns the events from it on, once the session is idle for this reason.
    pub async fn turn(&self, words: &str, reason: &str) -> Result<Vec<Value>> {
        self.world.client.message(&self.session, words).await?;
        self.newest(reason).await
    }

    /// Returns the events from the newest message on, once the session is idle for this reason.
    pub async fn newest(&self, reason: &str) -> Result<Vec<Value>> {
        let events = self.world.client.until_idle(&self.session, reason).await?;
        let is_message = |event: &Value| event["type"] == "user.message";
        let from = events.iter().rposition(is_message).context("no message")?;
        Ok(events[from..].to_vec())
    }

    /// Returns the names of the tools in the newest request to the model.
    pub fn offered(&self) -> Vec<String> {
        let requests = self.world.model.requests();
        let newest = requests.last().map(|request| request.body["tools"].clone());
        let tools = newest.unwrap_or_default();
        let tools = tools.as_array().cloned().unwrap_or_default();
        let name = |tool: &Value| tool["name"].as_str().unwrap_or_default().to_owned();
        tools.iter().map(name).collect()
    }
}

/// Makes an agent, an environment and a session with a vault; returns the session's id.
pub async fn new_session(world: &World, agent: &Value, vault_id: &str) -> Result<String> {
    let client = &world.client;
    let agent = client.post("/v1/agents", agent).await?;
    let environment = json!({"name": agent["id"]});
    let environment = client.post("/v1/environments", &environment).await?;
    let session = json!({
        "agent": agent["id"], "environment_id": environment["id"], "vault_ids": [vault_id],
    });
    let session = client.post("/v1/sessions", &session).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Returns the one result of a server's tool among events.
pub fn result(events: &[Value]) -> &Value {
    match of_kind(events, "agent.mcp_tool_result").as_slice() {
        [result] => result,
        results => panic!("{} results: {events:#?}", results.len()),
    }
}

/// Returns the first text of a result.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}
