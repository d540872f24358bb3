//! Supervision: each rule is one that the model tries to break, in every way that it has, and cannot.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sinew_tests::cli::Cli;
use sinew_tests::client::Client;
use sinew_tests::daemon::cache;
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::PROGRAM;

/// Makes a session of an agent with these rules and returns its id.
async fn session(client: &Client, name: &str, rules: Value, tools: Value) -> Result<String> {
    let agent = json!({
        "name": name,
        "system": format!("You are {name}."),
        "model": "claude-sonnet-4-6",
        "tools": tools,
        "sinew": rules,
    });
    session_of(client, agent).await
}

async fn session_of(client: &Client, agent: Value) -> Result<String> {
    let agent = client.post("/v1/agents", &agent).await?;
    let environment = client
        .post("/v1/environments", &json!({"name": agent["id"]}))
        .await?;
    let body = json!({"agent": agent["id"], "environment_id": environment["id"]});
    let session = client.post("/v1/sessions", &body).await?;
    Ok(session["id"].as_str().context("no id")?.to_owned())
}

fn toolset() -> Value {
    json!([{"type": "agent_toolset_20260401"}])
}

/// The calls of these events with what they came to: tool, permission, rule, result.
fn calls(events: &[Value]) -> Result<Vec<(String, String, String, String)>> {
    let results = events
        .iter()
        .filter(|event| event["tool_use_id"].is_string());
    let results: Vec<&Value> = results
        .filter(|event| event["type"] == "agent.tool_result")
        .collect();
    of_kind(events, "agent.tool_use")
        .into_iter()
        .map(|call| {
            let result = results
                .iter()
                .find(|result| result["tool_use_id"] == call["id"])
                .map(|result| text_of(result));
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            Ok((
                text(&call["name"]),
                text(&call["evaluated_permission"]),
                text(&call["sinew"]["supervision"]["rule"]),
                result.unwrap_or_default(),
            ))
        })
        .collect()
}

/// Holds calls against names, permissions and rules, one after the other.
fn expect(events: &[Value], wanted: &[(&str, &str, &str)]) -> Result<Vec<String>> {
    let calls = calls(events)?;
    let got: Vec<(&str, &str, &str)> = calls
        .iter()
        .map(|(name, permission, rule, _)| (name.as_str(), permission.as_str(), rule.as_str()))
        .collect();
    ensure!(got == wanted, "got {got:#?}\nof {calls:#?}");
    Ok(calls.into_iter().map(|call| call.3).collect())
}

async fn supervised(client: &Client, session: &str) -> Result<Value> {
    let path = format!("/sinew/v1/sessions/{session}/supervision");
    let told = client.get(&path).await?;
    Ok(told["agents"][0].clone())
}

fn statuses(agent: &Value) -> Vec<&str> {
    let steps = agent["steps"].as_array().into_iter().flatten();
    steps.filter_map(|step| step["status"].as_str()).collect()
}

