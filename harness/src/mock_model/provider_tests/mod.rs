//! Providers against the mock model, over loopback HTTP: what only shows when bytes travel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod failures;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{MockModel, Script, serve};
use crate::clock::{ManualClock, Timestamp};
use crate::model::keys::ApiKey;
use crate::model::{
    Catalog, Model, ModelAnswer, ModelError, ModelRequest, Progress, ProviderConfig, ProviderKind,
    Router, StopReason, TokenUsage, install_tls,
};

/// A mock and a provider that asks it.
struct Stage {
    mock: MockModel,
    router: Arc<Router>,
    clock: Arc<ManualClock>,
}

async fn mock(script: &str) -> MockModel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, Script::parse(script).unwrap()).unwrap()
}

fn provider(kind: ProviderKind, base_url: String, keys: &[&str]) -> (Router, Arc<ManualClock>) {
    let config = ProviderConfig {
        base_url: Some(base_url),
        api_keys: keys.iter().map(|key| ApiKey::new(key).unwrap()).collect(),
        ..ProviderConfig::new(kind)
    };
    route(config)
}

fn route(config: ProviderConfig) -> (Router, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let catalog = Arc::new(Catalog::default());
    let router = Router::new(&[config], &|_| None, catalog, clock.clone()).unwrap();
    (router, clock)
}

async fn stage(kind: ProviderKind, keys: &[&str], script: &str) -> Stage {
    let mock = mock(script).await;
    let base = match kind {
        ProviderKind::Anthropic => mock.url(),
        ProviderKind::Openai => format!("{}/v1", mock.url()),
    };
    let (router, clock) = provider(kind, base, keys);
    let router = Arc::new(router);
    Stage {
        mock,
        router,
        clock,
    }
}

async fn messages(script: &str) -> Stage {
    stage(ProviderKind::Anthropic, &["key-one"], script).await
}

fn request() -> ModelRequest {
    ModelRequest {
        model: "claude-opus-5-5".into(),
        system: "sys".into(),
        messages: vec![json!({"role": "user", "content": [{"type": "text", "text": "hi"}]})],
        tools: vec![
            json!({"name": "bash", "description": "Runs.", "input_schema": {"type": "object"}}),
        ],
        output_tokens_max: 4096,
        effort: Some("low".into()),
        speed: None,
        thinking: true,
    }
}

impl Stage {
    async fn ask(&self) -> Result<ModelAnswer, ModelError> {
        self.router.ask(&request(), &|_| {}).await
    }

    async fn ask_for(&self, request: &ModelRequest) -> (ModelAnswer, Vec<Progress>) {
        let progress = Mutex::new(Vec::new());
        let answer = self
            .router
            .ask(request, &|p| progress.lock().unwrap().push(p))
            .await;
        (answer.unwrap(), progress.into_inner().unwrap())
    }

    /// Asks in the background.
    fn spawn(&self) -> tokio::task::JoinHandle<Result<ModelAnswer, ModelError>> {
        let router = self.router.clone();
        tokio::spawn(async move { router.ask(&request(), &|_| {}).await })
    }
}

