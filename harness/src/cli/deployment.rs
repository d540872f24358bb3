//! `sinew deployment`: the deployments of a daemon.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::DaemonArgs;
use super::render::plain;
use crate::json::Fields as _;

#[derive(Subcommand)]
pub(super) enum DeploymentCommand {
    /// List deployments: state, schedule and the next time
    List {
        /// Also archived ones
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Run a deployment once, now, also while it is paused; prints the session, fails if there is none
    Run {
        /// Deployment id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Pause a deployment: its schedule does not count until it is unpaused
    Pause {
        /// Deployment id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
    /// Let a paused deployment run by its schedule again; what was missed stays so
    Unpause {
        /// Deployment id
        id: String,
        #[command(flatten)]
        daemon: DaemonArgs,
    },
}

pub(super) async fn deployment(command: DeploymentCommand) -> Result<ExitCode> {
    match command {
        DeploymentCommand::List { archived, daemon } => {
            let path = format!("/v1/deployments?limit=100&include_archived={archived}");
            for deployment in daemon.client()?.all(&path).await? {
                print_one(&deployment, &daemon);
            }
        }
        DeploymentCommand::Run { id, daemon } => {
            let run = post(&daemon, &id, "run").await?;
            print_run(&run, &daemon);
            if !run.at("error").is_null() {
                return Ok(ExitCode::FAILURE);
            }
        }
        DeploymentCommand::Pause { id, daemon } => {
            print_one(&post(&daemon, &id, "pause").await?, &daemon);
        }
        DeploymentCommand::Unpause { id, daemon } => {
            print_one(&post(&daemon, &id, "unpause").await?, &daemon);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn post(daemon: &DaemonArgs, id: &str, verb: &str) -> Result<Value> {
    let path = format!("/v1/deployments/{id}/{verb}");
    daemon.client()?.post(&path, &Value::Null).await
}

fn text(value: &Value) -> String {
    plain(value.as_str().unwrap_or_default())
}

fn print_one(deployment: &Value, daemon: &DaemonArgs) {
    if daemon.json {
        println!("{deployment}");
        return;
    }
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
    println!(
        "{}  {state}{reason}  {when}  {}",
        text(deployment.at("id")),
        text(deployment.at("name")),
    );
}

fn print_run(run: &Value, daemon: &DaemonArgs) {
    if daemon.json {
        println!("{run}");
        return;
    }
    let outcome = match run.at("session_id").as_str() {
        Some(session) => plain(session),
        None => {
            let error = run.at("error");
            format!("{}: {}", text(error.at("type")), text(error.at("message")))
        }
    };
    println!("{}  {outcome}", text(run.at("id")));
}
