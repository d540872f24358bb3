//! `sinew environment`: the environments of a daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::client::Client;
use super::environment_key::{EnvironmentKeyCommand, environment_key};
use super::yaml::read_object;
use crate::json::Fields as _;

/// Name of the environment that `run` and `demo` use.
const LOCAL: &str = "local";

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
    List {
        /// Also archived ones
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Show one environment, as JSON
    Show {
        /// Environment id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Archive an environment: no new sessions
    Archive {
        /// Environment id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Delete an environment
    Delete {
        /// Environment id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
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
            let made = daemon.client()?.post("/v1/environments", &body).await?;
            print_one(&made, &daemon);
        }
        EnvironmentCommand::List { archived, daemon } => {
            let path = format!("/v1/environments?limit=100&include_archived={archived}");
            for environment in daemon.client()?.all(&path).await? {
                print_one(&environment, &daemon);
            }
        }
        EnvironmentCommand::Show { id, daemon } => {
            let found = daemon
                .client()?
                .get(&format!("/v1/environments/{id}"))
                .await?;
            println!("{found:#}");
        }
        EnvironmentCommand::Archive { id, daemon } => {
            let path = format!("/v1/environments/{id}/archive");
            print_one(&daemon.client()?.post(&path, &Value::Null).await?, &daemon);
        }
        EnvironmentCommand::Delete { id, daemon } => {
            let gone = daemon
                .client()?
                .delete(&format!("/v1/environments/{id}"))
                .await?;
            println!("{gone}");
        }
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

fn print_one(environment: &Value, daemon: &DaemonArgs) {
    if daemon.json {
        println!("{environment}");
        return;
    }
    println!(
        "{}  {}  {}",
        environment.at("id").as_str().unwrap_or_default(),
        environment
            .at("config")
            .at("type")
            .as_str()
            .unwrap_or_default(),
        environment.at("name").as_str().unwrap_or_default(),
    );
}
