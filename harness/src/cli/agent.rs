//! `sinew agent`: the agents of a daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::DaemonArgs;
use super::resource::{All, Kind, One, print, text};
use super::team::read_agent;
use super::yaml::read_object;
use crate::json::Fields as _;

const AGENTS: Kind = Kind {
    path: "/v1/agents",
    line,
};

#[derive(Subcommand)]
pub(super) enum AgentCommand {
    /// Create an agent from a YAML file with the API's fields (name, model, system, tools, ...)
    #[command(
        after_help = "An agent of a team may be given as {file: PATH}, seen from the file's folder: it is created \
        first. See examples/auto-pr."
    )]
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
    List(All),
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
    Archive(One),
}

pub(super) async fn agent(command: AgentCommand) -> Result<ExitCode> {
    match command {
        AgentCommand::Create { file, daemon } => {
            let client = daemon.client()?;
            let body = read_agent(&client, &file).await?;
            let agent = client.post("/v1/agents", &body).await?;
            print_changed(&agent, &daemon, "created");
        }
        AgentCommand::Update { id, file, daemon } => {
            let body = read_object(&file)?;
            let agent = daemon
                .client()?
                .post(&format!("/v1/agents/{id}"), &body)
                .await?;
            print_changed(&agent, &daemon, "updated");
        }
        AgentCommand::List(all) => AGENTS.list(&all.daemon, &all.query()).await?,
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
            say!("{agent:#}");
        }
        AgentCommand::Archive(one) => {
            let agent = AGENTS.post(&one, "archive").await?;
            print_changed(&agent, &one.daemon, "archived");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_changed(agent: &Value, daemon: &DaemonArgs, verb: &str) {
    print(agent, daemon, |agent| format!("{verb} {}", line(agent)));
}

fn line(agent: &Value) -> String {
    format!(
        "{}  version {}  {}  {}",
        text(agent.at("id")),
        agent.at("version"),
        text(agent.at("model").at("id")),
        text(agent.at("name")),
    )
}
