//! The web tools: pages and searches of real servers of this machine, through the real component.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sinew_tests::canary::{Canary, files_below};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;
use tokio::net::TcpListener;

use crate::PROGRAM;

/// The key of the provider of searches.
const KEY: &str = "search-key-canary-81f3a7";

/// The agent fetches or searches what the user writes, and says what came of it.
const SCRIPT: &str = r#"
rules:
  - when: {tool_result_contains: ""}
    text: "${last_tool_result}"
  - when: {last_user_text_contains: "find "}
    tools: [{name: web_search, input: {query: "${last_user_text}"}}]
  - when: {last_user_text_contains: "make one up"}
    tools: [{name: web_fetch, input: {url: "MADE_UP"}}]
otherwise:
  tools: [{name: web_fetch, input: {url: "${last_user_text}"}}]
"#;

/// What the server was asked: paths, and the values of `authorization`.
type Log = Arc<Mutex<Vec<(String, String)>>>;

struct Site {
    host: String,
    log: Log,
}

impl Site {
    async fn start() -> Result<Self> {
        let log = Log::default();
        let router = Router::new().fallback(answer).with_state(log.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { host, log })
    }

    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// Starts a daemon that may reach it, and asks it for searches.
    async fn world(&self) -> Result<World> {
        let configuration = json!({
            "egress": {"private_hosts": [self.host]},
            "web": {"search": {"provider": "searxng", "url": format!("http://{}/", self.host), "api_key_env": "KEY_OF_SEARCH"}},
        });
        let script = SCRIPT.replace("MADE_UP", &format!("http://{}/page", self.host));
        let variables = [("KEY_OF_SEARCH", KEY)];
        World::start_as(PROGRAM, &script, &configuration.to_string(), &variables).await
    }
}

async fn answer(State(log): State<Log>, request: Request) -> Response {
    let target = request.uri().to_string();
    let key = request.headers().get(header::AUTHORIZATION);
    let key = key
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    log.lock().unwrap().push((target.clone(), key.clone()));
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    match request.uri().path() {
        "/page" => (
            html,
            "<html><head><title>A page</title><script>var x;</script></head><body><nav>menu</nav>\
             <main><h1>Fruit</h1><p>Apples &amp; <a href='/pears'>pears</a>.</p></main></body></html>",
        )
            .into_response(),
        "/long" => (html, format!("<p>{}</p>", "word ".repeat(50_000))).into_response(),
        "/redirect" => (StatusCode::FOUND, [(header::LOCATION, "/page")]).into_response(),
        "/gone" => (StatusCode::NOT_FOUND, html, "<p>No such thing.</p>").into_response(),
        "/search" => axum::Json(json!({"results": [
            {"title": "Pears", "url": "https://fruit.example.com/pears", "content": "All of pears."},
            {"title": "Ads", "url": "https://ads.example.net/x", "content": format!("You sent {key}.")},
            {"title": "Shop", "url": "https://shop.example.org/buy", "content": "Buy."},
        ]}))
        .into_response(),
        _ => "plain".into_response(),
    }
}

async fn session(world: &World, configs: Value, ours: Value) -> Result<String> {
    session_of(world, configs, ours, json!(["127.0.0.1"])).await
}

