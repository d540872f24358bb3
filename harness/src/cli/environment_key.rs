//! `sinew environment key`: keys for the workers of self-hosted environments. Works beside a running daemon.

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::json;

use super::ConfigArgs;
use super::key::{KEYS_MAX, open, print_key, print_revoked, workspace_id};
use crate::api::{
    DEFAULT_WORKSPACE, create_environment_key, list_environment_keys, revoke_environment_key,
};
use crate::clock::{Clock, SystemClock};
use crate::ids::{EnvironmentId, EnvironmentKeyId};

#[derive(Subcommand)]
pub(super) enum EnvironmentKeyCommand {
    /// Make a key and print it: the only time it can be seen
    Create {
        /// Environment id (env_...), a self-hosted one
        environment: String,
        /// A name for people
        #[arg(long, default_value = "")]
        name: String,
        /// The environment's workspace
        #[arg(long, default_value = DEFAULT_WORKSPACE)]
        workspace: String,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List keys, without the keys themselves
    List {
        /// Only keys of this environment
        environment: Option<String>,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Revoke a key: its next request is refused
    Revoke {
        /// Key id (envkey_...)
        id: String,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

pub(super) async fn environment_key(command: EnvironmentKeyCommand) -> Result<()> {
    match command {
        EnvironmentKeyCommand::Create {
            environment,
            name,
            workspace,
            json,
            config,
        } => {
            let store = open(&config)?;
            let workspace = workspace_id(workspace)?;
            let environment = EnvironmentId::from_text(environment);
            let now = SystemClock.now();
            let key = create_environment_key(&store, &workspace, &environment, &name, now)
                .await
                .with_context(|| format!("cannot make a key for {environment} in {workspace}"))?;
            if json {
                let made = json!({
                    "id": key.id.as_str(),
                    "name": name,
                    "workspace_id": workspace.as_str(),
                    "environment_id": environment.as_str(),
                    "key": key.reveal(),
                });
                say!("{made}");
            } else {
                say!("{}", key.reveal());
                eprintln!(
                    "key {} for the workers of {environment}; it is stored only as a hash",
                    key.id
                );
            }
        }
        EnvironmentKeyCommand::List {
            environment,
            json,
            config,
        } => {
            let environment = environment.map(EnvironmentId::from_text);
            let store = open(&config)?;
            for key in list_environment_keys(&store, environment.as_ref(), KEYS_MAX).await? {
                print_key(&key, &["id", "environment_id", "created_at", "name"], json);
            }
        }
        EnvironmentKeyCommand::Revoke { id, json, config } => {
            revoke_environment_key(&open(&config)?, &EnvironmentKeyId::from_text(id.clone()))
                .await
                .with_context(|| format!("cannot revoke {id}"))?;
            print_revoked(&id, json);
        }
    }
    Ok(())
}
