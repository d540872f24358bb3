//! `sinew deployment`: the deployments of a daemon.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::render::plain;
use super::resource::{All, Kind, One, print, text};
use crate::json::Fields as _;

const DEPLOYMENTS: Kind = Kind {
    path: "/v1/deployments",
    line,
};

#[derive(Subcommand)]
pub(super) enum DeploymentCommand {
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
