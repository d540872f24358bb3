//! Isolation: attacks from inside a session through the whole daemon. Each must fail for its own reason,
//! nothing of the host or of another session may show, and a session beside it must notice nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod components;
mod files;
mod network;
mod shell;
mod shell_session;
mod sizes;

use anyhow::Result;
use serde_json::{Value, json};
use sinew_tests::client::Client;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

/// The daemon under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");

/// What a call came to.
struct Outcome {
    is_error: bool,
    text: String,
}

/// Returns a script in which the message `[call N]` makes the Nth of these calls, `{name, input}` each.
fn script(calls: &[Value]) -> String {
    let mut rules = vec![
        // Many large results fill the context: they are summarised on the way.
        json!({"when": {"system_contains": "You summarise"}, "text": "Calls were made."}),
        // A result, whatever it says, ends the turn.
        json!({"when": {"tool_result_contains": ""}, "text": "I have seen the result."}),
    ];
    for (number, call) in calls.iter().enumerate() {
        let when = json!({"last_user_text_contains": format!("[call {number}]")});
        rules.push(json!({"when": when, "tools": [call]}));
    }
    // JSON is YAML.
    json!({"rules": rules, "otherwise": {"text": "I am here."}}).to_string()
}

/// Makes the Nth call of the script and returns what it came to.
async fn call(client: &Client, session: &str, number: usize) -> Result<Outcome> {
    client.message(session, &format!("[call {number}]")).await?;
    let events = client.until_idle(session, "end_turn").await?;
    let result = of_kind(&events, "agent.tool_result")
        .pop()
        .expect("a result");
    Ok(Outcome {
        is_error: result["is_error"] == true,
        text: text_of(result),
    })
}

/// The daemon lives, and a session that was there before the attack finishes a turn.
async fn check_neighbour(world: &World, session: &str) -> Result<()> {
    world.client.message(session, "are you there?").await?;
    let events = world.client.until_idle(session, "end_turn").await?;
    log_rules::check(&events)?;
    let said = of_kind(&events, "agent.message").pop().expect("an answer");
    assert_eq!(text_of(said), "I am here.");
    Ok(())
}
