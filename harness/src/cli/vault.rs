//! `sinew vault`: the vaults of a daemon, and the master key of a data folder.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};

use super::resource::{All, Kind, One, text, with_state};
use super::vault_credential::{CredentialCommand, credential};
use super::{ConfigArgs, DaemonArgs, MasterKeyArgs};
use crate::data_dir::DataDir;
use crate::json::Fields as _;
use crate::secrets::{load, rotate, rotate_file};
use crate::store::{SqliteOptions, SqliteStore};

const VAULTS: Kind = Kind {
    path: "/v1/vaults",
    line,
};

#[derive(Subcommand)]
pub(super) enum VaultCommand {
    /// Create a vault
    #[command(after_help = "Example: sinew vault create \"build machines\"")]
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List vaults, newest first
    #[command(after_help = "Example: sinew vault list --archived")]
    List(All),
    /// Show one vault, as JSON
    #[command(after_help = "Example: sinew vault show vlt_...")]
    Show(One),
    /// Archive a vault with its credentials: their secrets are wiped
    #[command(after_help = "Example: sinew vault archive vlt_...")]
    Archive(One),
    /// Delete a vault with its credentials
    #[command(after_help = "Example: sinew vault delete vlt_...")]
    Delete(One),
    /// The credentials of a vault
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Exchange the master key: wrap the key of every stored secret anew
    ///
    /// With the data folder's own file, a new master key is made and the old one removed at the end. With another
    /// source, put the new key before the old one there, run this, and then take the old one away. A run that was cut is finished
    /// by the next one; until then both keys open what they wrapped. The daemon must be stopped.
    RotateMasterKey {
        #[command(flatten)]
        config: ConfigArgs,
        #[command(flatten)]
        master_key: MasterKeyArgs,
    },
}

pub(super) async fn vault(command: VaultCommand) -> Result<ExitCode> {
    match command {
        VaultCommand::Create { name, daemon } => {
            let body = json!({"display_name": name});
            VAULTS.create(&daemon, &body).await?;
        }
        VaultCommand::List(all) => VAULTS.list(&all.daemon, &all.query()).await?,
        VaultCommand::Show(one) => VAULTS.show(&one).await?,
        VaultCommand::Archive(one) => VAULTS.archive(&one).await?,
        VaultCommand::Delete(one) => VAULTS.delete(&one).await?,
        VaultCommand::Credential(command) => credential(command).await?,
        VaultCommand::RotateMasterKey { config, master_key } => {
            rotate_master_key(&config, &master_key).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate_master_key(config: &ConfigArgs, master_key: &MasterKeyArgs) -> Result<()> {
    let mut config = config.config()?;
    master_key.apply(&mut config);
    // A daemon would go on with the old key.
    let data = DataDir::lock(&config.data)?;
    let store = SqliteStore::open(SqliteOptions::new(data.database()))?;
    let rotated = match &config.master_key {
        Some(source) => rotate(&store, &load(source).await?).await,
        None => rotate_file(&store, &data.master_key()).await,
    };
    let rotated = rotated.context("the master key is not wholly exchanged; run this again")?;
    say!(
        "{} secrets are under the new master key now, {} were already",
        rotated.rewrapped,
        rotated.current
    );
    Ok(())
}

fn line(vault: &Value) -> String {
    format!(
        "{}  {}  {}",
        text(vault.at("id")),
        text(vault.at("created_at")),
        with_state(vault, "display_name"),
    )
}
