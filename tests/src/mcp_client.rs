//! The daemon's connector to MCP servers as a program: connects to the server whose URL is the last argument, lists its
//! tools and calls each once. The conformance package starts it.

#![allow(
    clippy::indexing_slicing,
    reason = "what is indexed here is JSON, which answers null"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use sinew::clock::SystemClock;
use sinew::egress::{Client, EgressOptions};
use sinew::ids::WorkspaceId;
use sinew::mcp::{CallLimits, Connector, OnBehalfOf, Server};
use sinew::secrets::{Keyring, MasterKey};
use sinew::store::{SharedStore, SqliteOptions, SqliteStore};
use sinew::vault::Vaults;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let url = std::env::args().next_back().context("no URL was given")?;
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("store.db")))?;
    let store: SharedStore = Arc::new(store);
    let keyring = Arc::new(Keyring::of(MasterKey::fresh()?));
    let egress = Client::new(EgressOptions {
        private_hosts: vec!["localhost".parse()?, "127.0.0.1".parse()?],
        ..EgressOptions::default()
    })?;
    let limits = CallLimits {
        quiet_max: Duration::from_secs(20),
        total_max: Duration::from_secs(20),
    };
    let vaults = Vaults::new(store, keyring);
    let connector = Connector::new(egress, vaults, Arc::new(SystemClock), limits);
    let who = OnBehalfOf {
        workspace: WorkspaceId::from_text("wrkspc_test"),
        vault_ids: Vec::new(),
        networking: json!({"type": "unrestricted"}),
    };
    let server = Server {
        name: "under test".to_owned(),
        url,
    };
    let connection = connector.connect(&who, &server).await?;
    let cancel = CancellationToken::new();
    for tool in connection.tools().await? {
        let name = tool["name"].as_str().unwrap_or_default();
        let (input, unheard) = (arguments(&tool["input_schema"]), Arc::new(|_: &[u8]| {}));
        let answer = connection.call(name, input, "key", limits, unheard, &cancel);
        println!("{name}: {:?}", answer.await?);
    }
    connection.close().await;
    Ok(())
}

/// Returns some value for each property that a schema names.
fn arguments(schema: &Value) -> Map<String, Value> {
    let properties = schema["properties"].as_object().cloned();
    let some = |schema: &Value| match schema["type"].as_str() {
        Some("number" | "integer") => json!(5),
        Some("boolean") => json!(true),
        _ => json!("some"),
    };
    let properties = properties.into_iter().flatten();
    properties
        .map(|(name, schema)| (name, some(&schema)))
        .collect()
}
