//! `sinew vault`: care for the secrets in a data folder's vaults. The daemon must be stopped.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use super::{ConfigArgs, MasterKeyArgs};
use crate::data_dir::DataDir;
use crate::secrets::{load, rotate, rotate_file};
use crate::store::{SqliteOptions, SqliteStore};

#[derive(Subcommand)]
pub(super) enum VaultCommand {
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
        VaultCommand::RotateMasterKey { config, master_key } => {
            let mut config = config.config()?;
            master_key.apply(&mut config);
            // A daemon would go on with the old key.
            let data = DataDir::lock(&config.data)?;
            let store = SqliteStore::open(SqliteOptions::new(data.database()))?;
            let rotated = match &config.master_key {
                Some(source) => rotate(&store, &load(source).await?).await,
                None => rotate_file(&store, &data.master_key()).await,
            };
            let rotated =
                rotated.context("the master key is not wholly exchanged; run this again")?;
            println!(
                "{} secrets are under the new master key now, {} were already",
                rotated.rewrapped, rotated.current
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
