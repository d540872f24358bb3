//! What several agents in one session cost: a coordinator with 25 agents at work at the same time, beside 25 sessions with
//! one agent each and one session alone; and the time from the coordinator's answer that starts an agent to that agent's
//! first model request.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod measure;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::client::Client;
use sinew_tests::log_rules::of_kind;
use sinew_tests::world::World;

use measure::{Group, Options, Report, Samples, Subject};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sinew-under-test");
/// The model that agents name; the mock answers to any.
const MODEL: &str = "claude-opus-4-8";
/// Agents at the same time: as many as a session may have.
const AGENTS: usize = 25;

/// Each agent looks at the files four times, then is done. The coordinator starts all and waits.
fn script() -> String {
    let call = "tools: [{name: glob, input: {pattern: \"*\"}}]";
    let start = "{name: start_agent, input: {agent: worker, message: go}}";
    let all = vec![start; AGENTS].join(", ");
    format!(
        "conversations:\n\
         - when: {{system_contains: You lead one.}}\n  turns: [{{tools: [{start}]}}, {{text: done}}]\n\
         - when: {{system_contains: You lead.}}\n  turns: [{{tools: [{all}]}}, {{tools: [{{name: wait_for_agents, input: {{}}}}]}}, {{text: done}}]\n\
         - when: {{system_contains: You work.}}\n  turns: [{{{call}}}, {{{call}}}, {{{call}}}, {{{call}}}, {{text: done}}]\n\
         otherwise: {{text: noted}}\n"
    )
}

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("threads");
    tokio::runtime::Runtime::new()?.block_on(run(options, &mut report))?;
    report
        .note("each agent: five model requests and four calls of glob; the model answers at once");
    report.note(
        "calls of one session use one hand, one after the other; those of many sessions use many",
    );
    report.print(options);
    Ok(())
}

async fn run(options: Options, report: &mut Report) -> Result<()> {
    let world = World::start(PROGRAM, &script()).await?;
    let client = &world.client;
    let agents = Agents::new(client).await?;
    let (mut one, mut many, mut threads) =
        (Samples::default(), Samples::default(), Samples::default());
    let (mut start, mut request) = (Samples::default(), Samples::default());
    for _ in 0..options.pick(1, 20) {
        for samples in [&mut one, &mut many, &mut threads, &mut start, &mut request] {
            samples.begin_round();
        }
        one.push(together(client, &agents.worker, &agents.environment, 1).await?);
        many.push(together(client, &agents.worker, &agents.environment, AGENTS).await?);
        threads.push(together(client, &agents.lead, &agents.environment, 1).await?);
        let (from_answer, own) = delegation(client, &agents).await?;
        start.push(from_answer);
        request.push(own);
    }
    let session = agents.session(client, &agents.lead).await?;
    client.message(&session, "go").await?;
    let began = Instant::now();
    client.until_idle(&session, "end_turn").await?;
    let took = began.elapsed();
    let events = events_of_all(client, &session).await?;
    report.add(Group::new(
        format!("{AGENTS} agents, from the message to the end of all"),
        vec![
            Subject::new("threads of one session, with its coordinator", threads),
            Subject::new("as many sessions", many),
            Subject::new("one session with one agent", one),
        ],
    ));
    report.add(Group::new(
        "starting an agent",
        vec![
            Subject::new(
                "from the answer that does it to the agent's first request",
                start,
            ),
            Subject::new(
                "from the same answer to the coordinator's own next request",
                request,
            ),
        ],
    ));
    let per_second = events as f64 / took.as_secs_f64();
    report.note(format!(
        "{events} events of the session with {AGENTS} agents, {per_second:.0} a second"
    ));
    Ok(())
}

struct Agents {
    worker: Value,
    lead: Value,
    lead_one: Value,
    environment: Value,
}

impl Agents {
    async fn new(client: &Client) -> Result<Self> {
        let tools = json!([{"type": "agent_toolset_20260401"}]);
        let agent = |name: &str, system: &str, team: Value| json!({"name": name, "model": MODEL, "system": system, "tools": tools, "multiagent": team});
        let worker = agent("worker", "You work.", Value::Null);
        let worker = client.post("/v1/agents", &worker).await?["id"].clone();
        let team = json!({"type": "coordinator", "agents": [worker]});
        let lead = agent("lead", "You lead.", team.clone());
        let lead_one = agent("lead", "You lead one.", team);
        Ok(Self {
            worker,
            lead: client.post("/v1/agents", &lead).await?["id"].clone(),
            lead_one: client.post("/v1/agents", &lead_one).await?["id"].clone(),
            environment: client
                .post("/v1/environments", &json!({"name": "e"}))
                .await?["id"]
                .clone(),
        })
    }

    async fn session(&self, client: &Client, agent: &Value) -> Result<String> {
        new_session(client, agent, &self.environment).await
    }
}

async fn new_session(client: &Client, agent: &Value, environment: &Value) -> Result<String> {
    let body = json!({"agent": agent, "environment_id": environment});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

/// Returns the time that `count` sessions of an agent take for a message each, all at the same time.
async fn together(
    client: &Client,
    agent: &Value,
    environment: &Value,
    count: usize,
) -> Result<Duration> {
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(new_session(client, agent, environment).await?);
    }
    let began = Instant::now();
    let work = sessions.iter().map(|session| async {
        let mut stream = client.stream(session, "").await?;
        client.message(session, "go").await?;
        stream.until("session.status_idle").await
    });
    futures::future::try_join_all(work).await?;
    Ok(began.elapsed())
}

/// Returns the times from the answer that starts an agent to the agent's first request and to the coordinator's next.
async fn delegation(client: &Client, agents: &Agents) -> Result<(Duration, Duration)> {
    let session = agents.session(client, &agents.lead_one).await?;
    client.message(&session, "go").await?;
    let events = client.until_idle(&session, "end_turn").await?;
    let created = of_kind(&events, "session.thread_created");
    let thread = created.first().context("no thread")?["session_thread_id"]
        .as_str()
        .context("no id")?;
    let path = format!("/v1/sessions/{session}/threads/{thread}/events?limit=1000");
    let own = client.list(&path).await?;
    let time = |event: &Value| -> Result<sinew::clock::Timestamp> {
        Ok(event["processed_at"].as_str().context("no time")?.parse()?)
    };
    let answered = of_kind(&events, "span.model_request_end");
    let answered = time(answered.first().context("no answer")?)?;
    let asked = of_kind(&own, "span.model_request_start");
    let asked = time(asked.first().context("no request")?)?;
    let next = of_kind(&events, "span.model_request_start");
    let next = time(next.get(1).context("no second request")?)?;
    let since = |at: sinew::clock::Timestamp| {
        Duration::try_from(at.duration_since(answered)).unwrap_or_default()
    };
    Ok((since(asked), since(next)))
}

/// Counts the events of a session and of all its threads.
async fn events_of_all(client: &Client, session: &str) -> Result<usize> {
    let threads = client
        .get(&format!("/v1/sessions/{session}/threads"))
        .await?;
    let threads = threads["data"].as_array().context("no list")?;
    ensure!(threads.len() == AGENTS + 1, "{} threads", threads.len());
    let mut count = 0;
    for thread in threads {
        let id = thread["id"].as_str().context("no id")?;
        let path = format!("/v1/sessions/{session}/threads/{id}/events?limit=1000");
        count += client.list(&path).await?.len();
    }
    Ok(count)
}
