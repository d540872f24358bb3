//! `system.message`: where a request may have one, and where the model sees it.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::world::World;

use crate::PROGRAM;

const SCRIPT: &str = r"
conversations:
  - when: {first_user_text_contains: look it up}
    turns:
      - tools: [{name: lookup, input: {word: sinew}}]
      - text: Found.
      - text: Again.
";
/// The first model that takes such turns.
const MODEL: &str = "claude-opus-5";

fn user(text: &str) -> Value {
    json!({"type": "user.message", "content": [{"type": "text", "text": text}]})
}

fn system(text: &str) -> Value {
    json!({"type": "system.message", "content": [{"type": "text", "text": text}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_message_speaks_from_the_next_request_on() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let lookup = json!([{
        "type": "custom", "name": "lookup", "description": "Looks a word up.",
        "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}},
    }]);
    let session = client.new_session_with(MODEL, &lookup).await?;
    let path = format!("/v1/sessions/{session}/events");
    let refused = async |session_path: &str, events: Value, fragment: &str| {
        let body = json!({ "events": events }).to_string();
        let answer = client.send(Method::POST, session_path, Some(body)).await?;
        let message = answer.body["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            answer.status == 400 && message.contains(fragment),
            "{}",
            answer.body
        );
        anyhow::Ok(answer.body)
    };
    refused(&path, json!([system("a"), user("b")]), "last event").await?;
    refused(
        &path,
        json!([user("b"), system("a"), system("c")]),
        "last event",
    )
    .await?;
    let interrupt = json!({"type": "user.interrupt"});
    refused(
        &path,
        json!([interrupt, system("a")]),
        "right behind a user.message",
    )
    .await?;

    // Before the first message it is the end of the prompt.
    client
        .send_events(&session, json!([system("Be honest.")]))
        .await?;
    client
        .send_events(&session, json!([user("look it up"), system("Be brief.")]))
        .await?;
    let events = client.until_idle(&session, "requires_action").await?;
    let call = events
        .iter()
        .find(|event| event["type"] == "agent.custom_tool_use")
        .unwrap();
    refused(&path, json!([system("Be kind.")]), "waits for action").await?;
    let result = json!({
        "type": "user.custom_tool_result", "custom_tool_use_id": call["id"],
        "content": [{"type": "text", "text": "a tendon"}],
    });
    client
        .send_events(&session, json!([result, system("Be kind.")]))
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    let spoken = events
        .iter()
        .filter(|event| event["type"] == "system.message");
    assert!(
        spoken
            .clone()
            .all(|event| event["processed_at"].is_string())
    );
    assert_eq!(spoken.count(), 3);
    // Alone it starts nothing that the model answers.
    client
        .send_events(&session, json!([system("Be slow.")]))
        .await?;
    client.message(&session, "and now").await?;
    client.until_idle(&session, "end_turn").await?;

    let requests = world.model.requests();
    let roles = |index: usize| -> Vec<String> {
        let messages = requests[index].body["messages"].as_array().unwrap().iter();
        let shown = |message: &Value| {
            let text = message["content"][0]["text"].as_str().unwrap_or("...");
            format!("{}: {text}", message["role"].as_str().unwrap())
        };
        messages.map(shown).collect()
    };
    assert_eq!(requests.len(), 3);
    let prompt = requests[0].body["system"].to_string();
    assert!(prompt.contains("Be honest."), "{prompt}");
    assert_eq!(roles(0), ["user: look it up", "system: Be brief."]);
    let second = [
        "user: look it up",
        "system: Be brief.",
        "assistant: ...",
        "user: ...",
        "system: Be kind.",
    ];
    assert_eq!(roles(1), second);
    assert_eq!(
        roles(2)[second.len()..],
        ["assistant: Found.", "system: Be slow.", "user: and now"]
    );

    let older = client.new_session("claude-sonnet-4-6").await?;
    let older = format!("/v1/sessions/{older}/events");
    let code = "model_does_not_support_mid_conversation_system";
    let refusal = refused(&older, json!([system("a")]), code).await?;
    assert_eq!(refusal["error"]["details"]["error_code"], code);
    Ok(())
}
