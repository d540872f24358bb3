//! `sinew key`: API keys of a data folder. Works beside a running daemon.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use super::ConfigArgs;
use crate::api::{DEFAULT_WORKSPACE, create_key, list_keys, revoke_key};
use crate::clock::{Clock, SystemClock};
use crate::ids::{ApiKeyId, WorkspaceId};
use crate::store::{SqliteOptions, SqliteStore};

/// Keys that a list shows.
const KEYS_MAX: usize = 1_000;

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key and print it: the only time it can be seen
    Create {
        /// A name for people
        #[arg(long, default_value = "")]
        name: String,
        /// The workspace it opens
        #[arg(long, default_value = DEFAULT_WORKSPACE)]
        workspace: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List keys, without the keys themselves
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Revoke a key: its next request is refused
    Revoke {
        /// Key id (apikey_...)
        id: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

pub(super) async fn key(command: KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::Create {
            name,
            workspace,
            config,
        } => {
            let store = open(&config)?;
            let workspace = WorkspaceId::from_text(workspace);
            let key = create_key(&store, &workspace, &name, SystemClock.now()).await?;
            println!("{}", key.reveal());
            eprintln!(
                "key {} for {workspace}; it is stored only as a hash. A daemon that was started without \
                 keys asks for them after a restart.",
                key.id
            );
        }
        KeyCommand::List { config } => {
            for key in list_keys(&open(&config)?, KEYS_MAX).await? {
                println!("{key}");
            }
        }
        KeyCommand::Revoke { id, config } => {
            revoke_key(&open(&config)?, &ApiKeyId::from_text(id.clone()))
                .await
                .with_context(|| format!("cannot revoke {id}"))?;
            println!("revoked {id}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(config: &ConfigArgs) -> Result<SqliteStore> {
    let data = config.config()?.data;
    crate::data_dir::make_private(&data)
        .with_context(|| format!("cannot use the data folder {}", data.display()))?;
    Ok(SqliteStore::open(SqliteOptions::new(
        crate::data_dir::database(&data),
    ))?)
}
