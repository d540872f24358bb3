//! Requests that break the contract: each gets its status, its error type, its request id in body and header,
//! and a message that names what is wrong.

mod agents;
mod sessions;

use std::process::Command;

use anyhow::{Context, Result, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sinew_tests::client::{Answer, BETA, Client};
use sinew_tests::daemon::{Daemon, Options};
use sinew_tests::world::World;

use crate::PROGRAM;

/// Largest request body.
const BODY_BYTES_MAX: usize = 32 << 20;

/// What a refusal must be.
type Refusal = (u16, &'static str, &'static str);

const INVALID: &str = "invalid_request_error";
const NOT_FOUND: &str = "not_found_error";

/// Holds an answer to what it must be; that the body is the contract's envelope is checked by the client.
fn check(name: &str, answer: &Answer, (status, kind, fragment): Refusal) -> Result<()> {
    let error = &answer.body["error"];
    ensure!(answer.status == status, "{name}: {answer:?}");
    ensure!(error["type"] == kind, "{name}: {answer:?}");
    let message = error["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains(fragment),
        "{name}: {fragment:?} is not in {message:?}"
    );
    ensure!(
        answer.body["request_id"] == answer.request_id.as_str(),
        "{name}: {answer:?}"
    );
    Ok(())
}

/// What the requests are about.
struct Things {
    agent: String,
    environment: String,
    session: String,
    archived: String,
    agents_page: String,
    events_page: String,
}

impl Things {
    async fn make(client: &Client) -> Result<Self> {
        let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
        let session = client.new_session("claude-sonnet-4-6").await?;
        let archived = client.new_session("claude-sonnet-4-6").await?;
        client
            .post(&format!("/v1/sessions/{archived}/archive"), &json!({}))
            .await?;
        client.message(&session, "hello").await?;
        client.until_idle(&session, "end_turn").await?;
        let row = client.get(&format!("/v1/sessions/{session}")).await?;
        let page = |answer: Value| {
            answer["next_page"]
                .as_str()
                .map(str::to_owned)
                .context("one page only")
        };
        Ok(Self {
            agent: id(&row["agent"]),
            environment: row["environment_id"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            agents_page: page(client.get("/v1/agents?limit=1").await?)?,
            events_page: page(
                client
                    .get(&format!("/v1/sessions/{session}/events?limit=1"))
                    .await?,
            )?,
            session,
            archived,
        })
    }

    fn fill(&self, text: &str) -> String {
        [
            ("{agent}", &self.agent),
            ("{environment}", &self.environment),
            ("{session}", &self.session),
            ("{archived}", &self.archived),
            ("{agents_page}", &self.agents_page),
            ("{events_page}", &self.events_page),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }
}

/// Method and path, the body if there is one, and the refusal.
type Case = (&'static str, Option<String>, Refusal);

fn body(value: Value) -> Option<String> {
    Some(value.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_request_is_refused_for_its_reason() -> Result<()> {
    let world = World::start(PROGRAM, "otherwise: {text: ok}").await?;
    let client = &world.client;
    let things = Things::make(client).await?;
    let before = client.events(&things.session).await?;
    for (call, body, refusal) in agents::cases().into_iter().chain(sessions::cases()) {
        let (method, path) = call.split_once(' ').unwrap();
        let body = body.map(|body| things.fill(&body));
        let name = format!("{call} {:.300}", body.as_deref().unwrap_or_default());
        let path = things.fill(path);
        let answer = client
            .send(method.parse()?, &path, body)
            .await
            .context(name.clone())?;
        check(&name, &answer, refusal)?;
    }
    assert_eq!(
        client.events(&things.session).await?,
        before,
        "a refused request leaves nothing"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_sizes_are_checked() -> Result<()> {
    let world = World::start(PROGRAM, "otherwise: {text: ok}").await?;
    let client = &world.client;
    let get = |path: &str| client.bare_request(Method::GET, path);
    let post = || client.request(Method::POST, "/v1/agents");
    let json_type = |request: RequestBuilder| request.header("content-type", "application/json");
    let agent = json!({"name": "n", "model": "m"}).to_string();
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let many = format!("{{\"name\": [{}0]}}", "0,".repeat(4_000_000));
    let cases: Vec<(&str, RequestBuilder, Refusal)> = vec![
        (
            "no beta",
            get("/v1/agents"),
            (404, NOT_FOUND, "managed-agents-2026-04-01"),
        ),
        (
            "unknown beta",
            get("/v1/agents").header("anthropic-beta", "pigeons-2026-01-01"),
            (400, INVALID, "pigeons-2026-01-01"),
        ),
        (
            "unknown beta beside a known one",
            get("/v1/agents").header("anthropic-beta", format!("{BETA},x")),
            (400, INVALID, "anthropic-beta"),
        ),
        (
            "unknown version",
            get("/v1/models").header("anthropic-version", "1999-01-01"),
            (400, INVALID, "anthropic-version"),
        ),
        (
            "no content type",
            post().body(agent.clone()),
            (400, INVALID, "content-type"),
        ),
        (
            "wrong content type",
            post()
                .header("content-type", "text/plain")
                .body(agent.clone()),
            (400, INVALID, "content-type"),
        ),
        (
            "a form",
            post()
                .header("content-type", "application/x-www-form-urlencoded")
                .body("name=n"),
            (400, INVALID, "content-type"),
        ),
        (
            "bytes that are no text",
            json_type(post()).body(vec![b'{', 0xff, b'}']),
            (400, INVALID, "not valid JSON"),
        ),
        (
            "too large",
            json_type(post()).body(large),
            (413, "request_too_large", "33554432 bytes"),
        ),
        (
            "too many values",
            json_type(post()).body(many),
            (400, INVALID, "JSON values"),
        ),
        (
            "a page of another site",
            client
                .request(Method::GET, "/v1/agents")
                .header("origin", "https://evil.example"),
            (403, "permission_error", "other sites"),
        ),
        (
            "another name for this machine",
            client
                .request(Method::GET, "/v1/agents")
                .header("host", "evil.example"),
            (403, "permission_error", "localhost"),
        ),
        (
            "a workspace that is none",
            client
                .request(Method::GET, "/v1/agents")
                .header("anthropic-workspace-id", "x"),
            (400, INVALID, "anthropic-workspace-id"),
        ),
    ];
    for (name, request, refusal) in cases {
        let answer = client.answer(request).await.context(name)?;
        check(name, &answer, refusal)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_keys_each_workspace_is_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = Options::new(PROGRAM, &folder.path().join("data"), "http://127.0.0.1:9");
    let make_key = |workspace: &str| -> Result<String> {
        let output = Command::new(PROGRAM)
            .args(["key", "create", "--workspace", workspace, "--data"])
            .arg(&options.data)
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let (one, two) = (make_key("wrkspc_one")?, make_key("wrkspc_two")?);
    let daemon = Daemon::start(&options)?;
    let nobody = Client::new(&daemon.url)?;
    let (one, two) = (nobody.with_key(&one), nobody.with_key(&two));
    let session = one.new_session("claude-sonnet-4-6").await?;
    let path = format!("/v1/sessions/{session}");
    let row = one.get(&path).await?;

    let unauthenticated = |fragment| (401, "authentication_error", fragment);
    let answer = nobody.send(Method::GET, &path, None).await?;
    check("without a key", &answer, unauthenticated("no API key"))?;
    let answer = nobody
        .with_key("sk-sinew-guessed")
        .send(Method::GET, &path, None)
        .await?;
    check(
        "with a guessed key",
        &answer,
        unauthenticated("unknown or was revoked"),
    )?;
    let answer = nobody.send(Method::GET, "/v1/nothing", None).await?;
    check(
        "an unknown path without a key",
        &answer,
        unauthenticated("no API key"),
    )?;
    let foreign = one
        .request(Method::GET, "/v1/agents")
        .header("anthropic-workspace-id", "wrkspc_two");
    check(
        "in another's workspace",
        &one.answer(foreign).await?,
        (403, "permission_error", "another workspace"),
    )?;

    // For the other workspace nothing of this exists, whatever is asked.
    let agent = format!("/v1/agents/{}", row["agent"]["id"].as_str().unwrap());
    let environment = format!(
        "/v1/environments/{}",
        row["environment_id"].as_str().unwrap()
    );
    let create = json!({"agent": row["agent"]["id"], "environment_id": row["environment_id"]});
    let event = json!({"events": [{"type": "user.interrupt"}]});
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("POST", path.clone(), Some(json!({"title": "mine"}))),
        ("DELETE", path.clone(), None),
        ("POST", format!("{path}/archive"), None),
        ("GET", format!("{path}/events"), None),
        ("POST", format!("{path}/events"), Some(event)),
        ("GET", format!("{path}/events/stream"), None),
        ("GET", format!("{path}/threads"), None),
        ("GET", format!("{path}/resources"), None),
        ("GET", agent.clone(), None),
        ("GET", format!("{agent}/versions"), None),
        ("POST", agent.clone(), Some(json!({"name": "mine"}))),
        ("POST", format!("{agent}/archive"), None),
        ("GET", environment.clone(), None),
        ("POST", environment.clone(), Some(json!({"name": "mine"}))),
        ("DELETE", environment, None),
        ("POST", "/v1/sessions".to_owned(), Some(create)),
    ] {
        let body = body.map(|body| body.to_string());
        let answer = two.send(method.parse()?, &path, body).await?;
        check(
            &format!("{method} {path}"),
            &answer,
            (404, NOT_FOUND, "not found"),
        )?;
    }
    for list in [
        "/v1/sessions?limit=9",
        "/v1/agents?limit=9",
        "/v1/environments?limit=9",
    ] {
        assert!(two.list(list).await?.is_empty(), "{list}");
        assert_eq!(one.list(list).await?.len(), 1, "{list}");
    }
    // The clock of the session goes on; nothing else has moved.
    let mut after = one.get(&path).await?;
    after["stats"] = row["stats"].clone();
    assert_eq!(after, row);
    Ok(())
}
