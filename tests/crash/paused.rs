//! A daemon that stands still for longer than its leases last: nobody takes its data folder meanwhile, and it goes
//! on as if nothing had been.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::json;
use sinew_tests::log_rules;
use sinew_tests::world::World;

use crate::PROGRAM;

/// How long leases last here, in milliseconds: the shortest that the configuration allows.
const LEASE_MS: u64 = 1_000;
/// Calls while it stands still again and again.
const CALLS: usize = 12;
const PAUSES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stood_still_goes_on() -> Result<()> {
    let command = "n=$((n+1)); echo $n >> count; sleep 0.1";
    let call = json!({"tools": [{"name": "bash", "input": {"command": command}}]});
    let mut turns = vec![call; CALLS];
    turns.push(json!({"text": "Done."}));
    let script = json!({ "turns": turns }).to_string();
    let mut world = World::start_with(PROGRAM, &script, &format!("lease_ms: {LEASE_MS}")).await?;
    let client = world.client.clone();
    let session = client.new_session("claude-sonnet-4-6").await?;
    client.message(&session, "go").await?;
    let mut stream = client.stream(&session, "").await?;
    for _ in 0..PAUSES {
        stream.until("agent.tool_use").await?;
        world.daemon()?.signal(Signal::STOP)?;
        // What is tested is that this time passes: the leases run out.
        tokio::time::sleep(Duration::from_millis(LEASE_MS + LEASE_MS / 2)).await;
        let mut second = world.options.clone();
        second.listen = "127.0.0.1:0".to_owned();
        let second = second.command().stderr(Stdio::piped()).output()?;
        let said = String::from_utf8_lossy(&second.stderr);
        world.daemon()?.signal(Signal::CONT)?;
        ensure!(
            !second.status.success() && said.contains("is held by another daemon"),
            "{said}"
        );
    }
    let events = client.until_idle(&session, "end_turn").await?;
    log_rules::check(&events)?;
    let lines: String = (1..=CALLS).map(|n| format!("{n}\n")).collect();
    let count = std::fs::read_to_string(world.workspace(&session).join("count"))?;
    ensure!(count == lines, "{count}");
    ensure!(world.stop()?.success());
    log_rules::check_stored(&world.options.data, &session).await?;
    Ok(())
}
