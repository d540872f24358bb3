//! `sinew key`: API keys of a data folder. Works beside a running daemon.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::ConfigArgs;
use crate::api::{DEFAULT_WORKSPACE, Role, create_key, list_keys, revoke_key};
use crate::clock::{Clock, SystemClock};
use crate::ids::{ApiKeyId, ID_BYTES_MAX, WorkspaceId};
use crate::json::Fields as _;
use crate::store::{SqliteOptions, SqliteStore};

/// Keys that a list shows.
pub(super) const KEYS_MAX: usize = 1_000;

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
        /// What it may do there: everything, everything but administering the organization, or reading
        #[arg(long, value_enum, default_value_t = RoleName::Admin)]
        role: RoleName,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List keys, without the keys themselves
    List {
        /// Only keys of this workspace
        #[arg(long)]
        workspace: Option<String>,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Revoke a key: its next request is refused
    Revoke {
        /// Key id (apikey_...)
        id: String,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// The roles as arguments.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    Admin,
    Member,
    ReadOnly,
}

impl RoleName {
    fn role(self) -> Role {
        match self {
            RoleName::Admin => Role::Admin,
            RoleName::Member => Role::Member,
            RoleName::ReadOnly => Role::ReadOnly,
        }
    }
}

pub(super) async fn key(command: KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::Create {
            name,
            workspace,
            role,
            json,
            config,
        } => {
            let store = open(&config)?;
            let workspace = workspace_id(workspace)?;
            let role = role.role();
            let key = create_key(&store, &workspace, &name, role, SystemClock.now()).await?;
            if json {
                let made = json!({
                    "id": key.id.as_str(),
                    "name": name,
                    "workspace_id": workspace.as_str(),
                    "role": role.as_str(),
                    "key": key.reveal(),
                });
                say!("{made}");
            } else {
                say!("{}", key.reveal());
                eprintln!(
                    "key {} for {workspace}, {}; it is stored only as a hash. A daemon that was started \
                     without keys asks for them after a restart.",
                    key.id,
                    role.as_str()
                );
            }
        }
        KeyCommand::List {
            workspace,
            json,
            config,
        } => {
            for key in list_keys(&open(&config)?, KEYS_MAX).await? {
                let is_asked = workspace
                    .as_deref()
                    .is_none_or(|asked| *key.at("workspace_id") == *asked);
                if is_asked {
                    print_key(
                        &key,
                        &["id", "workspace_id", "role", "created_at", "name"],
                        json,
                    );
                }
            }
        }
        KeyCommand::Revoke { id, json, config } => {
            revoke_key(&open(&config)?, &ApiKeyId::from_text(id.clone()))
                .await
                .with_context(|| format!("cannot revoke {id}"))?;
            print_revoked(&id, json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a key as JSON, or these of its fields.
pub(super) fn print_key(key: &Value, fields: &[&str], json: bool) {
    if json {
        say!("{key}");
        return;
    }
    let texts: Vec<&str> = fields
        .iter()
        .map(|field| key.at(field).as_str().unwrap_or_default())
        .collect();
    say!("{}", texts.join("  "));
}

pub(super) fn print_revoked(id: &str, json: bool) {
    if json {
        say!("{}", json!({"id": id, "revoked": true}));
    } else {
        say!("revoked {id}");
    }
}

/// Reads the name of a workspace. Errors: callers could not name it.
pub(super) fn workspace_id(text: String) -> Result<WorkspaceId> {
    ensure!(
        text.starts_with(WorkspaceId::PREFIX) && text.len() <= ID_BYTES_MAX,
        "{text:?} is no workspace: a workspace is a name of yours that starts with {}",
        WorkspaceId::PREFIX
    );
    Ok(WorkspaceId::from_text(text))
}

pub(super) fn open(config: &ConfigArgs) -> Result<SqliteStore> {
    let data = config.config()?.data;
    crate::data_dir::make_private(&data)
        .with_context(|| format!("cannot use the data folder {}", data.display()))?;
    Ok(SqliteStore::open(SqliteOptions::new(
        crate::data_dir::database(&data),
    ))?)
}
