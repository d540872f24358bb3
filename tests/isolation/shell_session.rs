//! Attacks with a shell through the whole daemon: the model sends them, the session goes on, the session beside notices
//! nothing.

use anyhow::Result;
use serde_json::{Value, json};
use sinew_tests::world::World;

use crate::{PROGRAM, call, check_neighbour, script};

/// What the session can still do after each attack.
const ALIVE: &str = "echo still $((40 + 2)) > /tmp/alive; cat /tmp/alive";

/// Attacks, and a part of the answer that each must get.
const ATTACKS: &[(&str, &str, &str)] = &[
    ("a fork bomb", ":(){ :|:& };:; wait; echo over", ""),
    (
        "a storm of programs",
        "while :; do sleep 1000 & done",
        "ended",
    ),
    ("endless output", "yes flood", "ended"),
    (
        "endless output of many",
        "for i in 1 2 3 4; do yes $i & done; wait",
        "ended",
    ),
    ("all memory", "x=x; while :; do x=$x$x; done", ""),
    (
        "a sleeper that ignores its end",
        "trap '' TERM INT HUP; while :; do sleep 1000; done",
        "ended",
    ),
    ("killing everything", "kill -9 -1; kill -9 1; echo done", ""),
    ("the shell itself", "kill -9 $$; echo not reached", "137"),
    (
        "another session's files",
        "ls /proc/1/root / ../..; cat /proc/self/environ",
        "",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_attacks_with_its_shell_harms_itself_alone() -> Result<()> {
    let bash =
        |text: &str| json!({"name": "bash", "input": {"command": text, "timeout_ms": 2_000}});
    let mut calls: Vec<Value> = ATTACKS.iter().map(|(_, text, _)| bash(text)).collect();
    calls.push(bash(ALIVE));
    let world = World::start(PROGRAM, &script(&calls)).await?;
    let neighbour = world.client.new_session("claude-sonnet-4-6").await?;
    let attacker = world.client.new_session("claude-sonnet-4-6").await?;
    for (number, (name, _, answer)) in ATTACKS.iter().enumerate() {
        let outcome = call(&world.client, &attacker, number).await?;
        let shown: String = outcome.text.chars().take(300).collect();
        assert!(outcome.text.contains(answer), "{name}: {shown}");
        assert!(!outcome.text.contains("SINEW_"), "{name}: {shown}");
        let after = call(&world.client, &attacker, ATTACKS.len()).await?;
        // What the attack left behind may still have a word to say.
        let shown: String = after.text.chars().take(300).collect();
        assert!(after.text.ends_with("still 42\n"), "after {name}: {shown}");
        check_neighbour(&world, &neighbour).await?;
    }
    Ok(())
}
