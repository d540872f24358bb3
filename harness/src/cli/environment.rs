//! `sinew environment`: the environments of a daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::client::Client;
use super::environment_key::{EnvironmentKeyCommand, environment_key};
use super::resource::{All, Kind, One, text};
use super::yaml::read_object;
use crate::json::Fields as _;

/// Name of the environment that `run` and `demo` use.
const LOCAL: &str = "local";

const ENVIRONMENTS: Kind = Kind {
    path: "/v1/environments",
    line,
};

#[derive(Subcommand)]
pub(super) enum EnvironmentCommand {
    /// Create an environment, from a YAML file or by name alone
    Create {
        /// Its name
        #[arg(long, required_unless_present = "file")]
        name: Option<String>,
        /// A file with the API's fields; - for standard input
        #[arg(long)]
        file: Option<PathBuf>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List environments
    List(All),
    /// Show one environment, as JSON
    Show(One),
    /// Archive an environment: no new sessions
    Archive(One),
    /// Delete an environment
    Delete(One),
    /// Keys for the workers of self-hosted environments, of a data folder
    #[command(subcommand)]
    Key(EnvironmentKeyCommand),
}

pub(super) async fn environment(command: EnvironmentCommand) -> Result<ExitCode> {
    match command {
        EnvironmentCommand::Create { name, file, daemon } => {
            let mut body = match file {
                Some(file) => read_object(&file)?,
                None => json!({}),
            };
            if let Some(name) = name {
                body.set("name", json!(name));
            }
            ENVIRONMENTS.create(&daemon, &body).await?;
        }
        EnvironmentCommand::List(all) => ENVIRONMENTS.list(&all.daemon, &all.query()).await?,
        EnvironmentCommand::Show(one) => ENVIRONMENTS.show(&one).await?,
        EnvironmentCommand::Archive(one) => ENVIRONMENTS.archive(&one).await?,
        EnvironmentCommand::Delete(one) => ENVIRONMENTS.delete(&one).await?,
        EnvironmentCommand::Key(command) => environment_key(command).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the id of the environment that local runs share, made on first use.
pub(super) async fn local(client: &Client) -> Result<String> {
    for environment in client.all("/v1/environments?limit=100").await? {
        if environment.at("name") == LOCAL {
            return Ok(environment.at("id").as_str().unwrap_or_default().to_owned());
        }
    }
    let made = client
        .post("/v1/environments", &json!({"name": LOCAL}))
        .await?;
    Ok(made.at("id").as_str().unwrap_or_default().to_owned())
}

fn line(environment: &Value) -> String {
    format!(
        "{}  {}  {}",
        text(environment.at("id")),
        text(environment.at("config").at("type")),
        text(environment.at("name")),
    )
}