const PLANNER: &str = r#"
turns:
  # Nothing may be changed without a plan, by whatever tool; looking is free.
  - tools:
      - {name: write, input: {file_path: /workspace/a, content: early}}
      - {name: bash, input: {command: "echo early > /workspace/a"}}
      - {name: glob, input: {pattern: "*"}}
      - {name: finish_step, input: {step: 1, summary: done}}
  # A plan is no plan with nothing in it, and what comes in one breath with it waits for it.
  - tools:
      - {name: make_plan, input: {steps: []}}
      - {name: make_plan, input: {steps: [{title: Write a.}, {title: Write b.}]}}
      - {name: write, input: {file_path: /workspace/a, content: early}}
  - tools: [{name: write, input: {file_path: /workspace/a, content: one}}]
  # The order is the plan's.
  - tools: [{name: finish_step, input: {step: 2, summary: b}}]
  - tools: [{name: finish_step, input: {step: 1, summary: a}}, {name: finish_step, input: {step: 2, summary: b}}]
  # It may not stop half way.
  - text: All is done.
  - text: Really.
  - tools: [{name: bash, input: {command: "echo two > /workspace/b"}}]
  - tools: [{name: finish_step, input: {step: 2, summary: b}}]
  # Once the plan is done, so is its leave to act.
  - tools: [{name: write, input: {file_path: /workspace/c, content: more}}]
  - text: Two files.
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_without_an_open_step() -> Result<()> {
    let world = World::start(PROGRAM, PLANNER).await?;
    let client = &world.client;
    let id = session(client, "planner", json!({"plan": "required"}), toolset()).await?;
    client.message(&id, "write two files").await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let results = expect(
        &events,
        &[
            ("write", "deny", "plan"),
            ("bash", "deny", "plan"),
            ("glob", "allow", ""),
            ("finish_step", "deny", "plan"),
            ("make_plan", "deny", "plan"),
            ("make_plan", "allow", ""),
            ("write", "deny", "plan"),
            ("write", "allow", ""),
            ("finish_step", "deny", "plan"),
            ("finish_step", "allow", ""),
            ("finish_step", "deny", "plan"),
            ("bash", "allow", ""),
            ("finish_step", "allow", ""),
            ("write", "deny", "plan"),
        ],
    )?;
    ensure!(
        results[0].contains("make a plan with make_plan"),
        "{results:#?}"
    );
    ensure!(
        results[9].contains("Step 2 is open: Write b."),
        "{results:#?}"
    );
    let folder = world.workspace(&id);
    ensure!(std::fs::read_to_string(folder.join("a"))? == "one");
    ensure!(std::fs::read_to_string(folder.join("b"))? == "two\n");
    ensure!(!folder.join("c").exists());
    ensure!(of_kind(&events, "session.status_idle").len() == 1);
    let agent = supervised(client, &id).await?;
    ensure!(statuses(&agent) == ["done", "done"], "{agent}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_does_not_end_with_a_step_open() -> Result<()> {
    let script = r#"
turns:
  - tools: [{name: make_plan, input: {steps: [{title: Write a.}]}}]
otherwise: {text: It is done.}
"#;
    let world = World::start(PROGRAM, script).await?;
    let client = &world.client;
    let id = session(client, "liar", json!({"plan": "required"}), toolset()).await?;
    client.message(&id, "go").await?;
    let events = client.until_idle(&id, "retries_exhausted").await?;
    // Told twice, and then it is said to whoever looks.
    ensure!(of_kind(&events, "agent.message").len() == 3, "{events:#?}");
    let errors = of_kind(&events, "session.error");
    let message = errors[0]["error"]["message"].as_str().unwrap_or_default();
    ensure!(message.contains("step of its plan open"), "{message}");
    let agent = supervised(client, &id).await?;
    ensure!(statuses(&agent) == ["open"], "{agent}");
    Ok(())
}

const ASKER: &str = r#"
turns:
  - tools:
      - {name: bash, input: {command: "echo early > /workspace/a"}}
      - {name: ask_user, input: {questions: []}}
      - {name: ask_user, input: {questions: [{question: "Which name?", options: [a, b]}, {question: "Which name?"}]}}
      - {name: write, input: {file_path: /workspace/a, content: early}}
  # The same question twice was one; one is missing.
  - tools: [{name: write, input: {file_path: /workspace/a, content: early}}]
  - tools: [{name: ask_user, input: {questions: [{question: "Which text?"}]}}]
  # It was not answered.
  - tools: [{name: write, input: {file_path: /workspace/a, content: early}}]
  - tools: [{name: ask_user, input: {questions: [{question: "Which text then?"}]}}]
  - tools: [{name: write, input: {file_path: /workspace/a, content: "${last_tool_result}"}}]
  - text: Written.
"#;

async fn answer(client: &Client, id: &str, text: &str, is_error: bool) -> Result<Vec<Value>> {
    let events = client.until_idle(id, "requires_action").await?;
    let idle = of_kind(&events, "session.status_idle");
    let waiting = idle.last().context("not idle")?["stop_reason"]["event_ids"].clone();
    let answer = json!([{
        "type": "user.custom_tool_result",
        "custom_tool_use_id": waiting[0],
        "content": [{"type": "text", "text": text}],
        "is_error": is_error,
    }]);
    client.send_events(id, answer).await?;
    Ok(events)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_is_asked_before_anything_is_done() -> Result<()> {
    let world = World::start(PROGRAM, ASKER).await?;
    let client = &world.client;
    let id = session(client, "asker", json!({"questions": 2}), toolset()).await?;
    client.message(&id, "write a file").await?;
    answer(client, &id, "a", false).await?;
    answer(client, &id, "no", true).await?;
    let asked = client.until_idle(&id, "requires_action").await?;
    let asked = of_kind(&asked, "agent.custom_tool_use");
    let asked = asked.last().and_then(|call| call["id"].as_str());
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let asked = asked.context("no question")?;
    cli.ok(&["session", "send", &id, "--answer", asked, "mine"])?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let results = expect(
        &events,
        &[
            ("bash", "deny", "questions"),
            ("write", "deny", "questions"),
            ("write", "deny", "questions"),
            ("write", "deny", "questions"),
            ("write", "allow", ""),
        ],
    )?;
    ensure!(results[0].contains("2 more question(s)"), "{results:#?}");
    ensure!(results[2].contains("1 more question(s)"), "{results:#?}");
    ensure!(results[3].contains("1 more question(s)"), "{results:#?}");
    ensure!(std::fs::read_to_string(world.workspace(&id).join("a"))? == "mine");
    // An official client sees a custom tool of the agent's, with one that it could not have answered left out.
    let asked = of_kind(&events, "agent.custom_tool_use");
    ensure!(asked.len() == 4 && asked[1]["input"]["questions"][0]["question"] == "Which name?");
    Ok(())
}

/// It tries to get past a validation with its own shell's functions, with a plan without one, with another plan, by
/// going on, and by giving up.
const VALIDATED: &str = r#"
turns:
  - tools: [{name: make_plan, input: {steps: [{title: Write it.}]}}]
  - tools: [{name: make_plan, input: {steps: [{title: Write it., validation: "grep -q right /workspace/it"}]}}]
  - tools: [{name: bash, input: {command: "touch it; sleep 1000 & cd /tmp; grep() { true; }; export -f grep; alias grep=true; export PATH=/workspace BASH_ENV=/workspace/it"}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - tools: [{name: make_plan, input: {steps: [{title: Nothing., validation: "true"}]}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - tools: [{name: bash, input: {command: "echo right > /workspace/it"}}]
  - tools: [{name: make_plan, input: {steps: [{title: Nothing., validation: "true"}]}}]
  - text: "It cannot be done: ${last_tool_result}"
  # The user says that it may go on.
  - tools: [{name: bash, input: {command: "pwd; jobs -r; echo right > /workspace/it"}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - text: Now it is.
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_done_only_when_its_validation_says_so() -> Result<()> {
    let world = World::start(PROGRAM, VALIDATED).await?;
    let client = &world.client;
    let rules = json!({"validation": {"retries": 1}});
    let id = session(client, "doer", rules, toolset()).await?;
    client.message(&id, "write it").await?;
    let events = client.until_idle(&id, "end_turn").await?;
    let results = expect(
        &events,
        &[
            ("make_plan", "deny", "plan"),
            ("make_plan", "allow", ""),
            ("bash", "allow", ""),
            ("finish_step", "allow", ""),
            ("make_plan", "deny", "plan"),
            ("finish_step", "allow", ""),
            ("bash", "deny", "stopped"),
            ("make_plan", "deny", "plan"),
        ],
    )?;
    ensure!(results[0].contains("has no validation"), "{results:#?}");
    ensure!(results[3].contains("1 of 2 attempts"), "{results:#?}");
    ensure!(results[5].contains("You are stopped"), "{results:#?}");
    let told = of_kind(&events, "agent.tool_result");
    let said: Vec<&Value> = told
        .iter()
        .map(|result| &result["sinew"]["validation"])
        .filter(|word| word.is_string())
        .collect();
    ensure!(said == ["failed", "failed"], "{said:?}");
    let agent = supervised(client, &id).await?;
    ensure!(
        statuses(&agent) == ["open"]
            && agent["is_stopped"] == true
            && agent["failed_validations"] == 2,
        "{agent}"
    );
    client.message(&id, "go on").await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let calls = calls(&events)?;
    // Its shell is what it was, with what it left in the background; the validation had another.
    ensure!(calls[8].3.starts_with("/tmp\n[1]"), "{:?}", calls[8]);
    ensure!(calls[9].3.contains("with it the plan"), "{:?}", calls[9]);
    let agent = supervised(client, &id).await?;
    ensure!(statuses(&agent) == ["done"], "{agent}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_command_holds_for_every_step() -> Result<()> {
    let script = r#"
turns:
  - tools: [{name: make_plan, input: {steps: [{title: Write it., validation: "exit 0"}, {title: And more.}]}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - tools: [{name: write, input: {file_path: /workspace/it, content: right}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - tools: [{name: finish_step, input: {step: 2, outcome: given_up, summary: there is no more}}]
  - tools: [{name: write, input: {file_path: /workspace/it, content: wrong}}]
  - text: The first step is done.
"#;
    let world = World::start(PROGRAM, script).await?;
    let client = &world.client;
    let rules = json!({
        "validation": {"retries": 5, "command": "echo checked; grep -q right it"},
        "deterministic": true,
    });
    let id = session(client, "doer", rules, toolset()).await?;
    client.message(&id, "write it").await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let results = expect(
        &events,
        &[
            ("make_plan", "allow", ""),
            ("finish_step", "allow", ""),
            ("write", "allow", ""),
            ("finish_step", "allow", ""),
            ("finish_step", "allow", ""),
            ("write", "deny", "stopped"),
        ],
    )?;
    ensure!(
        results[1].contains("not done") && results[1].contains("checked"),
        "{results:#?}"
    );
    ensure!(
        results[3].contains("Step 1 is done") && results[3].contains("checked"),
        "{results:#?}"
    );
    let agent = supervised(client, &id).await?;
    ensure!(statuses(&agent) == ["done", "given_up"], "{agent}");
    let folder = tempfile::tempdir()?;
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let cli = cli.with_variable("SINEW_CACHE", &cache().display().to_string());
    // Validations are done again like any other call.
    cli.ok(&["session", "replay", &id, "--verify"])?;
    let shown = cli.ok(&["session", "plan", &id])?;
    ensure!(
        shown.contains("doer  stopped")
            && shown.contains("[x] 1. Write it.")
            && shown.contains("[-] 2. And more."),
        "{shown}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validation_may_do_what_the_shell_may() -> Result<()> {
    let script = r#"
turns:
  - tools: [{name: make_plan, input: {steps: [{title: Write it., validation: "echo forbidden > /workspace/x"}]}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - tools: [{name: make_plan, input: {steps: [{title: Write it., validation: "echo allowed > /workspace/y"}]}}]
  - tools: [{name: finish_step, input: {step: 1, summary: done}}]
  - text: Done.
"#;
    let world = World::start(PROGRAM, script).await?;
    let client = &world.client;
    let rules = json!({
        "validation": {},
        "policy": [{"when": "tool == 'bash' && input.command.contains('forbidden')", "then": "deny", "reason": "Not that."}],
    });
    let tools = json!([{
        "type": "agent_toolset_20260401",
        "configs": [{"name": "bash", "permission_policy": {"type": "always_ask"}}],
    }]);
    let id = session(client, "doer", rules, tools).await?;
    client.message(&id, "write it").await?;
    let events = client.until_idle(&id, "requires_action").await?;
    let results = expect(
        &events,
        &[
            ("make_plan", "allow", ""),
            ("finish_step", "deny", "plan"),
            ("make_plan", "allow", ""),
            ("finish_step", "ask", ""),
        ],
    )?;
    ensure!(results[1].contains("may not be run"), "{results:#?}");
    let asking = of_kind(&events, "agent.tool_use")[3].clone();
    ensure!(
        asking["sinew"] == json!({"validation": {"command": "echo allowed > /workspace/y"}}),
        "{asking}"
    );
    let folder = world.workspace(&id);
    ensure!(!folder.join("x").exists() && !folder.join("y").exists());
    let allow =
        json!([{"type": "user.tool_confirmation", "tool_use_id": asking["id"], "result": "allow"}]);
    client.send_events(&id, allow).await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    ensure!(folder.join("y").exists());
    Ok(())
}

const UNSURE: &str = r#"
conversations:
  - when: {system_contains: You advise an AI agent}
    turns: [{text: Look at the other file first.}]
  - when: {system_contains: You are}
    turns:
      - tools: [{name: make_plan, input: {steps: [{title: Guess.}]}}]
      - tools: [{name: make_plan, input: {steps: [{title: Guess., confidence: 7}]}}]
      - tools: [{name: make_plan, input: {steps: [{title: Guess., confidence: 0.9}]}}]
      - tools: [{name: finish_step, input: {step: 1, summary: guessed}}]
      - tools: [{name: finish_step, input: {step: 1, confidence: 0.4, summary: guessed}}]
      - tools: [{name: finish_step, input: {step: 1, confidence: 0.5, summary: "${last_tool_result}"}}]
      - tools: [{name: finish_step, input: {step: 1, confidence: 0.8, summary: known}}]
      - text: Done.
"#;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_unsure_has_somebody_asked() -> Result<()> {
    let world = World::start(PROGRAM, UNSURE).await?;
    let client = &world.client;
    for (below, asked) in [
        (json!("person"), 2),
        (json!({"type": "advisor", "model": "claude-opus-4-8"}), 1),
    ] {
        let rules = json!({"confidence": {"threshold": 0.8, "below": below}});
        let id = session(client, "guesser", rules, toolset()).await?;
        client.message(&id, "guess").await?;
        for _ in 0..asked {
            let events = client.until_idle(&id, "requires_action").await?;
            let idle = of_kind(&events, "session.status_idle");
            let waiting = idle.last().context("not idle")?["stop_reason"]["event_ids"].clone();
            let call = of_kind(&events, "agent.tool_use");
            let call = call
                .iter()
                .find(|call| call["id"] == waiting[0])
                .context("no call")?;
            ensure!(call["sinew"]["confidence"]["threshold"] == 0.8, "{call}");
            let deny = json!([{
                "type": "user.tool_confirmation",
                "tool_use_id": waiting[0],
                "result": "deny",
                "deny_message": "Find out.",
            }]);
            client.send_events(&id, deny).await?;
        }
        let events = client.until_idle(&id, "end_turn").await?;
        log_rules::check(&events)?;
        let calls = calls(&events)?;
        ensure!(calls.len() == 7, "{calls:#?}");
        ensure!(calls[0].3.contains("has no confidence"), "{calls:#?}");
        ensure!(calls[1].3.contains("from 0 to 1"), "{calls:#?}");
        ensure!(calls[3].3.contains("confidence is missing"), "{calls:#?}");
        if asked == 1 {
            ensure!(
                calls[4].3.contains("Look at the other file first."),
                "{calls:#?}"
            );
        } else {
            ensure!(calls[4].3.contains("Find out."), "{calls:#?}");
        }
        ensure!(calls[5].3.contains("Find out."), "{calls:#?}");
        ensure!(calls[6].3.contains("with it the plan"), "{calls:#?}");
        let agent = supervised(client, &id).await?;
        ensure!(agent["steps"][0]["confidence"] == 0.8, "{agent}");
    }
    Ok(())
}

const TEAM: &str = r#"
conversations:
  - when: {system_contains: You are the coder}
    turns:
      - tools: [{name: write, input: {file_path: /workspace/a, content: early}}, {name: ask_user, input: {}}]
      - text: "I could not: ${tool_result.0}"
      - tools: [{name: write, input: {file_path: /workspace/a, content: late}}]
      - text: Done.
  - when: {system_contains: You are the lead}
    turns:
      - tools: [{name: start_agent, input: {agent: the coder, message: write it}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: make_plan, input: {steps: [{title: Have it written.}]}}]
      - tools: [{name: send_to_agent, input: {thread_id: "${field.0.thread_id}", message: now}}]
      - tools: [{name: wait_for_agents, input: {}}]
      - tools: [{name: finish_step, input: {step: 1, summary: written}}]
      - text: Done.
otherwise: {text: Go on.}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_holds_for_those_that_an_agent_starts() -> Result<()> {
    let world = World::start(PROGRAM, TEAM).await?;
    let client = &world.client;
    let coder = json!({
        "name": "the coder",
        "system": "You are the coder.",
        "model": "claude-sonnet-4-6",
        "tools": toolset(),
    });
    let coder = client.post("/v1/agents", &coder).await?;
    let lead = json!({
        "name": "the lead",
        "system": "You are the lead.",
        "model": "claude-sonnet-4-6",
        "tools": [],
        "multiagent": {"type": "coordinator", "agents": [coder["id"]]},
        "sinew": {"plan": "required"},
    });
    let id = session_of(client, lead).await?;
    client.message(&id, "have it written").await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let received = of_kind(&events, "agent.thread_message_received");
    let first = received
        .first()
        .map(|event| text_of(event))
        .unwrap_or_default();
    ensure!(
        first.contains("I could not") && first.contains("has no plan with an open step"),
        "{first}"
    );
    ensure!(std::fs::read_to_string(world.workspace(&id).join("a"))? == "late");
    Ok(())
}

const LEARNER: &str = r#"
conversations:
  - when: {system_contains: You keep the list, last_user_text_contains: Sign with your name}
    turns: [{text: '{"preferences": ["Keep every entry.", "Sign with your name."]}'}]
  - when: {system_contains: You keep the list, last_user_text_contains: not with spaces}
    turns: [{text: '{"preferences": ["Indent with tabs."]}', usage: {input_tokens: 100, output_tokens: 10}}]
  - when: {system_contains: You keep the list}
    turns: [{text: I learned nothing.}]
  - when: {system_contains: Indent with tabs}
    turns: [{text: I indent with tabs.}]
  - when: {first_user_text_contains: write it}
    turns:
      - tools: [{name: write, input: {file_path: /workspace/a, content: "  a"}}]
      - text: I did not write it.
      - text: I sign.
otherwise: {text: I know nothing.}
"#;

async fn preferences(client: &Client, store: &str) -> Result<(String, Value)> {
    let path = format!("/v1/memory_stores/{store}/memories");
    let memories = client.list(&path).await?;
    let memory = memories.first().context("nothing was learned")?;
    let id = memory["id"].as_str().context("no id")?;
    let memory = client.get(&format!("{path}/{id}")).await?;
    let text = memory["content"].as_str().context("no content")?;
    Ok((text.to_owned(), memory.clone()))
}

/// Waits until nothing waits to be learned any more.
async fn learned(client: &Client, session: &str) -> Result<Value> {
    let path = format!("/sinew/v1/sessions/{session}/supervision");
    let waiting = async {
        loop {
            let told = client.get(&path).await?["preferences"].clone();
            if told["corrections"].as_array().is_some_and(Vec::is_empty) {
                return anyhow::Ok(told);
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_become_preferences_of_later_sessions() -> Result<()> {
    let mut world = World::start(PROGRAM, LEARNER).await?;
    let client = world.client.clone();
    let store = client
        .post("/v1/memory_stores", &json!({"name": "preferences"}))
        .await?;
    let store = store["id"].as_str().context("no id")?;
    let unknown = json!({
        "name": "x",
        "model": "claude-sonnet-4-6",
        "sinew": {"preferences": {"memory_store_id": "memstore_none"}},
    });
    let refused = session_of(&client, unknown).await.unwrap_err().to_string();
    ensure!(
        refused.contains("sinew.preferences.memory_store_id"),
        "{refused}"
    );

    let rules = json!({"preferences": {"memory_store_id": store}});
    let tools = json!([{
        "type": "agent_toolset_20260401",
        "configs": [{"name": "write", "permission_policy": {"type": "always_ask"}}],
    }]);
    let id = session(&client, "learner", rules.clone(), tools.clone()).await?;
    client.message(&id, "write it").await?;
    let events = client.until_idle(&id, "requires_action").await?;
    let call = of_kind(&events, "agent.tool_use")[0]["id"].clone();
    let deny = json!([{
        "type": "user.tool_confirmation",
        "tool_use_id": call,
        "result": "deny",
        "deny_message": "With tabs, not with spaces.",
    }]);
    client.send_events(&id, deny).await?;
    client.until_idle(&id, "end_turn").await?;
    learned(&client, &id).await?;
    let (text, memory) = preferences(&client, store).await?;
    ensure!(text == "# Preferences\n\n- Indent with tabs.\n", "{text}");

    // A later session begins with them, also in a daemon that was killed meanwhile.
    world.kill()?;
    world.restart()?;
    let client = world.client.clone();
    let later = session(&client, "later", rules.clone(), tools.clone()).await?;
    client.message(&later, "what do you know?").await?;
    let events = client.until_idle(&later, "end_turn").await?;
    let said = of_kind(&events, "agent.message");
    ensure!(text_of(said[0]) == "I indent with tabs.", "{said:?}");

    // A person changes them; what is learned next comes to what is there.
    let path = format!(
        "/v1/memory_stores/{store}/memories/{}",
        memory["id"].as_str().unwrap_or_default()
    );
    client
        .post(
            &path,
            &json!({"content": "# Preferences\n\n- Keep every entry.\n"}),
        )
        .await?;
    client.message(&id, "Sign with your name.").await?;
    client.until_idle(&id, "end_turn").await?;
    learned(&client, &id).await?;
    let (text, _) = preferences(&client, store).await?;
    ensure!(
        text == "# Preferences\n\n- Keep every entry.\n- Sign with your name.\n",
        "{text}"
    );
    // What nothing is learned from changes nothing.
    client.message(&id, "Thanks.").await?;
    client.until_idle(&id, "end_turn").await?;
    learned(&client, &id).await?;
    ensure!(preferences(&client, store).await?.0 == text);
    // It is paid for like any other request.
    let usage = client.get(&format!("/v1/sessions/{id}")).await?["usage"].clone();
    ensure!(usage["input_tokens"].as_u64() >= Some(100), "{usage}");
    Ok(())
}
