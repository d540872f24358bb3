//! `sinew run`: one agent, one session, live in the terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::ConfigArgs;
use super::client::Client;
use super::conversation::{Conversation, TurnEnd, ask};
use super::team::read_agent;
use super::yaml::read_object;
use crate::daemon::Daemon;
use crate::json::Fields as _;

#[derive(Args)]
pub(super) struct RunArgs {
    /// The agent: a YAML file with the API's fields (name, model, system, tools, ...); those of its team may be files
    agent: PathBuf,
    /// The message; asked for in the terminal, or read from standard input, when absent
    #[arg(short, long)]
    message: Option<String>,
    /// Folder of this machine that becomes the session's /workspace; the agent changes it in place
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    workdir: Option<PathBuf>,
    /// Use the daemon at this address instead of one of this command's own
    #[arg(long)]
    url: Option<String>,
    /// API key for --url
    #[arg(long, env = "SINEW_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Print every event as a JSON line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: RunArgs) -> Result<ExitCode> {
    // Before anything is started: a file that cannot be read is told at once.
    read_object(&args.agent)?;
    let (client, daemon) = match &args.url {
        Some(url) => (Client::new(url, args.api_key.clone())?, None),
        None => {
            let daemon = own_daemon(&args.config, args.workdir.as_deref()).await?;
            let url = format!("http://{}", daemon.address());
            (Client::new(&url, None)?, Some(daemon))
        }
    };
    let outcome = converse(&client, &args).await;
    if let Some(daemon) = daemon {
        daemon.stop().await;
    }
    outcome
}

async fn own_daemon(config: &ConfigArgs, workdir: Option<&Path>) -> Result<Daemon> {
    let mut config = config.config()?;
    config.listen.set_ip(std::net::IpAddr::from([127, 0, 0, 1]));
    config.listen.set_port(0);
    if let Some(workdir) = workdir {
        let folder = workdir
            .canonicalize()
            .with_context(|| format!("cannot use the folder {}", workdir.display()))?;
        if !folder.is_dir() {
            bail!("{} is not a folder", folder.display());
        }
        config.workspace = Some(folder);
    }
    Ok(Daemon::start(config, super::progress()).await?)
}

async fn converse(client: &Client, args: &RunArgs) -> Result<ExitCode> {
    let agent = read_agent(client, &args.agent).await?;
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = super::environment::local(client).await?;
    let session = client
        .post(
            "/v1/sessions",
            &json!({"agent": agent.at("id"), "environment_id": environment}),
        )
        .await?;
    let session_id = session.at("id").as_str().unwrap_or_default().to_owned();
    let mut conversation = Conversation::open(client.clone(), &session_id, args.json).await?;
    conversation.renderer.say(&format!("session {session_id}"));
    let is_interactive = args.message.is_none() && std::io::stdin().is_terminal();
    let mut message = match &args.message {
        Some(message) => message.clone(),
        None if is_interactive => prompt().await?,
        None => std::io::read_to_string(std::io::stdin()).context("cannot read the message")?,
    };
    loop {
        if message.trim().is_empty() {
            if is_interactive {
                return Ok(ExitCode::SUCCESS);
            }
            bail!("the message is empty; give one with --message");
        }
        let end = conversation.turn(&message).await?;
        match end {
            TurnEnd::Left => return Ok(ExitCode::from(130)),
            TurnEnd::Done | TurnEnd::Stopped if is_interactive => message = prompt().await?,
            TurnEnd::Done => return Ok(ExitCode::SUCCESS),
            TurnEnd::Stopped => return Ok(ExitCode::FAILURE),
        }
    }
}

async fn prompt() -> Result<String> {
    tokio::task::spawn_blocking(|| ask("you> ")).await?
}
