//! Messages that name a stored file: the log keeps the id, the model sees the content.

use anyhow::{Context, Result};
use axum::http::Method;
use serde_json::{Value, json};
use sinew_tests::world::World;

use crate::PROGRAM;

const SCRIPT: &str = "turns: [{text: Seen.}, {text: Gone.}]";

async fn upload(world: &World, name: &str, mime_type: &str, content: &str) -> Result<String> {
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: {mime_type}\r\n\r\n{content}\r\n--b--\r\n"
    );
    let request = world
        .client
        .request(Method::POST, "/v1/files")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(body);
    let answer = world.client.answer(request).await?;
    let id = answer.body["id"].as_str().context(format!("{answer:?}"))?;
    Ok(id.to_owned())
}

fn message(blocks: Value) -> Value {
    json!([{"type": "user.message", "content": blocks}])
}

fn named(kind: &str, id: &str) -> Value {
    json!({"type": kind, "source": {"type": "file", "file_id": id}})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_sees_the_files_that_messages_name() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let client = &world.client;
    let text = upload(&world, "notes.txt", "text/plain", "a tendon").await?;
    let image = upload(&world, "dot.png", "image/png", "\u{1}dot").await?;
    let session = client.new_session("claude-opus-5").await?;
    let path = format!("/v1/sessions/{session}/events");
    for (kind, id, status, fragment) in [
        ("document", "file_none", 404, "file_none"),
        ("image", text.as_str(), 400, "of type text/plain"),
        ("document", image.as_str(), 400, "of type image/png"),
    ] {
        let body = json!({"events": message(json!([named(kind, id)]))}).to_string();
        let answer = client.send(Method::POST, &path, Some(body)).await?;
        assert!(
            answer.status == status && answer.body.to_string().contains(fragment),
            "{answer:?}"
        );
    }
    client
        .send_events(
            &session,
            message(json!([named("document", &text), named("image", &image)])),
        )
        .await?;
    let events = client.until_idle(&session, "end_turn").await?;
    let said = events
        .iter()
        .find(|event| event["type"] == "user.message")
        .unwrap();
    assert_eq!(
        said["content"][0]["source"],
        json!({"type": "file", "file_id": text})
    );
    client
        .send(Method::DELETE, &format!("/v1/files/{text}"), None)
        .await?;
    client.message(&session, "and now").await?;
    client.until_idle(&session, "end_turn").await?;

    let requests = world.model.requests();
    let content = |index: usize| requests[index].body["messages"][0]["content"].clone();
    let first = content(0);
    let source = json!({"type": "text", "media_type": "text/plain", "data": "a tendon"});
    assert_eq!(first[0]["source"], source);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "AWRvdA=="});
    assert_eq!(first[1]["source"], source);
    let told = content(1)[0]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(told.contains("is not there any more"), "{told}");
    Ok(())
}