/// Creates a session whose environment allows these hosts.
async fn session_of(world: &World, configs: Value, ours: Value, hosts: Value) -> Result<String> {
    let client = &world.client;
    let agent = json!({
        "name": "reader",
        "model": "claude-sonnet-4-6",
        "tools": [{"type": "agent_toolset_20260401", "configs": configs}],
        "sinew": ours,
    });
    let agent = client.post("/v1/agents", &agent).await?;
    let networking = json!({"type": "limited", "allowed_hosts": hosts});
    let environment =
        json!({"name": agent["id"], "config": {"type": "cloud", "networking": networking}});
    let environment = client.post("/v1/environments", &environment).await?;
    let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Sends a message, and returns the text of the call's result and whether it is an error.
async fn ask(world: &World, session: &str, text: &str) -> Result<(String, bool)> {
    world.client.message(session, text).await?;
    let events = world.client.until_idle(session, "end_turn").await?;
    let results = of_kind(&events, "agent.tool_result");
    let result = results.last().context("no result")?;
    Ok((text_of(result), result["is_error"] == true))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_within_their_domains() -> Result<()> {
    let site = Site::start().await?;
    let world = site.world().await?;
    let open = session(
        &world,
        json!([{"name": "web_fetch", "max_content_tokens": 1000}]),
        json!({}),
    )
    .await?;
    let page = format!("http://{}/page", site.host);
    let (text, is_error) = ask(&world, &open, &page).await?;
    let link = format!("[pears](http://{}/pears)", site.host);
    ensure!(
        !is_error && text.contains("# Fruit") && text.contains(&link),
        "{text}"
    );
    ensure!(!text.contains("var x") && !text.contains("menu"), "{text}");
    // It is not asked for again, and a redirect's target is a page as well.
    let (again, _) = ask(&world, &open, &format!("http://{}/redirect", site.host)).await?;
    ensure!(again.contains("# Fruit"), "{again}");
    let paths: Vec<String> = site.take().into_iter().map(|(path, _)| path).collect();
    ensure!(paths == ["/page", "/redirect"], "{paths:?}");
    let (text, is_error) = ask(&world, &open, &format!("http://{}/gone", site.host)).await?;
    ensure!(
        is_error && text.contains("404") && text.contains("No such thing."),
        "{text}"
    );
    let (text, _) = ask(&world, &open, &format!("http://{}/long", site.host)).await?;
    ensure!(
        text.chars().count() < 4_500 && text.contains("characters"),
        "{}",
        text.len()
    );
    let (text, is_error) = ask(&world, &open, "http://169.254.169.254/latest/meta-data/").await?;
    ensure!(
        is_error && text.contains("not of the public internet"),
        "{text}"
    );
    // All of it is in the journal.
    let requests = world
        .client
        .get(&format!("/sinew/v1/sessions/{open}/requests"))
        .await?;
    let first = &requests["data"][0];
    ensure!(
        first["path"] == "/page" && first["status"] == 200 && first["tool_use_id"].is_string(),
        "{first}"
    );

    let limited = session(
        &world,
        json!([{"name": "web_fetch", "allowed_domains": ["example.com"]}]),
        json!({}),
    )
    .await?;
    let (text, is_error) = ask(&world, &limited, &page).await?;
    ensure!(is_error && text.contains("url_not_allowed"), "{text}");
    ensure!(site.take().iter().all(|(path, _)| path != "/page"));

    // A host of a private network is the operator's for those that the environment lets ask it.
    let foreign = session_of(&world, json!([]), json!({}), json!(["b.example.com"])).await?;
    let (text, is_error) = ask(&world, &foreign, &page).await?;
    ensure!(is_error && text.contains("url_not_allowed"), "{text}");

    let rules = json!({"policy": [{"on": "request", "when": "path == '/page'", "then": "deny", "reason": "Not that one."}]});
    let ruled = session(&world, json!([]), rules).await?;
    let (text, is_error) = ask(&world, &ruled, &format!("http://{}/redirect", site.host)).await?;
    ensure!(is_error && text.contains("Not that one."), "{text}");
    log_rules::check(&world.client.events(&ruled).await?)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_named_urls_are_fetched_where_the_agent_says_so() -> Result<()> {
    let site = Site::start().await?;
    let world = site.world().await?;
    let none = json!({"type": "none"});
    let sources = json!({"user_input": {"type": "all"}, "client_tool_results": none, "server_tool_results": none});
    let configs = json!([{"name": "web_fetch", "url_sources": sources}]);
    let session = session(&world, configs, json!({})).await?;
    let (text, is_error) = ask(&world, &session, "make one up").await?;
    ensure!(is_error && text.contains("url_not_allowed"), "{text}");
    ensure!(site.take().is_empty());
    let (text, is_error) = ask(&world, &session, &format!("http://{}/page", site.host)).await?;
    ensure!(!is_error && text.contains("Fruit"), "{text}");
    // By now the user has named it.
    let (_, is_error) = ask(&world, &session, "make one up").await?;
    ensure!(!is_error);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_have_a_key_that_nobody_sees() -> Result<()> {
    let site = Site::start().await?;
    let mut world = site.world().await?;
    let configs = json!([{"name": "web_search", "blocked_domains": ["example.org"]}]);
    let session = session(&world, configs, json!({})).await?;
    let (text, is_error) = ask(&world, &session, "find pears").await?;
    ensure!(
        !is_error && text.contains("[Pears](https://fruit.example.com/pears)"),
        "{text}"
    );
    ensure!(!text.contains("shop.example.org"), "{text}");
    ensure!(text.contains("You sent") && !text.contains(KEY), "{text}");
    let asked = site.take();
    ensure!(
        asked.len() == 1 && asked[0].1 == format!("Bearer {KEY}"),
        "{asked:?}"
    );
    ensure!(
        asked[0].0.contains("q=find") && asked[0].0.contains("format=json"),
        "{asked:?}"
    );
    let wire = world.client.get(&format!("/v1/sessions/{session}")).await?;
    ensure!(
        wire["usage"]["server_tool_use"]["web_search_requests"] == 1,
        "{wire}"
    );
    world.stop()?;
    let canary = Canary::new(KEY);
    for file in files_below(&world.folder())? {
        ensure!(!canary.is_in(&std::fs::read(&file)?), "{}", file.display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_nothing_searches() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let session = session(&world, json!([]), json!({})).await?;
    let (text, is_error) = ask(&world, &session, "find pears").await?;
    ensure!(
        is_error && text.contains("Permission to use web_search has been denied"),
        "{text}"
    );
    Ok(())
}