/// A client of the mock's own paths.
fn client() -> reqwest::Client {
    install_tls();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Appends an answer and results for its calls to a conversation.
fn continued(mut request: ModelRequest, answer: &ModelAnswer, result: &str) -> ModelRequest {
    let calls = answer
        .content
        .iter()
        .filter(|block| block["type"] == "tool_use");
    let results: Vec<Value> = calls
        .map(|call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": result}))
        .collect();
    request
        .messages
        .push(json!({"role": "assistant", "content": answer.content}));
    request
        .messages
        .push(json!({"role": "user", "content": results}));
    request
}

const TURNS: &str = r#"
chunk_chars: 4
turns:
  - thinking: let me think
    text: "héllo ${last_user_text}"
    tools:
      - {id: call_a, name: bash, input: {command: "echo ${HOME}"}}
      - {id: call_b, name: bash}
    usage: {input_tokens: 10, output_tokens: 20, cache_read_input_tokens: 30, cache_5m_input_tokens: 40, cache_1h_input_tokens: 50}
  - text: "it said ${last_tool_result}"
"#;

#[tokio::test]
async fn a_turn_with_everything_arrives_verbatim() {
    let stage = messages(TURNS).await;
    let (answer, progress) = stage.ask_for(&request()).await;
    let signature = answer.content[0]["signature"].as_str().unwrap();
    assert!(signature.starts_with("sig_"));
    let expected = json!([
        {"type": "thinking", "thinking": "let me think", "signature": signature},
        {"type": "text", "text": "héllo hi"},
        {"type": "tool_use", "id": "call_a", "name": "bash", "input": {"command": "echo ${HOME}"}},
        {"type": "tool_use", "id": "call_b", "name": "bash", "input": {}},
    ]);
    assert_eq!(Value::Array(answer.content.clone()), expected);
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let usage = TokenUsage {
        input_tokens: 10,
        output_tokens: 20,
        cache_read_input_tokens: 30,
        cache_5m_input_tokens: 40,
        cache_1h_input_tokens: 50,
    };
    assert_eq!(answer.usage, usage);

    let thought = |text: &str| Progress::ThinkingDelta(text.into());
    let text = |text: &str| Progress::TextDelta(text.into());
    let tool = || Progress::ToolUseStarted("bash".into());
    let expected = [
        Progress::Started,
        Progress::ThinkingStarted,
        thought("let "),
        thought("me t"),
        thought("hink"),
        Progress::TextStarted,
        text("héll"),
        text("o hi"),
        tool(),
        tool(),
    ];
    assert_eq!(progress, expected);

    // The strict mock takes the answer back, and says the next turn.
    let next = continued(request(), &answer, "done");
    let (answer, _) = stage.ask_for(&next).await;
    assert_eq!(
        answer.content,
        [json!({"type": "text", "text": "it said done"})]
    );
    assert_eq!(answer.stop_reason, StopReason::EndTurn);

    let sent = &stage.mock.requests()[0];
    assert_eq!(sent.path, "/v1/messages");
    assert_eq!(sent.headers["x-api-key"], "key-one");
    assert_eq!(sent.headers["anthropic-version"], "2026-10-21");
    assert_eq!(sent.body["stream"], true);
    assert_eq!(sent.body["thinking"], json!({"type": "adaptive"}));
}

#[tokio::test]
async fn asking_again_gives_the_same_answer() {
    let script = "turns: [{tools: [{name: a}, {name: b}]}]";
    let first = messages(script).await.ask().await.unwrap();
    let again = messages(script).await.ask().await.unwrap();
    assert_eq!(first, again);
    assert_ne!(first.content[0]["id"], first.content[1]["id"]);
}

#[tokio::test]
async fn chat_completions_give_the_same_conversation() {
    let stage = stage(ProviderKind::Openai, &["key-one"], TURNS).await;
    let (answer, progress) = stage.ask_for(&request()).await;
    let expected = json!([
        {"type": "text", "text": "héllo hi"},
        {"type": "tool_use", "id": "call_a", "name": "bash", "input": {"command": "echo ${HOME}"}},
        {"type": "tool_use", "id": "call_b", "name": "bash", "input": {}},
    ]);
    assert_eq!(Value::Array(answer.content.clone()), expected);
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let usage = TokenUsage {
        // Chat completions do not tell what was written to a cache.
        input_tokens: 100,
        output_tokens: 20,
        cache_read_input_tokens: 30,
        ..TokenUsage::default()
    };
    assert_eq!(answer.usage, usage);
    assert!(progress.contains(&Progress::ThinkingDelta("let ".into())));

    let next = continued(request(), &answer, "done");
    let (answer, _) = stage.ask_for(&next).await;
    assert_eq!(
        answer.content,
        [json!({"type": "text", "text": "it said done"})]
    );

    let sent = &stage.mock.requests()[1];
    assert_eq!(sent.path, "/v1/chat/completions");
    assert_eq!(sent.headers["authorization"], "Bearer key-one");
    assert!(!sent.headers.contains_key("x-api-key"));
    let roles: Vec<&str> = sent.body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
}

#[tokio::test]
async fn both_apis_stop_for_the_same_reasons() {
    let refusal = |category: Option<&str>, explanation: Option<&str>| StopReason::Refusal {
        category: category.map(str::to_owned),
        explanation: explanation.map(str::to_owned),
    };
    let cases = [
        ("{text: a}", StopReason::EndTurn, StopReason::EndTurn, 1),
        (
            "{text: a, stop: stop_sequence}",
            StopReason::EndTurn,
            StopReason::EndTurn,
            1,
        ),
        (
            "{text: a, stop: some_new_reason}",
            StopReason::EndTurn,
            StopReason::EndTurn,
            1,
        ),
        (
            "{text: a, stop: max_tokens}",
            StopReason::MaxTokens,
            StopReason::MaxTokens,
            1,
        ),
        (
            "{text: a, refusal: {category: cyber, explanation: no}}",
            refusal(Some("cyber"), Some("no")),
            refusal(None, None),
            1,
        ),
        // A call that the output bound cut is left out.
        (
            "{text: a, tools: [{name: b, input_text: '{\"c\":'}], stop: max_tokens}",
            StopReason::MaxTokens,
            StopReason::MaxTokens,
            1,
        ),
        (
            "{text: ' ', stop: end_turn}",
            StopReason::EndTurn,
            StopReason::EndTurn,
            0,
        ),
    ];
    for (step, of_messages, of_chat, blocks) in cases {
        let script = format!("turns: [{step}]");
        for (kind, expected) in [
            (ProviderKind::Anthropic, of_messages),
            (ProviderKind::Openai, of_chat),
        ] {
            let answer = stage(kind, &["key-one"], &script)
                .await
                .ask()
                .await
                .unwrap();
            assert_eq!(
                (answer.stop_reason, answer.content.len()),
                (expected, blocks),
                "{step}"
            );
        }
    }
    let paused = messages("turns: [{text: a, stop: pause_turn}]")
        .await
        .ask()
        .await;
    assert_eq!(paused.unwrap().stop_reason, StopReason::PauseTurn);
}

#[tokio::test]
async fn unknown_blocks_survive() {
    let script = r#"turns: [{content: [{raw: {type: new_kind, a: {b: 1}}}, {text: x}]}]"#;
    let answer = messages(script).await.ask().await.unwrap();
    assert_eq!(
        answer.content[0],
        json!({"type": "new_kind", "a": {"b": 1}})
    );
    assert_eq!(answer.content.len(), 2);
}

#[tokio::test]
async fn whole_answers_say_what_streams_say() {
    let mock = mock(TURNS).await;
    let client = client();
    let body =
        json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    let send = async |path: &str, body: &Value| -> Value {
        let request = client.post(format!("{}{path}", mock.url()));
        let request = request
            .header("x-api-key", "k")
            .header("anthropic-version", "v");
        request
            .json(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let whole = send("/v1/messages", &body).await;
    assert_eq!(whole["stop_reason"], "tool_use");
    assert_eq!(
        whole["content"][2]["input"],
        json!({"command": "echo ${HOME}"})
    );
    let whole = send("/v1/chat/completions", &body).await;
    assert_eq!(whole["choices"][0]["message"]["content"], "héllo hi");
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    // The strict mock refuses what the API refuses.
    let warm =
        json!({"model": "m", "max_tokens": 9, "temperature": 1, "messages": body["messages"]});
    let refused = send("/v1/messages", &warm).await;
    assert_eq!(refused["error"]["type"], "invalid_request_error");
    mock.shutdown().await.unwrap();
}
