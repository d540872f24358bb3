//! The HTTP surface under load: requests on 64 connections beside a bare JSON echo of the same HTTP library,
//! and 1,000 readers of 100 sessions' streams.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod measure;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Json;
use axum::routing::post;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sinew_tests::client::Client;
use sinew_tests::world::World;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use measure::{Group, Options, Report, Samples, Subject};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");
/// The model that agents name; the mock answers to any.
const MODEL: &str = "claude-opus-4-8";
/// Connections that send requests at the same time.
const CONNECTIONS: usize = 64;
/// Turns of the session that is read.
const TURNS: usize = 5;
const SCRIPT: &str = "otherwise: {text: A short answer.}";

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("wire");
    tokio::runtime::Runtime::new()?.block_on(run(options, &mut report))?;
    report.note("echo: a handler of axum that answers with the JSON it got (200 bytes), in the bench's process");
    report.note("send-event: user.interrupt to a session of the connection's own; durable before it is answered");
    report.print(options);
    Ok(())
}

async fn run(options: Options, report: &mut Report) -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let echo = echo().await?;
    let session = world.client.new_session(MODEL).await?;
    for turn in 0..TURNS {
        world
            .client
            .message(&session, &format!("message {turn}"))
            .await?;
        world.client.until_idle(&session, "end_turn").await?;
    }
    let mut own = Vec::new();
    for _ in 0..CONNECTIONS {
        own.push(world.client.new_session(MODEL).await?);
    }
    let get = |path: String| Request {
        method: Method::GET,
        path,
        body: None,
    };
    let echoed = Request {
        method: Method::POST,
        path: "/".to_owned(),
        body: Some(json!({"text": "x".repeat(180)})),
    };
    let same = |request: Request| vec![request; CONNECTIONS];
    let interrupt = json!({"events": [{"type": "user.interrupt"}]});
    let sends = own.iter().map(|session| Request {
        method: Method::POST,
        path: format!("/v1/sessions/{session}/events"),
        body: Some(interrupt.clone()),
    });
    for (title, requests) in [
        ("get-session", same(get(format!("/v1/sessions/{session}")))),
        (
            "list-events, a page of 20",
            same(get(format!("/v1/sessions/{session}/events?limit=20"))),
        ),
        ("send-event", sends.collect()),
    ] {
        let (mut ours, mut bare) = (Samples::default(), Samples::default());
        let (mut our_rate, mut bare_rate) = (Rate::default(), Rate::default());
        for _ in 0..options.pick(1, 5) {
            let each = options.pick(3, 100);
            bare_rate.add(load(&echo, &same(echoed.clone()), each, &mut bare).await?);
            our_rate.add(load(&world.client, &requests, each, &mut ours).await?);
        }
        report.note(format!(
            "{title}: {:.0} requests/s beside {:.0} of the echo, {:.2} of it",
            our_rate.per_second(),
            bare_rate.per_second(),
            our_rate.per_second() / bare_rate.per_second()
        ));
        let subjects = vec![Subject::new(title, ours), Subject::new("echo", bare)];
        report.add(Group::new(
            format!("{title}, {CONNECTIONS} connections"),
            subjects,
        ));
    }
    readers(options, &world, report).await
}

#[derive(Clone)]
struct Request {
    method: Method,
    path: String,
    body: Option<Value>,
}

#[derive(Default)]
struct Rate {
    requests: usize,
    time: Duration,
}

impl Rate {
    fn add(&mut self, (requests, time): (usize, Duration)) {
        self.requests += requests;
        self.time += time;
    }

    fn per_second(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }
}

/// Serves the echo and returns a client of it.
async fn echo() -> Result<Client> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = Client::new(&format!("http://{}", listener.local_addr()?))?;
    let router =
        axum::Router::new().route("/", post(|Json(body): Json<Value>| async { Json(body) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(client)
}

/// Sends each request `each` times, every one on a task and connection of its own.
async fn load(
    client: &Client,
    requests: &[Request],
    each: usize,
    samples: &mut Samples,
) -> Result<(usize, Duration)> {
    samples.begin_round();
    let start = Instant::now();
    let mut tasks = Vec::new();
    for request in requests.iter().cloned() {
        let client = client.clone();
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::with_capacity(each);
            for _ in 0..each {
                let start = Instant::now();
                let mut builder = client.request(request.method.clone(), &request.path);
                if let Some(body) = &request.body {
                    builder = builder.json(body);
                }
                let response = builder.send().await?.error_for_status()?;
                response.bytes().await?;
                times.push(start.elapsed());
            }
            Ok::<_, anyhow::Error>(times)
        }));
    }
    for task in tasks {
        for time in task.await?? {
            samples.push(time);
        }
    }
    Ok((requests.len() * each, start.elapsed()))
}

/// Opens the streams of many sessions, sends one event to each session, and measures until each reader has it.
async fn readers(options: Options, world: &World, report: &mut Report) -> Result<()> {
    let (sessions, readers_each) = (options.pick(3, 100), options.pick(2, 10));
    let mut names = Vec::new();
    for _ in 0..sessions {
        names.push(world.client.new_session(MODEL).await?);
    }
    let before = world.memory_bytes()?;
    let (seen, mut arrivals) = mpsc::unbounded_channel::<(usize, Instant)>();
    for (number, name) in names.iter().enumerate() {
        for _ in 0..readers_each {
            let path = format!("/v1/sessions/{name}/events/stream");
            let response = world.client.request(Method::GET, &path).send().await?;
            let response = response.error_for_status()?;
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut parts = response.bytes_stream();
                let mut tail = String::new();
                while let Some(Ok(part)) = parts.next().await {
                    tail.push_str(&String::from_utf8_lossy(&part));
                    while let Some(end) = tail.find("\n\n") {
                        if tail[..end].starts_with("event: user.interrupt") {
                            let _ = seen.send((number, Instant::now()));
                        }
                        tail.drain(..end + 2);
                    }
                }
            });
        }
    }
    let after = world.memory_bytes()?;
    let mut delays = Samples::default();
    let interrupt = Arc::new(json!([{"type": "user.interrupt"}]));
    for _ in 0..options.pick(1, 5) {
        delays.begin_round();
        for (number, name) in names.iter().enumerate() {
            let start = Instant::now();
            world
                .client
                .send_events(name, interrupt.as_ref().clone())
                .await?;
            for _ in 0..readers_each {
                let (of, at) = arrivals.recv().await.context("the readers ended")?;
                ensure!(
                    of == number,
                    "an event of session {of} came while {number} was sent to"
                );
                delays.push(at.duration_since(start));
            }
            // The same event is shown again once it is processed.
            for _ in 0..readers_each {
                arrivals.recv().await.context("the readers ended")?;
            }
        }
    }
    let count = sessions * readers_each;
    let per_reader = after.saturating_sub(before) / count as u64;
    report.note(format!(
        "{count} readers: {} KiB of the daemon's memory each",
        per_reader / 1024
    ));
    let title =
        format!("{count} readers of {sessions} sessions: from sending an event until each has it");
    report.add(Group::new(title, vec![Subject::new("delivery", delays)]));
    Ok(())
}
