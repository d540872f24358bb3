//! `sinew memory`: the memory stores of a daemon, and the memories in them by their paths.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::memory_content::{Store, put_source};
use super::resource::{All, Kind, One, id, text, with_state};
use crate::json::Fields as _;

const STORES: Kind = Kind {
    path: "/v1/memory_stores",
    line,
};

#[derive(Subcommand)]
pub(super) enum MemoryCommand {
    /// Create a memory store
    #[command(
        after_help = "Example: sinew memory create notes --description \"What we know of the build\""
    )]
    Create {
        /// Its name, which names its folder in sessions
        name: String,
        /// What it is for, as agents read it
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List memory stores, newest first
    #[command(after_help = "Example: sinew memory list --archived")]
    List(All),
    /// Show one memory store, as JSON
    #[command(after_help = "Example: sinew memory show memstore_...")]
    Show(One),
    /// Archive a memory store: it is read-only from then on
    #[command(after_help = "Example: sinew memory archive memstore_...")]
    Archive(One),
    /// Delete a memory store with all memories and versions
    #[command(after_help = "Example: sinew memory delete memstore_...")]
    Delete(One),
    /// List memories and folders
    #[command(after_help = "Example: sinew memory ls memstore_... /build --recursive")]
    Ls {
        #[command(flatten)]
        store: StoreArgs,
        /// Only what is in this folder
        #[arg(default_value = "/")]
        prefix: String,
        /// Also what is in the folders below
        #[arg(short, long)]
        recursive: bool,
    },
    /// Print a memory
    #[command(after_help = "Example: sinew memory cat memstore_... /build/flags.md")]
    Cat {
        #[command(flatten)]
        store: StoreArgs,
        /// Its path
        path: String,
    },
    /// Write a memory: a new one, or a new version
    #[command(
        after_help = "Example: echo 'use -j2' | sinew memory put memstore_... /build/flags.md"
    )]
    Put {
        #[command(flatten)]
        store: StoreArgs,
        /// Its path
        path: String,
        /// The file with its text; - for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Remove a memory; its versions stay
    #[command(after_help = "Example: sinew memory rm memstore_... /build/flags.md")]
    Rm {
        #[command(flatten)]
        store: StoreArgs,
        /// Its path
        path: String,
    },
    /// List versions, newest first: what was changed, when and by whom
    #[command(after_help = "Example: sinew memory versions memstore_... /build/flags.md")]
    Versions {
        #[command(flatten)]
        store: StoreArgs,
        /// Only those of this memory, which may be gone
        path: Option<String>,
    },
    /// Wipe the content of a version for good; not that of a memory's newest
    #[command(after_help = "Example: sinew memory redact memstore_... memver_...")]
    Redact {
        #[command(flatten)]
        store: StoreArgs,
        /// The version's id, see "versions"
        #[arg(value_parser = id)]
        version: String,
    },
}

/// The store whose memories a command works on.
#[derive(clap::Args)]
pub(super) struct StoreArgs {
    /// The store's id
    #[arg(value_name = "STORE", value_parser = id)]
    store_id: String,
    #[command(flatten)]
    daemon: DaemonArgs,
}

impl StoreArgs {
    fn open(&self) -> Result<Store<'_>> {
        Store::new(&self.daemon, &self.store_id)
    }
}

pub(super) async fn memory(command: MemoryCommand) -> Result<ExitCode> {
    match command {
        MemoryCommand::Create {
            name,
            description,
            daemon,
        } => {
            let body = json!({"name": name, "description": description});
            STORES.create(&daemon, &body).await?;
        }
        MemoryCommand::List(all) => STORES.list(&all.daemon, &all.query()).await?,
        MemoryCommand::Show(one) => STORES.show(&one).await?,
        MemoryCommand::Archive(one) => STORES.archive(&one).await?,
        MemoryCommand::Delete(one) => STORES.delete(&one).await?,
        MemoryCommand::Ls {
            store,
            prefix,
            recursive,
        } => store.open()?.list(&prefix, recursive).await?,
        MemoryCommand::Cat { store, path } => store.open()?.print(&path).await?,
        MemoryCommand::Put { store, path, file } => {
            let content = put_source(&file)?;
            store.open()?.put(&path, &content).await?;
        }
        MemoryCommand::Rm { store, path } => store.open()?.remove(&path).await?,
        MemoryCommand::Versions { store, path } => {
            store.open()?.versions(path.as_deref()).await?;
        }
        MemoryCommand::Redact { store, version } => store.open()?.redact(&version).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn line(store: &Value) -> String {
    format!(
        "{}  {}  {}  {}",
        text(store.at("id")),
        text(store.at("updated_at")),
        with_state(store, "name"),
        text(store.at("description")).replace('\n', " "),
    )
}
