//! A daemon that is killed: until a session that was at work has its next event, and until a thousand have.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use sinew_tests::world::World;

use super::measure::{Group, Options, Report, Samples, Subject};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");
/// The model that agents name; the mock answers to any.
const MODEL: &str = "claude-opus-4-8";
/// A call that lasts longer than the daemon lives, and an answer that takes its time.
const SCRIPT: &str = r#"
delay_ms: 100
chunk_chars: 1
rules:
  - when: {last_user_text_contains: work}
    tools: [{name: bash, input: {command: "echo at work > note; until [ -e /workspace/go ]; do sleep 0.01; done"}}]
otherwise: {text: "A longer answer that comes a letter at a time, so that the daemon dies in the middle of it."}
"#;

pub async fn kills(options: Options, report: &mut Report) -> Result<()> {
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let (mut next_event, mut start) = (Samples::default(), Samples::default());
    for _ in 0..options.pick(1, 10) {
        let session = world.client.new_session(MODEL).await?;
        let mut stream = world.client.stream(&session, "").await?;
        world.client.message(&session, "work").await?;
        stream.until("span.model_request_end").await?;
        next_event.begin_round();
        start.begin_round();
        let began = Instant::now();
        world.kill()?;
        world.restart()?;
        start.push(began.elapsed());
        // The call runs again, which its output would tell; its result is the next event.
        std::fs::create_dir_all(world.workspace(&session))?;
        let waiting = until_noted(&world, &session);
        tokio::time::timeout(Duration::from_secs(60), waiting).await??;
        next_event.push(began.elapsed());
        std::fs::write(world.workspace(&session).join("go"), "")?;
        world.client.until_idle(&session, "end_turn").await.ok();
        let interrupt = json!([{"type": "user.interrupt"}]);
        world.client.send_events(&session, interrupt).await.ok();
    }
    report.add(Group::new(
        "kill -9 in the middle of a call",
        vec![
            Subject::new(
                "until the call runs again on the files before it",
                next_event,
            ),
            Subject::new("until the daemon listens again", start),
        ],
    ));
    many(options, &mut world, report).await
}

/// Waits until the call that was cut off has begun anew.
async fn until_noted(world: &World, session: &str) -> Result<()> {
    let note = world.workspace(session).join("note");
    loop {
        if std::fs::read(&note).is_ok_and(|text| !text.is_empty()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Kills a daemon with many sessions in the middle of an answer.
async fn many(options: Options, world: &mut World, report: &mut Report) -> Result<()> {
    let count = options.pick(10, 1_000);
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(world.client.new_session(MODEL).await?);
    }
    for session in &sessions {
        world.client.message(session, "answer").await?;
    }
    let mut lasts = Vec::with_capacity(count);
    for session in &sessions {
        lasts.push(world.client.events(session).await?.len());
    }
    let (mut all, mut start) = (Samples::default(), Samples::default());
    let began = Instant::now();
    world.kill()?;
    world.restart()?;
    start.push(began.elapsed());
    for (session, last) in sessions.iter().zip(&lasts) {
        loop {
            let events = world.client.events(session).await?;
            ensure!(events.len() >= *last, "events were lost");
            if events.len() > *last {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    all.push(began.elapsed());
    report.add(Group::new(
        format!("kill -9 with {count} sessions in the middle of an answer"),
        vec![
            Subject::new("until each has its next event", all),
            Subject::new("until the daemon listens again", start),
        ],
    ));
    Ok(())
}
