//! `/sinew/v1/sessions/{id}/stream`: what a tool writes is shown while it runs, and only there.

use anyhow::Result;
use serde_json::json;
use sinew_tests::world::World;

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn output_comes_before_the_result_and_is_not_in_the_log() -> Result<()> {
    let command = "for i in 1 2 3; do echo line $i; done; printf 'no end of line'; exit 3";
    let script = json!({
        "rules": [
            {"when": {"tool_result_contains": ""}, "text": "Seen."},
        ],
        "otherwise": {"tools": [{"name": "bash", "input": {"command": command}}]},
    });
    let world = World::start(PROGRAM, &script.to_string()).await?;
    let client = &world.client;
    let session = client.new_session("claude-sonnet-4-6").await?;
    let path = format!("/sinew/v1/sessions/{session}/stream");
    let mut with_output = client.stream_at(&path).await?;
    let mut plain = client.stream(&session, "").await?;
    client.message(&session, "go").await?;

    let shown = with_output.until("session.status_idle").await?;
    let place = |kind: &str| shown.iter().position(|event| event["type"] == kind);
    let result = place("agent.tool_result").expect("a result");
    let call = &shown[place("agent.tool_use").expect("a call")]["id"];
    let outputs: Vec<_> = shown
        .iter()
        .enumerate()
        .filter(|(_, event)| event["type"] == "sinew.tool_output")
        .collect();
    assert!(
        outputs
            .iter()
            .all(|(at, event)| *at < result && event["tool_use_id"] == *call)
    );
    let text: String = outputs
        .iter()
        .filter_map(|(_, event)| event["text"].as_str())
        .collect();
    assert_eq!(text, "line 1\nline 2\nline 3\nno end of line");

    let plain = plain.until("session.status_idle").await?;
    let log = client.events(&session).await?;
    for event in plain.iter().chain(&log) {
        let kind = event["type"].as_str().expect("a type");
        assert!(!kind.starts_with("sinew."), "{kind}");
    }
    let missing = client
        .send(
            reqwest::Method::GET,
            "/sinew/v1/sessions/sesn_none/stream",
            None,
        )
        .await?;
    assert_eq!(missing.status, 404);
    Ok(())
}
