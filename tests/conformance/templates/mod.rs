//! The shipped templates of agents, each on the sample that is shipped with it: the model is scripted, everything else is
//! real, and the model tries what the template forbids.

mod assignment_review;
mod code_review;
mod data_pipeline;
mod scheduled_updater;
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::world::World;

/// Templates that have a test: those of this module, and the pipeline's.
const TESTED: [&str; 6] = [
    "assignment-review",
    "auto-pr",
    "code-review",
    "data-pipeline",
    "scheduled-updater",
    "support",
];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

#[test]
fn no_template_is_without_a_test() -> Result<()> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(example(""))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let tested: BTreeSet<String> = TESTED.iter().map(|name| (*name).to_owned()).collect();
    ensure!(found == tested, "{found:?}");
    Ok(())
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-R").arg(from).arg(to).status()?;
    ensure!(status.success(), "cp failed");
    Ok(())
}

/// Creates the agent of a template's file, as its README says, and returns its id.
fn created(cli: &Cli, file: &Path) -> Result<String> {
    let made = cli.json(&["agent", "create", &file.display().to_string()])?;
    let id = made.first().and_then(|agent| agent["id"].as_str());
    Ok(id.context("no id")?.to_owned())
}

/// Makes a session of an agent and returns its id.
async fn session(world: &World, agent: &str) -> Result<String> {
    let environment = world
        .client
        .post("/v1/environments", &json!({"name": agent}))
        .await?;
    let body = json!({"agent": agent, "environment_id": environment["id"]});
    let session = world.client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Starts a daemon whose sessions work in a copy of a folder of a template.
async fn world_in(program: &str, script: &str, folder: &Path) -> Result<World> {
    let shown = folder.display().to_string();
    World::start_prepared(program, script, "", |options| {
        options.arguments.extend(["--workspace".to_owned(), shown]);
        Ok(())
    })
    .await
}

/// Waits until a session's outputs hold a file, and returns what is in it.
async fn output(world: &World, cli: &Cli, session: &str, name: &str) -> Result<String> {
    let found = async {
        loop {
            let path = format!("/v1/files?scope_id={session}&limit=100");
            let listed = world.client.get(&path).await?;
            let mut files = listed["data"].as_array().into_iter().flatten();
            if let Some(file) = files.find(|file: &&Value| file["filename"] == name) {
                break anyhow::Ok(file["id"].as_str().context("no id")?.to_owned());
            }
            tokio::task::yield_now().await;
        }
    };
    let id = tokio::time::timeout(std::time::Duration::from_secs(60), found).await??;
    let folder = tempfile::tempdir()?;
    let to = folder.path().join("file");
    cli.ok(&[
        "file",
        "download",
        &id,
        "--output",
        &to.display().to_string(),
    ])?;
    Ok(std::fs::read_to_string(to)?)
}
