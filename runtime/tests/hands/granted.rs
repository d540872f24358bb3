//! What a hand is granted reaches its tools, and nothing else does.

use serde_json::json;
use sinew_runtime::typed::Content;
use sinew_runtime::{
    CallOptions, ComponentSource, Hand, Limits, Outcome, ProvisionError, Resources, Trust,
};

use super::{Fixture, fixture, guests};

async fn hand(fixture: &Fixture, wasm: Vec<u8>, resources: Resources) -> Hand {
    let component = fixture
        .runtime
        .add(ComponentSource {
            name: "guest".to_owned(),
            wasm: wasm.into(),
            wit: None,
            trust: Trust::Embedded,
        })
        .await
        .unwrap();
    fixture
        .runtime
        .provision(resources.component(component))
        .unwrap()
}

async fn call(hand: &Hand, name: &str, input: serde_json::Value) -> Result<String, String> {
    let text = |content: Vec<Content>| match content.into_iter().next() {
        Some(Content::Text(text)) => text,
        other => format!("{other:?}"),
    };
    let execution = hand.execute(name, &input, CallOptions::default()).await;
    match execution.outcome {
        Outcome::Result(content) => Ok(text(content)),
        Outcome::ToolError(content) => Err(text(content)),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn the_default_is_nothing() {
    let fixture = fixture();
    let hand = hand(&fixture, guests::wasi(), Resources::default()).await;
    assert_eq!(
        call(&hand, "variables", json!({})).await,
        Ok("[]".to_owned())
    );
    let path = json!({"path": "workspace/x", "size": 1});
    assert!(call(&hand, "write_file", path).await.is_err());
    // HTTP is there to be imported, which some toolchains do always.
    assert_eq!(
        call(&hand, "headers", json!({})).await,
        Ok("None".to_owned())
    );
}

#[tokio::test]
async fn the_environment_and_the_log_are_the_hands() {
    let fixture = fixture();
    let resources = Resources::default().env("LANG", "C").limits(Limits {
        log_bytes: 10,
        ..Limits::default()
    });
    let hand = hand(&fixture, guests::wasi(), resources).await;
    assert_eq!(
        call(&hand, "variables", json!({})).await,
        Ok(r#"[["LANG","C"]]"#.to_owned())
    );

    let input = json!({"text": "abcd", "times": 1000});
    let printed = hand.execute("print", &input, CallOptions::default()).await;
    assert!(matches!(printed.outcome, Outcome::Result(_)), "{printed:?}");
    assert_eq!(printed.stdout, "abcdabcdab\n[3990 more bytes]\n");

    let left = call(&hand, "leave", json!({})).await.unwrap_err();
    assert!(left.contains("exit status 1"), "{left}");
}

#[tokio::test]
async fn a_component_can_name_its_tools_when_it_is_asked() {
    let fixture = fixture();
    let mut hand = hand(&fixture, guests::dynamic(), Resources::default()).await;
    assert!(hand.definitions().is_empty());
    hand.discover(CallOptions::default()).await.unwrap();
    let definitions = hand.definitions();
    let [shout] = definitions.as_slice() else {
        panic!("{definitions:?}");
    };
    assert_eq!(
        (&*shout.name, &*shout.description, &shout.input_schema),
        ("shout", "Answers.", &json!({"type": "object"})),
        "without the control character in the description"
    );
    let answer = call(&hand, "shout", json!({"a": 1})).await;
    assert_eq!(answer, Ok(r#"{"a":1}"#.to_owned()));
    assert!(call(&hand, "shout", json!("text")).await.is_err());
    assert!(call(&hand, "list", json!({})).await.is_err());

    let twice = hand.discover(CallOptions::default()).await;
    assert!(matches!(twice, Err(ProvisionError::ToolNameClash { .. })));
}
