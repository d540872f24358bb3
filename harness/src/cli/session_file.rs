//! `sinew session export` and `import`: a session as a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::DaemonArgs;
use super::render::plain;
use super::resource::text;
use super::transfer::{SaveArgs, body_of};
use crate::json::Fields as _;

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Session id
    id: String,
    #[command(flatten)]
    save: SaveArgs,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// What an export wrote
    file: PathBuf,
    /// The environment that the session is to run in; the shared local one by default
    #[arg(long, value_name = "ENVIRONMENT_ID")]
    environment: Option<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
}

/// Writes a session to a file.
pub(super) async fn export(args: ExportArgs) -> Result<()> {
    let path = format!("/sinew/v1/sessions/{}/export", args.id);
    let name = format!("{}.sinew", args.id);
    let client = args.daemon.client()?;
    args.save
        .save(&client, &path, &name, args.daemon.json)
        .await
}

/// Makes a session of a file.
pub(super) async fn import(args: ImportArgs) -> Result<()> {
    let client = args.daemon.client()?;
    let environment = match args.environment {
        Some(environment) => environment,
        None => super::environment::local(&client).await?,
    };
    let path = format!("/sinew/v1/sessions/import?environment_id={environment}");
    let made = client.post_body(&path, body_of(&args.file).await?).await?;
    if args.daemon.json {
        say!("{made}");
        return Ok(());
    }
    say!("{}", text(made.at("session").at("id")));
    for dropped in made.at("dropped").as_array().into_iter().flatten() {
        let (kind, id) = (text(dropped.at("type")), text(dropped.at("id")));
        eprintln!("left out: {} {}", plain(&kind), plain(&id));
    }
    Ok(())
}
