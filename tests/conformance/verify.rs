//! `sinew doctor --verify`: what an operator learns of a store that is whole, and of one that is damaged.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sinew_tests::cli::Cli;
use sinew_tests::world::World;

use crate::PROGRAM;

const SCRIPT: &str = r#"
rules:
  - {when: {tool_result_contains: ""}, text: Done.}
otherwise:
  tools: [{name: bash, input: {command: "head -c 3000000 /dev/urandom > large; echo small > small"}}]
"#;

/// Has a new session run its script once.
async fn session(world: &World) -> Result<String> {
    let client = &world.client;
    let session = client.new_session("claude-sonnet-4-6").await?;
    client.message(&session, "write").await?;
    client.until_idle(&session, "end_turn").await?;
    Ok(session)
}

/// Returns the files of all packs below a folder.
fn packs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(packs(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_verified_and_what_is_damaged_is_named() -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let session = session(&world).await?;
    let data = world.options.data.display().to_string();
    let cli = Cli::new(PROGRAM, "http://127.0.0.1:1", &world.folder());
    let verify = ["doctor", "--verify", "--data", &data];
    cli.fails(&verify, "is held by another daemon")?;
    ensure!(world.stop()?.success());

    let text = cli.ok(&verify)?;
    ensure!(text.contains("everything is there and whole"), "{text}");
    let report = cli.json(&verify)?.remove(0);
    ensure!(report["sessions"] == 1 && report["packs"] == 1, "{report}");
    ensure!(report["orphans"] == 0, "{report}");
    ensure!(report["unknown_pack_files"] == 0, "{report}");
    let [pack] = packs(&world.options.data.join("packs"))?
        .try_into()
        .map_err(|packs| anyhow::anyhow!("not one pack: {packs:?}"))?;
    let whole = std::fs::read(&pack)?;
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&pack, &damaged)?;
    let ran = cli.run(&[&verify[..], &["--json"]].concat())?;
    ensure!(ran.status == 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.text())?;
    let problems = report["problems"].as_array().context("no problems")?;
    ensure!(problems.len() == 1, "{report}");
    ensure!(problems[0]["session_id"] == session.as_str(), "{report}");
    ensure!(problems[0]["event"].as_u64().is_some(), "{report}");
    let object = problems[0]["object"].as_str().context("no object")?;
    let ran = cli.run(&verify)?;
    let text = ran.text();
    ensure!(ran.status == 1 && text.contains(object), "{ran:?}");
    ensure!(
        text.contains(&format!("first needed by session {session} at event")),
        "{text}"
    );

    std::fs::remove_file(&pack)?;
    let name = pack.file_name().context("no name")?.to_string_lossy();
    let ran = cli.run(&verify)?;
    ensure!(ran.status == 1, "{ran:?}");
    ensure!(ran.text().contains(&*name), "{ran:?}");

    std::fs::write(&pack, &whole)?;
    cli.ok(&verify)?;
    let elsewhere = world.folder().join("elsewhere").display().to_string();
    cli.fails(
        &["doctor", "--verify", "--data", &elsewhere],
        "there is no database",
    )?;
    ensure!(!Path::new(&elsewhere).exists(), "a folder was made");
    Ok(())
}
