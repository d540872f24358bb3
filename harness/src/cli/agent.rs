//! `sinew agent`: the agents of a daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::DaemonArgs;
use super::render::plain;
use super::yaml::read_object;
use crate::json::Fields as _;

#[derive(Subcommand)]
pub(super) enum AgentCommand {
    /// Create an agent from a YAML file with the API's fields (name, model, system, tools, ...)
    Create {
        /// The file; - for standard input
        file: PathBuf,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Update an agent: the fields in the file replace the stored ones and make a new version
    Update {
        /// Agent id
        id: String,
        /// The file; - for standard input
        file: PathBuf,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List agents
    List {
        /// Also archived ones
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Show one agent, as JSON
    Show {
        /// Agent id
        id: String,
        /// A version, newest by default
        #[arg(long)]
        version: Option<u64>,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Archive an agent for good
    Archive {
        /// Agent id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
}

pub(super) async fn agent(command: AgentCommand) -> Result<ExitCode> {
    match command {
        AgentCommand::Create { file, daemon } => {
            let body = read_object(&file)?;
            let agent = daemon.client()?.post("/v1/agents", &body).await?;
            print_one(&agent, &daemon, "created");
        }
        AgentCommand::Update { id, file, daemon } => {
            let body = read_object(&file)?;
            let agent = daemon
                .client()?
                .post(&format!("/v1/agents/{id}"), &body)
                .await?;
            print_one(&agent, &daemon, "updated");
        }
        AgentCommand::List { archived, daemon } => {
            let path = format!("/v1/agents?limit=100&include_archived={archived}");
            for agent in daemon.client()?.all(&path).await? {
                print_one(&agent, &daemon, "");
            }
        }
        AgentCommand::Show {
            id,
            version,
            daemon,
        } => {
            let path = match version {
                Some(version) => format!("/v1/agents/{id}?version={version}"),
                None => format!("/v1/agents/{id}"),
            };
            let agent = daemon.client()?.get(&path).await?;
            println!("{agent:#}");
        }
        AgentCommand::Archive { id, daemon } => {
            let path = format!("/v1/agents/{id}/archive");
            let agent = daemon.client()?.post(&path, &Value::Null).await?;
            print_one(&agent, &daemon, "archived");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_one(agent: &Value, daemon: &DaemonArgs, verb: &str) {
    if daemon.json {
        println!("{agent}");
        return;
    }
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let line = format!(
        "{verb} {}  version {}  {}  {}",
        text(agent.at("id")),
        agent.at("version"),
        text(agent.at("model").at("id")),
        text(agent.at("name")),
    );
    println!("{}", line.trim_start());
}
