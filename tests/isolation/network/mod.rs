//! Attacks over the network: on what a hand may reach, and on the secrets that stand behind its placeholders.
//!
//! Everything is real but the model: the daemon, bash and curl in a hand, and servers of this machine, which the
//! operator's configuration grants. Each test names what is tried, and says why it must fail.

mod edges;
mod leaks;
mod reach;
mod server;
mod sockets;
mod tls;

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sinew_tests::canary::{Canary, files_below};
use sinew_tests::client::Client;
use sinew_tests::log_rules::{of_kind, text_of};
use sinew_tests::world::World;

use self::server::Server;
use super::{Outcome, PROGRAM, call, script};

/// The secret that nobody may see but the host it is for.
const CANARY: &str = "canary-5be81f/0+7d2c\"never&seen";

/// A daemon, a server that its configuration grants, and a session with a credential for it.
struct Attack {
    world: World,
    server: Server,
    session: String,
    vault: String,
    credential: String,
    log: PathBuf,
}

impl Attack {
    /// Starts all of it, with a script in which the Nth message runs the Nth of these lines of shell; `URL` in them is
    /// the server's, `FOREIGN` the same server under a name that the credential is not for.
    async fn start(lines: &[&str], networking: Value) -> Result<Self> {
        let server = Server::start().await?;
        let port = server.address.port();
        let command = |line: &&str| {
            let line = line
                .replace("URL", &format!("http://127.0.0.1:{port}"))
                .replace("FOREIGN", &format!("http://localhost:{port}"));
            json!({"name": "bash", "input": {"command": line}})
        };
        let calls: Vec<Value> = lines.iter().map(command).collect();
        let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        let configuration = json!({"egress": {"private_hosts": hosts}}).to_string();
        let mut world = World::start_with(PROGRAM, &script(&calls), &configuration).await?;
        // Only now, when everything is compiled: a compiler that logs all it can takes minutes.
        world.stop()?;
        let log = log_file();
        world.options.log = Some(log.clone());
        world.restart()?;
        let client = &world.client;
        let vault = id(&client
            .post("/v1/vaults", &json!({"display_name": "v"}))
            .await?)?;
        let auth = json!({"auth": {
            "type": "environment_variable",
            "secret_name": "TOKEN",
            "secret_value": CANARY,
            "networking": {"type": "limited", "allowed_hosts": ["127.0.0.1"]},
        }});
        let path = format!("/v1/vaults/{vault}/credentials");
        let credential = id(&client.post(&path, &auth).await?)?;
        let session = new_session(client, networking, &vault).await?;
        Ok(Self {
            world,
            server,
            session,
            vault,
            credential,
            log,
        })
    }

    async fn open(lines: &[&str]) -> Result<Self> {
        Self::start(lines, json!({"type": "unrestricted"})).await
    }

    /// Makes the Nth call, in which nothing of the secret may be told.
    async fn run(&self, number: usize) -> Result<Outcome> {
        let outcome = call(&self.world.client, &self.session, number).await?;
        assert!(!holds_secret(outcome.text.as_bytes()), "{}", outcome.text);
        Ok(outcome)
    }

    /// Returns the session's requests as the journal has them.
    async fn requests(&self) -> Result<Vec<Value>> {
        let path = format!("/sinew/v1/sessions/{}/requests", self.session);
        let answer = self.world.client.get(&path).await?;
        Ok(answer["data"].as_array().cloned().unwrap_or_default())
    }

    /// Looks for the secret wherever something is kept or shown of the session.
    async fn check_nothing_is_kept(&mut self) -> Result<()> {
        let client = &self.world.client;
        let session = &self.session;
        for path in [
            format!("/v1/sessions/{session}"),
            format!("/sinew/v1/sessions/{session}"),
            format!("/sinew/v1/sessions/{session}/requests"),
            format!("/v1/vaults/{}/credentials?limit=100", self.vault),
        ] {
            let answer = client.get(&path).await?;
            assert!(!holds_secret(answer.to_string().as_bytes()), "{path}");
        }
        let events = client.events(session).await?;
        let events = serde_json::to_vec(&events)?;
        assert!(!holds_secret(&events), "an event of the session");
        let export = format!("/sinew/v1/sessions/{session}/export");
        let export = client.request(reqwest::Method::GET, &export).send().await?;
        let bytes = export.error_for_status()?.bytes().await?;
        assert!(bytes.len() > 100 && !holds_secret(&bytes), "the export");
        self.world.stop()?;
        // Events and blobs are stored compressed where that pays, so what is short is looked for as it is, and the
        // rest was read above through the API.
        let mut files = files_below(&self.world.folder())?;
        files.push(self.log.clone());
        assert!(files.len() > 3, "{files:?}");
        for file in files {
            let bytes = std::fs::read(&file)?;
            assert!(!holds_secret(&bytes), "{}", file.display());
        }
        Ok(())
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.log);
    }
}

async fn new_session(client: &Client, networking: Value, vault: &str) -> Result<String> {
    let tools = json!([{"type": "agent_toolset_20260401"}]);
    let agent = json!({"name": "tester", "model": "claude-sonnet-4-6", "tools": tools});
    let agent = client.post("/v1/agents", &agent).await?;
    let config = json!({"type": "cloud", "networking": networking});
    let environment = json!({"name": agent["id"], "config": config});
    let environment = client.post("/v1/environments", &environment).await?;
    let session = json!({
        "agent": agent["id"],
        "environment_id": environment["id"],
        "vault_ids": [vault],
    });
    id(&client.post("/v1/sessions", &session).await?)
}

fn id(made: &Value) -> Result<String> {
    Ok(made["id"].as_str().context("no id")?.to_owned())
}

/// Returns a path of its own for a daemon's log, outside the daemon's folder.
fn log_file() -> PathBuf {
    let number: u64 = rand::random();
    std::env::temp_dir().join(format!("sinew-attack-{number:016x}.log"))
}

/// Tells whether bytes hold the secret in any usual form.
fn holds_secret(bytes: &[u8]) -> bool {
    Canary::new(CANARY).is_in(bytes)
}

/// Returns the last result's text of a session.
fn last_result(events: &[Value]) -> String {
    let results = of_kind(events, "agent.tool_result");
    results
        .last()
        .map(|event| text_of(event))
        .unwrap_or_default()
}
