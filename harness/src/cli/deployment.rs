//! `sinew deployment`: the deployments of a daemon.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::DaemonArgs;
use super::render::plain;
use super::resource::{All, Kind, One, print, text};
use super::session_mounts::MountArgs;
use super::team::create_agent;
use super::yaml::read_object;
use crate::json::Fields as _;

const DEPLOYMENTS: Kind = Kind {
    path: "/v1/deployments",
    line,
};

#[derive(Subcommand)]
pub(super) enum DeploymentCommand {
    /// Create a deployment from a YAML file with the API's fields (name, agent, initial_events, schedule, ...)
    #[command(
        after_help = "The agent is an id, or {file: PATH}, seen from the file's folder: it is created first. See \
        examples/scheduled-updater."
    )]
    Create {
        /// The file; - for standard input
        file: PathBuf,
        /// Environment id; the file's, or the shared local one, by default
        #[arg(long)]
        environment: Option<String>,
        #[command(flatten)]
        mounts: MountArgs,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// List deployments: state, schedule and the next time
    List(All),
    /// Run a deployment once, now, also while it is paused; prints the session, fails if there is none
    Run(One),
    /// Pause a deployment: its schedule does not count until it is unpaused
    Pause(One),
    /// Let a paused deployment run by its schedule again; what was missed stays so
    Unpause(One),
}

pub(super) async fn deployment(command: DeploymentCommand) -> Result<ExitCode> {
    match command {
        DeploymentCommand::Create {
            file,
            environment,
            mounts,
            daemon,
        } => {
            let client = daemon.client()?;
            let mut body = read_object(&file)?;
            if let Some(agent) = body.at("agent").at("file").as_str() {
                let folder = file.parent().unwrap_or(Path::new("."));
                let made = create_agent(&client, &folder.join(agent)).await?;
                body.set("agent", made.at("id").clone());
            }
            match environment {
                Some(environment) => body.set("environment_id", json!(environment)),
                None if body.at("environment_id").is_null() => {
                    let environment = super::environment::local(&client).await?;
                    body.set("environment_id", json!(environment));
                }
                None => {}
            }
            mounts.add_to(&mut body);
            let made = client.post(DEPLOYMENTS.path, &body).await?;
            DEPLOYMENTS.print(&made, &daemon);
        }
        DeploymentCommand::List(all) => DEPLOYMENTS.list(&all.daemon, &all.query()).await?,
        DeploymentCommand::Run(one) => {
            let run = DEPLOYMENTS.post(&one, "run").await?;
            print(&run, &one.daemon, run_line);
            if !run.at("error").is_null() {
                return Ok(ExitCode::FAILURE);
            }
        }
        DeploymentCommand::Pause(one) => {
            DEPLOYMENTS.print(&DEPLOYMENTS.post(&one, "pause").await?, &one.daemon);
        }
        DeploymentCommand::Unpause(one) => {
            DEPLOYMENTS.print(&DEPLOYMENTS.post(&one, "unpause").await?, &one.daemon);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(deployment: &Value) -> String {
    let schedule = deployment.at("schedule");
    let when = match schedule.at("expression").as_str() {
        None => "by hand".to_owned(),
        Some(expression) => {
            let next = schedule.at("upcoming_runs_at").get(0);
            let next = next.map_or_else(|| "never".to_owned(), text);
            let zone = text(schedule.at("timezone"));
            format!("{} {zone}, next {next}", plain(expression))
        }
    };
    let state = match deployment.at("archived_at") {
        Value::Null => text(deployment.at("status")),
        _ => "archived".to_owned(),
    };
    let reason = match deployment.at("paused_reason").at("error").at("type") {
        Value::Null => String::new(),
        kind => format!(" ({})", text(kind)),
    };
    format!(
        "{}  {state}{reason}  {when}  {}",
        text(deployment.at("id")),
        text(deployment.at("name")),
    )
}

fn run_line(run: &Value) -> String {
    let outcome = match run.at("session_id").as_str() {
        Some(session) => plain(session),
        None => {
            let error = run.at("error");
            format!("{}: {}", text(error.at("type")), text(error.at("message")))
        }
    };
    format!("{}  {outcome}", text(run.at("id")))
}
